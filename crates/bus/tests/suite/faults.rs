//! Nodes that die, stop or stand still; records that nobody should have written.

use std::time::{Duration, Instant};

use audio::leg::{Clip, EndReason, FromCaller, Memo, OpusFrame, PlayoutMark, ToCaller};
use bytes::Bytes;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::{Headers as _, Message as _};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

use bus::kafka::KafkaConfig;
use bus::local::{HandedOver, Heard};

use crate::broker::Broker;
use crate::rig::{Agents, LONG, Media, call, config_for, until, within};

/// What a person waits at most for another voice.
const TAKEN_OVER_WITHIN: Duration = Duration::from_secs(3);

pub(crate) fn frame(sequence: u64) -> FromCaller {
    FromCaller::Frame(OpusFrame { sequence, rtp_time: sequence * 960, payload: Bytes::from_static(b"opus") })
}

#[tokio::test]
async fn a_call_whose_orchestrator_is_killed_goes_on_at_another_within_three_seconds() {
    let broker = Broker::shared();
    let config = config_for(&broker);
    let media = Media::join(&config).await;
    let mut victim = Agents::join(&config, 10).await;
    for round in 0..3 {
        media.sees_room().await;
        let id = format!("call-{round}");
        let mut caller = call(&media.announcer, &id).unwrap();
        let mut held = victim.next().await.link;
        caller.to_agent.send(FromCaller::Connected).await.unwrap();
        caller.to_agent.send(frame(0)).await.unwrap();
        assert_eq!(within(held.from_caller.recv()).await, Some(FromCaller::Connected));
        assert_eq!(within(held.from_caller.recv()).await, Some(frame(0)));

        let mut other = Agents::join(&config, 10).await;
        media.sees_room_for(15).await;
        victim.process.kill();
        let killed = Instant::now();
        caller.to_agent.send(frame(1)).await.unwrap();
        let again = other.next().await;
        let took = killed.elapsed();
        eprintln!("taken over after {took:?}");
        assert!(took < TAKEN_OVER_WITHIN, "{took:?}");
        assert!(again.handed_over.is_some() && again.id == id);
        // It hears what was said while nobody listened, and the caller no longer hears the dead one.
        let mut heard = again.link;
        assert_eq!(within(heard.from_caller.recv()).await, Some(FromCaller::Connected));
        let mut next = within(heard.from_caller.recv()).await;
        // Unless all this took longer than media keeps the microphone.
        if next == Some(frame(0)) {
            next = within(heard.from_caller.recv()).await;
        }
        assert_eq!(next, Some(frame(1)));
        assert_eq!(within(caller.from_agent.recv()).await, Some(ToCaller::Flush));
        heard.to_caller.send(ToCaller::Hangup).await.unwrap();
        assert_eq!(within(caller.from_agent.recv()).await, Some(ToCaller::Hangup));
        victim = other;
    }
}

