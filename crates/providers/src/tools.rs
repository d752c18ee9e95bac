//! Tools: what a model may have done for it.
//!
//! A [`ToolSource`] offers tools and runs their calls; a [`Toolbox`] puts several behind one face, checks arguments and
//! keeps time. Sources: `mcp` (MCP servers) and `webhook` (HTTP endpoints).

mod config;
#[cfg(feature = "tools")]
mod guard;
#[cfg(feature = "tools")]
mod mcp;
mod toolbox;
#[cfg(feature = "tools")]
mod webhook;

use std::time::Duration;

use async_trait::async_trait;

use crate::llm::{ToolCall, ToolSpec};

pub use config::{McpConfig, ToolsConfig, WebhookConfig};
#[cfg(feature = "tools")]
pub use mcp::Mcp;
pub use toolbox::{DuplicateTool, Toolbox};
#[cfg(feature = "tools")]
pub use webhook::{Webhooks, WebhooksError};

/// Offers tools and runs their calls.
#[async_trait]
pub trait ToolSource: Send + Sync + 'static {
    /// The tools offered now.
    fn tools(&self) -> Vec<Tool>;

    /// Runs a call of one of them. Cancel safe: dropping the future abandons the call.
    ///
    /// # Errors
    /// When the tool cannot do it. The message is for the model.
    async fn call(&self, call: &ToolCall, context: &CallContext) -> Result<String, ToolFailure>;
}

/// A tool and how it goes together with a conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Tool {
    /// What the model is told of it.
    pub spec: ToolSpec,
    /// How it is run.
    pub manner: Manner,
}

/// How a tool is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manner {
    /// The conversation goes on meanwhile; the result is told when it is there.
    pub background: bool,
    /// What happens when the caller interrupts.
    pub on_interrupt: OnInterrupt,
    /// After this long a call is given up.
    pub timeout: Duration,
}

impl Default for Manner {
    fn default() -> Self {
        Self { background: false, on_interrupt: OnInterrupt::Keep, timeout: Duration::from_secs(15) }
    }
}

/// What happens to a running call when the caller interrupts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnInterrupt {
    /// It runs to its end, and its result is remembered: right for whatever has effects.
    #[default]
    Keep,
    /// It is given up: right for look-ups.
    Cancel,
}

/// For whom a tool is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallContext {
    /// The conversation's id.
    pub conversation: String,
    /// The turn, counted from 1 and on through all calls of a conversation that goes on.
    pub turn: u32,
}

/// A tool could not do what was asked. Each message is told to the model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ToolFailure {
    /// Nobody offers it.
    #[error("there is no tool `{0}`")]
    Unknown(String),
    /// The arguments do not fit.
    #[error("{0}")]
    Arguments(String),
    /// It took too long.
    #[error("it took longer than {} s", .0.as_secs())]
    Timeout(Duration),
    /// It was reached and said no.
    #[error("{0}")]
    Refused(String),
    /// It could not be reached.
    #[error("it cannot be reached now")]
    Unreachable,
}
