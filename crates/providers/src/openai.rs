//! OpenAI's HTTP interface, which many servers speak: OpenAI itself, vLLM, llama.cpp, Ollama, LocalAI, OpenRouter, and
//! the compatible endpoints of other vendors.
//!
//! [`Chat`] is the language model. The servers differ in small things, so what is read is read leniently and what is
//! sent keeps to what all of them know; the rest is configuration.

mod chat;
mod config;

pub use chat::Chat;
pub use config::{ChatConfig, TokenLimitKey};
