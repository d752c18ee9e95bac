//! What a provider was given to do, in what vendors bill.

use std::ops::AddAssign;
use std::time::Duration;

use crate::llm::Usage;

/// What a provider has done since the server started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Consumed {
    /// Tokens read. Vendors tell them at the end of an answer, so one that was called off before counts none.
    pub prompt_tokens: u64,
    /// Of these, tokens that the vendor had in its cache.
    pub cached_tokens: u64,
    /// Tokens written.
    pub completion_tokens: u64,
    /// Audio listened to.
    pub heard: Duration,
    /// Characters of the texts to be spoken, as Unicode counts them.
    pub characters: u64,
}

impl Consumed {
    /// Audio listened to.
    pub(super) fn audio(heard: Duration) -> Self {
        Self { heard, ..Self::default() }
    }

    /// A text to be spoken.
    pub(super) fn speech(text: &str) -> Self {
        Self { characters: text.chars().count() as u64, ..Self::default() }
    }
}

impl From<Usage> for Consumed {
    fn from(usage: Usage) -> Self {
        let Usage { prompt_tokens, cached_tokens, completion_tokens } = usage;
        Self {
            prompt_tokens: u64::from(prompt_tokens),
            cached_tokens: u64::from(cached_tokens),
            completion_tokens: u64::from(completion_tokens),
            ..Self::default()
        }
    }
}

impl AddAssign for Consumed {
    fn add_assign(&mut self, more: Self) {
        self.prompt_tokens += more.prompt_tokens;
        self.cached_tokens += more.cached_tokens;
        self.completion_tokens += more.completion_tokens;
        self.heard += more.heard;
        self.characters += more.characters;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn consumed() -> Consumed {
        Consumed {
            prompt_tokens: 3_000_000,
            cached_tokens: 1_000_000,
            completion_tokens: 500_000,
            heard: Duration::from_secs(90),
            characters: 2_000_000,
        }
    }

    #[test]
    fn more_of_everything_is_counted() {
        let mut all = consumed();
        all += Consumed::from(Usage { prompt_tokens: 7, cached_tokens: 5, completion_tokens: 3 });
        all += Consumed::audio(Duration::from_secs(10));
        all += Consumed::speech("Grüße");
        let expected = Consumed {
            prompt_tokens: 3_000_007,
            cached_tokens: 1_000_005,
            completion_tokens: 500_003,
            heard: Duration::from_secs(100),
            characters: 2_000_005,
        };
        assert_eq!(all, expected);
    }
}
