//! What the caller's loudspeaker plays, frame by frame: the packets that left, placed in time by the marks of playout.
//!
//! Whoever listens asks for a frame with every frame of the microphone, since these keep the time. Marks come every
//! 100 ms and late by the way they take, so they only move the place where it is off by more than they can be.

use std::collections::VecDeque;

use audio::leg::{Clip, FRAME_MS, PlayoutMark};
use bytes::Bytes;

/// Marks are this many frames apart at most; two more for the way.
const MARK_FRAMES: u64 = 7;
/// Frames by which the place may differ from a mark and still be right.
const SLACK_FRAMES: u64 = 3;
/// Played packets kept, for a place that moves back.
const KEPT_FRAMES: u64 = 10;

/// The packets of the agent's voice, counted from the first one that was ever sent.
#[derive(Debug, Default)]
pub(crate) struct Loudspeaker {
    packets: VecDeque<Bytes>,
    /// The number of the first packet kept.
    first: u64,
    /// Where clips begin, oldest first.
    clips: VecDeque<(Clip, u64)>,
    /// The next packet to be heard.
    place: u64,
    /// Up to which packet playout may have come.
    limit: u64,
}

impl Loudspeaker {
    /// A packet left for the caller.
    pub(crate) fn sent(&mut self, clip: Clip, payload: Bytes) {
        if self.clips.back().is_none_or(|(last, _)| *last != clip) {
            self.clips.push_back((clip, self.end()));
        }
        self.packets.push_back(payload);
    }

    /// Playout told how far it is.
    pub(crate) fn mark(&mut self, mark: PlayoutMark) {
        match mark {
            PlayoutMark::Started(clip) => self.reached(clip, 0, MARK_FRAMES),
            PlayoutMark::Reached { clip, heard_ms } => self.reached(clip, heard_ms, MARK_FRAMES),
            PlayoutMark::Finished(clip) => {
                let next = self.clips.iter().skip_while(|(known, _)| *known != clip).nth(1);
                self.limit = next.map_or(self.end(), |(_, begin)| *begin);
            }
            PlayoutMark::Held { at: Some((clip, heard_ms)) } => self.reached(clip, heard_ms, 0),
            PlayoutMark::Held { at: None } => self.limit = self.place,
            PlayoutMark::Flushed { .. } => {
                self.place = self.end();
                self.limit = self.place;
            }
        }
        self.forget();
    }

    /// What was held is played on.
    pub(crate) fn resumed(&mut self) {
        self.limit = self.place + MARK_FRAMES;
    }

    /// The packet of the next 20 ms; none while nothing is played.
    pub(crate) fn next_frame(&mut self) -> Option<Bytes> {
        if self.place >= self.limit {
            return None;
        }
        let at = usize::try_from(self.place.checked_sub(self.first)?).ok()?;
        let packet = self.packets.get(at)?.clone();
        self.place += 1;
        Some(packet)
    }

    fn reached(&mut self, clip: Clip, heard_ms: u32, ahead: u64) {
        let Some((_, begin)) = self.clips.iter().find(|(known, _)| *known == clip) else { return };
        let reached = begin + u64::from(heard_ms / FRAME_MS);
        if self.place.abs_diff(reached) > SLACK_FRAMES {
            self.place = reached;
        }
        self.limit = reached + ahead;
    }

    fn end(&self) -> u64 {
        self.first + self.packets.len() as u64
    }

    fn forget(&mut self) {
        let over = self.place.saturating_sub(KEPT_FRAMES).saturating_sub(self.first);
        let over = usize::try_from(over).unwrap_or(usize::MAX).min(self.packets.len());
        self.packets.drain(..over);
        self.first += over as u64;
        while self.clips.get(1).is_some_and(|(_, begin)| *begin <= self.first) {
            self.clips.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use audio::leg::{Clip, PlayoutMark};
    use bytes::Bytes;

    use super::Loudspeaker;

    const FIRST: Clip = Clip { turn: 1, attempt: 1, sentence: 0 };
    const SECOND: Clip = Clip { turn: 1, attempt: 1, sentence: 1 };

    fn loaded() -> Loudspeaker {
        let mut loudspeaker = Loudspeaker::default();
        (0..20).for_each(|n| loudspeaker.sent(FIRST, Bytes::from(vec![n])));
        (20..60).for_each(|n| loudspeaker.sent(SECOND, Bytes::from(vec![n])));
        loudspeaker
    }

    fn heard(loudspeaker: &mut Loudspeaker, frames: usize) -> Vec<u8> {
        (0..frames).filter_map(|_| loudspeaker.next_frame()).map(|packet| packet[0]).collect()
    }

    #[test]
    fn nothing_is_heard_before_playout_begins_nor_beyond_its_marks() {
        let mut loudspeaker = loaded();
        assert!(heard(&mut loudspeaker, 5).is_empty());
        loudspeaker.mark(PlayoutMark::Started(FIRST));
        assert_eq!(heard(&mut loudspeaker, 30), [0, 1, 2, 3, 4, 5, 6]);
        loudspeaker.mark(PlayoutMark::Reached { clip: FIRST, heard_ms: 100 });
        assert_eq!(heard(&mut loudspeaker, 2), [7, 8], "a mark that came a little late moves nothing");
    }

    #[test]
    fn clips_follow_each_other_without_a_seam() {
        let mut loudspeaker = loaded();
        loudspeaker.mark(PlayoutMark::Reached { clip: FIRST, heard_ms: 360 });
        assert_eq!(heard(&mut loudspeaker, 1), [18]);
        loudspeaker.mark(PlayoutMark::Finished(FIRST));
        loudspeaker.mark(PlayoutMark::Started(SECOND));
        assert_eq!(heard(&mut loudspeaker, 3), [19, 20, 21]);
    }

    #[test]
    fn a_microphone_that_was_away_finds_its_place_again() {
        let mut loudspeaker = loaded();
        loudspeaker.mark(PlayoutMark::Started(FIRST));
        loudspeaker.mark(PlayoutMark::Reached { clip: FIRST, heard_ms: 300 });
        assert_eq!(heard(&mut loudspeaker, 1), [15]);
    }

    #[test]
    fn a_held_voice_is_silent_and_goes_on_where_it_stopped() {
        let mut loudspeaker = loaded();
        loudspeaker.mark(PlayoutMark::Started(FIRST));
        assert_eq!(heard(&mut loudspeaker, 4), [0, 1, 2, 3]);
        loudspeaker.mark(PlayoutMark::Held { at: Some((FIRST, 80)) });
        assert!(heard(&mut loudspeaker, 10).is_empty());
        loudspeaker.resumed();
        assert_eq!(heard(&mut loudspeaker, 2), [4, 5]);
    }

    #[test]
    fn what_was_flushed_is_never_heard_and_what_is_over_is_forgotten() {
        let mut loudspeaker = loaded();
        loudspeaker.mark(PlayoutMark::Started(FIRST));
        loudspeaker.mark(PlayoutMark::Flushed { cut: Some((FIRST, 0)) });
        assert!(heard(&mut loudspeaker, 10).is_empty());
        assert!(loudspeaker.packets.len() <= 10 && loudspeaker.clips.len() == 1);
        let answer = Clip { turn: 2, ..FIRST };
        loudspeaker.sent(answer, Bytes::from_static(&[99]));
        loudspeaker.mark(PlayoutMark::Started(answer));
        assert_eq!(heard(&mut loudspeaker, 3), [99]);
    }
}
