//! What is kept of a conversation. Not serializable: the server has wire structs, each store has its columns.

use std::time::Duration;

use dialogue::{CloseReason, StageTimes, ToolOutcome};
use jiff::Timestamp;

/// A conversation that begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewConversation {
    /// A UUIDv7 in text, so that the order of ids is the order of time.
    pub id: String,
    /// When the call was opened.
    pub created_at: Timestamp,
}

/// A conversation without its turns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The id.
    pub id: String,
    /// When the call was opened.
    pub created_at: Timestamp,
    /// How it ended; none while it goes on.
    pub ending: Option<Ending>,
    /// How many turns it has.
    pub turn_count: u32,
    /// The caller's first words.
    pub preview: Option<String>,
}

/// When and why a conversation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: CloseReason,
}

/// A conversation with its turns, first to last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// The conversation.
    pub summary: Summary,
    /// Its turns.
    pub turns: Vec<Turn>,
}

/// Some conversations, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// The conversations.
    pub summaries: Vec<Summary>,
    /// Whether older ones follow.
    pub has_more: bool,
}

/// A turn as far as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Counted from 1.
    pub index: u32,
    /// How far it came.
    pub status: TurnStatus,
    /// When the caller's words ended.
    pub started_at: Timestamp,
    /// What the caller said.
    pub user_text: String,
    /// All that the agent wrote.
    pub agent_text: String,
    /// What the caller heard of it.
    pub heard_text: String,
    /// How long the caller waited; none when no answer was heard.
    pub latency: Option<Latency>,
    /// From the first frame of the answer to the last moment it was heard; none when none was. Kept in whole
    /// milliseconds.
    pub heard: Option<Duration>,
    /// The tools that were called for it, in order.
    pub tool_calls: Vec<ToolCall>,
}

/// How far a turn came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TurnStatus {
    /// The answer is under way.
    InProgress,
    /// The answer was heard to its end.
    Completed,
    /// The caller interrupted, or hung up.
    Interrupted,
    /// There was no answer.
    Failed,
}

impl From<dialogue::TurnStatus> for TurnStatus {
    fn from(status: dialogue::TurnStatus) -> Self {
        match status {
            dialogue::TurnStatus::Completed => Self::Completed,
            dialogue::TurnStatus::Interrupted => Self::Interrupted,
            dialogue::TurnStatus::Failed => Self::Failed,
        }
    }
}

/// A tool that was called for a turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolCall {
    /// The model's id of the call; not unique beyond the turn.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// JSON text, as the model wrote it.
    pub arguments: String,
    /// How far it came.
    pub status: ToolCallStatus,
    /// What the model was told of it; none while it runs, or when nothing ever came.
    pub result: Option<String>,
    /// So many characters of the turn's `heard_text` came before it.
    pub heard_before: u32,
    /// When it was called.
    pub started_at: Timestamp,
    /// When it returned or was given up; none while it runs, or when that is not known.
    pub finished_at: Option<Timestamp>,
}

/// How far a call of a tool came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ToolCallStatus {
    /// It runs.
    InProgress,
    /// It returned: its result, or why it failed.
    Completed,
    /// It was given up, or the server stopped meanwhile.
    Incomplete,
}

impl From<ToolOutcome> for ToolCallStatus {
    fn from(outcome: ToolOutcome) -> Self {
        match outcome {
            ToolOutcome::Done | ToolOutcome::Failed => Self::Completed,
            ToolOutcome::Overdue | ToolOutcome::Cancelled => Self::Incomplete,
        }
    }
}

/// How long the caller waited for the answer, and where that time went. Kept in whole microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latency {
    /// From the end of speech to the first frame of the answer.
    pub voice_to_voice: Duration,
    /// Its parts.
    pub stages: StageTimes,
}
