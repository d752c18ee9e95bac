//! Makes peers: from a caller's offer, or with an offer of our own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::config::DtlsVersion;
use str0m::format::{Codec, FormatParams};
use str0m::media::{Direction, Frequency, MediaKind, Mid};
use str0m::net::TcpType;
use str0m::rtp::Extension;
use str0m::{Candidate, Rtc, RtcConfig};

use super::video::Video;
use super::{Consent, EVENTS_CHANNEL, Peer, Transport, dtls};
use crate::config::IceMode;

/// Payload types of key presses (RFC 4733) in offers of our own, as Chromium numbers them, one for each clock.
const TELEPHONE_EVENTS: [(u8, Frequency); 2] = [(110, Frequency::FORTY_EIGHT_KHZ), (126, Frequency::EIGHT_KHZ)];
/// The event of the last key, D.
const LAST_KEY: u8 = 15;

/// Receivers tell their loss once a second, so that senders adapt their redundancy in time.
const RTCP_INTERVAL: Duration = Duration::from_secs(1);
/// How often we look at what the peer told.
const STATS_INTERVAL: Duration = Duration::from_secs(2);

/// What all peers share: settings and one certificate.
#[derive(Debug, Clone)]
pub(crate) struct PeerFactory {
    config: RtcConfig,
}

/// Whether each packet repeats the one before it (RED, RFC 2198), where the other end can do that too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Redundancy {
    /// One packet, one frame.
    None,
    /// A lost packet is in the next one as a whole.
    Red,
}

/// Where a peer of ours can be reached, or leaves from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LocalAddress {
    pub(crate) transport: Transport,
    pub(crate) address: SocketAddr,
}

/// Crypto is unavailable.
#[derive(Debug, thiserror::Error)]
#[error("prepare DTLS: {0}")]
pub(crate) struct FactoryError(String);

/// A peer made from an offer.
pub(crate) struct Answered {
    pub(crate) peer: Peer,
    /// Names the peer in STUN requests.
    pub(crate) ufrag: String,
    /// The answer, as the stack writes it.
    pub(crate) answer: String,
}

/// A peer that waits for the answer to its offer.
pub(crate) struct PendingOffer {
    rtc: Box<Rtc>,
    audio: Mid,
    pending: SdpPendingOffer,
}

impl PeerFactory {
    /// For a server.
    pub(crate) fn for_server(ice: IceMode) -> Result<Self, FactoryError> {
        Ok(Self { config: shared_config(Redundancy::Red)?.set_ice_lite(ice == IceMode::Lite) })
    }

    /// For a client: full ICE.
    pub(crate) fn for_client(redundancy: Redundancy) -> Result<Self, FactoryError> {
        let mut config = shared_config(redundancy)?;
        // A check lost on the way is repeated soon; the default of 250 ms is for worse networks than a test's.
        config.set_initial_stun_rto(Duration::from_millis(100));
        Ok(Self { config })
    }

    /// Answers an offer with these local addresses as candidates. RTP of the payload types of `video` is dropped unread.
    pub(crate) fn answer(
        &self,
        offer: &str,
        video: &[u8],
        addresses: &[LocalAddress],
        now: Instant,
    ) -> Result<Answered, String> {
        let offer = SdpOffer::from_sdp_string(offer).map_err(|error| error.to_string())?;
        let mut rtc = Box::new(self.config.clone().build(now));
        for address in addresses {
            rtc.add_local_candidate(host_candidate(*address, TcpType::Passive)?);
        }
        let answer = rtc.sdp_api().accept_offer(offer).map_err(|error| error.to_string())?.to_sdp_string();
        let ufrag = rtc.direct_api().local_ice_credentials().ufrag;
        let consent = if self.config.ice_lite() { Consent::Implied } else { Consent::Given };
        let peer = Peer { video: Video::of(video), consent, ..Peer::new(rtc, None) };
        Ok(Answered { peer, ufrag, answer })
    }

    /// Makes an offer without candidates: the server is to learn our address from our first packet.
    pub(crate) fn offer(&self, direction: Direction, now: Instant) -> Option<(PendingOffer, String)> {
        let mut rtc = Box::new(self.config.clone().build(now));
        let mut changes = rtc.sdp_api();
        let audio = changes.add_media(MediaKind::Audio, direction, None, None, None);
        if direction == Direction::SendRecv {
            changes.add_channel(EVENTS_CHANNEL.to_owned());
        }
        let (offer, pending) = changes.apply()?;
        // RFC 9725, section 4.4.1: there is no second port for RTCP.
        let offer = offer.to_sdp_string().replace("a=rtcp-mux\r\n", "a=rtcp-mux\r\na=rtcp-mux-only\r\n");
        Some((PendingOffer { rtc, audio, pending }, offer))
    }
}

impl PendingOffer {
    /// Completes the peer with the server's answer; `local` is where its packets leave and arrive.
    pub(crate) fn complete(mut self, answer: &str, local: LocalAddress) -> Result<Peer, String> {
        let answer = SdpAnswer::from_sdp_string(answer).map_err(|error| error.to_string())?;
        self.rtc.add_local_candidate(host_candidate(local, TcpType::Active)?);
        self.rtc.sdp_api().accept_answer(self.pending, answer).map_err(|error| error.to_string())?;
        Ok(Peer::new(self.rtc, Some(self.audio)))
    }
}

/// A candidate of the host; `role` is who connects if it is TCP (RFC 6544, section 4.5).
pub(super) fn host_candidate(local: LocalAddress, role: TcpType) -> Result<Candidate, String> {
    let candidate = match local.transport {
        Transport::Udp => Candidate::builder().udp().host(local.address).build(),
        Transport::Tcp => Candidate::builder().tcp().host(local.address).tcptype(role).build(),
    };
    candidate.map_err(|error| error.to_string())
}

fn shared_config(redundancy: Redundancy) -> Result<RtcConfig, FactoryError> {
    let provider = dtls::crypto_provider().map_err(FactoryError)?;
    let certificate = provider.dtls_provider.generate_certificate();
    let certificate = certificate.ok_or_else(|| FactoryError("no certificate could be made".into()))?;
    let mut config = RtcConfig::new()
        .set_crypto_provider(Arc::new(provider))
        .set_dtls_cert(certificate)
        .set_dtls_version(DtlsVersion::Dtls12)
        .clear_codecs()
        .enable_opus(true, redundancy == Redundancy::Red)
        // Congestion feedback for a 32 kb/s voice would cost more packets than it saves.
        .clear_extension_map()
        .set_extension(1, Extension::AudioLevel)
        .set_extension(4, Extension::RtpMid)
        // Packets come out as they arrive: ordering is the jitter buffer's work.
        .set_reordering_size_audio(0)
        .set_rtcp_report_interval_audio(RTCP_INTERVAL)
        .set_stats_interval(Some(STATS_INTERVAL));
    for (payload_type, rate) in TELEPHONE_EVENTS {
        let format = FormatParams { telephone_event_max: Some(LAST_KEY), ..FormatParams::default() };
        config.codec_config().add_config(payload_type.into(), None, Codec::Tele, rate, None, format);
    }
    Ok(config)
}
