//! What the tests of whole calls share: a media thread on loopback, clients, and waiting with a limit.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::net::SocketAddr;
use std::time::Duration;

use audio::leg::{Clip, FromCaller, ToCaller};
use bytes::Bytes;
use media::caller::{Caller, CallerEvent, CallerKind};
use media::{CallSender, Door, IceTag, Media, MediaConfig};
use tokio::sync::mpsc::{self, Receiver};

/// Far beyond what anything takes; a test that needs it has failed.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn media() -> Media {
    media_with(MediaConfig::default())
}

pub(crate) fn media_with(config: MediaConfig) -> Media {
    let loopback: SocketAddr = "127.0.0.1:0".parse().expect("an address");
    Media::start(&MediaConfig { udp_listen: loopback, ..config }).expect("loopback is free")
}

/// A call and its caller, both connected.
pub(crate) struct Call {
    pub(crate) caller: Caller,
    pub(crate) agent: Receiver<FromCaller>,
    pub(crate) voice: CallSender,
    pub(crate) ice: IceTag,
}

/// A listener, connected.
pub(crate) struct Listener {
    pub(crate) caller: Caller,
    pub(crate) ice: IceTag,
}

pub(crate) async fn call(media: &Media, door: Door, id: &str) -> Call {
    call_through(media, door, id, media.udp_address()).await
}

/// A call whose packets the caller sends to this address.
pub(crate) async fn call_through(media: &Media, door: Door, id: &str, way: SocketAddr) -> Call {
    let kind = match door {
        Door::Whip => CallerKind::Publish,
        Door::TwoWay => CallerKind::TwoWay,
    };
    let (pending, offer) = Caller::offer(kind).expect("an offer");
    let (to_agent, mut agent) = mpsc::channel(1_024);
    let opened = media.open_call(door, id.to_owned(), &offer, to_agent).expect("a good offer");
    let port = |address: SocketAddr| format!(" {} typ host", address.port());
    let answer = opened.answer.sdp.replace(&port(media.udp_address()), &port(way));
    let mut caller = pending.connect(&answer).expect("a good answer");
    until(&mut caller.events, |event| matches!(event, CallerEvent::Connected)).await;
    until(&mut agent, |event| matches!(event, FromCaller::Connected)).await;
    if door == Door::TwoWay {
        until(&mut caller.events, |event| matches!(event, CallerEvent::ChannelOpen)).await;
        until(&mut agent, |event| matches!(event, FromCaller::ChannelOpen)).await;
    }
    Call { caller, agent, voice: opened.voice, ice: opened.answer.ice }
}

pub(crate) async fn listener(media: &Media, call: &str, id: &str) -> Caller {
    listener_of(media, call, id).await.caller
}

pub(crate) async fn listener_of(media: &Media, call: &str, id: &str) -> Listener {
    let (pending, offer) = Caller::offer(CallerKind::Listen).expect("an offer");
    let answer = media.open_listener(call, id.to_owned(), &offer).expect("a good offer");
    let mut listener = pending.connect(&answer.sdp).expect("a good answer");
    until(&mut listener.events, |event| matches!(event, CallerEvent::Connected)).await;
    Listener { caller: listener, ice: answer.ice }
}

/// Events up to the one that is waited for, which is the last.
pub(crate) async fn until<T: std::fmt::Debug>(events: &mut Receiver<T>, is_it: impl Fn(&T) -> bool) -> Vec<T> {
    let mut seen = Vec::new();
    let search = async {
        while let Some(event) = events.recv().await {
            seen.push(event);
            if seen.last().is_some_and(&is_it) {
                return true;
            }
        }
        false
    };
    let found = tokio::time::timeout(PATIENCE, search).await;
    assert_eq!(found, Ok(true), "not found (or too late) in {seen:?}");
    seen
}

/// All events until the sender is gone.
pub(crate) async fn rest<T>(events: &mut Receiver<T>) -> Vec<T> {
    let mut seen = Vec::new();
    let collect = async {
        while let Some(event) = events.recv().await {
            seen.push(event);
        }
    };
    tokio::time::timeout(PATIENCE, collect).await.expect("the end comes in time");
    seen
}

pub(crate) fn clip(sentence: u32) -> Clip {
    Clip { turn: 1, attempt: 1, sentence }
}

/// A 20 ms CELT packet that bears its number.
pub(crate) fn packet(n: u8) -> Bytes {
    Bytes::copy_from_slice(&[0xf8, n, 0, 0])
}

pub(crate) fn number(payload: &Bytes) -> Option<u8> {
    payload.get(1).copied()
}

pub(crate) fn speak(voice: &CallSender, clip: Clip, packets: std::ops::Range<u8>) {
    for n in packets {
        voice.send(ToCaller::Voice { clip, payload: packet(n) });
    }
}

pub(crate) fn heard(events: &[CallerEvent]) -> Vec<u8> {
    let frames = events.iter().filter_map(|event| match event {
        CallerEvent::Frame { frame, .. } => number(&frame.payload),
        _ => None,
    });
    frames.collect()
}
