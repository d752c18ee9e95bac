//! What can be set for a vendor that speaks OpenAI's interface.

use std::time::Duration;

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

/// A recogniser behind `/audio/transcriptions`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TranscriberConfig {
    /// The model's name at the vendor.
    pub model: String,
    /// Words that the recogniser may expect, such as names; empty for none.
    pub prompt: String,
    /// Whether words are asked for while they are found. Servers that cannot do it send them at the end.
    pub stream: bool,
}

impl Default for TranscriberConfig {
    fn default() -> Self {
        Self { model: "gpt-transcribe".to_owned(), prompt: String::new(), stream: true }
    }
}

/// A voice behind `/audio/speech`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VoiceConfig {
    /// The model's name at the vendor.
    pub model: String,
    /// The voice of agents that name none.
    pub voice: String,
    /// How the voice is to speak, for models that can be told; empty for none.
    pub instructions: String,
    /// The rate at which the server sends `pcm`, in Hz: 8,000, 12,000, 16,000, 24,000 or 48,000.
    pub sample_rate_hz: u32,
    /// Sent as it is beside the rest of the request.
    pub extra: Map<String, Value>,
}

impl Default for VoiceConfig {
    fn default() -> Self {
        Self {
            model: "gpt-4o-mini-tts".to_owned(),
            voice: "alloy".to_owned(),
            instructions: String::new(),
            sample_rate_hz: 24_000,
            extra: Map::new(),
        }
    }
}

/// A speech-native model behind the WebSocket `/realtime`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RealtimeConfig {
    /// The model's name at the vendor.
    pub model: String,
    /// The voice of agents that name none.
    pub voice: String,
    /// Spoken when the vendor's guard against misuse refuses to answer; empty makes that a failure.
    pub blocked_answer: String,
    /// A conversation of this age goes on in a new one at the next moment of rest: OpenAI ends it at 60 minutes.
    #[serde(with = "humantime_serde")]
    pub renew_after: Duration,
    /// Laid over the settings of the session, such as `max_output_tokens`.
    pub extra: Map<String, Value>,
}

impl Default for RealtimeConfig {
    fn default() -> Self {
        Self {
            model: "gpt-realtime-2.1".to_owned(),
            voice: "marin".to_owned(),
            blocked_answer: crate::llm::BLOCKED_ANSWER.to_owned(),
            renew_after: Duration::from_mins(55),
            extra: Map::new(),
        }
    }
}
