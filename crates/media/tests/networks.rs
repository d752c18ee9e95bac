//! Calls over networks other than UDP by IPv4: ICE-TCP (RFC 6544) and IPv6.

mod common;

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use audio::leg::{EndReason, FromCaller};
use common::{clip, heard, media_with, number, packet, rest, speak, until};
use media::caller::{Caller, CallerEvent, CallerKind};
use media::{CallSender, Door, Media, MediaConfig};
use tokio::sync::mpsc::{self, Receiver};

/// Far beyond what anything takes.
const PATIENCE: Duration = Duration::from_secs(20);

fn loopback_tcp() -> MediaConfig {
    MediaConfig { tcp_listen: Some("127.0.0.1:0".parse().expect("an address")), ..MediaConfig::default() }
}

fn open(media: &Media, id: &str) -> (media::caller::PendingCaller, String, Receiver<FromCaller>, CallSender) {
    let (pending, offer) = Caller::offer(CallerKind::TwoWay).expect("an offer");
    let (to_agent, agent) = mpsc::channel(1_024);
    let opened = media.open_call(Door::TwoWay, id.to_owned(), &offer, to_agent).expect("a good offer");
    (pending, opened.answer.sdp, agent, opened.voice)
}

/// Speaks both ways over a call that is about to connect.
async fn talk(caller: &mut Caller, agent: &mut Receiver<FromCaller>, voice: &CallSender) {
    until(&mut caller.events, |event| matches!(event, CallerEvent::ChannelOpen)).await;
    until(agent, |event| matches!(event, FromCaller::ChannelOpen)).await;
    caller.send_opus(packet(7));
    let events = until(agent, |event| matches!(event, FromCaller::Frame(_))).await;
    let Some(FromCaller::Frame(frame)) = events.last() else { unreachable!("that was waited for") };
    assert_eq!(number(&frame.payload), Some(7));
    speak(voice, clip(0), 0..10);
    let is_last = |event: &CallerEvent| heard(std::slice::from_ref(event)) == [9];
    assert_eq!(heard(&until(&mut caller.events, is_last).await), (0..10).collect::<Vec<_>>());
}

#[tokio::test]
async fn rfc6544_a_caller_without_udp_talks_by_tcp() {
    let media = media_with(loopback_tcp());
    let (pending, answer, mut agent, voice) = open(&media, "call");
    let port = media.tcp_address().expect("it is on").port();
    let candidate = answer.lines().find(|line| line.contains(" tcp ")).expect("a candidate");
    assert!(candidate.contains(&format!("127.0.0.1 {port} typ host tcptype passive")), "{candidate}");
    let mut caller = pending.connect_by_tcp(&answer).expect("a good answer");
    talk(&mut caller, &mut agent, &voice).await;
    caller.close();
    assert_eq!(rest(&mut agent).await.last(), Some(&FromCaller::Ended(EndReason::Hangup)));
}

#[tokio::test]
async fn the_end_of_a_call_ends_its_connection() {
    let media = media_with(loopback_tcp());
    let (pending, answer, mut agent, voice) = open(&media, "call");
    let mut caller = pending.connect_by_tcp(&answer).expect("a good answer");
    talk(&mut caller, &mut agent, &voice).await;
    media.hangup("call", EndReason::Hangup).expect("it lives");
    until(&mut caller.events, |event| matches!(event, CallerEvent::Closed)).await;
}

#[test]
fn who_comes_by_tcp_and_does_not_call_is_sent_away() {
    let media = media_with(loopback_tcp());
    let address = media.tcp_address().expect("it is on");
    // A web browser that came to the wrong port: its first two bytes are no length of ours.
    let mut lost = TcpStream::connect(address).expect("it listens");
    lost.write_all(b"GET / HTTP/1.1\r\n\r\n").expect("it is connected");
    assert!(is_closed(&mut lost));
    let mut silent: Vec<TcpStream> = (0..40).map(|_| TcpStream::connect(address).expect("it listens")).collect();
    // The first ones are given time; the last ones find no room.
    assert!(is_closed(silent.last_mut().expect("there are 40")));
}

