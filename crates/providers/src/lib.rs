//! Speech-to-text, language model, text-to-speech, voice activity and end-of-turn models behind small traits.
//!
//! The traits stand at the root, one file each; a stream is always a pair of channels or a receiver, and dropping it
//! cancels the work. `local` (features `onnx` and `llama`) holds the models that run offline on this machine's CPU;
//! `packs` (feature `packs`) fetches and checks their files. `openai` (feature `openai`) and `google` (feature `google`)
//! reach vendors over the network; what the two share is in `remote`, and `vendors` makes them from the configuration.
//! `resilience` puts several providers in a row.

pub mod failure;
#[cfg(feature = "google")]
pub mod google;
pub mod live;
pub mod llm;
#[cfg(any(feature = "onnx", feature = "llama"))]
pub mod local;
#[cfg(feature = "openai")]
pub mod openai;
#[cfg(feature = "packs")]
pub mod packs;
#[cfg(feature = "remote")]
pub mod remote;
pub mod resilience;
pub mod secret;
pub mod stt;
mod tasks;
pub mod tools;
pub mod tts;
pub mod turn;
pub mod vad;
#[cfg(all(feature = "openai", feature = "google"))]
pub mod vendors;

pub use failure::{Failure, Remedy};
