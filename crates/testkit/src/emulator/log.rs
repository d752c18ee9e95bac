//! The log of requests: what came, with which key, and whether its sender stayed to the end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::sync::watch;
use tokio::time::Instant;

use super::route::Route;

/// One request.
#[derive(Debug, Clone)]
pub struct Record {
    /// What kind it is.
    pub route: Route,
    /// The TCP connection that it came on, counted from 0.
    pub connection: usize,
    /// When it came.
    pub began: Instant,
    /// When and how it ended; none while it runs.
    pub ended: Option<(Instant, Ending)>,
    /// The key or token that it showed, as it stood in `authorization` or `x-goog-api-key`.
    pub authorization: Option<String>,
    /// Its path with the query.
    pub path: String,
    /// What it asked: the JSON body, the fields of a form, or the first message of a stream and what was noted since.
    pub request: Value,
    /// Pieces of the answer (chunks of a body, messages of a stream) handed to the connection.
    pub pieces_sent: usize,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The answer was given whole; it may be a refusal.
    Completed,
    /// The client went away before that.
    ClientLeft,
    /// A fault ended it.
    BrokenOff,
}

/// All requests so far.
#[derive(Debug)]
pub(super) struct Log {
    records: Mutex<Vec<Record>>,
    changes: watch::Sender<()>,
}

impl Log {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { records: Mutex::default(), changes: watch::Sender::new(()) })
    }

    pub(super) fn open(self: &Arc<Self>, record: Record) -> Exchange {
        let mut records = self.records();
        records.push(record);
        Exchange { log: Arc::clone(self), index: records.len() - 1 }
    }

    pub(super) fn all(&self) -> Vec<Record> {
        self.records().clone()
    }

    /// Waits until the log is as wanted; gives it.
    pub(super) async fn when(&self, condition: impl Fn(&[Record]) -> bool) -> Vec<Record> {
        let mut changes = self.changes.subscribe();
        loop {
            changes.mark_unchanged();
            let records = self.all();
            if condition(&records) {
                return records;
            }
            // It cannot fail: the sender is in `self`.
            drop(changes.changed().await);
        }
    }

    fn records(&self) -> MutexGuard<'_, Vec<Record>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request's place in the log. Handlers find it among the request's extensions.
#[derive(Debug, Clone)]
pub(super) struct Exchange {
    log: Arc<Log>,
    index: usize,
}

impl Exchange {
    /// Adds a field to what was asked.
    pub(super) fn note(&self, name: &str, value: impl Into<Value>) {
        self.change(|record| {
            if !record.request.is_object() {
                record.request = Value::Object(serde_json::Map::new());
            }
            record.request[name] = value.into();
        });
    }

    /// Another piece of the answer went out.
    pub(super) fn sent(&self) {
        self.change(|record| record.pieces_sent += 1);
    }

    /// Whoever holds this serves the request; when it is dropped without a word, the client went away.
    pub(super) fn presence(&self) -> Presence {
        Presence(self.clone())
    }

    fn end(&self, ending: Ending) {
        self.change(|record| {
            record.ended.get_or_insert((Instant::now(), ending));
        });
    }

    fn change(&self, change: impl FnOnce(&mut Record)) {
        if let Some(record) = self.log.records().get_mut(self.index) {
            change(record);
        }
        self.log.changes.send_replace(());
    }
}

/// A request that is being served. It lives inside the answer, so it notices at once when nobody wants that any more.
#[derive(Debug)]
pub(super) struct Presence(Exchange);

impl Presence {
    /// The answer is complete.
    pub(super) fn complete(self) {
        self.0.end(Ending::Completed);
    }

    /// A fault is about to end the answer.
    pub(super) fn break_off(&self) {
        self.0.end(Ending::BrokenOff);
    }

    pub(super) fn exchange(&self) -> &Exchange {
        &self.0
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.0.end(Ending::ClientLeft);
    }
}
