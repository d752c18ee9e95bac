//! A consumer that reads named partitions from their end, belongs to no group, and is replaced when it does not find back to
//! its broker.

use std::mem;
use std::sync::{Arc, PoisonError, RwLock};

use rdkafka::ClientConfig;
use rdkafka::consumer::{Consumer as _, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tokio::sync::watch;

use crate::kafka::client::{QuietContext, REQUEST_TIMEOUT, base_config};
use crate::kafka::config::KafkaConfig;
use crate::kafka::fleet::BusState;
use crate::kafka::lifeline;
use crate::kafka::node_id::NodeId;

/// Reads a node's partitions.
pub(crate) struct Consumer {
    settings: ClientConfig,
    client: RwLock<Arc<StreamConsumer<QuietContext>>>,
    state: watch::Receiver<BusState>,
}

impl Consumer {
    /// Reads nothing yet. `state` tells whether what the node sends comes back to it.
    pub(crate) fn new(
        config: &KafkaConfig,
        node: NodeId,
        state: watch::Receiver<BusState>,
    ) -> Result<Self, KafkaError> {
        let mut settings = base_config(config);
        settings
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
        let client = RwLock::new(Arc::new(settings.create_with_context(QuietContext)?));
        Ok(Self { settings, client, state })
    }

    /// The client of the moment. Whoever keeps it for longer than a tick may read from one that was replaced.
    pub(crate) fn client(&self) -> Arc<StreamConsumer<QuietContext>> {
        Arc::clone(&self.client.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Adds a partition to what is read, from the end that it has now. Blocks.
    pub(crate) fn read_from_end(&self, topic: &str, partition: i32) -> Result<(), KafkaError> {
        let client = self.client();
        let (_, end) = client.fetch_watermarks(topic, partition, REQUEST_TIMEOUT)?;
        let mut partitions = TopicPartitionList::new();
        partitions.add_partition_offset(topic, partition, Offset::Offset(end))?;
        client.incremental_assign(&partitions)
    }

    /// How many partitions a topic has. Blocks.
    pub(crate) fn partitions(&self, topic: &str) -> Result<i32, KafkaError> {
        let metadata = self.client().fetch_metadata(Some(topic), REQUEST_TIMEOUT)?;
        let found = metadata.topics().iter().find(|one| one.name() == topic);
        Ok(found.map_or(0, |one| i32::try_from(one.partitions().len()).unwrap_or(i32::MAX)))
    }

    /// A client that reads on where `old` is.
    fn heir_of(&self, old: &StreamConsumer<QuietContext>) -> Result<StreamConsumer<QuietContext>, KafkaError> {
        let read = old.position()?;
        // The library's lists remember their client, so this one is made afresh.
        let mut places = TopicPartitionList::new();
        for assigned in old.assignment()?.elements() {
            let (topic, partition) = (assigned.topic(), assigned.partition());
            let position = read.find_partition(topic, partition).map(|read| read.offset());
            // Where nothing has been read yet, the place is where reading was to begin.
            let place =
                position.filter(|place| matches!(place, Offset::Offset(_))).unwrap_or_else(|| assigned.offset());
            places.add_partition_offset(topic, partition, place)?;
        }
        let heir: StreamConsumer<QuietContext> = self.settings.create_with_context(QuietContext)?;
        heir.assign(&places)?;
        Ok(heir)
    }
}

impl lifeline::Client for Consumer {
    type Old = Arc<StreamConsumer<QuietContext>>;

    fn is_cut_off(&self) -> bool {
        *self.state.borrow() == BusState::Down
    }

    fn renew(&self) -> Result<Self::Old, KafkaError> {
        let heir = Arc::new(self.heir_of(&self.client())?);
        Ok(mem::replace(&mut *self.client.write().unwrap_or_else(PoisonError::into_inner), heir))
    }
}
