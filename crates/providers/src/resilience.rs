//! Providers in a row: when one fails, is slow or asks to be left alone, the next one takes over, within the answer.
//!
//! Read [`Breaker`] first: it decides whether a provider is asked at all. [`Health`] is a breaker with its figures, shared
//! by all calls. [`LlmChain`], [`TtsChain`] and [`SttChain`] are providers themselves, so nobody who uses one knows.
//! They keep three promises: what was given out is never said again, what was heard is never lost, and whoever
//! lost a race or was replaced is cancelled at once.

mod breaker;
mod config;
mod consumed;
mod health;
mod lines;
mod llm;
mod stt;
mod tts;

use std::sync::Arc;

pub use breaker::{Breaker, BreakerConfig, BreakerState};
pub use config::ResilienceConfig;
pub use consumed::Consumed;
pub use health::{Health, HealthReport, Stage};
pub use lines::{FixedLines, LineMemory};
pub use llm::LlmChain;
pub use stt::SttChain;
pub use tts::TtsChain;
pub(crate) use tts::unspoken;

use health::Permit;

/// A provider in a chain.
pub struct Link<P: ?Sized> {
    /// The provider.
    pub provider: Arc<P>,
    /// How it fares, in all chains that it is part of.
    pub health: Arc<Health>,
}

impl<P: ?Sized> Clone for Link<P> {
    fn clone(&self) -> Self {
        Self { provider: Arc::clone(&self.provider), health: Arc::clone(&self.health) }
    }
}

/// The next link at or after `from` whose breaker lets it be asked. When no breaker does, the last link is asked all the
/// same: it is the one that was put there for that, and a refusal without trying helps nobody.
fn next_link<P: ?Sized>(links: &[Link<P>], from: usize) -> Option<(usize, Permit)> {
    let admitted = links.iter().enumerate().skip(from).find_map(|(at, link)| Some((at, link.health.admit()?)));
    admitted.or_else(|| {
        let last = links.len().checked_sub(1).filter(|last| *last >= from)?;
        Some((last, links[last].health.insist()))
    })
}
