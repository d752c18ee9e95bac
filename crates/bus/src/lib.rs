//! Moves audio and control between the media and orchestrator roles.
//!
//! The media role owns a caller's transport, the orchestrator role owns the conversation; they share nothing but a
//! link of two channels. [`local`] joins them within one process, `kafka` (a feature) across machines: its nodes pump the
//! very same links. What travels is in `audio::leg`.

#[cfg(feature = "kafka")]
pub mod kafka;
pub mod local;
