//! The client library, set up for live audio: a producer that tells when the broker does not keep up, and a consumer that
//! reads named partitions from their end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{Consumer as _, ConsumerContext, StreamConsumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::OwnedHeaders;
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer as _, ProducerContext, ThreadedProducer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::kafka::config::{Acks, KafkaConfig};
use crate::kafka::node_id::NodeId;
use crate::kafka::stats::BusStats;

/// Records that the client holds for the broker: what 400 calls say in a second, and all events of a long outage.
const MAX_UNDER_WAY: &str = "100000";
/// Events wait out an outage this long; a call that is deaf for longer is over.
const EVENT_TIMEOUT_MS: &str = "60000";
/// Nothing acknowledged for so long means that the broker is gone or swamped: audio that waited longer is of no use.
const STALLED_US: u64 = 1_000_000;
/// Asking a broker one thing.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Microseconds since 1970.
pub(crate) fn now_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

/// Takes what the client library says: it complains of every reconnection, and the nodes tell what matters themselves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct QuietContext;

impl ClientContext for QuietContext {
    fn log(&self, _: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(facility, message, "librdkafka");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "librdkafka");
    }
}

impl ConsumerContext for QuietContext {}

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
    inner: ThreadedProducer<Flow>,
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
    stats: BusStats,
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
            Err(_) => self.0.stats.failed(1),
        }
    }
}

impl Producer {
    pub(crate) fn new(config: &KafkaConfig, stats: BusStats) -> Result<Self, KafkaError> {
        let flow = Flow(Arc::new(FlowCells { stats, ..FlowCells::default() }));
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
        Ok(Self { inner: client.create_with_context(flow.clone())?, flow })
    }

    /// Sends a record; never waits.
    pub(crate) fn send(&self, out: Outgoing<'_>) -> Result<(), SendError> {
        if out.kind == Kind::Audio && self.is_stalled() {
            self.flow.0.stats.overflowed(1);
            return Err(SendError::Full);
        }
        let record: BaseRecord<'_, str, [u8]> =
            BaseRecord { partition: out.partition, headers: out.headers, ..BaseRecord::to(out.topic) };
        let record = record.key(out.key).payload(out.value);
        if self.flow.0.under_way.fetch_add(1, Ordering::AcqRel) == 0 {
            self.flow.0.moved_us.store(now_us(), Ordering::Release);
        }
        let Err((error, _)) = self.inner.send(record) else {
            self.flow.0.stats.sent(1);
            return Ok(());
        };
        self.flow.0.under_way.fetch_sub(1, Ordering::AcqRel);
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull) {
            self.flow.0.stats.overflowed(u64::from(out.kind == Kind::Audio));
            return Err(SendError::Full);
        }
        tracing::warn!(%error, topic = out.topic, "a record was refused by the Kafka client");
        Err(SendError::Unacceptable)
    }

    fn is_stalled(&self) -> bool {
        let flow = &self.flow.0;
        let moved_us = flow.moved_us.load(Ordering::Acquire);
        flow.under_way.load(Ordering::Acquire) > 0 && now_us().saturating_sub(moved_us) > STALLED_US
    }

    /// Waits until everything is sent, for as long as `patience`. Blocks.
    pub(crate) fn flush(&self, patience: Duration) {
        // What could not be sent by then is counted as failed.
        let _ = self.inner.flush(patience);
    }
}

fn base_config(config: &KafkaConfig) -> ClientConfig {
    let mut client = ClientConfig::new();
    client
        .set("bootstrap.servers", &config.brokers)
        .set("client.id", "antiphon")
        .set("socket.nagle.disable", "true")
        // A broker that returns is found within half a second.
        .set("reconnect.backoff.ms", "50")
        .set("reconnect.backoff.max.ms", "500")
        .set("socket.connection.setup.timeout.ms", "3000")
        .set("allow.auto.create.topics", "false");
    client
}

/// A consumer that belongs to no group and stores no offsets.
pub(crate) fn consumer(config: &KafkaConfig, node: NodeId) -> Result<StreamConsumer<QuietContext>, KafkaError> {
    let mut client = base_config(config);
    client
        // The library wants a name even of a consumer that joins nothing.
        .set("group.id", format!("{}antiphon-{node}", config.topic_prefix))
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        // Only after an outage that outlasted the retention.
        .set("auto.offset.reset", "latest")
        // The broker answers as soon as there is a byte.
        .set("fetch.min.bytes", "1")
        .set("fetch.wait.max.ms", "100")
        .set("fetch.error.backoff.ms", "20")
        // The default of a second is heard when the own queue was full for a moment.
        .set("fetch.queue.backoff.ms", "10")
        .set("enable.partition.eof", "false");
    client.create_with_context(QuietContext)
}

/// Adds a partition to what is read, from the end that it has now. Blocks.
pub(crate) fn read_from_end(
    consumer: &StreamConsumer<QuietContext>,
    topic: &str,
    partition: i32,
) -> Result<(), KafkaError> {
    let (_, end) = consumer.fetch_watermarks(topic, partition, REQUEST_TIMEOUT)?;
    let mut partitions = TopicPartitionList::new();
    partitions.add_partition_offset(topic, partition, Offset::Offset(end))?;
    consumer.incremental_assign(&partitions)
}

/// How many partitions a topic has. Blocks.
pub(crate) fn partitions(consumer: &StreamConsumer<QuietContext>, topic: &str) -> Result<i32, KafkaError> {
    let metadata = consumer.fetch_metadata(Some(topic), REQUEST_TIMEOUT)?;
    let found = metadata.topics().iter().find(|one| one.name() == topic);
    Ok(found.map_or(0, |one| i32::try_from(one.partitions().len()).unwrap_or(i32::MAX)))
}
