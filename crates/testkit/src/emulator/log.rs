//! The log of requests: what came, with which key, and whether its sender stayed to the end.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::Instant;

use super::route::Route;

/// So many requests are kept, the latest; a load test of hours must not fill the memory.
const MOST_RECORDS: usize = 2_000;

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

/// The latest requests.
#[derive(Debug)]
pub(super) struct Log {
    kept: Mutex<Kept>,
    changes: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct Kept {
    records: VecDeque<Record>,
    /// Requests before the first record.
    forgotten: usize,
}

impl Log {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { kept: Mutex::default(), changes: watch::Sender::new(()) })
    }

    pub(super) fn open(self: &Arc<Self>, record: Record) -> Exchange {
        let mut kept = self.kept();
        if kept.records.len() == MOST_RECORDS {
            kept.records.pop_front();
            kept.forgotten += 1;
        }
        kept.records.push_back(record);
        Exchange { log: Arc::clone(self), number: kept.forgotten + kept.records.len() - 1 }
    }

    pub(super) fn all(&self) -> Vec<Record> {
        self.kept().records.iter().cloned().collect()
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

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request's place in the log. Handlers find it among the request's extensions.
#[derive(Debug, Clone)]
pub(super) struct Exchange {
    log: Arc<Log>,
    /// Which request since the start, counted from 0.
    number: usize,
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

    /// A message of this kind came in the middle of a conversation: the log lists them, each with when it came. The same
    /// kind several times in a row, such as audio, is listed once.
    pub(super) fn received(&self, kind: &str) {
        self.add("received", |before, began| {
            let at_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
            let again = before.last().is_some_and(|last| last["type"] == kind);
            (!again).then(|| json!({"type": kind, "at_ms": at_ms}))
        });
    }

    /// The client told something that is to be remembered.
    pub(super) fn told(&self, item: &Value) {
        self.add("items", |_, _| Some(item.clone()));
    }

    /// Adds to a list within what was asked.
    fn add(&self, name: &str, entry: impl FnOnce(&[Value], Instant) -> Option<Value>) {
        self.change(|record| {
            if !record.request.is_object() {
                record.request = Value::Object(serde_json::Map::new());
            }
            let list = &mut record.request[name];
            if list.is_null() {
                *list = json!([]);
            }
            if let Value::Array(list) = list {
                list.extend(entry(list, record.began));
            }
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
        let mut kept = self.log.kept();
        let index = self.number.checked_sub(kept.forgotten);
        if let Some(record) = index.and_then(|index| kept.records.get_mut(index)) {
            change(record);
        }
        drop(kept);
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

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use tokio::time::Instant;

    use super::{Ending, Log, MOST_RECORDS, Record};
    use crate::emulator::Route;

    #[test]
    fn the_log_keeps_the_latest_requests_and_forgets_the_rest() {
        let log = Log::new();
        let record = |connection| Record {
            route: Route::OpenAiChat,
            connection,
            began: Instant::now(),
            ended: None,
            authorization: None,
            path: String::new(),
            request: Value::Null,
            pieces_sent: 0,
        };
        let exchanges: Vec<_> = (0..MOST_RECORDS + 3).map(|number| log.open(record(number))).collect();
        exchanges[1].note("late", true);
        exchanges[3].presence().complete();
        let kept = log.all();
        assert_eq!((kept.len(), kept[0].connection), (MOST_RECORDS, 3));
        assert_eq!(kept[0].ended.map(|(_, ending)| ending), Some(Ending::Completed));
        assert!(kept.iter().all(|record| record.request.is_null()) && kept[1].ended.is_none());
    }
}
