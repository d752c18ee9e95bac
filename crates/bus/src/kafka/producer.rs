//! A producer that tells when the broker does not keep up, and is replaced when it does not find back to it.

use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Message as _, OwnedHeaders, OwnedMessage};
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer as _, ProducerContext, PurgeConfig, ThreadedProducer};

use crate::kafka::client::{QuietContext, base_config, now_us};
use crate::kafka::config::{Acks, KafkaConfig};
use crate::kafka::lifeline::{self, Lifeline};
use crate::kafka::stats::BusStats;

/// Records that the client holds for the broker: what 400 calls say in a second, and all events of a long outage.
const MAX_UNDER_WAY: &str = "100000";
/// Events wait out an outage this long; a call that is deaf for longer is over.
const EVENT_TIMEOUT_MS: &str = "60000";
/// Nothing acknowledged for so long means that the broker is gone or swamped: audio that waited longer is of no use.
const STALLED_US: u64 = 1_000_000;
/// How long a client that is replaced may take to give back what it holds: it need not ask anybody.
const TAKEN_BACK_WITHIN: Duration = Duration::from_secs(1);
/// Whether a record may be dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// When the broker does not keep up.
    Audio,
    /// Never.
    Event,
}

/// A record that was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SendError {
    /// The broker does not keep up. Events may be tried again.
    #[error("send a bus record: the broker does not keep up")]
    Full,
    /// It can never be sent, such as one that is too large.
    #[error("send a bus record: it is not acceptable")]
    Unacceptable,
}

/// A record to be sent.
pub(crate) struct Outgoing<'a> {
    pub(crate) topic: &'a str,
    /// None goes by the key.
    pub(crate) partition: Option<i32>,
    pub(crate) key: &'a str,
    pub(crate) value: &'a [u8],
    pub(crate) kind: Kind,
    pub(crate) headers: Option<OwnedHeaders>,
}

/// Sends records.
pub(crate) struct Producer {
    line: Arc<Line>,
    _lifeline: Lifeline,
}

/// The client of the moment, and how to make another.
struct Line {
    settings: ClientConfig,
    client: RwLock<ThreadedProducer<Flow>>,
    flow: Flow,
}

/// What is under way.
#[derive(Debug, Clone, Default)]
struct Flow(Arc<FlowCells>);

#[derive(Debug, Default)]
struct FlowCells {
    under_way: AtomicU64,
    /// When something was last acknowledged, or first sent after nothing was under way.
    moved_us: AtomicU64,
    /// What a client that is replaced had not sent, or not heard of.
    taken_back: Mutex<Vec<OwnedMessage>>,
    stats: BusStats,
}

impl Flow {
    fn is_stalled(&self) -> bool {
        let moved_us = self.0.moved_us.load(Ordering::Acquire);
        self.0.under_way.load(Ordering::Acquire) > 0 && now_us().saturating_sub(moved_us) > STALLED_US
    }

    fn taken_back(&self) -> MutexGuard<'_, Vec<OwnedMessage>> {
        self.0.taken_back.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a record to a client.
    fn enqueue(&self, client: &ThreadedProducer<Self>, record: BaseRecord<'_, [u8], [u8]>) -> Result<(), KafkaError> {
        if self.0.under_way.fetch_add(1, Ordering::AcqRel) == 0 {
            self.0.moved_us.store(now_us(), Ordering::Release);
        }
        client.send(record).map_err(|(error, _)| {
            self.0.under_way.fetch_sub(1, Ordering::AcqRel);
            error
        })
    }
}

impl ClientContext for Flow {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        QuietContext.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        QuietContext.error(error, reason);
    }
}

impl ProducerContext for Flow {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        self.0.under_way.fetch_sub(1, Ordering::AcqRel);
        match result {
            Ok(_) => self.0.moved_us.store(now_us(), Ordering::Release),
            Err((error, record)) if was_taken_back(error) => self.taken_back().push(record.detach()),
            Err(_) => self.0.stats.failed(1),
        }
    }
}

