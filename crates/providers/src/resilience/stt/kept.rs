//! The speech that has no final transcript yet.

use std::collections::VecDeque;
use std::time::Duration;

use crate::stt::{self, SttInput};

/// About two minutes of windows of 32 ms. Beyond that the oldest is dropped: nobody waits so long for words.
const MOST_INPUTS: usize = 4_096;

/// Inputs of the utterances that are not answered, oldest first, with how many of them the recogniser has got.
#[derive(Debug, Default)]
pub(super) struct Kept {
    inputs: VecDeque<SttInput>,
    sent: usize,
}

impl Kept {
    pub(super) fn push(&mut self, input: SttInput) {
        if matches!(input, SttInput::Reset) {
            self.forget_last();
        }
        self.inputs.push_back(input);
        if self.inputs.len() > MOST_INPUTS {
            self.inputs.pop_front();
            self.sent = self.sent.saturating_sub(1);
        }
    }

    pub(super) fn has_unsent(&self) -> bool {
        self.sent < self.inputs.len()
    }

    pub(super) fn next_unsent(&mut self) -> Option<SttInput> {
        let input = self.inputs.get(self.sent)?.clone();
        self.sent += 1;
        if matches!(input, SttInput::Reset) {
            // It has done its work: a recogniser that takes over never heard what it forgets.
            self.sent -= 1;
            self.inputs.remove(self.sent);
        }
        Some(input)
    }

    /// Whether the recogniser owes an answer to anything that it got: a commit, or a pause after this mark.
    pub(super) fn awaits_after(&self, mark: Option<u32>) -> bool {
        self.inputs.iter().take(self.sent).any(|input| match input {
            SttInput::Commit => true,
            SttInput::Pause(pause) => mark.is_none_or(|mark| *pause > mark),
            SttInput::Audio(_) | SttInput::Reset => false,
        })
    }

    /// How long it took to say all of it.
    pub(super) fn lasts(&self) -> Duration {
        let samples: usize =
            self.inputs.iter().map(|input| if let SttInput::Audio(audio) = input { audio.len() } else { 0 }).sum();
        stt::lasts(samples)
    }

    /// Another recogniser hears everything from the start.
    pub(super) fn rewind(&mut self) {
        self.sent = 0;
        self.inputs.retain(|input| !matches!(input, SttInput::Reset));
    }

    /// The oldest utterance is answered, or lost.
    pub(super) fn drop_oldest(&mut self) {
        let end = self.inputs.iter().position(|input| matches!(input, SttInput::Commit));
        let count = end.map_or(self.inputs.len(), |commit| commit + 1);
        self.inputs.drain(..count);
        self.sent = self.sent.saturating_sub(count);
    }

    /// The utterance that is being spoken was none.
    fn forget_last(&mut self) {
        let begin = self.inputs.iter().rposition(|input| matches!(input, SttInput::Commit)).map_or(0, |at| at + 1);
        self.inputs.truncate(begin);
        self.sent = self.sent.min(begin);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Kept;
    use crate::stt::SttInput;

    fn audio(value: f32) -> SttInput {
        SttInput::Audio(Arc::from([value].as_slice()))
    }

    fn sent(kept: &mut Kept) -> String {
        let name = |input| match input {
            SttInput::Audio(samples) => format!("{}", samples[0]),
            SttInput::Pause(mark) => format!("p{mark}"),
            SttInput::Commit => "c".to_owned(),
            SttInput::Reset => "r".to_owned(),
        };
        std::iter::from_fn(|| kept.next_unsent()).map(name).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn everything_without_an_answer_is_sent_again() {
        let mut kept = Kept::default();
        [audio(1.0), SttInput::Pause(1), SttInput::Commit, audio(2.0)].into_iter().for_each(|input| kept.push(input));
        assert_eq!(sent(&mut kept), "1 p1 c 2");
        kept.rewind();
        assert_eq!(sent(&mut kept), "1 p1 c 2");
        kept.drop_oldest();
        kept.push(audio(3.0));
        assert_eq!(sent(&mut kept), "3");
        kept.rewind();
        assert_eq!(sent(&mut kept), "2 3");
    }

    #[test]
    fn what_was_no_turn_is_forgotten_and_what_waits_for_its_words_is_not() {
        let mut kept = Kept::default();
        [audio(1.0), SttInput::Commit, audio(2.0)].into_iter().for_each(|input| kept.push(input));
        assert_eq!(sent(&mut kept), "1 c 2");
        kept.push(SttInput::Reset);
        kept.push(audio(3.0));
        assert_eq!(sent(&mut kept), "r 3");
        kept.rewind();
        assert_eq!(sent(&mut kept), "1 c 3");
    }
}
