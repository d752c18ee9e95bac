//! Google's models: [`Gemini`] as the language model, through the Gemini API with a key or through Vertex AI.

mod config;
mod gemini;

pub use config::{GeminiConfig, ThinkingLevel};
pub use gemini::{Gemini, vertex_base};
