//! Which call and listener ids are taken, for those who ask from outside the media thread.
//!
//! The handle enters, the media thread removes. The conversation itself is never behind this lock.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::OfferError;
use crate::commands::CallKey;

/// No such call or listener, or it ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown call {0}: it has ended or never was")]
pub struct UnknownCall(pub String);

/// All live calls by id.
#[derive(Debug)]
pub(crate) struct Directory {
    max_calls: usize,
    max_listeners_per_call: usize,
    calls: Mutex<HashMap<String, Entry>>,
}

#[derive(Debug)]
struct Entry {
    key: CallKey,
    listeners: HashSet<String>,
}

impl Directory {
    pub(crate) fn new(max_calls: usize, max_listeners_per_call: usize) -> Self {
        Self { max_calls, max_listeners_per_call, calls: Mutex::default() }
    }

    pub(crate) fn enter_call(&self, id: String, key: CallKey) -> Result<(), OfferError> {
        let mut calls = self.lock();
        if calls.contains_key(&id) {
            return Err(OfferError::IdInUse(id));
        }
        if calls.len() >= self.max_calls {
            return Err(OfferError::AtCapacity { limit: self.max_calls });
        }
        calls.insert(id, Entry { key, listeners: HashSet::new() });
        Ok(())
    }

    /// Takes back what was entered for a call that came to nothing.
    pub(crate) fn forget_call(&self, key: CallKey) {
        self.lock().retain(|_, entry| entry.key != key);
    }

    pub(crate) fn enter_listener(&self, call: &str, listener: &str) -> Result<CallKey, OfferError> {
        let mut calls = self.lock();
        let entry = calls.get_mut(call).ok_or_else(|| OfferError::UnknownCall(call.to_owned()))?;
        if entry.listeners.contains(listener) {
            return Err(OfferError::IdInUse(listener.to_owned()));
        }
        if entry.listeners.len() >= self.max_listeners_per_call {
            return Err(OfferError::TooManyListeners { limit: self.max_listeners_per_call });
        }
        entry.listeners.insert(listener.to_owned());
        Ok(entry.key)
    }

    pub(crate) fn find_call(&self, id: &str) -> Result<CallKey, UnknownCall> {
        self.lock().get(id).map(|entry| entry.key).ok_or_else(|| UnknownCall(id.to_owned()))
    }

    pub(crate) fn find_listener(&self, call: &str, listener: &str) -> Result<CallKey, UnknownCall> {
        let calls = self.lock();
        let entry = calls.get(call).filter(|entry| entry.listeners.contains(listener));
        entry.map(|entry| entry.key).ok_or_else(|| UnknownCall(format!("{call}/{listener}")))
    }

    /// Finds a listener and frees its place.
    pub(crate) fn take_listener(&self, call: &str, listener: &str) -> Result<CallKey, UnknownCall> {
        let mut calls = self.lock();
        let entry = calls.get_mut(call).filter(|entry| entry.listeners.contains(listener));
        let entry = entry.ok_or_else(|| UnknownCall(format!("{call}/{listener}")))?;
        entry.listeners.remove(listener);
        Ok(entry.key)
    }

    pub(crate) fn remove_call(&self, id: &str) {
        self.lock().remove(id);
    }

    pub(crate) fn remove_listener(&self, call: &str, listener: &str) {
        if let Some(entry) = self.lock().get_mut(call) {
            entry.listeners.remove(listener);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        // Every change is one insertion or removal, so a panic elsewhere cannot leave the map half changed.
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
