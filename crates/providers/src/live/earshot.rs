//! The caller's speech that no settled answer covers: kept, so that a conversation that is opened anew hears it again.

use std::collections::VecDeque;
use std::sync::Arc;

use super::SAMPLE_RATE_HZ;

/// Two minutes. Of longer speech the oldest is dropped; nobody asks a question that long.
const MOST_SAMPLES: usize = 120 * SAMPLE_RATE_HZ as usize;

/// Speech, oldest first.
#[derive(Debug, Default)]
pub(super) struct Earshot {
    pieces: VecDeque<Arc<[f32]>>,
    samples: usize,
    /// How many pieces the model has got.
    sent: usize,
    /// How many pieces an answer was asked for.
    asked: usize,
}

impl Earshot {
    pub(super) fn hear(&mut self, piece: Arc<[f32]>) {
        self.samples += piece.len();
        self.pieces.push_back(piece);
        while self.samples > MOST_SAMPLES {
            self.forget(1);
        }
    }

    /// The next piece that the model has not got.
    pub(super) fn next_unsent(&mut self) -> Option<Arc<[f32]>> {
        let piece = self.pieces.get(self.sent)?.clone();
        self.sent += 1;
        Some(piece)
    }

    /// Whether there is speech for which no answer was asked.
    pub(super) fn is_fresh(&self) -> bool {
        self.asked < self.pieces.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// An answer to all of it is asked for.
    pub(super) fn ask(&mut self) {
        self.asked = self.pieces.len();
    }

    /// What was heard since an answer was asked for was nothing. True if the model has got some of it.
    pub(super) fn discard(&mut self) -> bool {
        let was_sent = self.sent > self.asked;
        self.pieces.truncate(self.asked);
        self.samples = self.pieces.iter().map(|piece| piece.len()).sum();
        self.sent = self.sent.min(self.asked);
        was_sent
    }

    /// The speech for which an answer was asked is part of the conversation for good.
    pub(super) fn settle(&mut self) {
        self.forget(self.asked);
    }

    /// Another conversation hears everything from the start.
    pub(super) fn rewind(&mut self) {
        self.sent = 0;
    }

    /// Another conversation that knows what was asked hears what came after it.
    pub(super) fn rewind_to_asked(&mut self) {
        self.sent = self.asked;
    }

    fn forget(&mut self, pieces: usize) {
        self.samples -= self.pieces.drain(..pieces).map(|piece| piece.len()).sum::<usize>();
        self.sent = self.sent.saturating_sub(pieces);
        self.asked = self.asked.saturating_sub(pieces);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Earshot, MOST_SAMPLES};

    fn hear(earshot: &mut Earshot, value: f32) {
        earshot.hear(Arc::from([value].as_slice()));
    }

    fn unsent(earshot: &mut Earshot) -> Vec<f32> {
        std::iter::from_fn(|| earshot.next_unsent()).map(|piece| piece[0]).collect()
    }

    #[test]
    fn an_unheard_answer_leaves_its_question_to_be_heard_again() {
        let mut earshot = Earshot::default();
        hear(&mut earshot, 1.0);
        assert_eq!(unsent(&mut earshot), [1.0]);
        earshot.ask();
        assert!(!earshot.is_fresh());
        hear(&mut earshot, 2.0);
        assert!(earshot.is_fresh());
        earshot.rewind();
        assert_eq!(unsent(&mut earshot), [1.0, 2.0]);
        earshot.settle();
        earshot.rewind();
        assert_eq!(unsent(&mut earshot), [2.0], "the first was answered");
    }

    #[test]
    fn what_was_nothing_is_taken_back_only_where_it_was_sent() {
        let mut earshot = Earshot::default();
        hear(&mut earshot, 1.0);
        earshot.ask();
        hear(&mut earshot, 2.0);
        assert!(!earshot.discard(), "nothing was sent");
        assert_eq!(unsent(&mut earshot), [1.0]);
        hear(&mut earshot, 3.0);
        assert_eq!(unsent(&mut earshot), [3.0]);
        assert!(earshot.discard());
        assert!(!earshot.is_fresh());
    }

    #[test]
    fn endless_speech_is_forgotten_from_its_beginning() {
        let mut earshot = Earshot::default();
        for value in 0..3 {
            earshot.hear(vec![value as f32; MOST_SAMPLES / 2].into());
        }
        assert_eq!(unsent(&mut earshot), [1.0, 2.0]);
    }
}
