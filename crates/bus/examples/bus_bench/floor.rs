//! The client library and the broker alone: what no bus on top of them can beat.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bus::kafka::KafkaConfig;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::Message as _;
use rdkafka::producer::{BaseRecord, DefaultProducerContext, ThreadedProducer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::meter::{MEASURED, PACKET, Processors, Row, WARM_UP, now_us, packet, sent_us};

const POLL: Duration = Duration::from_millis(100);

/// As many records a second as `sessions` make both ways, through one partition.
pub(crate) fn run(config: &KafkaConfig, broker: u32, sessions: u32) -> Row {
    let topic = format!("{}floor", config.topic_prefix);
    make(config, &topic);
    let measuring = Arc::new(AtomicBool::new(false));
    let ends = Instant::now() + WARM_UP + MEASURED;
    let reader = {
        let (consumer, measuring) = (consumer(config, &topic), Arc::clone(&measuring));
        thread::spawn(move || read(&consumer, &measuring, ends))
    };
    let mut client = ClientConfig::new();
    client
        .set("bootstrap.servers", &config.brokers)
        .set("acks", "1")
        .set("linger.ms", (config.linger.as_secs_f64() * 1_000.0).to_string())
        .set("max.in.flight", "1");
    let producer: ThreadedProducer<DefaultProducerContext> = client.create().unwrap();
    let gap = PACKET / (2 * sessions);
    let mut next = Instant::now();
    let mut expected = 0;
    let mut processors = None;
    while Instant::now() < ends {
        if processors.is_none() && Instant::now() + MEASURED > ends {
            measuring.store(true, Ordering::Relaxed);
            processors = Some(Processors::start(Some(broker)));
        }
        // Several records may be due: the system's timers are not finer than this.
        while next <= Instant::now() {
            producer.send(BaseRecord::<(), [u8]>::to(&topic).partition(0).payload(&packet())).unwrap();
            expected += u64::from(processors.is_some());
            next += gap;
        }
        thread::park_timeout(next.saturating_duration_since(Instant::now()));
    }
    let (own_percent, broker_percent) = processors.map_or((0.0, 0.0), |processors| processors.percent());
    let latencies_us = reader.join().unwrap();
    Row { bus: "floor", sessions, latencies_us, expected, own_percent, broker_percent }
}

fn make(config: &KafkaConfig, topic: &str) {
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", &config.brokers).create().unwrap();
    let new = NewTopic::new(topic, 1, TopicReplication::Fixed(1));
    let made = admin.create_topics([&new], &AdminOptions::new());
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(made).unwrap();
}

fn consumer(config: &KafkaConfig, topic: &str) -> BaseConsumer {
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", &config.brokers).set("group.id", topic).set("fetch.wait.max.ms", "100");
    let consumer: BaseConsumer = client.create().unwrap();
    let mut partition = TopicPartitionList::new();
    partition.add_partition_offset(topic, 0, Offset::Beginning).unwrap();
    consumer.assign(&partition).unwrap();
    consumer
}

fn read(consumer: &BaseConsumer, measuring: &AtomicBool, ends: Instant) -> Vec<u64> {
    let mut latencies = Vec::new();
    while Instant::now() < ends + Duration::from_secs(1) {
        let Some(Ok(message)) = consumer.poll(POLL) else { continue };
        if measuring.load(Ordering::Relaxed) {
            latencies.push(now_us().saturating_sub(sent_us(message.payload().unwrap())));
        }
    }
    latencies
}
