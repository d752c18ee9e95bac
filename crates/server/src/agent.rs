//! The agent that answers calls: which model files it needs, and how they are loaded.
//!
//! `profile` chooses the language model, `load` turns files into models, `warm_up` lets the language model read its
//! instructions before the first call.

mod load;
mod profile;
mod warm_up;

pub(crate) use load::{Files, LoadError, find, load};
pub(crate) use profile::{Machine, choose};
pub(crate) use warm_up::warm_up;
