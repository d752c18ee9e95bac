//! Somebody who sends what belongs to nobody, beside callers.

mod common;

use std::net::{SocketAddr, UdpSocket};

use audio::leg::FromCaller;
use common::{call, media, number, packet, until};
use media::{Door, Media};

const FLOOD: u64 = 5_000;

/// A STUN binding request for a caller nobody knows (RFC 8489, section 5).
fn request_for_nobody() -> Vec<u8> {
    let mut request = vec![0, 1, 0, 12, 0x21, 0x12, 0xa4, 0x42];
    request.extend([7; 12]);
    request.extend(*b"\0\x06\0\x07no:body\0");
    request
}

/// Sends from an address of its own, and waits until the server has seen enough of it.
fn flood(media: &Media, from: &str) {
    let socket = UdpSocket::bind((from, 0)).expect("all of 127/8 is this machine");
    let server = SocketAddr::from(([127, 0, 0, 1], media.udp_address().port()));
    for packet in [&request_for_nobody()[..], &[0x80, 111, 0, 1], b"\x16\xfe\xfd", b"", &[255; 1_500]] {
        let seen = media.stats().packets_in;
        for _ in 0..FLOOD / 5 {
            socket.send_to(packet, server).expect("loopback takes it");
        }
        // A few may find the buffer full.
        while media.stats().packets_in < seen + FLOOD / 5 * 9 / 10 {
            std::thread::yield_now();
        }
    }
}

#[tokio::test]
async fn a_flood_is_limited_counted_and_heard_by_nobody() {
    let media = media();
    let mut call = call(&media, Door::TwoWay, "call").await;
    flood(&media, "127.0.0.2");
    let stats = media.stats();
    assert!(stats.packets_limited > FLOOD / 2, "{stats:?}");
    assert!(stats.packets_unknown < FLOOD / 4, "{stats:?}");
    call.caller.send_opus(packet(9));
    let events = until(&mut call.agent, |event| matches!(event, FromCaller::Frame(_))).await;
    let Some(FromCaller::Frame(frame)) = events.last() else { unreachable!("that was waited for") };
    assert_eq!(number(&frame.payload), Some(9));
}

#[tokio::test]
async fn whoever_shares_the_floods_address_may_go_on_talking_and_others_may_connect() {
    let media = media();
    let mut talking = call(&media, Door::TwoWay, "talking").await;
    flood(&media, "127.0.0.1");
    talking.caller.send_opus(packet(1));
    until(&mut talking.agent, |event| matches!(event, FromCaller::Frame(_))).await;
    // The client repeats its requests until they are looked at again.
    call(&media, Door::Whip, "late").await;
}
