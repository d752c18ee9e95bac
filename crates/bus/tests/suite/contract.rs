//! What a bus promises to both roles, whatever carries it.

use std::pin::Pin;

use audio::leg::{Clip, EndReason, FromCaller, OpusFrame, PlayoutMark, ToCaller};
use bus::local::{AgentEnd, MediaEnd};
use bytes::Bytes;

use crate::broker::Broker;
use crate::rig::{Rig, Wishes, within};

type Check = for<'a> fn(&'a mut Rig) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

const CHECKS: [(&str, Check); 8] = [
    ("a call comes with its details", |rig| Box::pin(a_call_comes_with_its_details(rig))),
    ("all that is said arrives in order", |rig| Box::pin(all_that_is_said_arrives_in_order(rig))),
    ("long audio arrives whole and in order", |rig| Box::pin(long_audio_arrives_whole_and_in_order(rig))),
    ("voice ahead of its time arrives whole", |rig| Box::pin(voice_ahead_of_its_time_arrives_whole(rig))),
    ("the agent sees the caller go", |rig| Box::pin(the_agent_sees_the_caller_go(rig))),
    ("media sees the agent go", |rig| Box::pin(media_sees_the_agent_go(rig))),
    ("calls do not mix", |rig| Box::pin(calls_do_not_mix(rig))),
    ("a slow agent misses no event", |rig| Box::pin(a_slow_agent_misses_no_event(rig))),
];

