//! ICE of a peer after its first offer and answer: candidates that come later, and restarts from either end.

use str0m::Candidate;
use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::net::TcpType;

use super::factory::host_candidate;
use super::{LocalAddress, Peer, contain};
use crate::sdp::{Credentials, Fragment};

/// A peer made its part of a restart.
pub(crate) struct Restarted {
    /// The answer, as the stack writes it.
    pub(crate) answer: String,
    /// Names the peer in STUN requests from now on.
    pub(crate) ufrag: String,
}

/// A restart of our own that waits for the other end.
pub(crate) struct PendingRestart {
    pending: SdpPendingOffer,
}

impl Peer {
    /// Takes candidates in. Those that cannot be used, such as host names of a local network, are passed over.
    pub(crate) fn trickle(&mut self, candidates: &[String]) {
        for candidate in candidates.iter().filter_map(|text| Candidate::from_sdp_string(text).ok()) {
            // A candidate that makes the stack panic is passed over too.
            let _ = contain(|| self.rtc.add_remote_candidate(candidate));
        }
    }

    /// Begins ICE anew as the other end asks by its first offer with new credentials. Voice goes on over the old path until
    /// a new one is found.
    pub(crate) fn restart(&mut self, offer: &str) -> Result<Restarted, String> {
        // Nothing is touched before the offer is known to be sound.
        let offer = SdpOffer::from_sdp_string(offer).map_err(|error| error.to_string())?;
        let answer = contain(|| self.rtc.sdp_api().accept_offer(offer)).ok_or("the WebRTC stack panicked")?;
        let answer = answer.map_err(|error| error.to_string())?.to_sdp_string();
        Ok(Restarted { answer, ufrag: self.rtc.direct_api().local_ice_credentials().ufrag })
    }

    /// Begins ICE anew from this end; gives the fragment to send. Nothing changes before [`Peer::finish_restart`].
    pub(crate) fn begin_restart(&mut self) -> Option<(PendingRestart, String)> {
        let mut changes = self.rtc.sdp_api();
        changes.ice_restart(false);
        let (offer, pending) = changes.apply()?;
        Some((PendingRestart { pending }, Fragment::of(&offer.to_sdp_string())))
    }

    /// Completes a restart with the other end's fragment; `answer` is the one it gave first, `local` where packets leave
    /// and arrive from now on.
    pub(crate) fn finish_restart(
        &mut self,
        restart: PendingRestart,
        answer: &str,
        fragment: &Fragment,
        local: LocalAddress,
    ) -> Result<(), String> {
        let credentials: &Credentials = fragment.credentials.as_ref().ok_or("the fragment has no credentials")?;
        let answer = SdpAnswer::from_sdp_string(&credentials.put_into(answer)).map_err(|error| error.to_string())?;
        let candidate = host_candidate(local, TcpType::Active)?;
        self.rtc.sdp_api().accept_answer(restart.pending, answer).map_err(|error| error.to_string())?;
        self.rtc.add_local_candidate(candidate);
        self.trickle(&fragment.candidates);
        Ok(())
    }
}
