//! The adapters to vendors against a scripted server: every kind of provider passes one suite, whoever the vendor is.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, its helpers too")]
#![cfg(all(feature = "openai", feature = "google"))]

mod gemini;
mod google_cloud;
mod google_credentials;
mod google_speech;
mod google_voice;
mod llm;
mod openai_chat;
mod openai_voice;
mod server;
mod transcriber;
mod tts;
