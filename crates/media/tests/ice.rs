//! ICE while a call goes on: candidates that come later, restarts, callers whose address changes.

mod common;

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use audio::leg::{FromCaller, ToCaller};
use common::{Call, call, clip, listener_of, media, media_with, number, packet, until};
use media::caller::{Caller, CallerEvent};
use media::{Door, IceChange, IceError, IceMatch, IceMode, Media, MediaConfig};

const CANDIDATES: &str = "a=candidate:1 1 udp 2122260223 192.0.2.1 61764 typ host\r\n\
    a=candidate:2 1 udp 2122260223 6f0e1c6b-0d25.local 61764 typ host\r\n\
    a=candidate:3 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active\r\na=end-of-candidates\r\n";

/// Restarts ICE from another socket, and waits until a new path is found.
async fn restart(media: &Media, caller: &mut Caller, listener: Option<&str>) -> String {
    let ours = caller.begin_restart().await.expect("the call goes on");
    let change = media.patch_ice("call", listener, IceMatch::Any, &ours).await.expect("a good fragment");
    let IceChange::Restarted { tag, fragment } = change else { unreachable!("it was no restart: {change:?}") };
    caller.finish_restart(&fragment).expect("a good fragment");
    until(&mut caller.events, |event| *event == CallerEvent::Restarted).await;
    tag
}

/// Speaks packets from `first` on until the agent has heard one of them.
async fn is_heard(call: &mut Call, first: u8) {
    for n in first..first + 100 {
        call.caller.send_opus(packet(n));
        let heard = tokio::time::timeout(Duration::from_millis(200), async {
            loop {
                let event = call.agent.recv().await.expect("the call goes on");
                if let FromCaller::Frame(frame) = event
                    && number(&frame.payload).is_some_and(|n| n >= first)
                {
                    return;
                }
            }
        });
        if heard.await.is_ok() {
            return;
        }
    }
    unreachable!("nothing from {first} on was heard");
}

#[tokio::test]
async fn candidates_are_taken_one_after_the_other() {
    let media = media();
    let mut call = call(&media, Door::Whip, "call").await;
    let mut listener = listener_of(&media, "call", "viewer").await;
    for (id, tag) in [(None, &call.ice), (Some("viewer"), &listener.ice)] {
        let if_match = IceMatch::OneOf(vec![tag.clone()]);
        assert_eq!(media.patch_ice("call", id, if_match, CANDIDATES).await, Ok(IceChange::Trickled));
        let stale = IceMatch::OneOf(vec!["another".into()]);
        assert_eq!(media.patch_ice("call", id, stale, CANDIDATES).await, Err(IceError::Stale));
    }
    let unknown = media.patch_ice("call", Some("nobody"), IceMatch::Any, CANDIDATES).await;
    assert_eq!(unknown, Err(IceError::UnknownSession));
    let bad = media.patch_ice("call", None, IceMatch::Any, "v=0").await;
    assert!(matches!(bad, Err(IceError::BadFragment(_))), "{bad:?}");
    is_heard(&mut call, 0).await;
    call.voice.send(ToCaller::Voice { clip: clip(0), payload: packet(1) });
    until(&mut listener.caller.events, |event| matches!(event, CallerEvent::Frame { .. })).await;
}

#[tokio::test]
async fn a_restart_moves_the_microphone_to_another_socket() {
    for ice in [IceMode::Lite, IceMode::Full] {
        let media = media_with(MediaConfig { ice, ..MediaConfig::default() });
        let mut call = call(&media, Door::Whip, "call").await;
        is_heard(&mut call, 0).await;
        let first = restart(&media, &mut call.caller, None).await;
        is_heard(&mut call, 100).await;
        let second = restart(&media, &mut call.caller, None).await;
        is_heard(&mut call, 150).await;
        assert!(call.ice != first && first != second, "each ICE session has a name of its own");
        let late = IceMatch::OneOf(vec![call.ice.clone()]);
        assert_eq!(media.patch_ice("call", None, late, CANDIDATES).await, Err(IceError::Stale));
        assert_eq!(media.stats().connected, 1, "the call was never lost");
    }
}

#[tokio::test]
async fn a_restart_moves_a_listener_and_loses_no_voice() {
    let media = media();
    let call = call(&media, Door::Whip, "call").await;
    let mut listener = listener_of(&media, "call", "viewer").await;
    common::speak(&call.voice, clip(0), 0..100);
    until(&mut listener.caller.events, |event| matches!(event, CallerEvent::Frame { .. })).await;
    let ours = listener.caller.begin_restart().await.expect("the call goes on");
    let change = media.patch_ice("call", Some("viewer"), IceMatch::Any, &ours).await.expect("a good fragment");
    let IceChange::Restarted { fragment, .. } = change else { unreachable!("it was no restart: {change:?}") };
    listener.caller.finish_restart(&fragment).expect("a good fragment");
    let is_last =
        |event: &CallerEvent| matches!(event, CallerEvent::Frame { frame, .. } if number(&frame.payload) == Some(99));
    let events = until(&mut listener.caller.events, is_last).await;
    assert!(events.contains(&CallerEvent::Restarted), "a path was found while the voice went on");
    assert_eq!(common::heard(&events), (1..100).collect::<Vec<_>>(), "every packet came, in order");
}

