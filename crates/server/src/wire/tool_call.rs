//! The JSON of a tool call within a turn.

use serde::{Deserialize, Serialize};

use super::moment;

/// A tool that was called for a turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ToolCall {
    /// The model's id of the call; not unique beyond the turn.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// JSON text, as the model wrote it.
    pub arguments: String,
    /// How far it came.
    pub status: ToolCallStatus,
    /// What the model was told of it.
    pub result: Option<String>,
    /// RFC 3339, UTC, milliseconds.
    pub started_at: String,
    /// RFC 3339, UTC, milliseconds; none while it runs, or when that is not known.
    pub finished_at: Option<String>,
}

/// How far a call of a tool came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ToolCallStatus {
    /// It runs.
    InProgress,
    /// It returned: its result, or why it failed.
    Completed,
    /// It was given up.
    Incomplete,
}

impl From<store::ToolCall> for ToolCall {
    fn from(call: store::ToolCall) -> Self {
        Self {
            id: call.id,
            name: call.name,
            arguments: call.arguments,
            status: call.status.into(),
            result: call.result,
            started_at: moment(call.started_at),
            finished_at: call.finished_at.map(moment),
        }
    }
}

impl From<store::ToolCallStatus> for ToolCallStatus {
    fn from(status: store::ToolCallStatus) -> Self {
        match status {
            store::ToolCallStatus::InProgress => Self::InProgress,
            store::ToolCallStatus::Completed => Self::Completed,
            store::ToolCallStatus::Incomplete => Self::Incomplete,
        }
    }
}
