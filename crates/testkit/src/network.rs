//! A bad network: loss, bursts, jitter, reordering and duplicates, the same ones each time for the same seed.
//!
//! [`Path`] is one direction of it and pure: time is an argument, in microseconds of any one clock. [`proxy`] puts two of them
//! between a real client and a real server.

pub mod proxy;

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

/// A packet that is held back comes this much later: behind the next two of a voice.
const HELD_BACK_US: u64 = 50_000;

/// What is wrong with one direction. The default is a perfect network.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Impairment {
    /// The share of packets that are lost, each for itself.
    pub loss: f64,
    /// Losses that come together.
    pub bursts: Option<Bursts>,
    /// What each packet takes.
    pub delay: Duration,
    /// Up to so much more each packet takes, evenly spread. Packets closer together than that overtake each other, as
    /// with `netem`.
    pub spread: Duration,
    /// The share of packets held back for 50 ms.
    pub reordered: f64,
    /// The share of packets that come twice.
    pub duplicated: f64,
}

/// Two states (Gilbert): nothing is lost in the one, everything in the other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bursts {
    /// The chance that a burst begins with the next packet.
    pub begin: f64,
    /// The chance that it is over with the next packet.
    pub end: f64,
}

/// What became of the RTP packets so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Toll {
    /// RTP packets sent.
    pub sent: u64,
    /// RTP packets that were lost.
    pub lost: u64,
    /// RTP packets that came twice.
    pub duplicated: u64,
}

/// One direction.
#[derive(Debug)]
pub struct Path {
    impairment: Impairment,
    media: Weather,
    /// Handshakes and reports have a weather of their own, since how many there are is not the same each time.
    control: Weather,
    /// By arrival, and by departure among those that arrive together.
    under_way: BTreeMap<(u64, u64), Bytes>,
    departures: u64,
    toll: Toll,
}

impl Path {
    /// A path whose chances follow from `seed`.
    #[must_use]
    pub fn new(impairment: Impairment, seed: u64) -> Self {
        Self {
            impairment,
            media: Weather::new(seed.wrapping_mul(2)),
            control: Weather::new(seed.wrapping_mul(2).wrapping_add(1)),
            under_way: BTreeMap::new(),
            departures: 0,
            toll: Toll::default(),
        }
    }

    /// Sends a datagram.
    pub fn push(&mut self, datagram: &Bytes, now_us: u64) {
        let is_media = is_rtp(datagram);
        let weather = if is_media { &mut self.media } else { &mut self.control };
        let fate = weather.next(&self.impairment);
        if is_media {
            self.toll.sent += 1;
            self.toll.lost += u64::from(fate.is_lost());
            self.toll.duplicated += u64::from(fate.second_us.is_some());
        }
        for delay_us in [fate.first_us, fate.second_us].into_iter().flatten() {
            self.departures += 1;
            self.under_way.insert((now_us + delay_us, self.departures), datagram.clone());
        }
    }

    /// A datagram that has arrived by now; call until there is none.
    pub fn pop(&mut self, now_us: u64) -> Option<Bytes> {
        let first = self.under_way.first_entry()?;
        (first.key().0 <= now_us).then(|| first.remove())
    }

    /// When the next datagram arrives.
    #[must_use]
    pub fn next_us(&self) -> Option<u64> {
        self.under_way.first_key_value().map(|((arrival, _), _)| *arrival)
    }

    /// What became of the RTP packets so far.
    #[must_use]
    pub fn toll(&self) -> Toll {
        self.toll
    }
}

/// What happens to one packet: how long each copy of it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fate {
    first_us: Option<u64>,
    second_us: Option<u64>,
}

impl Fate {
    fn is_lost(self) -> bool {
        self.first_us.is_none()
    }
}

/// A series of fates. Each takes the same number of chances, so that one setting does not change what others do.
#[derive(Debug)]
struct Weather {
    state: u64,
    in_burst: bool,
}

impl Weather {
    fn new(seed: u64) -> Self {
        Self { state: seed, in_burst: false }
    }

    fn next(&mut self, impairment: &Impairment) -> Fate {
        let [loss, burst, delay, reordering, duplicate, second_delay] = [(); 6].map(|()| self.chance());
        if let Some(Bursts { begin, end }) = impairment.bursts {
            self.in_burst = if self.in_burst { burst >= end } else { burst < begin };
        }
        if loss < impairment.loss || self.in_burst {
            return Fate { first_us: None, second_us: None };
        }
        let takes = |chance: f64| (impairment.delay + impairment.spread.mul_f64(chance)).as_micros() as u64;
        let held_back_us = if reordering < impairment.reordered { HELD_BACK_US } else { 0 };
        Fate {
            first_us: Some(takes(delay) + held_back_us),
            second_us: (duplicate < impairment.duplicated).then(|| takes(second_delay)),
        }
    }

    /// The next chance in 0..1 (SplitMix64).
    fn chance(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ mixed >> 31) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Whether a datagram is RTP, by its first two bytes (RFC 7983, section 7; RFC 5761, section 4).
fn is_rtp(datagram: &[u8]) -> bool {
    matches!(datagram, [128..=191, kind, ..] if !matches!(kind & 0x7f, 64..=95))
}

#[cfg(test)]
mod tests;