#[tokio::test]
async fn the_bus_within_a_process_keeps_the_contract() {
    check_all(&mut Rig::local()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bus_over_kafka_keeps_the_contract() {
    check_all(&mut Rig::kafka(&Broker::shared()).await).await;
}

async fn check_all(rig: &mut Rig) {
    for (name, check) in CHECKS {
        eprintln!("contract: {name}");
        check(rig).await;
    }
}

const CLIP: Clip = Clip { turn: 3, attempt: 2, sentence: 1 };

fn frame(sequence: u64) -> FromCaller {
    let payload = Bytes::from(vec![u8::try_from(sequence % 251).unwrap(); 80]);
    FromCaller::Frame(OpusFrame { sequence, rtp_time: sequence * 960, payload })
}

fn voice(number: u32) -> ToCaller {
    ToCaller::Voice { clip: CLIP, payload: Bytes::from(number.to_be_bytes().to_vec()) }
}

async fn heard(agent: &mut AgentEnd, many: usize) -> Vec<FromCaller> {
    let mut all = Vec::new();
    while all.len() < many {
        all.push(within(agent.from_caller.recv()).await.expect("the call goes on"));
    }
    all
}

async fn answered(media: &mut MediaEnd, many: usize) -> Vec<ToCaller> {
    let mut all = Vec::new();
    while all.len() < many {
        all.push(within(media.from_agent.recv()).await.expect("the call goes on"));
    }
    all
}

async fn a_call_comes_with_its_details(rig: &mut Rig) {
    let (_media, call) = rig.call("details").await;
    assert_eq!((call.id.as_str(), call.details), ("details", Wishes("wishes of details".to_owned())));
    assert_eq!(call.handed_over, None);
}

async fn all_that_is_said_arrives_in_order(rig: &mut Rig) {
    let (mut media, call) = rig.call("all").await;
    let mut agent = call.link;
    let said = vec![
        FromCaller::Connected,
        FromCaller::ChannelOpen,
        frame(7),
        FromCaller::Frame(OpusFrame { sequence: u64::MAX, rtp_time: u64::MAX, payload: Bytes::new() }),
        FromCaller::Key('#'),
        FromCaller::Message("{\"type\":\"response.create\"} ä 🎵".to_owned()),
        FromCaller::Playout(PlayoutMark::Started(CLIP)),
        FromCaller::Playout(PlayoutMark::Reached { clip: CLIP, heard_ms: 120 }),
        FromCaller::Playout(PlayoutMark::Finished(CLIP)),
        FromCaller::Playout(PlayoutMark::Held { at: Some((CLIP, 40)) }),
        FromCaller::Playout(PlayoutMark::Held { at: None }),
        FromCaller::Playout(PlayoutMark::Flushed { cut: Some((CLIP, 0)) }),
        FromCaller::Playout(PlayoutMark::Flushed { cut: None }),
        FromCaller::Ended(EndReason::Hangup),
    ];
    for event in &said {
        within(media.to_agent.send(event.clone())).await.unwrap();
    }
    assert_eq!(heard(&mut agent, said.len()).await, said);

    let answers = vec![
        voice(1),
        voice(2),
        ToCaller::Voice { clip: Clip { sentence: 2, ..CLIP }, payload: Bytes::new() },
        ToCaller::EndOfClip(CLIP),
        ToCaller::Hold,
        ToCaller::Resume,
        ToCaller::Flush,
        ToCaller::Message("{}".to_owned()),
        ToCaller::Hangup,
    ];
    for answer in &answers {
        within(agent.to_caller.send(answer.clone())).await.unwrap();
    }
    assert_eq!(answered(&mut media, answers.len()).await, answers);
}

async fn long_audio_arrives_whole_and_in_order(rig: &mut Rig) {
    /// A second each; what waits unread for longer may be dropped.
    const CHUNK: u32 = 50;
    let (mut media, call) = rig.call("long").await;
    let mut agent = call.link;
    for second in 0..60 {
        let numbers = second * CHUNK..(second + 1) * CHUNK;
        for number in numbers.clone() {
            within(media.to_agent.send(frame(number.into()))).await.unwrap();
            within(agent.to_caller.send(voice(number))).await.unwrap();
        }
        let frames: Vec<FromCaller> = numbers.clone().map(|number| frame(number.into())).collect();
        assert_eq!(heard(&mut agent, frames.len()).await, frames);
        let voices: Vec<ToCaller> = numbers.map(voice).collect();
        assert_eq!(answered(&mut media, voices.len()).await, voices);
    }
}

/// A minute of it, made at once.
async fn voice_ahead_of_its_time_arrives_whole(rig: &mut Rig) {
    const PACKETS: u32 = 3_000;
    let (mut media, call) = rig.call("ahead").await;
    let agent = call.link;
    let speak = async {
        for number in 0..PACKETS {
            within(agent.to_caller.send(voice(number))).await.unwrap();
        }
    };
    let ((), voices) = tokio::join!(speak, answered(&mut media, PACKETS as usize));
    assert!(voices.into_iter().eq((0..PACKETS).map(voice)));
}

async fn the_agent_sees_the_caller_go(rig: &mut Rig) {
    let (media, call) = rig.call("caller goes").await;
    let mut agent = call.link;
    within(media.to_agent.send(FromCaller::Ended(EndReason::Lost))).await.unwrap();
    drop(media);
    assert_eq!(within(agent.from_caller.recv()).await, Some(FromCaller::Ended(EndReason::Lost)));
    assert_eq!(within(agent.from_caller.recv()).await, None);
}

async fn media_sees_the_agent_go(rig: &mut Rig) {
    let (mut media, call) = rig.call("agent goes").await;
    within(call.link.to_caller.send(ToCaller::Message("bye".to_owned()))).await.unwrap();
    drop(call);
    assert_eq!(within(media.from_agent.recv()).await, Some(ToCaller::Message("bye".to_owned())));
    assert_eq!(within(media.from_agent.recv()).await, None);
}

async fn calls_do_not_mix(rig: &mut Rig) {
    const CALLS: u64 = 40;
    let mut calls = Vec::new();
    for number in 0..CALLS {
        calls.push(rig.call(&format!("mix-{number}")).await);
    }
    for round in 0..20 {
        for (number, (media, _)) in (0..).zip(&calls) {
            within(media.to_agent.send(frame(number * 1_000 + round))).await.unwrap();
        }
    }
    for (number, (_, call)) in (0..).zip(&mut calls) {
        let wanted: Vec<FromCaller> = (0..20).map(|round| frame(number * 1_000 + round)).collect();
        assert_eq!(heard(&mut call.link, wanted.len()).await, wanted);
    }
}

/// The caller speaks for a minute, the agent does not listen, and then does.
async fn a_slow_agent_misses_no_event(rig: &mut Rig) {
    const FRAMES: u64 = 3_000;
    let (media, call) = rig.call("slow").await;
    let mut agent = call.link;
    let speak = async {
        let mut keys = 0_u64;
        for number in 0..FRAMES {
            // Media never waits with audio: what does not fit is dropped there.
            let _ = media.to_agent.try_send(frame(number));
            if number % 100 == 0 && media.to_agent.try_send(FromCaller::Key('5')).is_ok() {
                keys += 1;
            }
            tokio::task::yield_now().await;
        }
        within(media.to_agent.reserve()).await.unwrap().send(FromCaller::Ended(EndReason::Hangup));
        keys
    };
    let listen = async {
        let mut all = Vec::new();
        loop {
            let event = within(agent.from_caller.recv()).await.unwrap();
            let is_end = matches!(event, FromCaller::Ended(_));
            all.push(event);
            if is_end {
                return all;
            }
        }
    };
    let (keys, all) = tokio::join!(speak, listen);
    let heard_keys = all.iter().filter(|event| matches!(event, FromCaller::Key(_))).count();
    assert_eq!(heard_keys as u64, keys, "each key that fitted arrives");
    let numbers: Vec<u64> = all
        .iter()
        .filter_map(|event| match event {
            FromCaller::Frame(frame) => Some(frame.sequence),
            _ => None,
        })
        .collect();
    assert!(numbers.is_sorted(), "audio stays in order");
}
