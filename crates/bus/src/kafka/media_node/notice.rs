//! What a caller hears when the bus goes down: nobody else can tell them.

use audio::leg::{Clip, PlayoutMark, ToCaller};
use bytes::Bytes;

use super::call::Call;
use crate::kafka::stats::BusStats;

/// Turns count from 1, so no agent knows this clip.
const CLIP: Clip = Clip { turn: 0, attempt: 0, sentence: 0 };

/// A notice, in Opus packets of 20 ms. The default is silence.
#[derive(Debug, Clone, Default)]
pub struct Notice(pub Vec<Bytes>);

impl Notice {
    /// Plays it in a call, after what the agent has said so far; or what that agent has left for this.
    pub(super) fn give(&self, call: &mut Call, stats: &BusStats) {
        let packets = call.notice.as_ref().unwrap_or(self).0.clone();
        if packets.is_empty() {
            return;
        }
        for payload in packets {
            call.deliver(ToCaller::Voice { clip: CLIP, payload }, stats);
        }
        call.deliver(ToCaller::EndOfClip(CLIP), stats);
    }
}

/// What the agent may hear of a mark: nothing of the notice.
pub(super) fn without_notice(mark: PlayoutMark) -> Option<PlayoutMark> {
    let known = |at: Option<(Clip, u32)>| at.filter(|(clip, _)| *clip != CLIP);
    match mark {
        PlayoutMark::Started(clip) | PlayoutMark::Finished(clip) | PlayoutMark::Reached { clip, .. }
            if clip == CLIP =>
        {
            None
        }
        PlayoutMark::Held { at } => Some(PlayoutMark::Held { at: known(at) }),
        PlayoutMark::Flushed { cut } => Some(PlayoutMark::Flushed { cut: known(cut) }),
        other => Some(other),
    }
}
