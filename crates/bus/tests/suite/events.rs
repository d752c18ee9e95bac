//! The public stream of facts.

use bus::kafka::{Event, EventLog};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::{Headers as _, Message as _};

use crate::broker::Broker;
use crate::rig::{LONG, Media, config_for};

/// How often an idle consumer may wake before a fact is missed.
const PATIENCE: usize = 10;

#[tokio::test]
async fn facts_of_a_conversation_stay_in_order_and_say_what_they_are() {
    let broker = Broker::shared();
    let config = config_for(&broker);
    // Makes the topics.
    let _media = Media::join(&config).await;
    let log = EventLog::open(&config).unwrap();
    for number in 0..20 {
        let data = format!("{{\"number\":{number}}}");
        let (kind, time) = ("antiphon.test.v1", "2026-11-25T15:00:00.000Z");
        let conversation = if number % 2 == 0 { "even" } else { "odd" };
        log.publish(Event { conversation, kind, time, data: data.as_bytes() }).unwrap();
    }

    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", &config.brokers).set("group.id", "reader").set("auto.offset.reset", "earliest");
    let consumer: BaseConsumer = client.create().unwrap();
    consumer.subscribe(&[&format!("{}conversation-events", config.topic_prefix)]).unwrap();
    let mut even = Vec::new();
    for _ in 0..20 {
        // It also wakes for the group's own affairs.
        let message = std::iter::repeat_with(|| consumer.poll(LONG)).take(PATIENCE).flatten().next();
        let message = message.expect("a fact").unwrap();
        let headers = message.headers().unwrap();
        let value = |key| headers.iter().find(|one| one.key == key).and_then(|one| one.value).unwrap();
        assert_eq!((value("ce_type"), value("ce_specversion")), (&b"antiphon.test.v1"[..], &b"1.0"[..]));
        assert_eq!(value("ce_subject"), message.key().unwrap());
        if message.key() == Some(b"even") {
            even.push(String::from_utf8(message.payload().unwrap().to_vec()).unwrap());
        }
    }
    let wanted: Vec<String> = (0..20).step_by(2).map(|number| format!("{{\"number\":{number}}}")).collect();
    assert_eq!(even, wanted);
}