/// What the caller heard of the dead one's sentence, and what they had said before it, is known.
#[tokio::test]
async fn the_next_orchestrator_learns_what_was_heard_of_the_last_sentence() {
    let broker = Broker::shared();
    let config = config_for(&broker);
    let media = Media::join(&config).await;
    let mut victim = Agents::join(&config, 10).await;
    media.sees_room().await;
    let mut caller = call(&media.announcer, "one").unwrap();
    let held = victim.next().await.link;
    let clip = |sentence| Clip { turn: 2, attempt: 1, sentence };
    held.to_caller.send(ToCaller::Keep(Memo::TurnsBefore(5))).await.unwrap();
    for (sentence, text) in [(0, "It is warm."), (1, "You need no hat today."), (2, "Have fun.")] {
        held.to_caller.send(ToCaller::Keep(Memo::Words { clip: clip(sentence), text: text.to_owned() })).await.unwrap();
        for _ in 0..10 {
            let payload = Bytes::from_static(b"opus");
            held.to_caller.send(ToCaller::Voice { clip: clip(sentence), payload }).await.unwrap();
        }
        held.to_caller.send(ToCaller::EndOfClip(clip(sentence))).await.unwrap();
    }
    while within(caller.from_agent.recv()).await != Some(ToCaller::EndOfClip(clip(2))) {}
    caller.to_agent.send(frame(0)).await.unwrap();
    for mark in [
        PlayoutMark::Started(clip(0)),
        PlayoutMark::Reached { clip: clip(0), heard_ms: 0 },
        PlayoutMark::Finished(clip(0)),
        PlayoutMark::Started(clip(1)),
        // Of 200 ms, in which 22 characters are spoken.
        PlayoutMark::Reached { clip: clip(1), heard_ms: 110 },
    ] {
        caller.to_agent.send(FromCaller::Playout(mark)).await.unwrap();
    }
    caller.to_agent.send(frame(1)).await.unwrap();
    let mut other = Agents::join(&config, 10).await;
    media.sees_room_for(15).await;
    victim.process.kill();
    let mut again = other.next().await;
    let heard = Heard { turn: 7, text: "It is warm. You need no".to_owned() };
    assert_eq!(again.handed_over, Some(HandedOver { heard: Some(heard) }));
    // What was said before the answer has been answered.
    assert_eq!(within(again.link.from_caller.recv()).await, Some(frame(1)));
}

#[tokio::test]
async fn the_agent_hears_of_a_media_node_that_is_killed() {
    let broker = Broker::shared();
    let config = config_for(&broker);
    let mut agents = Agents::join(&config, 10).await;
    let media = Media::join(&config).await;
    media.sees_room().await;
    let _caller = call(&media.announcer, "one").unwrap();
    let mut held = agents.next().await.link;
    media.process.kill();
    let killed = Instant::now();
    assert_eq!(within(held.from_caller.recv()).await, Some(FromCaller::Ended(EndReason::Lost)));
    assert!(killed.elapsed() < TAKEN_OVER_WITHIN, "{:?}", killed.elapsed());
    assert_eq!(within(held.from_caller.recv()).await, None);
}

#[tokio::test]
async fn an_orchestrator_that_stops_gives_its_calls_to_another_at_once() {
    let broker = Broker::shared();
    let config = config_for(&broker);
    let mut stopping = Agents::join(&config, 10).await;
    let media = Media::join(&config).await;
    media.sees_room().await;
    let caller = call(&media.announcer, "one").unwrap();
    let mut held = stopping.next().await.link;
    let mut other = Agents::join(&config, 10).await;
    media.sees_room_for(15).await;

    stopping.stop.cancel();
    let stopped = Instant::now();
    let again = other.next().await;
    assert!(stopped.elapsed() < Duration::from_secs(1), "{:?}", stopped.elapsed());
    assert!(again.handed_over.is_some());
    assert_eq!(within(held.from_caller.recv()).await, Some(FromCaller::Ended(EndReason::Lost)));
    drop(caller);
}

#[tokio::test]
async fn a_call_that_nobody_can_take_over_waits_for_an_orchestrator_that_starts() {
    let broker = Broker::shared();
    let config = config_for(&broker);
    let mut only = Agents::join(&config, 10).await;
    let media = Media::join(&config).await;
    media.sees_room().await;
    let mut caller = call(&media.announcer, "one").unwrap();
    let held = only.next().await.link;
    held.to_caller.send(ToCaller::Message("I am here".to_owned())).await.unwrap();
    assert_eq!(within(caller.from_agent.recv()).await, Some(ToCaller::Message("I am here".to_owned())));
    only.stop.cancel();
    assert_eq!(within(caller.from_agent.recv()).await, Some(ToCaller::Flush));
    // A new call does not wait.
    within(media.room.clone().wait_for(|room| *room == 0)).await.unwrap();
    assert!(call(&media.announcer, "two").is_err());
    let mut next = Agents::join(&config, 10).await;
    let again = next.next().await;
    assert!(again.handed_over.is_some() && again.id == "one");
    again.link.to_caller.send(ToCaller::Message("now I am".to_owned())).await.unwrap();
    assert_eq!(within(caller.from_agent.recv()).await, Some(ToCaller::Flush));
    assert_eq!(within(caller.from_agent.recv()).await, Some(ToCaller::Message("now I am".to_owned())));
}

