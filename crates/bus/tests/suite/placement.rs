//! Which orchestrator gets a call.

use bus::kafka::Load;

use crate::broker::Broker;
use crate::rig::{Agents, Media, Wishes, call, config_for, until, within};

#[tokio::test]
async fn a_call_goes_to_the_orchestrator_with_the_most_room_and_nowhere_when_there_is_none() {
    let broker = Broker::shared();
    let config = config_for(&broker);
    let (mut small, mut large) = (Agents::join(&config, 1).await, Agents::join(&config, 3).await);
    let media = Media::join(&config).await;
    media.sees_room_for(4).await;

    let mut callers = Vec::new();
    for number in 0..4 {
        callers.push(call(&media.announcer, &format!("call-{number}")).unwrap());
    }
    let mut held = vec![small.next().await];
    for _ in 0..3 {
        held.push(large.next().await);
    }
    assert!(call(&media.announcer, "one too many").is_err());

    // A place that is left can be taken again.
    drop(held.pop());
    media.sees_room().await;
    let _caller = call(&media.announcer, "next").unwrap();
    assert_eq!(large.next().await.details, Wishes("wishes of next".to_owned()));
}

#[tokio::test]
async fn an_orchestrator_that_drains_or_is_busy_gets_no_calls_and_keeps_those_it_has() {
    let broker = Broker::shared();
    let config = config_for(&broker);
    let mut agents = Agents::join(&config, 10).await;
    let media = Media::join(&config).await;
    media.sees_room().await;
    let mut caller = call(&media.announcer, "before").unwrap();
    let held = agents.next().await;

    agents.load.send(Load { capacity: 10, busy_permille: 0, draining: true }).unwrap();
    within(media.room.clone().wait_for(|room| *room == 0)).await.unwrap();
    assert!(call(&media.announcer, "while it drains").is_err());
    let hello = audio::leg::ToCaller::Message("hello".to_owned());
    held.link.to_caller.send(hello.clone()).await.unwrap();
    assert_eq!(within(caller.from_agent.recv()).await, Some(hello));

    agents.load.send(Load { capacity: 10, busy_permille: 999, draining: false }).unwrap();
    until(|| call(&media.announcer, "while it is busy").is_err()).await;
    agents.load.send(Load { capacity: 10, busy_permille: 100, draining: false }).unwrap();
    media.sees_room().await;
}

#[tokio::test]
async fn nodes_that_share_a_partition_do_not_mix_their_calls() {
    let broker = Broker::shared();
    let mut config = config_for(&broker);
    config.partitions = 1;
    let (mut one, mut two) = (Agents::join(&config, 100).await, Agents::join(&config, 100).await);
    let media = [Media::join(&config).await, Media::join(&config).await];
    for media in &media {
        media.sees_room_for(200).await;
    }
    let mut callers = Vec::new();
    for number in 0..8 {
        callers.push(call(&media[number % 2].announcer, &number.to_string()).unwrap());
    }
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(one.next().await);
        held.push(two.next().await);
    }
    for agent in &held {
        agent.link.to_caller.send(audio::leg::ToCaller::Message(agent.id.clone())).await.unwrap();
    }
    for (number, caller) in callers.iter_mut().enumerate() {
        let said = within(caller.from_agent.recv()).await;
        assert_eq!(said, Some(audio::leg::ToCaller::Message(number.to_string())));
    }
    assert!(one.stats.read().strangers > 0 && media[0].stats.read().strangers > 0);
}
