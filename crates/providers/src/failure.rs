//! A provider's failure, typed by what can be done about it.

use std::time::Duration;

/// What the caller of a provider can do about its failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// The same request may succeed when sent again.
    Retry,
    /// Another provider must take over.
    Replace,
    /// No provider can do this: the request itself is wrong.
    GiveUp,
}

/// A provider failed to do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{provider}: {message}")]
pub struct Failure {
    /// Which provider, as in metrics and spans: `local.moonshine`, `google.speech`.
    pub provider: &'static str,
    /// What can be done about it.
    pub remedy: Remedy,
    /// The cause, for the log. Never holds what people said.
    pub message: String,
    /// How long the provider asks to be left alone; none when it did not say.
    pub retry_after: Option<Duration>,
}

impl Failure {
    /// A failure of `provider` with this cause, which must not hold what people said.
    #[must_use]
    pub fn new(provider: &'static str, remedy: Remedy, message: impl Into<String>) -> Self {
        Self { provider, remedy, message: message.into(), retry_after: None }
    }

    /// The same, from a provider that asks to be left alone for `wait`.
    #[must_use]
    pub fn after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }
}
