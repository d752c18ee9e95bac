//! OpenAI's HTTP interface, which many servers speak: OpenAI itself, vLLM, llama.cpp, Ollama, LocalAI, OpenRouter, and
//! the compatible endpoints of other vendors.
//!
//! [`Chat`] is the language model, [`Transcriber`] speech-to-text, [`Voice`] text-to-speech, [`Realtime`] speech-native. The servers differ in small
//! things, so what is read is read leniently and what is sent keeps to what all of them know; the rest is configuration.

mod chat;
mod config;
mod realtime;
mod transcriber;
mod voice;

pub use chat::Chat;
pub use config::{ChatConfig, RealtimeConfig, TokenLimitKey, TranscriberConfig, VoiceConfig};
pub use realtime::Realtime;
pub use transcriber::Transcriber;
pub use voice::Voice;
