//! Whatever strangers may send, at random: no text and no packet makes anything here panic or ends a call.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use audio::jitter::{Content, JitterBuffer, MAX_GAP_MARKS, MAX_HELD, RtpPacket};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use str0m::media::Direction;

use crate::config::IceMode;
use crate::demux::{Demux, Route};
use crate::peer::{Datagram, LocalAddress, OutgoingAudio, Peer, PeerEvent, PeerFactory, Redundancy, Transport};
use crate::sdp::{Credentials, Fragment, Offer, Role, ice_fragment, touch_up};

const OFFERS: [&str; 2] = [include_str!("../tests/offers/chrome.sdp"), include_str!("../tests/offers/obs.sdp")];

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// A change to a text or packet: what to do, where, and with what.
type Damage = (Kind, prop::sample::Index, Vec<u8>);

#[derive(Debug, Clone, Copy)]
enum Kind {
    Overwrite,
    Insert,
    Cut,
    Repeat,
}

fn damage() -> impl Strategy<Value = Vec<Damage>> {
    let kind = prop::sample::select(vec![Kind::Overwrite, Kind::Insert, Kind::Cut, Kind::Repeat]);
    vec((kind, any::<prop::sample::Index>(), vec(any::<u8>(), 0..12)), 1..6)
}

/// Applies changes to pieces of any size: bytes of a packet, lines of a text.
fn damaged<T: Clone>(mut whole: Vec<T>, changes: &[Damage], piece: impl Fn(&[u8]) -> Vec<T>) -> Vec<T> {
    for (kind, at, bytes) in changes {
        let at = at.index(whole.len() + 1);
        let end = (at + bytes.len()).min(whole.len());
        match kind {
            Kind::Overwrite => drop(whole.splice(at..end, piece(bytes))),
            Kind::Insert => drop(whole.splice(at..at, piece(bytes))),
            Kind::Cut => drop(whole.drain(at..end)),
            Kind::Repeat => {
                let again = whole[at..end].to_vec();
                whole.splice(end..end, again);
            }
        }
    }
    whole
}

/// A real offer in which lines are missing, doubled or foreign and characters are wrong.
fn damaged_offer() -> impl Strategy<Value = String> {
    (prop::sample::select(OFFERS.to_vec()), damage(), damage(), any::<bool>()).prop_map(|(offer, lines, text, both)| {
        let foreign = |bytes: &[u8]| vec![format!("a={}", String::from_utf8_lossy(bytes))];
        let lines = damaged(offer.lines().map(str::to_owned).collect(), &lines, foreign);
        let whole = lines.join("\r\n");
        if !both {
            return whole;
        }
        String::from_utf8_lossy(&damaged(whole.into_bytes(), &text, <[u8]>::to_vec)).into_owned()
    })
}

/// What the server does with an offer; whether it can be answered.
fn answer(factory: &PeerFactory, text: &str) -> bool {
    let address = udp(([192, 0, 2, 1], 8080));
    let mut answered = false;
    for role in [Role::Publisher, Role::Listener, Role::TwoWay] {
        let Ok(offer) = Offer::parse(text) else { continue };
        let Ok(narrowed) = offer.narrowed_to(role) else { continue };
        if let Ok(mut answer) = factory.answer(&narrowed, &offer.video_payload_types(), &[address], Instant::now()) {
            touch_up(&answer.answer, &offer, role, &[address]);
            // A restart is the same offer again, so it can be answered too.
            let restart = Credentials { ufrag: "again".into(), pwd: "again".repeat(5) };
            let restarted = answer.peer.restart(&restart.put_into(&narrowed)).expect("it was a good offer before");
            assert_ne!(restarted.ufrag, answer.ufrag);
            ice_fragment(&restarted.answer, &[address]);
            answered = true;
        }
    }
    answered
}

#[test]
fn damaged_offers_are_answered_or_refused() {
    let factory = PeerFactory::for_server(IceMode::Lite).expect("cryptography");
    let answered = RefCell::new(0);
    let run = TestRunner::new(cases(3_000)).run(&damaged_offer(), |offer| {
        *answered.borrow_mut() += u32::from(answer(&factory, &offer));
        Ok(())
    });
    run.expect("no panic");
    let answered = answered.into_inner();
    assert!((30..2_970).contains(&answered), "{answered} of 3000 were answered, so the damage is none or too much");
}

