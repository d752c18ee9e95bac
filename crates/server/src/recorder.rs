//! Writes conversations down, beside the calls: never in their way. Between machines, what is written is published as well
//! (`events`).

mod events;

use std::sync::Arc;

use bus::kafka::EventLog;
use dialogue::CloseReason;
use jiff::Timestamp;
use store::{Held, NewConversation, Store, StoreError, Turn};
use tokio::sync::mpsc;

/// What waits to be written: minutes of a thousand calls. A disk that stalls for longer costs records, not calls.
const QUEUE_CAPACITY: usize = 8_192;

/// Takes down what happens. Never waits.
#[derive(Debug, Clone)]
pub(crate) struct Recorder {
    queue: mpsc::Sender<Record>,
}

/// Something to be written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Record {
    /// A conversation began.
    Began(NewConversation),
    /// A turn as it stands.
    Turn {
        /// Its conversation.
        conversation_id: String,
        /// The turn.
        turn: Box<Turn>,
    },
    /// A conversation is over.
    Ended {
        /// Which.
        conversation_id: String,
        /// When.
        at: Timestamp,
        /// Why.
        reason: CloseReason,
    },
}

/// The recorder's other side. Run it as a task: it ends when all recorders are gone and everything is written.
#[derive(Debug)]
pub(crate) struct Writer {
    queue: mpsc::Receiver<Record>,
}

/// Makes a recorder and its writer.
pub(crate) fn recorder() -> (Recorder, Writer) {
    let (sender, receiver) = mpsc::channel(QUEUE_CAPACITY);
    (Recorder { queue: sender }, Writer { queue: receiver })
}

impl Recorder {
    /// Queues a record. When the queue is full the record is lost and an error logged.
    pub(crate) fn record(&self, record: Record) {
        if self.queue.try_send(record).is_err() {
            tracing::error!(capacity = QUEUE_CAPACITY, "the store does not keep up: a record is lost");
        }
    }
}

impl Writer {
    /// Writes until no recorder is left, and publishes where there is a stream of facts.
    pub(crate) async fn run(mut self, store: Arc<dyn Store>, log: Option<EventLog>) {
        while let Some(record) = self.queue.recv().await {
            let held = write(&*store, &record).await;
            if let Err(cause) = &held {
                tracing::error!(session = record.conversation_id(), %cause, "a record could not be written");
            }
            // Whoever holds the conversation now has told of it otherwise.
            if let Some(log) = log.as_ref().filter(|_| !matches!(held, Ok(Held::Elsewhere))) {
                events::publish(log, &record);
            }
        }
        store.close().await;
    }
}

impl Record {
    fn conversation_id(&self) -> &str {
        match self {
            Self::Began(conversation) => &conversation.id,
            Self::Turn { conversation_id, .. } | Self::Ended { conversation_id, .. } => conversation_id,
        }
    }
}

async fn write(store: &dyn Store, record: &Record) -> Result<Held, StoreError> {
    match record {
        Record::Began(conversation) => store.begin(conversation).await.map(|()| Held::Here),
        Record::Turn { conversation_id, turn } => store.record_turn(conversation_id, turn).await,
        Record::Ended { conversation_id, at, reason } => store.end(conversation_id, *at, *reason).await,
    }
}
