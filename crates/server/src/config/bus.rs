//! The `[bus]` section: how the roles reach each other.

use std::path::PathBuf;
use std::time::Duration;

use bus::kafka::KafkaConfig;
use serde::Deserialize;

const KAFKA: &str = "kafka://";

/// The `[bus]` section. All but `url` matters between machines only.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BusConfig {
    /// `local:` joins the roles within one process; `kafka://host:port[,host:port]` between machines.
    pub url: String,
    /// What the topics' names begin with, so that installations can share a broker.
    pub topic_prefix: String,
    /// Partitions of each audio topic: more than there are nodes of a role.
    pub partitions: u16,
    /// Replicas of each topic.
    pub replicas: u16,
    /// When a record counts as sent.
    pub acks: Acks,
    /// How long a record waits for others to travel with.
    #[serde(with = "humantime_serde")]
    pub linger: Duration,
    /// How long the broker keeps audio.
    #[serde(with = "humantime_serde")]
    pub audio_retention: Duration,
    /// Calls that an orchestrator holds at once.
    pub max_calls: u32,
    /// What an agent says when it takes over a call whose orchestrator died; empty is nothing.
    pub recovery: String,
    /// What callers hear in their agent's voice when the broker is gone; empty is a soft signal.
    pub outage: String,
    /// A WAV file that they hear in place of that.
    pub notice: Option<PathBuf>,
}

/// When a record counts as sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Acks {
    /// The partition's leader has it.
    Leader,
    /// All replicas have it.
    All,
}

impl Default for BusConfig {
    fn default() -> Self {
        Self {
            url: "local:".to_owned(),
            topic_prefix: String::new(),
            partitions: 32,
            replicas: 1,
            acks: Acks::Leader,
            linger: Duration::from_millis(1),
            audio_retention: Duration::from_secs(60),
            max_calls: 100,
            recovery: "Sorry, I lost you for a moment. Please go on.".to_owned(),
            outage: "One moment, please.".to_owned(),
            notice: None,
        }
    }
}

impl BusConfig {
    /// Whether the roles are joined within one process.
    pub fn is_local(&self) -> bool {
        self.url == "local:"
    }

    /// The settings of the bus between machines; none when the roles are joined within one process.
    pub fn kafka(&self) -> Option<KafkaConfig> {
        let brokers = self.url.strip_prefix(KAFKA)?.trim_end_matches('/');
        Some(KafkaConfig {
            topic_prefix: self.topic_prefix.clone(),
            partitions: self.partitions.into(),
            replicas: self.replicas.into(),
            audio_retention: self.audio_retention,
            acks: match self.acks {
                Acks::Leader => bus::kafka::Acks::Leader,
                Acks::All => bus::kafka::Acks::All,
            },
            linger: self.linger,
            ..KafkaConfig::new(brokers)
        })
    }

    /// What would do, when the URL cannot be used.
    pub(super) fn complaint(&self) -> Option<&'static str> {
        let names_brokers = |brokers: &str| {
            let is_one = |broker: &str| broker.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
            brokers.trim_end_matches('/').split(',').all(is_one)
        };
        let is_good = self.is_local() || self.url.strip_prefix(KAFKA).is_some_and(names_brokers);
        (!is_good).then_some("write \"local:\" to join the roles within one process, or \"kafka://host:9092\"")
    }
}
