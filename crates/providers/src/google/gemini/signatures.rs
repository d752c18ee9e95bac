//! What Google wants back with the calls of tools that it wrote: an opaque signature of the thoughts behind a call, and
//! the call's id where it gave one. Without the signature the next request is refused.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

/// Calls of one conversation that are remembered; of older ones nobody asks.
const MAX_CALLS: usize = 128;

/// All that is kept, by conversation. It is forgotten when a conversation is released.
#[derive(Debug, Default)]
pub(super) struct Signatures {
    by_conversation: Mutex<HashMap<String, VecDeque<Kept>>>,
}

/// What came with a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kept {
    /// The id under which the rest of the program knows the call.
    pub id: String,
    /// Whether Google gave that id.
    pub is_vendors_id: bool,
    /// The signature, if there was one.
    pub signature: Option<String>,
}

impl Signatures {
    /// Remembers calls of a conversation.
    pub(super) fn keep(&self, conversation: &str, calls: impl IntoIterator<Item = Kept>) {
        let mut by_conversation = self.by_conversation.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = by_conversation.entry(conversation.to_owned()).or_default();
        kept.extend(calls);
        let excess = kept.len().saturating_sub(MAX_CALLS);
        kept.drain(..excess);
    }

    /// What is remembered of a conversation, by the ids of its calls.
    pub(super) fn of(&self, conversation: &str) -> HashMap<String, Kept> {
        let by_conversation = self.by_conversation.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = by_conversation.get(conversation).into_iter().flatten();
        kept.map(|kept| (kept.id.clone(), kept.clone())).collect()
    }

    /// The conversation is over.
    pub(super) fn forget(&self, conversation: &str) {
        self.by_conversation.lock().unwrap_or_else(PoisonError::into_inner).remove(conversation);
    }
}
