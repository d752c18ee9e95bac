//! How a provider fares: its breaker and the figures that people look at.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::{Breaker, BreakerConfig, BreakerState, Consumed};
use crate::Failure;

/// What a provider is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Speech to text.
    Stt,
    /// Language model.
    Llm,
    /// Text to speech.
    Tts,
    /// All three in one.
    Live,
}

impl Stage {
    /// The word for it in metrics and interfaces.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stt => "stt",
            Self::Llm => "llm",
            Self::Tts => "tts",
            Self::Live => "live",
        }
    }
}

/// A provider's breaker and figures, shared by all calls.
#[derive(Debug)]
pub struct Health {
    name: String,
    stage: Stage,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    breaker: Breaker,
    figures: Figures,
}

#[derive(Debug, Clone, Default)]
struct Figures {
    requests: u64,
    failures: u64,
    slow: u64,
    taken_over: u64,
    first: Option<Duration>,
    last_failure: Option<String>,
    consumed: Consumed,
}

/// What [`Health`] knows at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthReport {
    /// The provider's name in the configuration.
    pub name: String,
    /// What it is for.
    pub stage: Stage,
    /// Whether it is asked.
    pub state: BreakerState,
    /// Requests sent to it.
    pub requests: u64,
    /// Of these, how many failed.
    pub failures: u64,
    /// How many answered too slowly.
    pub slow: u64,
    /// How often it had to go on where another one had failed.
    pub taken_over: u64,
    /// How long the first word or sound takes: a running mean.
    pub first: Option<Duration>,
    /// The last failure, without anything that people said.
    pub last_failure: Option<String>,
    /// What it has done.
    pub consumed: Consumed,
}

/// What the past weighs in the running mean, against 1 for a new figure.
const OLD: u32 = 4;

impl Health {
    /// A provider of which nothing is known yet.
    #[must_use]
    pub fn new(name: impl Into<String>, stage: Stage, config: BreakerConfig) -> Self {
        let inner = Inner { breaker: Breaker::new(config), figures: Figures::default() };
        Self { name: name.into(), stage, inner: Mutex::new(inner) }
    }

    /// The provider's name in the configuration.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// What is known now.
    #[must_use]
    pub fn report(&self) -> HealthReport {
        let inner = self.lock();
        let Figures { requests, failures, slow, taken_over, first, last_failure, consumed } = inner.figures.clone();
        HealthReport {
            name: self.name.clone(),
            stage: self.stage,
            state: inner.breaker.state(Instant::now()),
            requests,
            failures,
            slow,
            taken_over,
            first,
            last_failure,
            consumed,
        }
    }

    /// A permit for one request, if the breaker lets it pass.
    pub(super) fn admit(self: &Arc<Self>) -> Option<Permit> {
        let admitted = self.lock().breaker.admits(Instant::now());
        admitted.then(|| self.insist())
    }

    /// A permit for one request, whatever the breaker says.
    pub(super) fn insist(self: &Arc<Self>) -> Permit {
        self.lock().figures.requests += 1;
        Permit { health: Arc::clone(self), begun: Instant::now(), answered: false, over: false }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Figures are whole after every line that touches them.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request to a provider. Dropped without a last word it was called off, which tells nothing about the provider.
#[derive(Debug)]
pub(super) struct Permit {
    health: Arc<Health>,
    begun: Instant,
    answered: bool,
    over: bool,
}

impl Permit {
    /// The provider's name.
    pub(super) fn name(&self) -> &str {
        &self.health.name
    }

    /// The provider goes on where another one failed.
    pub(super) fn takes_over(&self) {
        self.health.lock().figures.taken_over += 1;
    }

    /// The provider was given this to do, or says that it did it.
    pub(super) fn consumed(&self, consumed: Consumed) {
        self.health.lock().figures.consumed += consumed;
    }

    /// The wait for an answer begins now, not with the permit: a recogniser listens for long before it is asked.
    pub(super) fn asked(&mut self) {
        self.begun = Instant::now();
        self.answered = false;
    }

    /// The first word or sound came; later ones change nothing.
    pub(super) fn answered(&mut self) {
        if self.answered {
            return;
        }
        self.answered = true;
        let took = self.begun.elapsed();
        let mut inner = self.health.lock();
        let mean = inner.figures.first.unwrap_or(took);
        inner.figures.first = Some((mean * OLD + took) / (OLD + 1));
        if inner.breaker.is_slow(took) {
            inner.figures.slow += 1;
            inner.breaker.failed(Instant::now(), None);
            // The slowness was its outcome.
            self.over = true;
        }
    }

    /// Everything asked for came.
    pub(super) fn succeeded(&mut self) {
        if !std::mem::replace(&mut self.over, true) {
            self.health.lock().breaker.succeeded();
        }
    }

    /// Another provider was asked too and was first.
    pub(super) fn overtaken(mut self) {
        self.over = true;
        let mut inner = self.health.lock();
        inner.figures.slow += 1;
        inner.breaker.failed(Instant::now(), None);
    }

    /// It failed.
    pub(super) fn failed(mut self, failure: &Failure) {
        tracing::warn!(provider = self.name(), cause = %failure.message, "a provider failed");
        self.over = true;
        let mut inner = self.health.lock();
        inner.figures.failures += 1;
        inner.figures.last_failure = Some(failure.message.clone());
        inner.breaker.failed(Instant::now(), failure.retry_after);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if !self.over {
            self.health.lock().breaker.abandoned(Instant::now());
        }
    }
}
