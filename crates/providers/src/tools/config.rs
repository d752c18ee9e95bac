//! The `[tools]` section: which tools there are beside the built-in ones.

use std::collections::BTreeMap;
#[cfg(feature = "tools")]
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

#[cfg(feature = "tools")]
use super::Manner;
use super::OnInterrupt;
use crate::secret::Secret;

/// All sources of tools, by name.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ToolsConfig {
    /// Servers of the Model Context Protocol.
    pub mcp: BTreeMap<String, McpConfig>,
    /// HTTP endpoints; the name is the tool's.
    pub webhook: BTreeMap<String, WebhookConfig>,
}

/// An MCP server: `command` starts one and speaks over its standard streams, `url` reaches one over streamable HTTP.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct McpConfig {
    /// The program to start.
    pub command: Option<String>,
    /// Its arguments.
    pub args: Vec<String>,
    /// Its environment, beside ours.
    pub env: BTreeMap<String, Secret>,
    /// Where the server is.
    pub url: Option<String>,
    /// Sent as `Authorization: Bearer`.
    pub bearer_token: Option<Secret>,
    /// The tools to offer; empty offers all.
    pub allow: Vec<String>,
    /// How long it may take to say hello and to list its tools, in milliseconds. A first `npx` or `uvx` downloads it.
    pub connect_timeout_ms: u64,
    /// Whether the conversation goes on while they run.
    pub background: bool,
    /// What happens to a call when the caller interrupts.
    pub on_interrupt: OnInterrupt,
    /// After this long a call is given up, in milliseconds.
    pub timeout_ms: u64,
}

impl Default for McpConfig {
    fn default() -> Self {
        Self {
            command: None,
            args: Vec::new(),
            env: BTreeMap::new(),
            url: None,
            bearer_token: None,
            allow: Vec::new(),
            connect_timeout_ms: 30_000,
            background: false,
            on_interrupt: OnInterrupt::default(),
            timeout_ms: 15_000,
        }
    }
}

#[cfg(feature = "tools")]
impl McpConfig {
    pub(super) fn manner(&self) -> Manner {
        manner(self.background, self.on_interrupt, self.timeout_ms)
    }
}

/// An HTTP endpoint that is a tool.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookConfig {
    /// What the model is told that it does.
    pub description: String,
    /// Its arguments: a JSON Schema of type object.
    pub parameters: Value,
    /// Where calls are posted: `https`, or `http` with `allow_private`.
    pub url: String,
    /// Sent as `Authorization: Bearer`.
    pub bearer_token: Option<Secret>,
    /// Whether the address may be one of a private network or of this machine.
    pub allow_private: bool,
    /// Whether the conversation goes on while it runs.
    pub background: bool,
    /// What happens to a call when the caller interrupts.
    pub on_interrupt: OnInterrupt,
    /// After this long a call is given up, in milliseconds.
    pub timeout_ms: u64,
}

impl Default for WebhookConfig {
    fn default() -> Self {
        Self {
            description: String::new(),
            parameters: json!({"type": "object", "properties": {}}),
            url: String::new(),
            bearer_token: None,
            allow_private: false,
            background: false,
            on_interrupt: OnInterrupt::default(),
            timeout_ms: 10_000,
        }
    }
}

#[cfg(feature = "tools")]
impl WebhookConfig {
    pub(super) fn manner(&self) -> Manner {
        manner(self.background, self.on_interrupt, self.timeout_ms)
    }
}

#[cfg(feature = "tools")]
fn manner(background: bool, on_interrupt: OnInterrupt, timeout_ms: u64) -> Manner {
    Manner { background, on_interrupt, timeout: Duration::from_millis(timeout_ms) }
}
