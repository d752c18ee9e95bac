//! The topics: their names, and that they are there with the partitions and the retention they should have.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use tokio::time::Instant;

use crate::kafka::client::QuietContext;
use crate::kafka::config::KafkaConfig;

/// Creating a topic waits for the cluster; longer than this and it is not well.
const TIMEOUT: Duration = Duration::from_secs(15);
/// Facts are kept for a week, so that a reader may fail over a weekend.
const FACTS_RETENTION_MS: &str = "604800000";
/// How soon a topic that is not known yet is asked for again.
const RETRY: Duration = Duration::from_millis(100);
/// Audio lies on a broker's disk for minutes at most; a topic that keeps it longer was not made by us.
const MAX_AUDIO_RETENTION: Duration = Duration::from_secs(600);

/// A topic that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TopicError {
    /// The brokers do not answer, or refuse.
    #[error("prepare the topics: {0}")]
    Broker(#[from] KafkaError),
    /// The broker would not make it.
    #[error("make the topic {topic}: {code}")]
    Make {
        /// The topic.
        topic: String,
        /// What the broker says.
        code: RDKafkaErrorCode,
    },
    /// The broker does not say how it is set up.
    #[error("use the topic {topic}: the broker does not say how long it keeps records")]
    Undescribed {
        /// The topic.
        topic: String,
    },
    /// It keeps audio for too long.
    #[error("use the topic {topic}: it keeps audio for {retention_ms} ms; set its retention.ms to 600000 or less")]
    Retention {
        /// The topic.
        topic: String,
        /// What it is set to; -1 means forever.
        retention_ms: i64,
    },
}

/// The topics' names.
#[derive(Debug, Clone)]
pub(crate) struct Topics {
    pub(crate) audio_in: String,
    pub(crate) audio_out: String,
    pub(crate) node_status: String,
    pub(crate) conversation_events: String,
}

impl Topics {
    pub(crate) fn of(config: &KafkaConfig) -> Self {
        let name = |topic: &str| format!("{}{topic}", config.topic_prefix);
        Self {
            audio_in: name("audio-in"),
            audio_out: name("audio-out"),
            node_status: name("node-status"),
            conversation_events: name("conversation-events"),
        }
    }

    /// Makes the topics that are not there, and checks how long those of audio keep it.
    pub(crate) async fn prepare(&self, config: &KafkaConfig) -> Result<(), TopicError> {
        let mut client = ClientConfig::new();
        client.set("bootstrap.servers", &config.brokers);
        let admin: AdminClient<QuietContext> = client.create_with_context(QuietContext)?;
        let retention = config.audio_retention.as_millis().to_string();
        let topic = |name, partitions| {
            NewTopic::new(name, partitions, TopicReplication::Fixed(config.replicas))
                .set("cleanup.policy", "delete")
                .set("retention.ms", &retention)
                // Only whole segments are deleted.
                .set("segment.ms", &retention)
                .set("compression.type", "uncompressed")
        };
        let wanted = [
            topic(&self.audio_in, config.partitions),
            topic(&self.audio_out, config.partitions),
            topic(&self.node_status, 1),
            NewTopic::new(&self.conversation_events, config.partitions, TopicReplication::Fixed(config.replicas))
                .set("cleanup.policy", "delete")
                .set("retention.ms", FACTS_RETENTION_MS),
        ];
        let options = AdminOptions::new().request_timeout(Some(TIMEOUT)).operation_timeout(Some(TIMEOUT));
        for made in admin.create_topics(&wanted, &options).await? {
            match made {
                Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((topic, code)) => return Err(TopicError::Make { topic, code }),
            }
        }
        self.check_retention(&admin, &options).await
    }

    async fn check_retention(
        &self,
        admin: &AdminClient<QuietContext>,
        options: &AdminOptions,
    ) -> Result<(), TopicError> {
        for topic in [&self.audio_in, &self.audio_out] {
            let retention_ms = retention_ms(admin, topic, options).await?;
            let is_short =
                u64::try_from(retention_ms).is_ok_and(|ms| u128::from(ms) <= MAX_AUDIO_RETENTION.as_millis());
            if !is_short {
                return Err(TopicError::Retention { topic: topic.clone(), retention_ms });
            }
        }
        Ok(())
    }
}

/// How long a topic keeps records; -1 means forever. One that was made a moment ago is not known everywhere yet, so it is
/// asked for again for a while.
async fn retention_ms(
    admin: &AdminClient<QuietContext>,
    topic: &str,
    options: &AdminOptions,
) -> Result<i64, TopicError> {
    let end = Instant::now() + TIMEOUT;
    loop {
        let described = admin.describe_configs([&ResourceSpecifier::Topic(topic)], options).await?;
        let found = described.iter().flatten().find_map(|one| one.get("retention.ms")?.value.as_deref());
        match found.and_then(|text| text.parse().ok()) {
            Some(retention_ms) => return Ok(retention_ms),
            None if Instant::now() > end => return Err(TopicError::Undescribed { topic: topic.to_owned() }),
            None => tokio::time::sleep(RETRY).await,
        }
    }
}