#[tokio::test]
async fn an_orchestrator_that_stood_still_learns_that_its_calls_are_gone() {
    let broker = Broker::shared();
    let config = config_for(&broker);
    let mut still = Agents::join(&config, 10).await;
    let media = Media::join(&config).await;
    media.sees_room().await;
    let mut caller = call(&media.announcer, "one").unwrap();
    let mut held = still.next().await.link;
    let mut other = Agents::join(&config, 10).await;
    media.sees_room_for(15).await;

    // Its only thread waits until it is let go.
    let (let_go, waits) = std::sync::mpsc::channel::<()>();
    still.process.spawn(async move { waits.recv() });
    let again = other.next().await;
    drop(let_go);
    // It says something in the belief that the call is its own.
    held.to_caller.send(ToCaller::Message("who is there?".to_owned())).await.unwrap();
    assert_eq!(within(held.from_caller.recv()).await, Some(FromCaller::Ended(EndReason::Lost)));
    assert!(media.stats.read().superseded > 0);
    again.link.to_caller.send(ToCaller::Message("it is me".to_owned())).await.unwrap();
    assert_eq!(within(caller.from_agent.recv()).await, Some(ToCaller::Flush));
    assert_eq!(within(caller.from_agent.recv()).await, Some(ToCaller::Message("it is me".to_owned())));
}

/// Reads all partitions of `audio-in` from their beginning.
pub(crate) fn eavesdrop(config: &KafkaConfig) -> BaseConsumer {
    let mut client = ClientConfig::new();
    client
        .set("bootstrap.servers", &config.brokers)
        .set("group.id", "eavesdropper")
        .set("auto.offset.reset", "earliest");
    let consumer: BaseConsumer = client.create().unwrap();
    let topic = format!("{}audio-in", config.topic_prefix);
    let mut all = rdkafka::TopicPartitionList::new();
    all.add_partition_range(&topic, 0, config.partitions - 1);
    all.set_all_offsets(rdkafka::Offset::Beginning).unwrap();
    consumer.assign(&all).unwrap();
    consumer
}

#[tokio::test]
async fn records_that_come_twice_or_make_no_sense_are_counted_and_skipped() {
    let broker = Broker::shared();
    let config = config_for(&broker);
    let mut agents = Agents::join(&config, 10).await;
    let media = Media::join(&config).await;
    media.sees_room().await;
    let session = "01890a5d-ac96-774b-bcce-b302099a8057";
    let caller = call(&media.announcer, session).unwrap();
    let mut held = agents.next().await.link;
    for number in 0..3 {
        caller.to_agent.send(frame(number)).await.unwrap();
        assert_eq!(within(held.from_caller.recv()).await, Some(frame(number)));
    }

    // All that was written once more, and rubbish between.
    let consumer = eavesdrop(&config);
    let raw: BaseProducer = ClientConfig::new().set("bootstrap.servers", &config.brokers).create().unwrap();
    let topic = format!("{}audio-in", config.topic_prefix);
    let mut trace_parents = 0;
    for _ in 0..4 {
        let message = consumer.poll(LONG).unwrap().unwrap();
        trace_parents +=
            message.headers().map_or(0, |headers| headers.iter().filter(|one| one.key == "traceparent").count());
        let (key, partition) = (message.key().unwrap(), message.partition());
        for payload in [message.payload().unwrap(), b"rubbish", b"\x08\x09"] {
            raw.send(BaseRecord::to(&topic).partition(partition).key(key).payload(payload)).unwrap();
        }
    }
    raw.flush(LONG).unwrap();
    assert_eq!(trace_parents, 1, "the announcement carries the session's trace");
    until(|| agents.stats.read().poison == 8).await;
    assert_eq!(agents.stats.read().duplicates, 4);
    caller.to_agent.send(frame(3)).await.unwrap();
    assert_eq!(within(held.from_caller.recv()).await, Some(frame(3)));
}
