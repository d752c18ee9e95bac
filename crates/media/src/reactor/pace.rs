//! How often the thread comes around: with many calls, once a millisecond or two for all that has come meanwhile.
//!
//! Coming around for each packet costs more than resting does, and most where calls are few enough that the thread
//! falls asleep between packets: 100 conversations needed 1.5 ms/s of the server's processor time each without any rest,
//! 1.4 with a tick of 1 ms and 1.1 with 2 ms (docs/decisions/media-workers.md). Whoever shakes hands is served at once,
//! since each of its packets waits for the one before.

use std::time::{Duration, Instant};

/// The shortest time from one round to the next. A call waits for half of it on average, and only if another one was
/// served just before.
const TICK: Duration = Duration::from_millis(1);
/// The same where calls are many.
const LONG_TICK: Duration = Duration::from_millis(2);
/// So many calls are many.
const MANY_CALLS: usize = 50;
/// How long after the last sign of a handshake there is no resting. On longer ways a millisecond is not noticed.
const HURRY: Duration = Duration::from_millis(50);

/// When the next round may begin.
#[derive(Debug)]
pub(super) struct Pace {
    round_began: Instant,
    hurry_until: Instant,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self { round_began: now, hurry_until: now }
    }

    pub(super) fn round_begins(&mut self, now: Instant) {
        self.round_began = now;
    }

    /// Somebody is about to connect.
    pub(super) fn hurry(&mut self, now: Instant) {
        self.hurry_until = now + HURRY;
    }

    /// How long to rest before looking for packets.
    pub(super) fn rest(&self, calls: usize, now: Instant) -> Option<Duration> {
        if now < self.hurry_until {
            return None;
        }
        let tick = if calls < MANY_CALLS { TICK } else { LONG_TICK };
        let rest = (self.round_began + tick).saturating_duration_since(now);
        (!rest.is_zero()).then_some(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_are_a_tick_apart_except_beside_a_handshake() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        assert_eq!(pace.rest(1, start + TICK / 4), Some(TICK * 3 / 4));
        assert_eq!(pace.rest(1, start + TICK), None);
        assert_eq!(pace.rest(MANY_CALLS, start + TICK), Some(LONG_TICK - TICK));
        pace.hurry(start);
        assert_eq!(pace.rest(MANY_CALLS, start), None);
        let later = start + HURRY;
        pace.round_begins(later);
        assert_eq!(pace.rest(1, later), Some(TICK));
    }
}
