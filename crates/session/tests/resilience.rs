//! Providers in a row, on a paused clock: what each fault costs, and that no word is lost or said twice.
// Test code may stop at the first surprise.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "resilience/llm.rs"]
mod llm;
#[path = "resilience/random.rs"]
mod random;
#[path = "resilience/stt.rs"]
mod stt;
#[path = "resilience/tts.rs"]
mod tts;

use std::sync::Arc;

use providers::resilience::{BreakerConfig, Health, Link, Stage};

/// A provider with a breaker of the default figures.
fn link<P: ?Sized>(name: &str, stage: Stage, provider: Arc<P>) -> Link<P> {
    Link { provider, health: Arc::new(Health::new(name, stage, BreakerConfig::default())) }
}
