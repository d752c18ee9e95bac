//! What both kinds of node share: a name, a partition that they read, knowledge of the others, a word of life.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Message as _};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::kafka::client::{REQUEST_TIMEOUT, now_us};
use crate::kafka::config::KafkaConfig;
use crate::kafka::consumer::Consumer;
use crate::kafka::fleet::{BEAT, BusState, Fleet};
use crate::kafka::lateness::Lateness;
use crate::kafka::lifeline::Lifeline;
use crate::kafka::node_id::NodeId;
use crate::kafka::outlet::Outlet;
use crate::kafka::producer::Producer;
use crate::kafka::stats::BusStats;
use crate::kafka::topics::{TopicError, Topics};
use crate::kafka::wire::{Body, Header, Poison, Role, Status};

/// How often a node looks after its calls: as often as audio comes.
pub(crate) const TICK: Duration = Duration::from_millis(20);
/// How long a new node listens to the others before it chooses its partition.
const LISTEN: Duration = Duration::from_millis(500);
/// How soon a partition without a leader is asked for again.
const RETRY: Duration = Duration::from_millis(100);
/// What a node that stops may take to send its last words.
pub(crate) const LAST_WORDS: Duration = Duration::from_secs(2);

/// A node that cannot join the bus.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The topics are not as they must be.
    #[error(transparent)]
    Topics(#[from] TopicError),
    /// The broker does not answer.
    #[error("connect to the bus at {brokers}: {source}; is the broker running, and bus.url right?")]
    Broker {
        /// The brokers.
        brokers: String,
        /// What the client says.
        source: KafkaError,
    },
    /// The topic has no partitions.
    #[error("connect to the bus: the topic {0} has no partitions")]
    Empty(String),
    /// The runtime stops.
    #[error("connect to the bus: the program stops")]
    Stopping,
}

/// A node of either role.
pub(crate) struct Node {
    pub(crate) id: NodeId,
    pub(crate) role: Role,
    pub(crate) partition: i32,
    pub(crate) consumer: Arc<Consumer>,
    pub(crate) outlet: Outlet,
    pub(crate) fleet: Fleet,
    pub(crate) lateness: Lateness,
    pub(crate) stats: BusStats,
    state: watch::Sender<BusState>,
    status_topic: String,
    next_beat: Instant,
    _lifeline: Lifeline,
}

/// What a message means to a node.
#[derive(Debug)]
pub(crate) enum Incoming<B> {
    /// Nothing that needs doing.
    Nothing,
    /// A node said goodbye.
    Gone(NodeId),
    /// A record of a session.
    Record(Record<B>),
}

/// A record of a session.
#[derive(Debug)]
pub(crate) struct Record<B> {
    pub(crate) session: String,
    pub(crate) header: Header,
    /// How much longer it took than the fastest.
    pub(crate) late: Duration,
    pub(crate) body: B,
}

impl Node {
    /// Joins the bus.
    pub(crate) async fn connect(config: &KafkaConfig, role: Role) -> Result<Self, ConnectError> {
        let topics = Topics::of(config);
        topics.prepare(config).await?;
        let failed = |source| ConnectError::Broker { brokers: config.brokers.clone(), source };
        let id = NodeId::random();
        let stats = BusStats::default();
        let (reads, writes) = match role {
            Role::Media => (topics.audio_out, topics.audio_in),
            Role::Orchestrator => (topics.audio_in, topics.audio_out),
        };
        let producer = Producer::new(config, stats.clone()).map_err(failed)?;
        let (state, states) = watch::channel(BusState::Down);
        let consumer = Arc::new(Consumer::new(config, id, states).map_err(failed)?);
        let lifeline = Lifeline::of(&consumer, &config.brokers, stats.clone());
        let status_topic = topics.node_status;
        read_from_end(&consumer, &status_topic, 0).await?.map_err(failed)?;
        let (asks, topic) = (Arc::clone(&consumer), reads.clone());
        let partitions = off_the_runtime(move || asks.partitions(&topic)).await?.map_err(failed)?;
        let outlet = Outlet::new(id, producer, writes, status_topic.clone());
        let (fleet, lateness, next_beat) = (Fleet::new(id), Lateness::default(), Instant::now());
        let mut node = Self {
            id,
            role,
            partition: 0,
            consumer,
            outlet,
            fleet,
            lateness,
            stats,
            state,
            status_topic,
            next_beat,
            _lifeline: lifeline,
        };
        node.listen().await;
        node.partition = node.least_read(partitions).ok_or_else(|| ConnectError::Empty(reads.clone()))?;
        read_from_end(&node.consumer, &reads, node.partition).await?.map_err(failed)?;
        tracing::info!(node = %id, partition = node.partition, "joined the bus");
        Ok(node)
    }

