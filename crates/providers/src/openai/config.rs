//! What can be set for a vendor that speaks OpenAI's interface.

use serde::Deserialize;
use serde_json::{Map, Value};

/// A language model behind `/chat/completions`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChatConfig {
    /// The model's name at the vendor.
    pub model: String,
    /// Under which name the longest answer is asked for.
    pub token_limit_key: TokenLimitKey,
    /// Tokens for thoughts beside those of the answer: where a vendor counts both together, thoughts would cut it short.
    pub thinking_tokens: u32,
    /// Whether the agent's temperature is sent: models that reason refuse it.
    pub send_temperature: bool,
    /// Spoken when the vendor's guard against misuse refuses to answer; empty makes that a failure.
    pub blocked_answer: String,
    /// Sent as it is beside the rest of the request, such as `reasoning_effort = "low"`.
    pub extra: Map<String, Value>,
}

impl Default for ChatConfig {
    fn default() -> Self {
        Self {
            model: String::new(),
            token_limit_key: TokenLimitKey::default(),
            thinking_tokens: 0,
            send_temperature: true,
            blocked_answer: crate::llm::BLOCKED_ANSWER.to_owned(),
            extra: Map::new(),
        }
    }
}

/// Under which name the longest answer is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenLimitKey {
    /// As every server knows it.
    #[default]
    MaxTokens,
    /// As OpenAI's own newer models want it.
    MaxCompletionTokens,
}
