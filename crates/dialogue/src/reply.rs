//! One answer under way: what is written, what is being spoken, and the ledger of what was heard.

use crate::{Attempt, SentenceCutter, SentenceId, Timestamp, TurnId, TurnTimings};

/// How fast an unmeasured voice speaks, in characters a second. Only used to estimate a cut in a sentence whose
/// length is not known yet; 15 is usual for English.
const CHARS_PER_SECOND: u64 = 15;

/// An answer under way.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) turn: TurnId,
    pub(crate) attempt: Attempt,
    pub(crate) user_text: String,
    pub(crate) timings: TurnTimings,
    pub(crate) writing: Writing,
    cutter: SentenceCutter,
    sentences: Vec<Sentence>,
}

/// Whether more text is to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writing {
    Going,
    Done,
    Failed,
}

#[derive(Debug)]
struct Sentence {
    text: String,
    duration_ms: Option<u32>,
    heard: Heard,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heard {
    Nothing,
    Part {
        ms: u32,
    },
    All,
    /// The voice could not say it; nothing of it will be heard.
    Unspeakable,
}

impl Reply {
    pub(crate) fn new(turn: TurnId, attempt: Attempt, user_text: String, timings: TurnTimings) -> Self {
        let cutter = SentenceCutter::default();
        Self { turn, attempt, user_text, timings, writing: Writing::Going, cutter, sentences: Vec::new() }
    }

    /// Takes more text; gives the sentences it completed, to be spoken.
    pub(crate) fn write(&mut self, now: Timestamp, text: &str) -> Vec<(SentenceId, String)> {
        self.timings.first_text.get_or_insert(now);
        let pieces = self.cutter.push(text);
        pieces.into_iter().map(|piece| self.add(now, piece)).collect()
    }

    /// No more text comes; gives the last sentence.
    pub(crate) fn finish_writing(&mut self, now: Timestamp, outcome: Writing) -> Option<(SentenceId, String)> {
        self.writing = outcome;
        let rest = self.cutter.finish()?;
        Some(self.add(now, rest))
    }

    /// Adds a sentence that the model did not write, such as an apology.
    pub(crate) fn add(&mut self, now: Timestamp, text: String) -> (SentenceId, String) {
        self.timings.first_clause.get_or_insert(now);
        let index = u32::try_from(self.sentences.len()).unwrap_or(u32::MAX);
        self.sentences.push(Sentence { text: text.clone(), duration_ms: None, heard: Heard::Nothing });
        (SentenceId { turn: self.turn, attempt: self.attempt, index }, text)
    }

    pub(crate) fn has_sentences(&self) -> bool {
        !self.sentences.is_empty()
    }

    pub(crate) fn text_of(&self, sentence: SentenceId) -> Option<&str> {
        Some(self.sentences.get(sentence.index as usize)?.text.as_str())
    }

    /// Milliseconds from now until all audio that is known is played, at most.
    pub(crate) fn unplayed_ms(&self) -> u64 {
        self.sentences.iter().map(Sentence::unplayed_ms).sum()
    }

    pub(crate) fn voice_made(&mut self, sentence: SentenceId, duration_ms: u32) {
        if let Some(entry) = self.sentences.get_mut(sentence.index as usize) {
            entry.duration_ms = Some(duration_ms);
            if duration_ms == 0 {
                entry.heard = Heard::Unspeakable;
            }
        }
    }

    pub(crate) fn voice_failed(&mut self, sentence: SentenceId) {
        if let Some(entry) = self.sentences.get_mut(sentence.index as usize) {
            entry.heard = Heard::Unspeakable;
        }
    }

    /// Notes how much of a sentence was heard. What was heard is never unheard.
    pub(crate) fn heard_up_to(&mut self, sentence: SentenceId, ms: u32) {
        if let Some(entry) = self.sentences.get_mut(sentence.index as usize) {
            entry.heard = match entry.heard {
                Heard::Nothing | Heard::Unspeakable => Heard::Part { ms },
                Heard::Part { ms: before } => Heard::Part { ms: ms.max(before) },
                Heard::All => Heard::All,
            };
        }
    }

    pub(crate) fn heard_all(&mut self, sentence: SentenceId) {
        if let Some(entry) = self.sentences.get_mut(sentence.index as usize) {
            entry.heard = Heard::All;
        }
    }

