use std::time::Duration;

use bytes::Bytes;

use super::{Bursts, HELD_BACK_US, Impairment, Path, Toll};

const PACKETS: u32 = 10_000;
const FRAME_US: u64 = 20_000;

fn rtp(number: u32) -> Bytes {
    let [a, b, c, d] = number.to_be_bytes();
    Bytes::copy_from_slice(&[0x80, 111, a, b, c, d])
}

/// What arrives of a voice, with when.
fn heard(path: &mut Path) -> Vec<(u64, u32)> {
    for number in 0..PACKETS {
        path.push(&rtp(number), u64::from(number) * FRAME_US);
    }
    let mut heard = Vec::new();
    while let Some(at) = path.next_us() {
        let early = at.checked_sub(1).and_then(|before| path.pop(before));
        assert_eq!(early, None, "nothing comes before its time");
        let datagram = path.pop(at).expect("it is due");
        heard.push((at, u32::from_be_bytes([datagram[2], datagram[3], datagram[4], datagram[5]])));
    }
    heard
}

fn share(count: u64) -> f64 {
    count as f64 / f64::from(PACKETS)
}

#[test]
fn a_perfect_network_changes_nothing() {
    let mut path = Path::new(Impairment::default(), 1);
    let expected: Vec<_> = (0..PACKETS).map(|number| (u64::from(number) * FRAME_US, number)).collect();
    assert_eq!(heard(&mut path), expected);
    assert_eq!(path.toll(), Toll { sent: u64::from(PACKETS), lost: 0, duplicated: 0 });
}

#[test]
fn the_same_seed_gives_the_same_weather_whatever_handshakes_there_were() {
    let bad = Impairment { loss: 0.1, spread: Duration::from_millis(50), duplicated: 0.01, ..Impairment::default() };
    let mut with_handshake = Path::new(bad, 7);
    for _ in 0..17 {
        with_handshake.push(&Bytes::from_static(&[0x16, 0xfe, 0xfd]), 0);
    }
    while with_handshake.pop(FRAME_US * 10).is_some() {}
    let first = heard(&mut Path::new(bad, 7));
    assert_eq!(heard(&mut with_handshake), first);
    assert_ne!(heard(&mut Path::new(bad, 8)), first);
}

#[test]
fn losses_come_alone_or_in_bursts_as_often_as_was_asked_for() {
    let mut alone = Path::new(Impairment { loss: 0.1, ..Impairment::default() }, 3);
    let heard_alone = heard(&mut alone);
    assert!((0.09..0.11).contains(&share(alone.toll().lost)), "{:?}", alone.toll());
    let bursts = Some(Bursts { begin: 0.02, end: 0.25 });
    let mut together = Path::new(Impairment { bursts, ..Impairment::default() }, 3);
    let heard_together = heard(&mut together);
    // 0.02 / (0.02 + 0.25), in bursts of four.
    assert!((0.06..0.09).contains(&share(together.toll().lost)), "{:?}", together.toll());
    let holes = |heard: &[(u64, u32)]| heard.windows(2).filter(|pair| pair[1].1 != pair[0].1 + 1).count() as f64;
    assert!(alone.toll().lost as f64 / holes(&heard_alone) < 1.3);
    assert!((3.3..4.7).contains(&(together.toll().lost as f64 / holes(&heard_together))));
}

#[test]
fn delays_are_spread_evenly_and_let_packets_overtake() {
    let (delay, spread) = (Duration::from_millis(30), Duration::from_millis(50));
    let mut path = Path::new(Impairment { delay, spread, ..Impairment::default() }, 5);
    let heard = heard(&mut path);
    let delays: Vec<u64> = heard.iter().map(|(at, number)| at - u64::from(*number) * FRAME_US).collect();
    assert!(delays.iter().all(|delay_us| (30_000..=80_000).contains(delay_us)));
    let mean = delays.iter().sum::<u64>() / u64::from(PACKETS);
    assert!((54_000..56_000).contains(&mean), "{mean}");
    assert!(heard.windows(2).any(|pair| pair[1].1 < pair[0].1));
}

#[test]
fn some_are_held_back_and_some_come_twice() {
    let held_back = Impairment { reordered: 0.05, ..Impairment::default() };
    let late = heard(&mut Path::new(held_back, 9))
        .iter()
        .filter(|(at, number)| *at == u64::from(*number) * FRAME_US + HELD_BACK_US)
        .count() as u64;
    assert!((0.04..0.06).contains(&share(late)), "{late}");
    let mut twice = Path::new(Impairment { duplicated: 0.05, ..Impairment::default() }, 9);
    let heard_twice = heard(&mut twice).len() as u64;
    assert_eq!(heard_twice, u64::from(PACKETS) + twice.toll().duplicated);
    assert!((0.04..0.06).contains(&share(twice.toll().duplicated)), "{:?}", twice.toll());
}

#[test]
fn reports_are_told_from_media() {
    let mut path = Path::new(Impairment { loss: 1.0, ..Impairment::default() }, 1);
    // A receiver report, a STUN request, a DTLS record, an RTP packet with the marker set.
    for datagram in [&[0x81, 201][..], &[0, 1], &[22, 254], &[0x90, 0xef]] {
        path.push(&Bytes::copy_from_slice(datagram), 0);
    }
    assert_eq!(path.toll(), Toll { sent: 1, lost: 1, duplicated: 0 });
}
