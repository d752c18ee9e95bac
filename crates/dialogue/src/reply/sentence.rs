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
        let heard = match self.heard {
            Heard::Nothing | Heard::Unspeakable => "",
            Heard::All => &self.text,
            Heard::Part { ms } if self.word_ends_ms.is_empty() => heard_words(&self.text, ms, self.duration_ms),
            Heard::Part { ms } => first_words(&self.text, self.word_ends_ms.partition_point(|&end| end <= ms)),
        };
        heard.to_owned()
    }

    fn length_ms(&self) -> u64 {
        length_ms(&self.text, self.duration_ms)
    }
}

/// The words of a sentence that are complete when `heard_ms` of its `duration_ms` were played, taking each character to last
/// equally long.
#[must_use]
pub fn heard_words(text: &str, heard_ms: u32, duration_ms: Option<u32>) -> &str {
    let total = text.chars().count() as u64;
    let heard_chars = (total * u64::from(heard_ms)).checked_div(length_ms(text, duration_ms)).unwrap_or(0);
    let mut chars = 0;
    let is_complete = |word: &&str| {
        let ends_at = chars + word.trim_end().chars().count() as u64;
        chars += word.chars().count() as u64;
        ends_at <= heard_chars
    };
    let complete = text.split_inclusive(char::is_whitespace).take_while(is_complete);
    first_words(text, complete.filter(|word| !word.trim().is_empty()).count())
}

fn first_words(text: &str, words: usize) -> &str {
    let end = text.split_whitespace().nth(words).map_or(text.len(), |next| {
        // Both slices are of one string, so the difference of their addresses is the offset.
        next.as_ptr() as usize - text.as_ptr() as usize
    });
    text[..end].trim_end()
}

fn length_ms(text: &str, duration_ms: Option<u32>) -> u64 {
    let estimate = text.chars().count() as u64 * 1_000 / CHARS_PER_SECOND;
    duration_ms.map_or(estimate, u64::from)
}
