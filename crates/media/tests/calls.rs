//! Whole calls over real sockets: our client on one end, an agent's channel on the other.

mod common;

use audio::leg::{EndReason, FromCaller, MicrophoneStats, PlayoutMark, ToCaller, TransportStats};
use common::{call, clip, heard, listener, media, media_with, number, packet, rest, speak, until};
use media::caller::{Caller, CallerEvent, CallerKind};
use media::{Door, Media, MediaConfig};
use tokio::sync::mpsc;

const FRAMES: u8 = 20;

#[tokio::test]
async fn a_whip_callers_microphone_reaches_the_agent_in_order() {
    let media = media();
    let mut call = call(&media, Door::Whip, "call").await;
    let mut sequences = Vec::new();
    for n in 0..FRAMES {
        call.caller.send_opus(packet(n));
        let events = until(&mut call.agent, |event| matches!(event, FromCaller::Frame(_))).await;
        let Some(FromCaller::Frame(frame)) = events.last() else { unreachable!("that was waited for") };
        assert_eq!(number(&frame.payload), Some(n));
        sequences.push((frame.sequence, frame.rtp_time));
    }
    assert!(sequences.windows(2).all(|w| w[1] == (w[0].0 + 1, w[0].1 + 960)), "{sequences:?}");
    // A frame is counted once it is handed over; the thread's end settles all counts.
    media.shutdown();
    assert_eq!(media.stats().frames_in, u64::from(FRAMES));
}

#[tokio::test]
async fn keys_pressed_beside_the_voice_reach_the_agent_once_each() {
    let media = media();
    let mut call = call(&media, Door::Whip, "call").await;
    let mut keys = Vec::new();
    for key in ['7', '#', 'A'] {
        // A press is reported for 140 ms, and one that comes too soon after another is ignored: then it is pressed again.
        while keys.last() != Some(&key) {
            call.caller.press(key);
            call.caller.send_opus(packet(0));
            let events = until(&mut call.agent, |event| matches!(event, FromCaller::Frame(_))).await;
            keys.extend(
                events.iter().filter_map(|event| if let FromCaller::Key(key) = event { Some(*key) } else { None }),
            );
        }
    }
    assert_eq!(keys, ['7', '#', 'A']);
    // They are numbered as audio is, and are none that was lost.
    media.shutdown();
    assert_eq!(media.stats().frames_lost, 0);
}

#[tokio::test]
async fn the_agent_is_told_how_the_network_treated_the_call() {
    let media = media();
    let mut call = call(&media, Door::Whip, "call").await;
    for n in 0..FRAMES {
        call.caller.send_opus(packet(n));
        until(&mut call.agent, |event| matches!(event, FromCaller::Frame(_))).await;
    }
    call.caller.close();
    let mut last = rest(&mut call.agent).await;
    assert_eq!(last.pop(), Some(FromCaller::Ended(EndReason::Hangup)));
    let Some(FromCaller::Transport(TransportStats { microphone, voice: None })) = last.pop() else {
        unreachable!("the end is told with what was counted: {last:?}")
    };
    let expected = MicrophoneStats { frames: FRAMES.into(), jitter: microphone.jitter, ..MicrophoneStats::default() };
    assert_eq!(microphone, expected);
}

#[tokio::test]
async fn a_whep_listener_hears_the_agent_with_marks_in_order() {
    let media = media();
    let mut call = call(&media, Door::Whip, "call").await;
    let mut listener = listener(&media, "call", "viewer").await;
    speak(&call.voice, clip(0), 0..FRAMES);
    call.voice.send(ToCaller::EndOfClip(clip(0)));

    let finished = FromCaller::Playout(PlayoutMark::Finished(clip(0)));
    let marks = until(&mut call.agent, |event| *event == finished).await;
    let mut expected = vec![FromCaller::Playout(PlayoutMark::Started(clip(0)))];
    let reached = [100, 200, 300].map(|heard_ms| PlayoutMark::Reached { clip: clip(0), heard_ms });
    expected.extend(reached.map(FromCaller::Playout));
    expected.push(finished);
    assert_eq!(marks, expected);

    let last = FRAMES - 1;
    let is_last =
        |event: &CallerEvent| matches!(event, CallerEvent::Frame { frame, .. } if number(&frame.payload) == Some(last));
    let events = until(&mut listener.events, is_last).await;
    assert_eq!(heard(&events), (0..FRAMES).collect::<Vec<_>>());
}

