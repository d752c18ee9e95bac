//! Tools: what the model may have done for it, and how a call comes along within a turn.

/// A call of a tool, as the model wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolCall {
    /// The model's id of the call.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// JSON text.
    pub arguments: String,
}

/// How a tool goes together with a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ToolManner {
    /// The conversation does not wait for it; its result is told later.
    pub background: bool,
    /// Whether an interruption of the turn cancels it. A tool with effects is better left to finish.
    pub cancel_on_interrupt: bool,
}

/// What a tool gave back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolOutput {
    /// What the model is told; of a failure, what went wrong.
    pub text: String,
    /// How the call came out.
    pub outcome: ToolOutcome,
    /// What else is to happen.
    pub then: AfterTool,
}

/// How a call of a tool came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ToolOutcome {
    /// It gave its result.
    #[default]
    Done,
    /// It failed, or there is no such tool.
    Failed,
    /// It was given up, since it took too long.
    Overdue,
    /// It was given up, since the caller interrupted or the call ended.
    Cancelled,
}

/// What a tool's result does to the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum AfterTool {
    /// The model goes on with the result.
    #[default]
    GoOn,
    /// The agent hangs up once all that it said was heard.
    HangUp,
}
