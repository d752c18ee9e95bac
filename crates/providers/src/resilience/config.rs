//! The figures of chains.

use std::time::Duration;

use serde::Deserialize;

use super::BreakerConfig;

/// How chains behave; `[resilience]` of the configuration.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResilienceConfig {
    /// After so long without a first word the next language model is asked too, and so on along the row, and who is first
    /// answers; zero never asks two.
    #[serde(with = "humantime_serde")]
    pub hedge_after: Duration,
    /// So long the words of a pause may take before the next recogniser is asked.
    #[serde(with = "humantime_serde")]
    pub words_deadline: Duration,
    /// So long a voice may take to its first sound before the next one is asked; the last in the row may take longer.
    #[serde(with = "humantime_serde")]
    pub sound_deadline: Duration,
    /// So long an answer or a sentence that has begun may stand still before the next provider takes it over.
    #[serde(with = "humantime_serde")]
    pub stall_deadline: Duration,
    /// When a provider is not asked for a while.
    pub breaker: BreakerConfig,
}

impl Default for ResilienceConfig {
    fn default() -> Self {
        Self {
            // People take a pause of two seconds for a fault of the line.
            hedge_after: Duration::from_millis(1_500),
            words_deadline: Duration::from_millis(2_500),
            // The first sentence of an answer is heard at once, so this silence is heard whole.
            sound_deadline: Duration::from_millis(2_500),
            // About as much as is heard of a sentence while the next one is written or made.
            stall_deadline: Duration::from_millis(2_500),
            breaker: BreakerConfig::default(),
        }
    }
}
