//! Google's models: [`Gemini`] as the language model, through the Gemini API with a key or through Vertex AI; by gRPC
//! [`Speech`], Speech-to-Text v2, and [`Voice`], Text-to-Speech; [`Live`], which hears and speaks itself.
//!
//! `cloud` is what the gRPC interfaces have in common, `credentials` who we are to them.

mod cloud;
mod config;
mod credentials;
mod gemini;
mod live;
mod speech;
mod voice;

pub use cloud::Cloud;
pub use config::{Endpointing, GeminiConfig, LiveConfig, Method, SpeechConfig, ThinkingLevel, VoiceConfig};
pub use credentials::{Credentials, CredentialsError};
pub use gemini::{Gemini, vertex_base};
pub use live::Live;
pub use speech::Speech;
pub use voice::Voice;
