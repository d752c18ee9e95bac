//! What vendors ask for their work.

use serde::de::{Deserialize, Deserializer, Error};

use crate::resilience::{Consumed, Stage};

/// A vendor's prices for what it is used as.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PriceList {
    /// As a recogniser.
    pub stt: Prices,
    /// As a language model.
    pub llm: Prices,
    /// As a voice.
    pub tts: Prices,
    /// As a speech-native model.
    pub live: Prices,
}

impl PriceList {
    /// The prices for this use.
    #[must_use]
    pub fn of(&self, stage: Stage) -> Prices {
        match stage {
            Stage::Stt => self.stt,
            Stage::Llm => self.llm,
            Stage::Tts => self.tts,
            Stage::Live => self.live,
        }
    }
}

/// What a vendor asks for its work, in whatever currency the operator thinks in. What has no price is free.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Prices {
    /// For a million tokens read.
    #[serde(deserialize_with = "price")]
    pub prompt_tokens: f64,
    /// For a million tokens read from the vendor's cache; without it they cost what others cost.
    #[serde(deserialize_with = "some_price")]
    pub cached_tokens: Option<f64>,
    /// For a million tokens written.
    #[serde(deserialize_with = "price")]
    pub completion_tokens: f64,
    /// For a minute of audio listened to.
    #[serde(deserialize_with = "price")]
    pub minute: f64,
    /// For a million characters spoken.
    #[serde(deserialize_with = "price")]
    pub characters: f64,
}

const MILLION: f64 = 1_000_000.0;
const MINUTE_S: f64 = 60.0;

impl Prices {
    /// What that costs.
    #[must_use]
    pub fn of(&self, consumed: &Consumed) -> f64 {
        let fresh = consumed.prompt_tokens.saturating_sub(consumed.cached_tokens);
        let cached = self.cached_tokens.unwrap_or(self.prompt_tokens);
        let tokens = fresh as f64 * self.prompt_tokens
            + consumed.cached_tokens as f64 * cached
            + consumed.completion_tokens as f64 * self.completion_tokens;
        let minutes = consumed.heard.as_secs_f64() / MINUTE_S;
        (tokens + consumed.characters as f64 * self.characters) / MILLION + minutes * self.minute
    }

    /// Whether anything costs something.
    #[must_use]
    pub fn is_free(&self) -> bool {
        *self == Self::default()
    }
}

fn price<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    let price = f64::deserialize(from)?;
    let is_price = price.is_finite() && price >= 0.0;
    is_price.then_some(price).ok_or_else(|| D::Error::custom(format!("a price is zero or more, not {price}")))
}

fn some_price<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    price(from).map(Some)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn each_kind_of_work_has_its_price() {
        let consumed = Consumed {
            prompt_tokens: 3_000_000,
            cached_tokens: 1_000_000,
            completion_tokens: 500_000,
            heard: Duration::from_secs(90),
            characters: 2_000_000,
        };
        let prices = Prices {
            prompt_tokens: 1.0,
            cached_tokens: Some(0.25),
            completion_tokens: 4.0,
            minute: 0.5,
            characters: 16.0,
        };
        assert_eq!(prices.of(&consumed), 2.0 + 0.25 + 2.0 + 0.75 + 32.0);
        let without_a_cache = Prices { cached_tokens: None, ..prices };
        assert_eq!(without_a_cache.of(&consumed), prices.of(&consumed) + 0.75);
        assert_eq!(Prices::default().of(&consumed), 0.0);
    }

    #[test]
    fn a_price_is_no_debt() {
        let refused = toml::from_str::<PriceList>("tts = { characters = -1.0 }").expect_err("refused");
        assert!(refused.to_string().contains("a price is zero or more, not -1"), "{refused}");
        let read: PriceList = toml::from_str("stt = { minute = 0.016 }").expect("it is right");
        assert_eq!((read.of(Stage::Stt).minute, read.of(Stage::Llm).is_free()), (0.016, true));
    }
}