    /// True once no text is to come and no sentence is to be heard.
    pub(crate) fn is_over(&self) -> bool {
        self.writing != Writing::Going
            && self.sentences.iter().all(|s| matches!(s.heard, Heard::All | Heard::Unspeakable))
    }

    /// True if any of it was heard.
    pub(crate) fn was_heard(&self) -> bool {
        self.sentences.iter().any(|s| matches!(s.heard, Heard::Part { .. } | Heard::All))
    }

    /// All that was to be spoken.
    pub(crate) fn written_text(&self) -> String {
        join(self.sentences.iter().map(|s| s.text.clone()))
    }

    /// What the caller heard: whole sentences, and of a cut one the words that fit the time it played.
    pub(crate) fn heard_text(&self) -> String {
        join(self.sentences.iter().map(Sentence::heard_text))
    }

    pub(crate) fn heard_ms(&self) -> u32 {
        self.sentences.iter().map(Sentence::heard_ms).sum()
    }
}

impl Sentence {
    fn length_ms(&self) -> u64 {
        let estimate = self.text.chars().count() as u64 * 1_000 / CHARS_PER_SECOND;
        self.duration_ms.map_or(estimate, u64::from)
    }

    fn unplayed_ms(&self) -> u64 {
        match self.heard {
            Heard::Nothing => self.length_ms(),
            Heard::Part { ms } => self.length_ms().saturating_sub(u64::from(ms)),
            Heard::All | Heard::Unspeakable => 0,
        }
    }

    fn heard_ms(&self) -> u32 {
        match self.heard {
            Heard::Nothing | Heard::Unspeakable => 0,
            Heard::Part { ms } => ms,
            Heard::All => u32::try_from(self.length_ms()).unwrap_or(u32::MAX),
        }
    }

    /// The words that were complete when the sentence was cut, taking each character to last equally long.
    fn heard_text(&self) -> String {
        let ms = match self.heard {
            Heard::Nothing | Heard::Unspeakable => return String::new(),
            Heard::All => return self.text.clone(),
            Heard::Part { ms } => u64::from(ms),
        };
        let total = self.text.chars().count() as u64;
        let heard_chars = (total * ms).checked_div(self.length_ms()).unwrap_or(0);
        let mut end = 0;
        let mut chars = 0;
        for word in self.text.split_inclusive(char::is_whitespace) {
            chars += word.trim_end().chars().count() as u64;
            if chars > heard_chars {
                break;
            }
            end += word.len();
            chars += (word.len() - word.trim_end().len()) as u64;
        }
        self.text[..end].trim_end().to_owned()
    }
}

fn join(texts: impl Iterator<Item = String>) -> String {
    texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::{Reply, Writing};
    use crate::{Attempt, Timestamp, TurnId, TurnTimings};

    #[test]
    fn a_cut_sentence_keeps_only_whole_words_that_were_heard() {
        let mut reply = Reply::new(TurnId(1), Attempt(1), String::new(), TurnTimings::default());
        let (id, _) = reply.add(Timestamp::ZERO, "one two three four".to_owned());
        reply.voice_made(id, 1_800);
        for (ms, heard) in [(0, ""), (299, ""), (300, "one"), (750, "one two"), (1_300, "one two three")] {
            reply.heard_up_to(id, ms);
            assert_eq!(reply.heard_text(), heard, "at {ms} ms");
        }
        reply.heard_all(id);
        assert_eq!(reply.heard_text(), "one two three four");
    }

    #[test]
    fn an_answer_is_over_when_all_that_can_be_spoken_was_heard() {
        let mut reply = Reply::new(TurnId(1), Attempt(1), String::new(), TurnTimings::default());
        let (first, _) = reply.add(Timestamp::ZERO, "Yes.".to_owned());
        let (second, _) = reply.add(Timestamp::ZERO, "No.".to_owned());
        reply.heard_all(first);
        reply.voice_failed(second);
        assert!(!reply.is_over(), "more text may come");
        reply.finish_writing(Timestamp::ZERO, Writing::Done);
        assert!(reply.is_over());
        assert_eq!(reply.heard_text(), "Yes.");
    }
}