impl Producer {
    /// Wants a runtime, on which the client is looked after.
    pub(crate) fn new(config: &KafkaConfig, stats: BusStats) -> Result<Self, KafkaError> {
        let flow = Flow(Arc::new(FlowCells { stats, ..FlowCells::default() }));
        let settings = settings(config);
        let client = RwLock::new(settings.create_with_context(flow.clone())?);
        let line = Arc::new(Line { settings, client, flow });
        let lifeline = Lifeline::of(&line, &config.brokers, line.flow.0.stats.clone());
        Ok(Self { line, _lifeline: lifeline })
    }

    /// Sends a record; waits for nothing but the moment in which the client is replaced.
    pub(crate) fn send(&self, out: Outgoing<'_>) -> Result<(), SendError> {
        let Line { client, flow, .. } = &*self.line;
        if out.kind == Kind::Audio && flow.is_stalled() {
            flow.0.stats.overflowed(1);
            return Err(SendError::Full);
        }
        let record: BaseRecord<'_, [u8], [u8]> =
            BaseRecord { partition: out.partition, headers: out.headers, ..BaseRecord::to(out.topic) };
        let record = record.key(out.key.as_bytes()).payload(out.value);
        let client = client.read().unwrap_or_else(PoisonError::into_inner);
        let Err(error) = flow.enqueue(&client, record) else {
            flow.0.stats.sent(1);
            return Ok(());
        };
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull) {
            flow.0.stats.overflowed(u64::from(out.kind == Kind::Audio));
            return Err(SendError::Full);
        }
        tracing::warn!(%error, topic = out.topic, "a record was refused by the Kafka client");
        Err(SendError::Unacceptable)
    }

    /// Waits until everything is sent, for as long as `patience`. Blocks.
    pub(crate) fn flush(&self, patience: Duration) {
        // What could not be sent by then is counted as failed.
        let _ = self.line.client.read().unwrap_or_else(PoisonError::into_inner).flush(patience);
    }
}

impl lifeline::Client for Line {
    type Old = ThreadedProducer<Flow>;

    fn is_cut_off(&self) -> bool {
        self.flow.is_stalled()
    }

    fn renew(&self) -> Result<Self::Old, KafkaError> {
        let fresh: ThreadedProducer<Flow> = self.settings.create_with_context(self.flow.clone())?;
        // Nothing new may overtake what the old client still holds.
        let mut client = self.client.write().unwrap_or_else(PoisonError::into_inner);
        client.purge(PurgeConfig::default().queue().inflight());
        // What does not come back by then is counted as failed when the old client ends.
        let _ = client.flush(TAKEN_BACK_WITHIN);
        let old = mem::replace(&mut *client, fresh);
        let records = mem::take(&mut *self.flow.taken_back());
        for record in &records {
            if self.flow.enqueue(&client, again(record)).is_err() {
                self.flow.0.stats.failed(1);
            }
        }
        Ok(old)
    }
}

fn was_taken_back(error: &KafkaError) -> bool {
    matches!(error.rdkafka_error_code(), Some(RDKafkaErrorCode::PurgeQueue | RDKafkaErrorCode::PurgeInflight))
}

/// The same record for another client. It may come twice; its readers know it by its number.
fn again(record: &OwnedMessage) -> BaseRecord<'_, [u8], [u8]> {
    BaseRecord {
        partition: Some(record.partition()).filter(|partition| *partition >= 0),
        payload: record.payload(),
        key: record.key(),
        headers: record.headers().cloned(),
        ..BaseRecord::to(record.topic())
    }
}

fn settings(config: &KafkaConfig) -> ClientConfig {
    let mut client = base_config(config);
    client
        .set(
            "acks",
            match config.acks {
                Acks::Leader => "1",
                Acks::All => "all",
            },
        )
        .set("linger.ms", (config.linger.as_secs_f64() * 1_000.0).to_string())
        // As Java's clients place keys, so that facts of a conversation stay together whoever else writes.
        .set("partitioner", "murmur2_random")
        // Order survives a repeated request only when no other is under way; and without this limit the client
        // sends one request a record as soon as it falls behind.
        .set("max.in.flight", "1")
        .set("compression.type", "none")
        .set("queue.buffering.max.messages", MAX_UNDER_WAY)
        .set("message.timeout.ms", EVENT_TIMEOUT_MS)
        .set("retry.backoff.ms", "20");
    client
}