    /// Hears who is there.
    async fn listen(&mut self) {
        let end = Instant::now() + LISTEN;
        let consumer = self.consumer.client();
        while let Ok(message) = tokio::time::timeout_at(end, consumer.recv()).await {
            if let Ok(message) = message {
                self.status(Instant::now(), message.payload().unwrap_or_default());
            }
        }
    }

    /// The partition that the fewest nodes of this role read. Two that start at once may choose the same: each drops
    /// what is for the other.
    fn least_read(&self, partitions: i32) -> Option<i32> {
        let readers = self.fleet.readers(self.role);
        // Not always from the first, or two that start at once always choose the same.
        let first = i32::try_from(self.id.0 % u64::try_from(partitions).ok()?.max(1)).ok()?;
        let from_first = (0..partitions).map(|step| (first + step) % partitions);
        from_first.min_by_key(|partition| readers.get(partition).copied().unwrap_or(0))
    }

    /// Whether records come through, as it changes.
    pub(crate) fn watch_state(&self) -> watch::Receiver<BusState> {
        self.state.subscribe()
    }

    /// What a message means.
    pub(crate) fn read<B: Body>(&mut self, now: Instant, message: &BorrowedMessage<'_>) -> Incoming<B> {
        let payload = message.payload().unwrap_or_default();
        if message.topic() == self.status_topic {
            return self.status(now, payload).map_or(Incoming::Nothing, Incoming::Gone);
        }
        self.stats.received(1);
        let session = message.key().and_then(|key| std::str::from_utf8(key).ok());
        let read = B::decode(payload).and_then(|read| Ok((session.ok_or(Poison::Incomplete)?, read)));
        match read {
            Ok((_, (header, _))) if header.to != self.id => {
                self.stats.strangers(1);
                Incoming::Nothing
            }
            Ok((session, (header, body))) => {
                let late = self.lateness.of(now, header.from, header.sent_us, now_us());
                Incoming::Record(Record { session: session.to_owned(), header, late, body })
            }
            Err(poison) => {
                self.poisoned(poison, message);
                Incoming::Nothing
            }
        }
    }

    fn status(&mut self, now: Instant, payload: &[u8]) -> Option<NodeId> {
        match Status::decode(payload) {
            Ok(status) => self.fleet.heard(now, status).then_some(status.node),
            Err(poison) => {
                self.stats.poison(1);
                tracing::debug!(%poison, "a node's status was skipped");
                None
            }
        }
    }

    fn poisoned(&self, poison: Poison, message: &BorrowedMessage<'_>) {
        self.stats.poison(1);
        let (topic, partition, offset) = (message.topic(), message.partition(), message.offset());
        tracing::debug!(%poison, topic, partition, offset, "a bus record was skipped");
    }

    /// Looks at the time: says that the node lives when it is due, and which others died.
    pub(crate) fn tick(&mut self, now: Instant, own: Status) -> Vec<NodeId> {
        if now >= self.next_beat {
            self.next_beat = now + BEAT;
            self.outlet.beat(own);
        }
        let state = self.fleet.state(now);
        let changed = self.state.send_if_modified(|before| std::mem::replace(before, state) != state);
        if changed {
            tracing::info!(?state, "the bus changed");
        }
        let dead = self.fleet.take_dead(now);
        for node in &dead {
            tracing::warn!(%node, "a node of the bus is silent and taken for dead");
            self.lateness.forget(*node);
        }
        dead
    }

    /// Whether records come through.
    pub(crate) fn state(&self) -> BusState {
        *self.state.borrow()
    }

    /// Says goodbye, and waits until it is sent.
    pub(crate) async fn leave(&self, last: Status) {
        self.outlet.beat(Status { stopped: true, ..last });
        let outlet = self.outlet.clone();
        let _ = off_the_runtime(move || outlet.flush(LAST_WORDS)).await;
    }
}

/// Reads a partition from its present end. One of a topic that was made a moment ago has no leader yet, so this is tried
/// again for a while.
async fn read_from_end(
    consumer: &Arc<Consumer>,
    topic: &str,
    partition: i32,
) -> Result<Result<(), KafkaError>, ConnectError> {
    let end = Instant::now() + REQUEST_TIMEOUT;
    loop {
        let (consumer, name) = (Arc::clone(consumer), topic.to_owned());
        let outcome = off_the_runtime(move || consumer.read_from_end(&name, partition)).await?;
        if outcome.is_ok() || Instant::now() > end {
            return Ok(outcome);
        }
        tokio::time::sleep(RETRY).await;
    }
}

/// The client library asks brokers by blocking.
async fn off_the_runtime<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ConnectError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| ConnectError::Stopping)
}
