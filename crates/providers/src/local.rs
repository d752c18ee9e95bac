//! Models that run offline on this machine's CPU.
//!
//! Feature `onnx`: voice activity, end of turn, speech-to-text and text-to-speech through ONNX Runtime. Feature
//! `llama`: the language model. Each kind of model has one thread of its own, shared by all sessions, so a model never
//! holds up async code and never takes more than one core; `worker` is the pattern they share. Read `runtime` first,
//! then the model of interest.

#[cfg(feature = "onnx")]
pub mod hibari;
#[cfg(feature = "onnx")]
pub mod moonshine;
#[cfg(feature = "onnx")]
pub mod runtime;
#[cfg(feature = "onnx")]
pub mod silero;
#[cfg(feature = "onnx")]
pub mod smart_turn;
#[cfg(feature = "onnx")]
mod speech_text;
#[cfg(feature = "onnx")]
mod worker;

#[cfg(feature = "llama")]
pub mod llama;
