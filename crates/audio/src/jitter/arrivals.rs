//! How regularly packets come: the least that the way takes, and how much more it takes some of them.
//!
//! Only differences count: the sender's clock is another one, and drifts. So what is known is forgotten after
//! [`WINDOW_US`] to twice that, in which a clock that is wrong by 100 ppm strays by 1.6 ms at most.

use crate::leg::RTP_CLOCK_HZ;

/// How long the extremes of one window hold beside those of the next.
const WINDOW_US: u64 = 8_000_000;
/// Before so many packets little is known, and the network is taken for one of medium jitter.
const FEW_PACKETS: u32 = 100;
/// What that is: on Wi-Fi and mobile networks most packets come within this.
const ASSUMED_SPREAD_US: u64 = 40_000;

/// Watches the packets of one stream.
#[derive(Debug, Default)]
pub struct Arrivals {
    current: Option<Window>,
    previous: Option<Window>,
    packets: u32,
    last_transit_us: Option<i64>,
    /// The interarrival jitter of RFC 3550, section 6.4.1, times 16.
    jitter_16_us: u64,
}

/// The extremes of the time between a packet's RTP time and its arrival. Their zero is anywhere.
#[derive(Debug, Clone, Copy)]
struct Window {
    began_us: u64,
    least_us: i64,
    most_us: i64,
}

impl Arrivals {
    /// A packet came.
    pub fn note(&mut self, rtp_time: u64, now_us: u64) {
        let transit_us = now_us as i64 - micros(rtp_time);
        self.packets = self.packets.saturating_add(1);
        if let Some(last) = self.last_transit_us.replace(transit_us) {
            let kept = self.jitter_16_us - self.jitter_16_us / 16;
            self.jitter_16_us = kept.saturating_add(transit_us.abs_diff(last));
        }
        let new = Window { began_us: now_us, least_us: transit_us, most_us: transit_us };
        match &mut self.current {
            Some(window) if now_us < window.began_us.saturating_add(WINDOW_US) => {
                window.least_us = window.least_us.min(transit_us);
                window.most_us = window.most_us.max(transit_us);
            }
            window => {
                // What came before a pause of a whole window says nothing any more.
                self.previous = window.take().filter(|old| now_us < old.began_us.saturating_add(2 * WINDOW_US));
                self.current = Some(new);
            }
        }
    }

    /// How much longer than the quickest the slowest packet took lately.
    #[must_use]
    pub fn spread_us(&self) -> u64 {
        self.extremes().map_or(0, |(least, most)| most.abs_diff(least))
    }

    /// The same, and as long as little is known, that of a network of medium jitter.
    pub(super) fn assumed_spread_us(&self) -> u64 {
        let measured = self.spread_us();
        if self.packets < FEW_PACKETS { measured.max(ASSUMED_SPREAD_US) } else { measured }
    }

    /// When a packet of this RTP time comes at the latest, as far as can be known; none before the first packet.
    pub(super) fn latest_us(&self, rtp_time: u64) -> Option<u64> {
        let (least_us, _) = self.extremes()?;
        let earliest = micros(rtp_time).saturating_add(least_us);
        Some(u64::try_from(earliest).unwrap_or(0).saturating_add(self.assumed_spread_us()))
    }

    /// The interarrival jitter of RFC 3550, section 6.4.1, in microseconds.
    #[must_use]
    pub fn jitter_us(&self) -> u64 {
        self.jitter_16_us / 16
    }

    fn extremes(&self) -> Option<(i64, i64)> {
        let windows = || [self.current, self.previous].into_iter().flatten();
        let least_us = windows().map(|window| window.least_us).min()?;
        let most_us = windows().map(|window| window.most_us).max()?;
        Some((least_us, most_us))
    }
}

fn micros(rtp_time: u64) -> i64 {
    let micros = u128::from(rtp_time) * 1_000_000 / u128::from(RTP_CLOCK_HZ);
    i64::try_from(micros).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME_US: u64 = 20_000;

    /// Notes packets `from..to`, each late by what `late_us` says.
    fn note(arrivals: &mut Arrivals, from: u64, to: u64, late_us: impl Fn(u64) -> u64) {
        for n in from..to {
            arrivals.note(n * 960, 5_000_000 + n * FRAME_US + late_us(n));
        }
    }

    #[test]
    fn the_spread_is_that_of_the_last_seconds() {
        let mut arrivals = Arrivals::default();
        note(&mut arrivals, 0, 10, |_| 0);
        assert_eq!((arrivals.spread_us(), arrivals.assumed_spread_us()), (0, ASSUMED_SPREAD_US));
        note(&mut arrivals, 10, 500, |n| if n == 300 { 70_000 } else { n % 3 * 1_000 });
        assert_eq!(arrivals.spread_us(), 70_000);
        assert_eq!(arrivals.latest_us(600 * 960), Some(5_000_000 + 600 * FRAME_US + 70_000));
        note(&mut arrivals, 500, 1_400, |n| n % 3 * 1_000);
        assert_eq!(arrivals.spread_us(), 2_000);
    }

    #[test]
    fn a_new_way_is_learnt_though_it_is_longer() {
        let mut arrivals = Arrivals::default();
        note(&mut arrivals, 0, 200, |_| 0);
        note(&mut arrivals, 200, 1_100, |_| 80_000);
        assert_eq!(arrivals.spread_us(), 0);
        // A pause, and everything before it is forgotten.
        note(&mut arrivals, 5_000, 5_001, |_| 0);
        assert_eq!(arrivals.spread_us(), 0);
    }

    #[test]
    fn jitter_is_the_mean_difference_of_neighbours() {
        let mut arrivals = Arrivals::default();
        note(&mut arrivals, 0, 500, |n| n % 2 * 10_000);
        assert!((9_900..=10_000).contains(&arrivals.jitter_us()), "{}", arrivals.jitter_us());
    }

    #[test]
    fn whatever_a_sender_writes_is_borne() {
        let mut arrivals = Arrivals::default();
        for (rtp_time, now_us) in [(u64::MAX, 0), (0, u64::MAX / 4), (u64::MAX, u64::MAX / 4), (1 << 33, 7)] {
            arrivals.note(rtp_time, now_us);
            let _ = (arrivals.spread_us(), arrivals.jitter_us(), arrivals.latest_us(rtp_time));
        }
    }
}