#[test]
fn damaged_fragments_are_taken_or_refused() {
    let client = PeerFactory::for_client(Redundancy::Red).expect("cryptography");
    let (_, offer) = client.offer(Direction::SendOnly, Instant::now()).expect("an offer");
    let server = PeerFactory::for_server(IceMode::Full).expect("cryptography");
    let answered = server.answer(&offer, &[], &[udp(SERVER)], Instant::now()).expect("a good offer");
    let peer = RefCell::new(answered.peer);
    let fragment = "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\nm=audio 9 X 0\r\n\
        a=candidate:1 1 udp 1 192.0.2.9 9 typ host\r\na=candidate:2 1 udp 1 ::1 9 typ srflx raddr ::1 rport 9\r\n";
    let run = TestRunner::new(cases(3_000)).run(&damage(), |changes| {
        let damaged = damaged(fragment.as_bytes().to_vec(), &changes, <[u8]>::to_vec);
        if let Ok(fragment) = Fragment::parse(&String::from_utf8_lossy(&damaged)) {
            peer.borrow_mut().trickle(&fragment.candidates);
        }
        Ok(())
    });
    run.expect("no panic");
}

proptest! {
    #![proptest_config(cases(5_000))]

    #[test]
    fn any_text_may_be_an_offer_or_an_answer(text in any::<String>(), begin in any::<bool>()) {
        let text = if begin { format!("v=0\r\nm=audio 9 X 1\r\n{text}") } else { text };
        let _ = Offer::parse(&text);
        let offer = Offer::parse(OFFERS[1]).expect("a good offer");
        let address = udp(([192, 0, 2, 1], 8080));
        for touched in [touch_up(&text, &offer, Role::Publisher, &[address]), ice_fragment(&text, &[address])] {
            prop_assert_eq!(touched.matches('\n').count(), touched.matches("\r\n").count());
        }
    }

    #[test]
    fn any_packet_from_a_stranger_is_nobodys(packet in vec(any::<u8>(), 0..200), changes in damage()) {
        let mut demux = Demux::new();
        demux.add(1, "ours".to_owned());
        let source = (Transport::Udp, SocketAddr::from(([192, 0, 2, 1], 1)));
        prop_assert_eq!(demux.route(source, &packet), Route::Unknown);
        let mut request = vec![0, 1, 0, 20, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
        request.extend(*b"\0\x06\0\x0bours:theirs\0\0\x24\0\x04abcd");
        prop_assert_eq!(demux.route(source, &request), Route::Claimed(1));
        let known = demux.route(source, &damaged(request, &changes, <[u8]>::to_vec));
        prop_assert!(known != Route::Known(1));
    }
}

/// A packet's step in sequence, its RTP time, its payload, and the time since the one before.
fn rtp_step() -> impl Strategy<Value = (u16, u32, Vec<u8>, u64)> {
    let near =
        prop_oneof![4 => Just(1_u16), 2 => 0..40_u16, 1 => (1..40_u16).prop_map(u16::wrapping_neg), 1 => any::<u16>()];
    (near, any::<u32>(), vec(any::<u8>(), 0..8), 0..50_000_u64)
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn any_rtp_leaves_the_jitter_buffer_in_order_and_none_stays(steps in vec(rtp_step(), 1..120)) {
        let (mut buffer, mut sequence, mut now_us) = (JitterBuffer::new(), 0_u16, 0);
        let (mut last, mut restarts) = (None, 0);
        for (step, timestamp, payload, pause_us) in steps {
            sequence = sequence.wrapping_add(step);
            now_us += pause_us;
            let content = match timestamp % 4 {
                0 => Content::Other,
                1 => Content::Copy(payload.into()),
                _ => Content::Audio(payload.into()),
            };
            buffer.push(RtpPacket { stream: timestamp >> 31, sequence, timestamp, content }, now_us);
            let mut left = 0;
            while let Some(frame) = buffer.pop(now_us) {
                left += 1;
                if buffer.stats().restarts == restarts {
                    prop_assert!(last < Some(frame.sequence), "{} after {last:?}", frame.sequence);
                }
                (last, restarts) = (Some(frame.sequence), buffer.stats().restarts);
            }
            prop_assert!(left <= MAX_HELD * (MAX_GAP_MARKS as usize + 1), "{left} frames at once");
        }
        while buffer.pop(now_us + 10_000_000).is_some() {}
        prop_assert_eq!(buffer.deadline_us(), None);
    }
}

/// Two ends of a connection with nothing between them.
struct Pair {
    client: Peer,
    server: Peer,
    now: Instant,
    /// What the client sent in response, to arrive with the next step.
    under_way: Vec<Vec<u8>>,
    /// What arrived last, for damaging.
    sent: Vec<Vec<u8>>,
    frames: u64,
}

const CLIENT: ([u8; 4], u16) = ([192, 0, 2, 1], 4_000);
const SERVER: ([u8; 4], u16) = ([192, 0, 2, 2], 8_080);

impl Pair {
    fn connected() -> Self {
        let now = Instant::now();
        let client = PeerFactory::for_client(Redundancy::Red).expect("cryptography");
        let (pending, offer) = client.offer(Direction::SendRecv, now).expect("an offer");
        let server = PeerFactory::for_server(IceMode::Lite).expect("cryptography");
        let answered = server.answer(&offer, &[], &[udp(SERVER)], now).expect("a good offer");
        let client = pending.complete(&answered.answer, udp(CLIENT)).expect("a good answer");
        let mut pair = Self { client, server: answered.peer, now, under_way: Vec::new(), sent: Vec::new(), frames: 0 };
        for _ in 0..200 {
            if pair.step().iter().any(|event| matches!(event, PeerEvent::ChannelOpen)) {
                return pair;
            }
        }
        panic!("the pair did not connect");
    }

    /// 10 ms, with a packet of voice; returns what the server saw.
    fn step(&mut self) -> Vec<PeerEvent> {
        self.now += Duration::from_millis(10);
        let (mut seen, mut back) = (Vec::new(), Vec::new());
        let mut sent = std::mem::take(&mut self.under_way);
        let audio = OutgoingAudio { rtp_time: self.frames * 960, marker: false, payload: [0xf8; 40].into() };
        self.frames += 1;
        self.client.write_audio(audio, self.now);
        self.client.run(self.now, &mut |packet| sent.push(packet.bytes.to_vec()), &mut Vec::new());
        for packet in &sent {
            self.server.receive(from_client(packet), self.now);
            self.server.run(self.now, &mut |packet| back.push(packet.bytes.to_vec()), &mut seen);
        }
        self.server.run(self.now, &mut |packet| back.push(packet.bytes.to_vec()), &mut seen);
        for packet in &back {
            let datagram = Datagram { source: SERVER.into(), destination: CLIENT.into(), ..from_client(packet) };
            self.client.receive(datagram, self.now);
            let under_way = &mut self.under_way;
            self.client.run(self.now, &mut |packet| under_way.push(packet.bytes.to_vec()), &mut Vec::new());
        }
        if !sent.is_empty() {
            self.sent = sent;
        }
        seen
    }

    /// Gives the server a packet in the client's name; whether its end came with it.
    fn slip_in(&mut self, packet: &[u8]) -> bool {
        let mut seen = Vec::new();
        self.server.receive(from_client(packet), self.now);
        let wake = self.server.run(self.now, &mut |_| {}, &mut seen);
        wake.is_none() || seen.iter().any(|event| matches!(event, PeerEvent::Closed))
    }
}

fn from_client(bytes: &[u8]) -> Datagram<'_> {
    Datagram { transport: Transport::Udp, source: CLIENT.into(), destination: SERVER.into(), bytes }
}

