//! Pure audio: what a call carries and how it is coded. No IO, no clock, no async.
//!
//! Read [`leg`] first: it is the vocabulary between the media role and the agent. [`opus`] holds the only
//! `unsafe` code of the project, a small wrapper around libopus.

pub mod echo;
pub mod energy;
pub mod jitter;
pub mod leg;
pub mod mend;
pub mod opus;
pub mod resample;
pub mod wav;
