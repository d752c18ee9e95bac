//! Prints every fact of `conversation-events`, one JSON object a line, and goes on where it stopped when it is started
//! again: `event_reader BROKERS [GROUP [TOPIC]]`. A record may come twice; whoever counts should keep the `id`s.

#![allow(clippy::print_stdout, reason = "an example prints")]

use std::collections::BTreeMap;

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::message::{Headers as _, Message as _};

fn main() -> Result<(), KafkaError> {
    let mut arguments = std::env::args().skip(1);
    let brokers = arguments.next().unwrap_or_else(|| "127.0.0.1:9092".to_owned());
    let group = arguments.next().unwrap_or_else(|| "event-reader".to_owned());
    let topic = arguments.next().unwrap_or_else(|| "conversation-events".to_owned());
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", brokers).set("group.id", group).set("auto.offset.reset", "earliest");
    // What has been printed is committed, so that nothing is skipped when this is killed.
    let consumer: BaseConsumer = client.set("enable.auto.commit", "false").create()?;
    consumer.subscribe(&[&topic])?;
    for message in &consumer {
        let message = message?;
        let attributes: BTreeMap<&str, &str> = message
            .headers()
            .into_iter()
            .flat_map(|headers| headers.iter())
            .filter_map(|header| Some((header.key.strip_prefix("ce_")?, std::str::from_utf8(header.value?).ok()?)))
            .collect();
        let data = std::str::from_utf8(message.payload().unwrap_or_default()).unwrap_or("null");
        let text = |name| attributes.get(name).copied().unwrap_or_default();
        println!(
            "{{\"id\":\"{}\",\"type\":\"{}\",\"time\":\"{}\",\"data\":{data}}}",
            text("id"),
            text("type"),
            text("time")
        );
        consumer.commit_message(&message, CommitMode::Async)?;
    }
    Ok(())
}
