//! Changes of a leg's ICE session. One after the other, as everything here: that is what serialises a caller's requests.

use std::time::Instant;

use super::Reactor;
use super::state::{Link, Purpose};
use crate::commands::{CallKey, IcePatched, LegKey, PatchIce};
use crate::ice::{IceError, IcePatch, Step};

impl Reactor {
    pub(super) fn patch_ice(&mut self, asked: PatchIce, now: Instant) {
        let leg = self.find_leg(asked.call, asked.listener_id.as_deref()).ok_or(IceError::UnknownSession);
        let outcome = leg.and_then(|leg| self.apply_patch(leg, &asked.patch, now));
        // Who asked may be gone.
        let _ = asked.reply.send(outcome);
    }

    /// The leg of a listener, or the caller's own.
    pub(super) fn find_leg(&self, call: CallKey, listener_id: Option<&str>) -> Option<LegKey> {
        let call = self.calls.get(&call)?;
        let Some(wanted) = listener_id else { return Some(call.caller) };
        call.listeners.iter().copied().find(|leg| {
            let purpose = self.legs.get(leg).map(|leg| &leg.purpose);
            matches!(purpose, Some(Purpose::Listener { id }) if id == wanted)
        })
    }

    fn apply_patch(&mut self, key: LegKey, patch: &IcePatch, now: Instant) -> Result<IcePatched, IceError> {
        let leg = self.legs.get_mut(&key).ok_or(IceError::UnknownSession)?;
        let patched = match leg.ice.judge(patch)? {
            Step::Trickle => IcePatched::Trickled,
            Step::Restart(remote) => {
                let restarted = leg.peer.restart(&leg.ice.offer_with(&remote)).map_err(IceError::CannotRestart)?;
                self.pace.hurry(now);
                // Both names lead here until a path is found.
                self.demux.rename(key, restarted.ufrag.clone());
                leg.ice.restart(restarted.ufrag.clone(), remote);
                // The caller is alive, though its packets may not come through now.
                if let Link::Connected { heard_at } = &mut leg.link {
                    *heard_at = now;
                }
                IcePatched::Restarted { tag: restarted.ufrag, answer: restarted.answer }
            }
        };
        leg.peer.trickle(&patch.fragment.candidates);
        self.run_leg(key, now);
        Ok(patched)
    }
}
