//! Tools against real servers: MCP servers of the official Python SDK, and webhooks over HTTP.
//!
//! Wants the Python packages that `scripts/setup test` installs; without them a test fails and says so.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, its helpers too")]
#![cfg(feature = "tools")]

mod mcp;
mod server;
mod webhooks;

use providers::llm::ToolCall;
use providers::tools::{CallContext, ToolFailure, Toolbox};

/// Calls a tool as a session does.
async fn call(toolbox: &Toolbox, name: &str, arguments: &str) -> Result<String, ToolFailure> {
    let call = ToolCall { id: "call_1".to_owned(), name: name.to_owned(), arguments: arguments.to_owned() };
    toolbox.call(&call, &CallContext { conversation: "0199".to_owned(), turn: 3 }).await
}

fn names(toolbox: &Toolbox) -> Vec<String> {
    let mut names: Vec<String> = toolbox.tools().into_iter().map(|tool| tool.spec.name).collect();
    names.sort();
    names
}
