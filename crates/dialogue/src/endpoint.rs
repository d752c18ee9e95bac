//! When is the caller's turn over? Strategies that say how much silence the evidence asks for.
//!
//! A strategy is a pure function of the [`Evidence`] known of a pause. The engine asks it again whenever a piece comes
//! in, so a late verdict can still shorten or lengthen the wait. Strategies: [`silence`] (plain voice activity),
//! [`fused`] (voice activity, end-of-turn model, words and the speaker's own pace), and manual (only a commit ends it).

mod fused;
mod pace;
mod wording;

use std::time::Duration;

pub use fused::Fused;
pub(crate) use pace::Pace;

/// How the end of a turn is found.
#[derive(Debug, Clone, PartialEq)]
pub enum Endpointing {
    /// A fixed silence, whatever was said (`server_vad` of the Realtime API).
    Silence(Duration),
    /// All evidence together (`semantic_vad`).
    Fused(Fused),
    /// Only [`crate::Event::Commit`] ends a turn: push-to-talk.
    Manual,
}

impl Default for Endpointing {
    fn default() -> Self {
        Self::Fused(Fused::default())
    }
}

/// What is known of a pause.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Evidence<'a> {
    /// The end-of-turn model's probability that the turn is complete, once it is known.
    pub(crate) completeness: Option<f32>,
    /// All words up to the pause, once they are known.
    pub(crate) words: Option<&'a str>,
    /// How this speaker pauses.
    pub(crate) pace: &'a Pace,
}

impl Endpointing {
    /// The silence after which the turn is over; none if no silence ends it.
    pub(crate) fn silence_needed(&self, evidence: Evidence<'_>) -> Option<Duration> {
        match self {
            Self::Silence(silence) => Some(*silence),
            Self::Fused(fused) => Some(fused.silence_needed(evidence)),
            Self::Manual => None,
        }
    }

    /// Whether the turn is likely enough over to start an answer before it is decided.
    pub(crate) fn looks_complete(&self, evidence: Evidence<'_>) -> bool {
        match self {
            // The model is asked all the same; it only has no say in the decision.
            Self::Silence(_) => evidence.completeness.is_some_and(|c| c >= 0.5),
            Self::Fused(fused) => fused.looks_complete(evidence),
            Self::Manual => false,
        }
    }
}
