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
    /// What else is to happen.
    pub then: AfterTool,
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
