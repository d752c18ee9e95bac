//! Development only: models that follow a script, a caller's leg in virtual time, and the vendors' APIs emulated.
//!
//! `scripted` stands in for the five models, with delays that a paused clock passes at once; `leg` is the far end of a
//! call: it speaks, paces what it hears, and sends the marks that a media server would. `faulty` are models
//! that fail; `network` is a bad one; `tone` are words that tests can hear, `words` compares transcripts; `installed` is what `make test` fetches; `emulator` stands in for the vendors on a real port, for adapters and whole servers.
// Test code may stop at the first surprise.
#![allow(clippy::unwrap_used, clippy::panic)]

#[cfg(feature = "emulator")]
pub mod emulator;
pub mod faulty;
pub mod installed;
pub mod leg;
pub mod network;
pub mod room;
pub mod scripted;
pub mod tone;
pub mod words;
