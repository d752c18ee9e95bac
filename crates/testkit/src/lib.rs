//! Development only: models that follow a script, and a caller's leg in virtual time.
//!
//! `scripted` stands in for the five models, with delays that a paused clock passes at once; `leg` is the far end of a
//! call: it speaks, paces what it hears, and sends the marks that a media server would.
// Test code may stop at the first surprise.
#![allow(clippy::unwrap_used, clippy::panic)]

pub mod leg;
pub mod room;
pub mod scripted;
