//! What the caller has heard of the agent's turn: the words that its orchestrator says of each clip, and the marks that say
//! how far they were played.
//!
//! When that orchestrator is gone nobody else knows it: its own record may end with the sentence before, and media plays on
//! what it has until the next one takes over.

use std::collections::VecDeque;

use audio::leg::{Clip, PlayoutMark};

use crate::local::Heard;

/// Clips of one turn that are remembered: an answer of ten minutes.
const MAX_CLIPS: usize = 256;

/// The clips of the latest turn.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    turns_before: u32,
    clips: VecDeque<Spoken>,
}

#[derive(Debug)]
struct Spoken {
    clip: Clip,
    text: String,
    duration_ms: Option<u32>,
    played: Played,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Played {
    Nothing,
    UpTo(u32),
    All,
}

impl Ledger {
    /// An orchestrator begins to speak; the conversation has had so many turns.
    pub(super) fn begin(&mut self, turns_before: u32) {
        self.clips.clear();
        self.turns_before = turns_before;
    }

    /// What is said in a clip. Turns before it are over, and their orchestrator has written them down.
    pub(super) fn words(&mut self, clip: Clip, text: String) {
        self.clips.retain(|spoken| spoken.clip.turn == clip.turn);
        if self.clips.len() >= MAX_CLIPS {
            self.clips.pop_front();
        }
        self.clips.push_back(Spoken { clip, text, duration_ms: None, played: Played::Nothing });
    }

    /// How long a clip is.
    pub(super) fn duration(&mut self, clip: Clip, duration_ms: u32) {
        if let Some(spoken) = self.find(clip) {
            spoken.duration_ms = Some(duration_ms);
        }
    }

    /// How far something was played.
    pub(super) fn mark(&mut self, mark: PlayoutMark) {
        let (clip, played) = match mark {
            PlayoutMark::Started(clip) => (clip, Played::UpTo(0)),
            PlayoutMark::Reached { clip, heard_ms } => (clip, Played::UpTo(heard_ms)),
            PlayoutMark::Finished(clip) => (clip, Played::All),
            PlayoutMark::Held { at: Some((clip, heard_ms)) } | PlayoutMark::Flushed { cut: Some((clip, heard_ms)) } => {
                (clip, Played::UpTo(heard_ms))
            }
            PlayoutMark::Held { at: None } | PlayoutMark::Flushed { cut: None } => return,
        };
        if let Some(spoken) = self.find(clip) {
            spoken.played = played;
        }
    }

    /// What was heard of the latest turn; none when nothing was.
    pub(super) fn heard(&self) -> Option<Heard> {
        let turn = self.turns_before + self.clips.back()?.clip.turn;
        let played = self.clips.iter().filter(|spoken| spoken.played != Played::Nothing);
        let words: Vec<&str> = played.map(Spoken::heard).filter(|words| !words.is_empty()).collect();
        (!words.is_empty()).then(|| Heard { turn, text: words.join(" ") })
    }

    fn find(&mut self, clip: Clip) -> Option<&mut Spoken> {
        self.clips.iter_mut().find(|spoken| spoken.clip == clip)
    }
}

impl Spoken {
    fn heard(&self) -> &str {
        match self.played {
            Played::Nothing => "",
            Played::UpTo(heard_ms) => dialogue::heard_words(&self.text, heard_ms, self.duration_ms),
            Played::All => self.text.trim(),
        }
    }
}

#[cfg(test)]
mod tests {
    use audio::leg::{Clip, PlayoutMark};

    use super::Ledger;
    use crate::local::Heard;

    fn clip(turn: u32, sentence: u32) -> Clip {
        Clip { turn, attempt: 1, sentence }
    }

    fn heard(turn: u32, text: &str) -> Option<Heard> {
        Some(Heard { turn, text: text.to_owned() })
    }

    #[test]
    fn a_cut_sentence_is_known_by_its_whole_words() {
        let mut ledger = Ledger::default();
        ledger.begin(4);
        ledger.words(clip(2, 0), "Yes.".to_owned());
        ledger.words(clip(2, 1), "It is warm today.".to_owned());
        assert_eq!(ledger.heard(), None, "nothing was played");
        ledger.duration(clip(2, 1), 1_700);
        ledger.mark(PlayoutMark::Started(clip(2, 0)));
        ledger.mark(PlayoutMark::Finished(clip(2, 0)));
        assert_eq!(ledger.heard(), heard(6, "Yes."));
        ledger.mark(PlayoutMark::Reached { clip: clip(2, 1), heard_ms: 600 });
        assert_eq!(ledger.heard(), heard(6, "Yes. It is"));
        ledger.mark(PlayoutMark::Flushed { cut: Some((clip(2, 1), 1_000)) });
        assert_eq!(ledger.heard(), heard(6, "Yes. It is warm"));
    }

    #[test]
    fn what_was_never_played_is_not_heard() {
        let mut ledger = Ledger::default();
        ledger.words(clip(1, 0), "Never mind.".to_owned());
        ledger.mark(PlayoutMark::Finished(clip(0, 0)));
        assert_eq!(ledger.heard(), None);
        ledger.words(Clip { attempt: 2, ..clip(1, 0) }, "Yes.".to_owned());
        ledger.mark(PlayoutMark::Finished(Clip { attempt: 2, ..clip(1, 0) }));
        assert_eq!(ledger.heard(), heard(1, "Yes."));
        ledger.words(clip(2, 0), "No.".to_owned());
        assert_eq!(ledger.heard(), None, "the turn before is over");
    }
}
