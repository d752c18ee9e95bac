//! The agents that answer calls: which models they have, which files those need, and how they are loaded.
//!
//! `profile` chooses the language model, `files` finds what is needed, `load` turns files into models, `vendors` opens
//! those of others and puts them on a `shelf` for each stage, `lineup` gives each agent what it chooses, `board` shows how
//! all of them fare, `warm_up` lets the language model read its instructions before the first call.

mod board;
mod files;
mod lineup;
mod load;
mod profile;
mod shelf;
mod vendors;
mod warm_up;

pub(crate) use board::{Board, Entry};
pub(crate) use files::{Files, find};
pub(crate) use lineup::Cast;
pub(crate) use load::{LoadError, load};
pub(crate) use profile::{Machine, choose};
pub(crate) use shelf::ChoiceError;
pub(crate) use vendors::{VendorError, Vendors};
pub(crate) use warm_up::warm_up;