fn udp(address: ([u8; 4], u16)) -> LocalAddress {
    LocalAddress { transport: Transport::Udp, address: address.into() }
}

#[test]
fn no_packet_in_a_callers_name_ends_its_call() {
    let pair = RefCell::new(Pair::connected());
    // The first byte tells what it claims to be (RFC 7983): STUN, DTLS, RTP or none of them.
    let first = prop_oneof![0..4_u8, 20..64_u8, 128..192_u8, any::<u8>()];
    let strategy = (first, vec(any::<u8>(), 0..200), any::<prop::sample::Index>(), damage());
    let run = TestRunner::new(cases(4_000)).run(&strategy, |(first, rest, which, changes)| {
        let mut pair = pair.borrow_mut();
        pair.step();
        prop_assert!(!pair.slip_in(&[&[first], &rest[..]].concat()));
        let real = pair.sent[which.index(pair.sent.len())].clone();
        prop_assert!(!pair.slip_in(&damaged(real, &changes, <[u8]>::to_vec)));
        Ok(())
    });
    run.expect("the call goes on");
    let mut pair = pair.into_inner();
    let heard = (0..20).flat_map(|_| pair.step()).filter(|event| matches!(event, PeerEvent::Audio(_))).count();
    assert!(heard >= 15, "only {heard} of 20 packets were heard afterwards");
}