#[tokio::test]
async fn voice_spoken_before_the_listener_came_is_kept_for_it() {
    let media = media();
    let call = call(&media, Door::Whip, "call").await;
    speak(&call.voice, clip(0), 0..3);
    let mut listener = listener(&media, "call", "viewer").await;
    let events = until(&mut listener.events, |event| matches!(event, CallerEvent::Frame { .. })).await;
    assert_eq!(heard(&events), [0]);
}

#[tokio::test]
async fn all_listeners_hear_the_same() {
    let media = media();
    let call = call(&media, Door::Whip, "call").await;
    let mut first = listener(&media, "call", "first").await;
    let mut second = listener(&media, "call", "second").await;
    speak(&call.voice, clip(0), 0..3);
    for listener in [&mut first, &mut second] {
        let is_last = |event: &CallerEvent| heard(std::slice::from_ref(event)) == [2];
        assert_eq!(heard(&until(&mut listener.events, is_last).await), [0, 1, 2]);
    }
    assert_eq!(media.stats().listeners, 2);
    media.close_listener("call", "first").expect("it is there");
    assert_eq!(rest(&mut first.events).await.last(), Some(&CallerEvent::Closed));
    speak(&call.voice, clip(1), 3..4);
    until(&mut second.events, |event| heard(std::slice::from_ref(event)) == [3]).await;
    assert!(media.close_listener("call", "first").is_err());
}

#[tokio::test]
async fn a_flush_cuts_the_voice_and_tells_where() {
    let media = media();
    let mut call = call(&media, Door::TwoWay, "call").await;
    speak(&call.voice, clip(0), 0..100);
    until(&mut call.agent, |event| matches!(event, FromCaller::Playout(PlayoutMark::Reached { .. }))).await;
    call.voice.send(ToCaller::Flush);
    let is_flushed = |event: &FromCaller| matches!(event, FromCaller::Playout(PlayoutMark::Flushed { .. }));
    let events = until(&mut call.agent, is_flushed).await;
    let Some(FromCaller::Playout(PlayoutMark::Flushed { cut: Some((cut, heard_ms)) })) = events.last() else {
        unreachable!("something was playing: {events:?}")
    };
    assert_eq!(*cut, clip(0));
    assert!((80..1_980).contains(heard_ms), "{heard_ms} ms heard");

    speak(&call.voice, clip(1), 200..201);
    let events = until(&mut call.caller.events, |event| heard(std::slice::from_ref(event)) == [200]).await;
    let before: Vec<u8> = heard(&events).into_iter().filter(|n| *n != 200).collect();
    assert_eq!(before.len() as u32, heard_ms.div_ceil(20), "only what was heard was sent: {before:?}, {heard_ms} ms");
}

