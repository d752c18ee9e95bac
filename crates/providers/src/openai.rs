//! OpenAI's HTTP interface, which many servers speak: OpenAI itself, vLLM, llama.cpp, Ollama, LocalAI, OpenRouter, and
//! the compatible endpoints of other vendors.
//!
//! [`Chat`] is the language model, [`Transcriber`] speech-to-text, [`Voice`] text-to-speech. The servers differ in small
//! things, so what is read is read leniently and what is sent keeps to what all of them know; the rest is configuration.

mod chat;
mod config;
mod transcriber;
mod voice;

pub use chat::Chat;
pub use config::{ChatConfig, TokenLimitKey, TranscriberConfig, VoiceConfig};
pub use transcriber::Transcriber;
pub use voice::Voice;
