//! Moves audio and control between the media and orchestrator roles.
//!
//! The media role owns a caller's transport, the orchestrator role owns the conversation; they share nothing but a
//! link of two channels. [`local`] joins them within one process. What travels is in `audio::leg`.

pub mod local;
