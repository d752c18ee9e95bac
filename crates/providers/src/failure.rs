//! A provider's failure, typed by what can be done about it.

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
}
