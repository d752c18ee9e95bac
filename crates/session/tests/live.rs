//! Whole conversations with speech-native models: the adapters to vendors against their emulator, on a real port and in
//! real time. The caller speaks in tones that the emulator understands, and what the caller hears is understood again.
// Test code may stop at the first surprise.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "live/call.rs"]
mod call;
#[path = "live/gemini.rs"]
mod gemini;
#[path = "live/openai.rs"]
mod openai;
#[path = "live/suite.rs"]
mod suite;
