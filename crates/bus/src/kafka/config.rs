//! Settings of the bus between machines.

use std::time::Duration;

/// How many replicas must have a record before it counts as sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acks {
    /// The partition's leader: a leader that dies may take the last records with it.
    Leader,
    /// All replicas that keep up: nothing is lost, and each record waits for them.
    All,
}

/// Settings of the bus between machines.
#[derive(Debug, Clone)]
pub struct KafkaConfig {
    /// `host:port` of one or more brokers, separated by commas.
    pub brokers: String,
    /// What the topics' names begin with, so that installations can share a broker.
    pub topic_prefix: String,
    /// Partitions of `audio-in` and of `audio-out`: at least as many as there are nodes of a role, or some share one.
    pub partitions: i32,
    /// Replicas of each topic.
    pub replicas: i32,
    /// How long the broker keeps audio, and as long again until it looks.
    pub audio_retention: Duration,
    /// When a record counts as sent.
    pub acks: Acks,
    /// How long a record waits for others to travel with. At zero, a hundred sessions swamp the client.
    pub linger: Duration,
}

impl KafkaConfig {
    /// The defaults for these brokers.
    #[must_use]
    pub fn new(brokers: impl Into<String>) -> Self {
        Self {
            brokers: brokers.into(),
            topic_prefix: String::new(),
            partitions: 32,
            replicas: 1,
            audio_retention: Duration::from_secs(60),
            acks: Acks::Leader,
            linger: Duration::from_millis(1),
        }
    }
}