/// Whether the server closes the connection without a word.
fn is_closed(stream: &mut TcpStream) -> bool {
    stream.set_read_timeout(Some(PATIENCE)).expect("a valid time");
    let read = stream.read(&mut [0; 100]);
    matches!(read, Ok(0)) || read.is_err_and(|error| error.kind() == ErrorKind::ConnectionReset)
}

#[test]
fn without_the_option_there_is_no_tcp() {
    let media = media_with(MediaConfig::default());
    let (_, answer, _, _) = open(&media, "call");
    assert_eq!(media.tcp_address(), None);
    assert!(!answer.contains(" tcp "), "{answer}");
}

#[tokio::test]
async fn a_caller_with_ipv6_alone_talks() {
    let listen = SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), 0);
    let advertise = vec!["2001:db8::7".parse().expect("an address")];
    let config = MediaConfig { udp_listen: listen, tcp_listen: Some(listen), advertise, ..MediaConfig::default() };
    let media = Media::start(&config).expect("this machine has IPv6");
    for by_tcp in [false, true] {
        let (pending, answer, mut agent, voice) = open(&media, &format!("by tcp: {by_tcp}"));
        let port = media.udp_address().port();
        assert!(answer.contains(&format!(" 2001:db8::7 {port} typ host\r\n")), "{answer}");
        assert!(answer.contains(&format!(" ::1 {port} typ host ")), "{answer}");
        let caller = if by_tcp { pending.connect_by_tcp(&answer) } else { pending.connect(&answer) };
        talk(&mut caller.expect("a good answer"), &mut agent, &voice).await;
    }
}

#[test]
fn all_addresses_stands_for_both_families_without_link_local_ones() {
    let config = MediaConfig { udp_listen: "[::]:0".parse().expect("an address"), ..MediaConfig::default() };
    let media = Media::start(&config).expect("some port is free everywhere");
    let (_, answer, _, _) = open(&media, "call");
    assert!(answer.contains(" 127.0.0.1 ") && answer.contains(" ::1 "), "{answer}");
    assert!(!answer.contains(" fe80:") && !answer.contains(" 169.254."), "{answer}");
}

/// A STUN server that tells everybody the same address, 192.0.2.1:32853 (as in RFC 5769, section 2.2).
fn stun_server() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let address = socket.local_addr().expect("it is bound");
    std::thread::spawn(move || {
        let mut buffer = [0; 100];
        while let Ok((20, source)) = socket.recv_from(&mut buffer) {
            let mut response = b"\x01\x01\x00\x0c".to_vec();
            response.extend(&buffer[4..20]);
            response.extend(b"\x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43");
            socket.send_to(&response, source).expect("loopback takes it");
        }
    });
    address
}

#[test]
fn rfc8489_the_public_address_is_asked_for_and_offered() {
    let media = media_with(MediaConfig { stun_server: Some(stun_server().to_string()), ..MediaConfig::default() });
    let start = Instant::now();
    let mut id = 0;
    let answer = loop {
        id += 1;
        let (_, answer, _, _) = open(&media, &id.to_string());
        // The calls of earlier rounds are given up at once, since nobody listens to them.
        if answer.contains("192.0.2.1") {
            break answer;
        }
        assert!(start.elapsed() < PATIENCE, "{answer}");
        std::thread::yield_now();
    };
    assert!(answer.contains(" udp 2130706431 192.0.2.1 32853 typ host\r\na=end-of-candidates\r\n"), "{answer}");
    assert_eq!(media.stats().packets_unknown, 0);
}

#[test]
fn a_stun_server_that_cannot_be_found_is_named() {
    let config = MediaConfig { stun_server: Some("no port".into()), ..MediaConfig::default() };
    let error = Media::start(&MediaConfig { udp_listen: "127.0.0.1:0".parse().expect("an address"), ..config });
    let text = error.expect_err("it is no address").to_string();
    assert!(text.starts_with("look up the STUN server no port: ") && text.contains("media.stun_server"), "{text}");
}
