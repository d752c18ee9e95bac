//! What can be set for Google's models.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};

/// A Gemini model.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GeminiConfig {
    /// The model's name.
    pub model: String,
    /// How much the model thinks before it speaks; none leaves it to the model. Not every model knows every level.
    pub thinking_level: Option<ThinkingLevel>,
    /// Tokens for thoughts: Google counts them among those of the answer, and would cut it short.
    pub thinking_tokens: u32,
    /// Whether the agent's temperature is sent. Google advises against it for models that think.
    pub send_temperature: bool,
    /// Spoken when the guard against misuse refuses to answer; empty makes that a failure.
    pub blocked_answer: String,
    /// Sent as it is beside the rest of the request, such as `safetySettings`.
    pub extra: Map<String, Value>,
}

impl Default for GeminiConfig {
    fn default() -> Self {
        Self {
            // Of those that are kept up it is the one that thinks least before it speaks.
            model: "gemini-3.5-flash-lite".to_owned(),
            thinking_level: None,
            thinking_tokens: 1024,
            send_temperature: false,
            blocked_answer: crate::llm::BLOCKED_ANSWER.to_owned(),
            extra: Map::new(),
        }
    }
}

/// A speech-native model of Gemini Live.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LiveConfig {
    /// The model's name.
    pub model: String,
    /// The voice of agents that name none.
    pub voice: String,
    /// Spoken when the guard against misuse refuses to answer; empty makes that a failure.
    pub blocked_answer: String,
    /// Laid over the setup of the conversation, such as `temperature` in `generationConfig`.
    pub extra: Map<String, Value>,
}

impl Default for LiveConfig {
    fn default() -> Self {
        Self {
            model: "gemini-3.8-live".to_owned(),
            voice: "Kore".to_owned(),
            blocked_answer: crate::llm::BLOCKED_ANSWER.to_owned(),
            extra: Map::new(),
        }
    }
}

/// How much a model thinks before it speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThinkingLevel {
    /// As good as not at all.
    Minimal,
    /// A little.
    Low,
    /// Some.
    Medium,
    /// Much.
    High,
}

impl ThinkingLevel {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Minimal => "MINIMAL",
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
        }
    }
}

/// A voice of Text-to-Speech.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VoiceConfig {
    /// Where it is served: `global`, `us`, `eu` or a region.
    pub location: String,
    /// The voice of agents that name none.
    pub voice: String,
    /// The language of voices whose name does not say it (BCP 47).
    pub language: String,
    /// A Gemini model to speak with; empty for none. Its voices have short names, such as `Kore`.
    pub model: String,
    /// How a Gemini model is to speak; empty for as it likes.
    pub prompt: String,
    /// Whether audio is streamed.
    pub method: Method,
}

impl Default for VoiceConfig {
    fn default() -> Self {
        Self {
            location: "global".to_owned(),
            voice: "en-US-Chirp3-HD-Kore".to_owned(),
            language: "en-US".to_owned(),
            model: String::new(),
            prompt: String::new(),
            method: Method::default(),
        }
    }
}

/// Whether audio is streamed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Where the voice can: those of Chirp 3 HD and of Gemini.
    #[default]
    Auto,
    /// Always.
    Streaming,
    /// Never: each sentence comes as a whole.
    Whole,
}

/// A recogniser of Speech-to-Text v2.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SpeechConfig {
    /// Where it is served: `global`, `us`, `eu` or a region. Not every model is served everywhere.
    pub location: String,
    /// The model's name.
    pub model: String,
    /// The languages that may be spoken (BCP 47), or `auto`; empty takes the agent's.
    pub languages: Vec<String>,
    /// Words that the recogniser may expect, such as names.
    pub phrases: Vec<String>,
    /// How much more likely they are made, 0 to 20.
    pub phrase_boost: f32,
    /// How soon Google takes an utterance for finished; none leaves it to the model.
    pub endpointing: Option<Endpointing>,
    /// At a pause words that reach up to it are taken for settled after this long, though Google may still change them.
    #[serde(with = "humantime_serde")]
    pub settle: Duration,
    /// After this long what there is must do: nothing was said, or not all of it understood. A chain asks another recogniser
    /// before that, if its `words_deadline` is shorter.
    #[serde(with = "humantime_serde")]
    pub give_up: Duration,
    /// A stream of this age gives way to a new one at the next pause: Google ends it at five minutes.
    #[serde(with = "humantime_serde")]
    pub rotate_after: Duration,
    /// A stream of this age gives way at once.
    #[serde(with = "humantime_serde")]
    pub rotate_at: Duration,
    /// A stream on which nobody has spoken for this long is closed.
    #[serde(with = "humantime_serde")]
    pub idle: Duration,
}

impl Default for SpeechConfig {
    fn default() -> Self {
        Self {
            location: "us".to_owned(),
            model: "chirp_3".to_owned(),
            languages: Vec::new(),
            phrases: Vec::new(),
            phrase_boost: 10.0,
            endpointing: Some(Endpointing::Supershort),
            settle: Duration::from_millis(800),
            give_up: Duration::from_secs(3),
            rotate_after: Duration::from_secs(240),
            rotate_at: Duration::from_secs(290),
            idle: Duration::from_secs(15),
        }
    }
}

/// How soon Google takes an utterance for finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpointing {
    /// After the model's own time.
    Standard,
    /// Sooner.
    Short,
    /// As soon as it can.
    Supershort,
}
