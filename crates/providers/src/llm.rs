//! Language models: a list of messages in, a stream of text out.

use tokio::sync::mpsc;

use crate::Failure;

/// A language model, shared by all sessions.
pub trait LanguageModel: Send + Sync + 'static {
    /// The name in metrics and spans, such as `local.llama`.
    fn name(&self) -> &'static str;
    /// Starts an answer. Dropping the receiver cancels it.
    fn reply(&self, request: LlmRequest) -> mpsc::Receiver<LlmEvent>;
    /// A hint: these messages will soon be the beginning of a request with the same key. A local model evaluates
    /// them ahead into its cache; others do nothing.
    fn prepare(&self, request: LlmRequest);
    /// The conversation is over: whatever is kept for it may go.
    fn release(&self, conversation: &str);
}

/// Spoken in place of an answer that a vendor's guard against misuse refused, unless the configuration says otherwise.
#[cfg(feature = "remote")]
pub(crate) const BLOCKED_ANSWER: &str = "I am sorry, I cannot talk about that.";

/// What to answer.
#[derive(Debug, Clone)]
pub struct LlmRequest {
    /// Which conversation this is part of; a local model keeps its cache by this key.
    pub conversation: String,
    /// The system prompt first, then the turns, the caller's words last.
    pub messages: Vec<Message>,
    /// The tools that the model may call.
    pub tools: Vec<ToolSpec>,
    /// The most tokens to answer with.
    pub max_tokens: u32,
    /// Sampling temperature; 0 is greedy.
    pub temperature: f32,
}

#[cfg(feature = "remote")]
impl LlmRequest {
    /// The temperature as a decimal of two places, as it was configured: a binary fraction would travel with noise.
    pub(crate) fn decimal_temperature(&self) -> f64 {
        (f64::from(self.temperature) * 100.0).round() / 100.0
    }
}

/// One message of the conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Instructions.
    System(String),
    /// The caller's words.
    User(String),
    /// The agent's words, and the tools that it called after them.
    Assistant {
        /// The words; may be empty.
        text: String,
        /// The calls.
        calls: Vec<ToolCall>,
    },
    /// What a tool gave back. Follows the message that called it.
    ToolResult {
        /// The call's id.
        call_id: String,
        /// The tool's name.
        name: String,
        /// The result, or what went wrong.
        output: String,
    },
}

/// A tool that a model may call.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolSpec {
    /// Its name.
    pub name: String,
    /// What it does, for the model.
    pub description: String,
    /// Its arguments: a JSON Schema of type object.
    pub parameters: serde_json::Value,
}

/// A call of a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolCall {
    /// Unique within the conversation.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// JSON text, as the model wrote it.
    pub arguments: String,
}

/// What a model says while it answers. The last event is `Done` or `Failed`; an end without either is a failure.
#[derive(Debug, Clone)]
pub enum LlmEvent {
    /// The next piece of text, whole Unicode characters. Empty is a sign of life: something is written that comes later
    /// as a whole, such as a call of a tool.
    Text(String),
    /// The model calls a tool. More may follow, text too; nothing is run before `Done`.
    ToolCall(ToolCall),
    /// The answer is complete.
    Done {
        /// Why it ended.
        finish: Finish,
        /// Tokens read, of them evaluated anew, and written.
        usage: Usage,
    },
    /// The answer failed.
    Failed(Failure),
}

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// The model was done.
    Stop,
    /// `max_tokens` were reached.
    Length,
    /// The model waits for the tools that it called.
    ToolCalls,
}

/// Tokens of one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Tokens in the prompt.
    pub prompt_tokens: u32,
    /// Of these, tokens that were already in the cache.
    pub cached_tokens: u32,
    /// Tokens written.
    pub completion_tokens: u32,
}
