//! Tools of MCP servers, over a child's standard streams or over streamable HTTP, through the official Rust SDK.
//!
//! A server that does not answer costs its tools, never the start; one that dies is started again with the next call.

mod connection;

use std::collections::BTreeMap;

use async_trait::async_trait;
use rmcp::model::{CallToolRequestParams, CallToolResult};

use super::config::McpConfig;
use super::{CallContext, Tool, ToolFailure, ToolSource};
use crate::llm::ToolCall;
use connection::Connection;

/// The configured MCP servers.
pub struct Mcp {
    servers: Vec<Connection>,
}

impl Mcp {
    /// Connects to all servers at once. One that cannot be reached is warned of and tried again when it is asked for.
    pub async fn connect(configs: &BTreeMap<String, McpConfig>) -> Self {
        let connect = |(name, config): (&String, &McpConfig)| {
            let server = Connection::new(name.clone(), config.clone());
            async move {
                // Tools are asked for by name, so a server has to be asked once for what it offers.
                if let Err(cause) = server.client().await {
                    tracing::warn!(server = server.name(), %cause, "an MCP server cannot be reached; its tools are absent");
                }
                server
            }
        };
        Self { servers: futures_util::future::join_all(configs.iter().map(connect)).await }
    }
}

#[async_trait]
impl ToolSource for Mcp {
    fn tools(&self) -> Vec<Tool> {
        self.servers.iter().flat_map(Connection::tools).collect()
    }

    async fn call(&self, call: &ToolCall, _context: &CallContext) -> Result<String, ToolFailure> {
        let offers = |server: &&Connection| server.tools().iter().any(|tool| tool.spec.name == call.name);
        let server = self.servers.iter().find(offers).ok_or_else(|| ToolFailure::Unknown(call.name.clone()))?;
        let client = server.client().await.map_err(|cause| {
            tracing::warn!(server = server.name(), %cause, "an MCP server cannot be reached");
            ToolFailure::Unreachable
        })?;
        let arguments =
            serde_json::from_str(&call.arguments).map_err(|cause| ToolFailure::Arguments(cause.to_string()))?;
        let request = CallToolRequestParams::new(call.name.clone()).with_arguments(arguments);
        match client.call_tool(request).await {
            Ok(result) => outcome(&result),
            Err(rmcp::ServiceError::McpError(error)) => Err(ToolFailure::Refused(error.message.into_owned())),
            Err(cause) => {
                tracing::warn!(server = server.name(), %cause, "a call of an MCP tool was lost");
                Err(ToolFailure::Unreachable)
            }
        }
    }
}

/// The texts of a result; what is no text cannot be spoken of.
fn outcome(result: &CallToolResult) -> Result<String, ToolFailure> {
    let texts: Vec<&str> = result.content.iter().filter_map(|block| Some(block.as_text()?.text.as_str())).collect();
    let text = match (&result.structured_content, texts.as_slice()) {
        (Some(structured), []) => structured.to_string(),
        _ => texts.join("\n"),
    };
    if result.is_error == Some(true) { Err(ToolFailure::Refused(text)) } else { Ok(text) }
}
