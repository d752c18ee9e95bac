//! Google's models: [`Gemini`] as the language model, through the Gemini API with a key or through Vertex AI, and
//! [`Voice`], Text-to-Speech by gRPC.
//!
//! `cloud` is what the gRPC interfaces have in common, `credentials` who we are to them.

mod cloud;
mod config;
mod credentials;
mod gemini;
mod voice;

pub use cloud::Cloud;
pub use config::{GeminiConfig, Method, ThinkingLevel, VoiceConfig};
pub use credentials::{Credentials, CredentialsError};
pub use gemini::{Gemini, vertex_base};
pub use voice::Voice;
