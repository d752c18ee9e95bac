//! A broker that goes and comes back, and one whose topics are not as they must be.

use std::time::Duration;

use audio::leg::{EndReason, FromCaller, Memo, OpusFrame, PlayoutMark, ToCaller};
use bus::kafka::{BusState, Notice, media_node};
use bus::local::{AgentEnd, MediaEnd};
use bytes::Bytes;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use tokio::time::interval;

use crate::broker::Broker;
use crate::rig::{Agents, Media, Wishes, call, config_for, until, within};

#[tokio::test]
async fn a_call_hears_of_an_outage_and_goes_on_after_it() {
    let broker = Broker::start();
    let config = config_for(&broker);
    let mut agents = Agents::join(&config, 10).await;
    let media = Media::join_with(&config, Notice(vec![Bytes::from_static(b"signal")])).await;
    media.sees_room().await;
    let mut caller = call(&media.announcer, "one").unwrap();
    let mut held = agents.next().await.link;
    // One agent leaves words of its own for the case, another does not.
    let spoken = Memo::Notice(vec![Bytes::from_static(b"one moment")]);
    held.to_caller.send(ToCaller::Keep(spoken)).await.unwrap();
    held.to_caller.send(ToCaller::Message("I am here".to_owned())).await.unwrap();
    assert_eq!(within(caller.from_agent.recv()).await, Some(ToCaller::Message("I am here".to_owned())));
    let mut other = call(&media.announcer, "two").unwrap();
    let _held = agents.next().await;

    broker.stop();
    media.sees_bus(BusState::Down).await;
    let Some(ToCaller::Voice { clip, payload }) = within(caller.from_agent.recv()).await else {
        panic!("the caller is told");
    };
    assert_eq!(payload, Bytes::from_static(b"one moment"));
    assert_eq!(within(caller.from_agent.recv()).await, Some(ToCaller::EndOfClip(clip)));
    let Some(ToCaller::Voice { payload, .. }) = within(other.from_agent.recv()).await else {
        panic!("the other caller is told as well");
    };
    assert_eq!(payload, Bytes::from_static(b"signal"));
    assert!(call(&media.announcer, "during the outage").is_err());
    // Events wait for the broker. The agent has never heard of the notice.
    caller.to_agent.send(FromCaller::Playout(PlayoutMark::Finished(clip))).await.unwrap();
    caller.to_agent.send(FromCaller::Key('7')).await.unwrap();
    held.to_caller.send(ToCaller::Message("still here".to_owned())).await.unwrap();

    broker.start_again();
    media.sees_bus(BusState::Up).await;
    assert_eq!(within(held.from_caller.recv()).await, Some(FromCaller::Key('7')));
    assert_eq!(within(caller.from_agent.recv()).await, Some(ToCaller::Message("still here".to_owned())));
    hears_the_caller(&caller, &mut held).await;
    assert_eq!(media.stats.read().handed_over, 0, "nobody was taken for dead");
    media.sees_room().await;

    // A media node that stops says so: its callers are gone at once, not after a silence.
    media.stop.cancel();
    let mut heard = within(held.from_caller.recv()).await;
    while let Some(FromCaller::Frame(_)) = heard {
        heard = within(held.from_caller.recv()).await;
    }
    assert_eq!(heard, Some(FromCaller::Ended(EndReason::Lost)));
}

/// The broker accepts connections and serves none: for all that a client can tell, it is the client that is ill.
#[tokio::test]
async fn clients_that_do_not_find_back_are_replaced_and_no_event_is_lost() {
    let broker = Broker::start();
    let config = config_for(&broker);
    let mut agents = Agents::join(&config, 10).await;
    let media = Media::join(&config).await;
    media.sees_room().await;
    let caller = call(&media.announcer, "one").unwrap();
    let mut held = agents.next().await.link;
    media.sees_bus(BusState::Up).await;

    broker.freeze();
    media.sees_bus(BusState::Down).await;
    for key in '0'..='9' {
        caller.to_agent.send(FromCaller::Key(key)).await.unwrap();
    }
    // Its producer, and its consumer.
    until(|| media.stats.read().replaced >= 2 && agents.stats.read().replaced >= 2).await;
    broker.thaw();
    for key in '0'..='9' {
        assert_eq!(within(held.from_caller.recv()).await, Some(FromCaller::Key(key)));
    }
    held.to_caller.send(ToCaller::Message("and back".to_owned())).await.unwrap();
    let mut caller = caller;
    while within(caller.from_agent.recv()).await != Some(ToCaller::Message("and back".to_owned())) {}
    hears_the_caller(&caller, &mut held).await;
    assert_eq!(media.stats.read().failed, 0, "what the first clients held went out through the next");
}

/// The caller speaks until the agent hears it: what they say before the broker has acknowledged the first record is dropped.
async fn hears_the_caller(caller: &MediaEnd, agent: &mut AgentEnd) {
    let frame = FromCaller::Frame(OpusFrame { sequence: 1, rtp_time: 960, payload: Bytes::new() });
    let mut pace = interval(Duration::from_millis(20));
    within(async {
        loop {
            tokio::select! {
                _ = pace.tick() => caller.to_agent.send(frame.clone()).await.unwrap(),
                heard = agent.from_caller.recv() => return assert_eq!(heard, Some(frame)),
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_topic_that_keeps_audio_for_a_day_is_refused() {
    let broker = Broker::shared();
    let config = config_for(&broker);
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", broker.address()).create().unwrap();
    let topic = format!("{}audio-in", config.topic_prefix);
    let of_a_day = NewTopic::new(&topic, 1, TopicReplication::Fixed(1)).set("retention.ms", "86400000");
    admin.create_topics([&of_a_day], &AdminOptions::new()).await.unwrap();
    let refused = media_node::<Wishes>(&config, Notice::default()).await.err().unwrap();
    assert!(refused.to_string().contains("retention.ms"), "{refused}");
}
