//! The public stream of facts, `conversation-events`: at least once, in order within a conversation, kept for days.
//!
//! CloudEvents 1.0 in Kafka's binary mode: the attributes are headers (`ce_id`, `ce_type`, ...), the value is the data. A
//! record may come twice, after a broker's failure; its `ce_id` stays the same.

use rdkafka::message::{Header, OwnedHeaders};
use uuid::Uuid;

use crate::kafka::config::{Acks, KafkaConfig};
use crate::kafka::node::ConnectError;
use crate::kafka::producer::{Kind, Outgoing, Producer};
use crate::kafka::stats::BusStats;
use crate::kafka::topics::Topics;

/// Where facts are published; never waits.
pub struct EventLog {
    producer: Producer,
    topic: String,
    stats: BusStats,
}

/// A fact.
#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    /// Whose it is; records of one conversation stay in order.
    pub conversation: &'a str,
    /// What it is, with its version: `antiphon.conversation.turn.v1`.
    pub kind: &'a str,
    /// When it was: RFC 3339.
    pub time: &'a str,
    /// JSON.
    pub data: &'a [u8],
}

/// A fact that is not published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("publish a fact: the broker takes none, and too many wait")]
pub struct NotPublished;

impl EventLog {
    /// Opens the stream, within a runtime. The topic is made by the nodes.
    ///
    /// # Errors
    /// When the settings cannot be used.
    pub fn open(config: &KafkaConfig) -> Result<Self, ConnectError> {
        let failed = |source| ConnectError::Broker { brokers: config.brokers.clone(), source };
        let stats = BusStats::default();
        // Facts are not lost with one broker.
        let config = KafkaConfig { acks: Acks::All, ..config.clone() };
        let producer = Producer::new(&config, stats.clone()).map_err(failed)?;
        Ok(Self { producer, topic: Topics::of(&config).conversation_events, stats })
    }

    /// Publishes a fact.
    ///
    /// # Errors
    /// When as many wait for the broker as may.
    pub fn publish(&self, event: Event<'_>) -> Result<(), NotPublished> {
        let id = Uuid::now_v7().to_string();
        let attributes = [
            ("ce_specversion", "1.0"),
            ("ce_id", &id),
            ("ce_source", "/antiphon"),
            ("ce_type", event.kind),
            ("ce_subject", event.conversation),
            ("ce_time", event.time),
            ("content-type", "application/json"),
        ];
        let with = |headers: OwnedHeaders, (key, value)| headers.insert(Header { key, value: Some(value) });
        let headers = Some(attributes.into_iter().fold(OwnedHeaders::new(), with));
        let (topic, key, value) = (self.topic.as_str(), event.conversation, event.data);
        self.producer
            .send(Outgoing { topic, partition: None, key, value, kind: Kind::Event, headers })
            .map_err(|_| NotPublished)
    }

    /// What is counted.
    #[must_use]
    pub fn stats(&self) -> BusStats {
        self.stats.clone()
    }
}