#[tokio::test]
async fn messages_go_both_ways_on_the_data_channel() {
    let media = media();
    let mut call = call(&media, Door::TwoWay, "call").await;
    call.voice.send(ToCaller::Message(r#"{"type":"session.created"}"#.into()));
    call.caller.send_message("hello".into());
    until(&mut call.agent, |event| *event == FromCaller::Message("hello".into())).await;
    let created = CallerEvent::Message(r#"{"type":"session.created"}"#.into());
    until(&mut call.caller.events, |event| *event == created).await;

    call.caller.send_opus(packet(7));
    until(&mut call.agent, |event| matches!(event, FromCaller::Frame(frame) if number(&frame.payload) == Some(7)))
        .await;
    speak(&call.voice, clip(0), 8..9);
    until(&mut call.caller.events, |event| heard(std::slice::from_ref(event)) == [8]).await;
}

#[tokio::test]
async fn messages_written_before_the_channel_opens_wait_for_it() {
    let media = media();
    let (pending, offer) = Caller::offer(CallerKind::TwoWay).expect("an offer");
    let (to_agent, _agent) = mpsc::channel(64);
    let opened = media.open_call(Door::TwoWay, "call".into(), &offer, to_agent).expect("a good offer");
    opened.voice.send(ToCaller::Message("early".into()));
    let mut caller = pending.connect(&opened.answer.sdp).expect("a good answer");
    until(&mut caller.events, |event| *event == CallerEvent::Message("early".into())).await;
}

#[tokio::test]
async fn the_agents_last_words_arrive_before_it_hangs_up() {
    let media = media();
    let mut call = call(&media, Door::TwoWay, "call").await;
    for n in 0..50 {
        call.voice.send(ToCaller::Message(format!("{n} {}", "x".repeat(2_000))));
    }
    call.voice.send(ToCaller::Hangup);
    assert_eq!(rest(&mut call.agent).await, [FromCaller::Ended(EndReason::AgentHangup)]);
    let events = rest(&mut call.caller.events).await;
    assert_eq!(events.iter().filter(|event| matches!(event, CallerEvent::Message(_))).count(), 50);
    assert_eq!(events.last(), Some(&CallerEvent::Closed));
    assert_eq!(media.calls(), 0);
}

#[tokio::test]
async fn a_caller_that_closes_ends_the_call_once_with_its_listeners() {
    let media = media();
    let mut call = call(&media, Door::Whip, "call").await;
    let mut listener = listener(&media, "call", "viewer").await;
    call.caller.close();
    assert_eq!(rest(&mut call.agent).await, [FromCaller::Ended(EndReason::Hangup)]);
    assert_eq!(rest(&mut listener.events).await, [CallerEvent::Closed]);
    assert!(media.hangup("call", EndReason::Hangup).is_err());
    assert_eq!((media.calls(), media.stats().calls, media.stats().listeners), (0, 0, 0));
}

#[tokio::test]
async fn a_hangup_by_request_ends_the_call_once() {
    let media = media();
    let mut call = call(&media, Door::TwoWay, "call").await;
    media.hangup("call", EndReason::Hangup).expect("it is live");
    assert_eq!(rest(&mut call.agent).await, [FromCaller::Ended(EndReason::Hangup)]);
    assert_eq!(rest(&mut call.caller.events).await, [CallerEvent::Closed]);
    call.voice.send(ToCaller::Flush);
}

#[tokio::test]
async fn an_agent_that_is_dropped_ends_the_call() {
    let media = media();
    let mut call = call(&media, Door::TwoWay, "call").await;
    drop(call.agent);
    call.caller.send_message("anybody there?".into());
    assert_eq!(rest(&mut call.caller.events).await, [CallerEvent::Closed]);
}

#[tokio::test]
async fn a_caller_that_never_connects_is_given_up() {
    let media = media_with(MediaConfig { connect_timeout_ms: 50, ..MediaConfig::default() });
    let (_pending, offer) = Caller::offer(CallerKind::Publish).expect("an offer");
    let (to_agent, mut agent) = mpsc::channel(8);
    media.open_call(Door::Whip, "call".into(), &offer, to_agent).expect("a good offer");
    assert_eq!(rest(&mut agent).await, [FromCaller::Ended(EndReason::NeverConnected)]);
}

#[tokio::test]
async fn a_caller_that_falls_silent_is_given_up() {
    // Shorter than the client's pause between ICE checks, so that any pause is silence.
    let media = media_with(MediaConfig { silent_peer_timeout_ms: 20, ..MediaConfig::default() });
    let mut call = call(&media, Door::Whip, "call").await;
    assert_eq!(rest(&mut call.agent).await, [FromCaller::Ended(EndReason::Lost)]);
}

#[tokio::test]
async fn a_server_on_every_interface_is_reached_by_the_address_it_names_first() {
    let config = MediaConfig { udp_listen: "0.0.0.0:0".parse().expect("an address"), ..MediaConfig::default() };
    let media = Media::start(&config).expect("some port is free everywhere");
    let mut call = call(&media, Door::TwoWay, "call").await;
    call.caller.send_opus(packet(1));
    until(&mut call.agent, |event| matches!(event, FromCaller::Frame(_))).await;
}

#[tokio::test]
async fn shutdown_ends_all_calls_and_the_thread() {
    let media = media();
    let mut first = call(&media, Door::Whip, "first").await;
    let mut second = call(&media, Door::TwoWay, "second").await;
    media.shutdown();
    media.shutdown();
    for agent in [&mut first.agent, &mut second.agent] {
        assert_eq!(rest(agent).await, [FromCaller::Ended(EndReason::Shutdown)]);
    }
    let (_, offer) = Caller::offer(CallerKind::Publish).expect("an offer");
    let refused = media.open_call(Door::Whip, "late".into(), &offer, mpsc::channel(1).0);
    assert_eq!(refused.map(|_| ()), Err(media::OfferError::ShuttingDown));
}
