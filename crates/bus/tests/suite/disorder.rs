//! Readers that do not keep up, records that come in another order than they were sent, and a broker that waits for all
//! replicas.

use std::time::Duration;

use audio::leg::{EndReason, FromCaller, ToCaller};
use bus::kafka::Acks;
use rdkafka::ClientConfig;
use rdkafka::consumer::BaseConsumer;
use rdkafka::message::Message as _;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

use crate::broker::Broker;
use crate::faults::{eavesdrop, frame};
use crate::rig::{Agents, LONG, Media, call, config_for, until, within};

/// What an agent that does not read leaves waiting: the link's 2 s of audio, and 1 s more behind it.
const KEPT_FRAMES: u64 = 150;
/// Twice as much as it may leave.
const SENT_FRAMES: u64 = 2 * KEPT_FRAMES;

#[tokio::test]
async fn an_agent_that_stands_still_loses_old_audio_no_event_and_harms_nobody() {
    let broker = Broker::shared();
    let config = config_for(&broker);
    let mut agents = Agents::join(&config, 10).await;
    let media = Media::join(&config).await;
    media.sees_room().await;
    let slow = call(&media.announcer, "slow").unwrap();
    let mut stands_still = agents.next().await.link;
    let quick = call(&media.announcer, "quick").unwrap();
    let mut keeps_up = agents.next().await.link;

    let mut pace = tokio::time::interval(Duration::from_millis(2));
    for number in 0..SENT_FRAMES {
        pace.tick().await;
        slow.to_agent.send(frame(number)).await.unwrap();
        if number % 10 == 0 {
            slow.to_agent.send(FromCaller::Key('5')).await.unwrap();
        }
        quick.to_agent.send(frame(number)).await.unwrap();
        assert_eq!(within(keeps_up.from_caller.recv()).await, Some(frame(number)));
    }
    slow.to_agent.send(FromCaller::Ended(EndReason::Hangup)).await.unwrap();
    until(|| agents.stats.read().overflowed > 0).await;

    let (mut frames, mut keys) = (Vec::new(), 0);
    loop {
        match within(stands_still.from_caller.recv()).await.unwrap() {
            FromCaller::Frame(heard) => frames.push(heard.sequence),
            FromCaller::Key(_) => keys += 1,
            FromCaller::Ended(_) => break,
            other => panic!("nobody sent {other:?}"),
        }
    }
    assert_eq!(keys, SENT_FRAMES / 10);
    assert!(frames.is_sorted() && frames.len() as u64 <= KEPT_FRAMES, "{} frames", frames.len());
    assert_eq!(frames.last(), Some(&(SENT_FRAMES - 1)), "the newest is kept");
    assert_eq!(agents.stats.read().overflowed, SENT_FRAMES - frames.len() as u64);
}

/// The broker holds a call's records in another order: as if a request had been repeated after one that followed it.
#[tokio::test]
async fn records_in_another_order_are_read_in_the_order_they_were_sent() {
    let broker = Broker::shared();
    let config = config_for(&broker);
    let mut agents = Agents::join(&config, 10).await;
    let media = Media::join(&config).await;
    media.sees_room().await;
    let caller = call(&media.announcer, "first").unwrap();
    let mut held = agents.next().await.link;
    for number in 0..4 {
        caller.to_agent.send(frame(number)).await.unwrap();
        assert_eq!(within(held.from_caller.recv()).await, Some(frame(number)));
    }
    // The same once more as another session's, each pair of frames swapped. One batch, so nothing comes between.
    let consumer: BaseConsumer = eavesdrop(&config);
    let records: Vec<_> = (0..5).map(|_| consumer.poll(LONG).unwrap().unwrap().detach()).collect();
    let raw: BaseProducer =
        ClientConfig::new().set("bootstrap.servers", &config.brokers).set("linger.ms", "50").create().unwrap();
    for place in [0, 2, 1, 4, 3] {
        let record = &records[place];
        let (topic, payload) = (record.topic(), record.payload().unwrap());
        raw.send(BaseRecord::to(topic).partition(record.partition()).key("second").payload(payload)).unwrap();
    }
    raw.flush(LONG).unwrap();
    let mut again = agents.next().await;
    assert_eq!(again.id, "second");
    for number in 0..4 {
        assert_eq!(within(again.link.from_caller.recv()).await, Some(frame(number)));
    }
    // No media server knows that session.
    assert_eq!(within(again.link.from_caller.recv()).await, Some(FromCaller::Ended(EndReason::Lost)));
}

#[tokio::test]
async fn calls_are_carried_with_all_replicas_acknowledging() {
    let broker = Broker::shared();
    let mut config = config_for(&broker);
    config.acks = Acks::All;
    let mut agents = Agents::join(&config, 10).await;
    let media = Media::join(&config).await;
    media.sees_room().await;
    let mut caller = call(&media.announcer, "one").unwrap();
    let mut held = agents.next().await.link;
    for number in 0..10 {
        caller.to_agent.send(frame(number)).await.unwrap();
        assert_eq!(within(held.from_caller.recv()).await, Some(frame(number)));
        held.to_caller.send(ToCaller::Message(number.to_string())).await.unwrap();
        assert_eq!(within(caller.from_agent.recv()).await, Some(ToCaller::Message(number.to_string())));
    }
    assert_eq!(media.stats.read().failed + agents.stats.read().failed, 0);
}
