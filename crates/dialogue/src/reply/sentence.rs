//! One spoken piece of an answer, and the ledger of how much of it was heard.

/// How fast an unmeasured voice speaks, in characters a second. Only used to estimate a cut in a sentence whose
/// length is not known yet; 15 is usual for English.
const CHARS_PER_SECOND: u64 = 15;

#[derive(Debug)]
pub(super) struct Sentence {
    pub(super) text: String,
    duration_ms: Option<u32>,
    /// Where the voice broke off, if it did.
    broke_off_ms: Option<u32>,
    /// Where each word ends, if the voice tells.
    word_ends_ms: Vec<u32>,
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

impl Sentence {
    pub(super) fn new(text: String) -> Self {
        Self { text, duration_ms: None, broke_off_ms: None, word_ends_ms: Vec::new(), heard: Heard::Nothing }
    }

    pub(super) fn made(&mut self, duration_ms: u32) {
        self.duration_ms = Some(duration_ms);
        if duration_ms == 0 {
            self.failed();
        }
    }

    /// Only so much of it can be heard. How long the whole would last is not known.
    pub(super) fn broke_off(&mut self, ms: u32) {
        self.broke_off_ms = Some(ms);
        if ms == 0 {
            self.failed();
        }
    }

    /// Notes where the words end; figures that do not fit the text are of no use.
    pub(super) fn word_ends(&mut self, ends_ms: Vec<u32>) {
        if ends_ms.len() == self.text.split_whitespace().count() && ends_ms.is_sorted() {
            self.word_ends_ms = ends_ms;
        }
    }

    /// Nothing of it will be heard, unless some was.
    pub(super) fn failed(&mut self) {
        if self.heard == Heard::Nothing {
            self.heard = Heard::Unspeakable;
        }
    }

    /// Notes how much was heard. What was heard is never unheard.
    pub(super) fn heard_up_to(&mut self, ms: u32) {
        self.heard = match self.heard {
            Heard::Nothing | Heard::Unspeakable => Heard::Part { ms },
            Heard::Part { ms: before } => Heard::Part { ms: ms.max(before) },
            Heard::All => Heard::All,
        };
    }

    /// All that there is of it was heard.
    pub(super) fn heard_all(&mut self) {
        match self.broke_off_ms {
            Some(ms) => self.heard_up_to(ms),
            None => self.heard = Heard::All,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        match self.heard {
            Heard::All | Heard::Unspeakable => true,
            Heard::Part { ms } => self.broke_off_ms.is_some_and(|end| end <= ms),
            Heard::Nothing => false,
        }
    }

    pub(super) fn was_heard(&self) -> bool {
        matches!(self.heard, Heard::Part { .. } | Heard::All)
    }

    pub(super) fn unplayed_ms(&self) -> u64 {
        match self.heard {
            Heard::Nothing => self.made_ms(),
            Heard::Part { ms } => self.made_ms().saturating_sub(u64::from(ms)),
            Heard::All | Heard::Unspeakable => 0,
        }
    }

    /// How much of it there is to be heard.
    fn made_ms(&self) -> u64 {
        self.broke_off_ms.map_or_else(|| self.length_ms(), u64::from)
    }

    pub(super) fn heard_ms(&self) -> u32 {
        match self.heard {
            Heard::Nothing | Heard::Unspeakable => 0,
            Heard::Part { ms } => ms,
            Heard::All => u32::try_from(self.length_ms()).unwrap_or(u32::MAX),
        }
    }

    /// The words that were complete when the sentence was cut.
    pub(super) fn heard_text(&self) -> String {
        let words = match self.heard {
            Heard::Nothing | Heard::Unspeakable => return String::new(),
            Heard::All => return self.text.clone(),
            Heard::Part { ms } if self.word_ends_ms.is_empty() => self.words_by_length(u64::from(ms)),
            Heard::Part { ms } => self.word_ends_ms.partition_point(|&end| end <= ms),
        };
        let end = self.text.split_whitespace().nth(words).map_or(self.text.len(), |next| {
            // Both slices are of one string, so the difference of their addresses is the offset.
            next.as_ptr() as usize - self.text.as_ptr() as usize
        });
        self.text[..end].trim_end().to_owned()
    }

    /// How many words are complete after `ms`, taking each character to last equally long.
    fn words_by_length(&self, ms: u64) -> usize {
        let total = self.text.chars().count() as u64;
        let heard_chars = (total * ms).checked_div(self.length_ms()).unwrap_or(0);
        let mut chars = 0;
        self.text
            .split_inclusive(char::is_whitespace)
            .take_while(|word| {
                let ends_at = chars + word.trim_end().chars().count() as u64;
                chars += word.chars().count() as u64;
                ends_at <= heard_chars
            })
            .filter(|word| !word.trim().is_empty())
            .count()
    }

    fn length_ms(&self) -> u64 {
        let estimate = self.text.chars().count() as u64 * 1_000 / CHARS_PER_SECOND;
        self.duration_ms.map_or(estimate, u64::from)
    }
}

#[cfg(test)]
mod tests {
    use super::Sentence;

    #[test]
    fn a_cut_sentence_keeps_only_whole_words_that_were_heard() {
        let mut sentence = Sentence::new("one two three four".to_owned());
        sentence.made(1_800);
        for (ms, heard) in [(0, ""), (299, ""), (300, "one"), (750, "one two"), (1_300, "one two three")] {
            sentence.heard_up_to(ms);
            assert_eq!(sentence.heard_text(), heard, "at {ms} ms");
        }
        sentence.heard_all();
        assert_eq!(sentence.heard_text(), "one two three four");
    }

    #[test]
    fn of_a_sentence_that_broke_off_only_what_there_is_can_be_heard() {
        let mut sentence = Sentence::new("one two three four five six".to_owned());
        sentence.broke_off(800);
        assert_eq!(sentence.unplayed_ms(), 800);
        sentence.heard_up_to(300);
        assert!(!sentence.is_over());
        sentence.heard_all();
        assert_eq!((sentence.is_over(), sentence.heard_ms()), (true, 800));
        assert_eq!(sentence.heard_text(), "one two", "27 letters take 1.8 s");
    }

    #[test]
    fn the_times_of_the_voice_are_believed_before_any_estimate() {
        let mut sentence = Sentence::new("well  no".to_owned());
        sentence.made(1_000);
        sentence.word_ends(vec![900, 1_000]);
        sentence.heard_up_to(800);
        assert_eq!(sentence.heard_text(), "");
        sentence.heard_up_to(950);
        assert_eq!(sentence.heard_text(), "well");
        sentence.heard_up_to(1_000);
        assert_eq!(sentence.heard_text(), "well  no");
    }

    #[test]
    fn times_that_do_not_fit_the_words_are_not_believed() {
        let mut sentence = Sentence::new("one two".to_owned());
        sentence.word_ends(vec![500]);
        sentence.made(700);
        sentence.heard_up_to(310);
        assert_eq!(sentence.heard_text(), "one");
    }
}