#[tokio::test]
async fn a_restart_that_cannot_be_made_changes_nothing() {
    let media = media();
    let mut call = call(&media, Door::Whip, "call").await;
    let ours = call.caller.begin_restart().await.expect("the call goes on");
    let half: String =
        ours.lines().filter(|line| !line.starts_with("a=ice-pwd:")).map(|line| format!("{line}\r\n")).collect();
    let refused = media.patch_ice("call", None, IceMatch::Any, &half).await;
    assert!(matches!(refused, Err(IceError::BadFragment(_))), "{refused:?}");
    let mine = IceMatch::OneOf(vec![call.ice.clone()]);
    assert_eq!(media.patch_ice("call", None, mine, CANDIDATES).await, Ok(IceChange::Trickled), "the same ICE session");
    is_heard(&mut call, 0).await;
}

#[tokio::test]
async fn overlapping_restarts_are_made_one_after_the_other() {
    let media = media();
    let mut call = call(&media, Door::Whip, "call").await;
    let first = call.caller.begin_restart().await.expect("the call goes on");
    let second = call.caller.begin_restart().await.expect("the call goes on");
    let patch = |fragment| media.patch_ice("call", None, IceMatch::Any, fragment);
    let (one, two) = tokio::join!(patch(&first), patch(&second));
    let (Ok(IceChange::Restarted { tag: one, .. }), Ok(IceChange::Restarted { tag: two, fragment })) = (one, two)
    else {
        unreachable!("both are restarts")
    };
    assert_ne!(one, two);
    call.caller.finish_restart(&fragment).expect("a good fragment");
    until(&mut call.caller.events, |event| *event == CallerEvent::Restarted).await;
    is_heard(&mut call, 0).await;
}

/// A network address translator between a caller and the server, which may give the caller another address or no way at all.
struct Translator {
    address: SocketAddr,
    way: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// No way through.
const CUT: usize = 2;

impl Translator {
    fn before(server: SocketAddr) -> Self {
        let socket = || {
            let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
            socket.set_read_timeout(Some(Duration::from_millis(1))).expect("a timeout");
            socket
        };
        let (inside, outside) = (socket(), [socket(), socket()]);
        let address = inside.local_addr().expect("an address");
        let (way, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (chosen, stopped) = (Arc::clone(&way), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            let (mut buffer, mut caller) = ([0; 2_048], None);
            while !stopped.load(Ordering::Relaxed) {
                let way = chosen.load(Ordering::Relaxed);
                if let Ok((length, source)) = inside.recv_from(&mut buffer) {
                    caller = Some(source);
                    if let Some(outside) = outside.get(way) {
                        outside.send_to(&buffer[..length], server).expect("it is sent");
                    }
                }
                if let Some(outside) = outside.get(way)
                    && let (Ok((length, _)), Some(caller)) = (outside.recv_from(&mut buffer), caller)
                {
                    inside.send_to(&buffer[..length], caller).expect("it is sent");
                }
            }
        });
        Self { address, way, stop, thread: Some(thread) }
    }

    fn choose(&self, way: usize) {
        self.way.store(way, Ordering::Relaxed);
    }
}

impl Drop for Translator {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("it ends");
        }
    }
}

#[tokio::test]
async fn a_caller_whose_address_changes_goes_on() {
    let media = media();
    let translator = Translator::before(media.udp_address());
    let mut call = common::call_through(&media, Door::Whip, "call", translator.address).await;
    is_heard(&mut call, 0).await;
    translator.choose(1);
    // Until the caller checks its path again, a stranger sends.
    is_heard(&mut call, 100).await;
    assert_eq!(media.stats().connected, 1, "the call was never lost");
}

#[tokio::test]
async fn a_caller_who_fell_silent_may_come_back_by_a_restart() {
    let media = media_with(MediaConfig { silent_peer_timeout_ms: 8_000, ..MediaConfig::default() });
    let translator = Translator::before(media.udp_address());
    let mut call = common::call_through(&media, Door::Whip, "call", translator.address).await;
    is_heard(&mut call, 0).await;
    translator.choose(CUT);
    // The old network is gone; the new one leads to the server itself.
    restart(&media, &mut call.caller, None).await;
    is_heard(&mut call, 100).await;
}
