//! The agent that answers calls: which model files it needs, and how they are loaded.
//!
//! `profile` chooses the language model, `load` turns files into models.

mod load;
mod profile;

pub(crate) use load::{LoadError, find, load};
pub(crate) use profile::{Machine, choose};
