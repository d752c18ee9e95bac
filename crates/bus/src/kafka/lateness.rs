//! How late a record is, between machines whose clocks disagree.
//!
//! The fastest record of a sender in the last minute tells the difference of the clocks (and the least time of travel);
//! a record is late by what it took longer. So no clock need be right, only steady.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::kafka::node_id::NodeId;

/// Half of the time after which a fastest record is forgotten: clocks drift by less than 2 ms in it.
const WINDOW: Duration = Duration::from_secs(30);

/// The fastest record of a sender: its clock difference, now and in the window before.
#[derive(Debug)]
struct Fastest {
    now: i64,
    before: i64,
    since: Instant,
}

/// All senders.
#[derive(Debug, Default)]
pub(crate) struct Lateness {
    senders: HashMap<NodeId, Fastest>,
}

impl Lateness {
    /// How much longer than the fastest a record took.
    pub(crate) fn of(&mut self, now: Instant, from: NodeId, sent_us: u64, received_us: u64) -> Duration {
        let difference = received_us.cast_signed().wrapping_sub(sent_us.cast_signed());
        let fastest = self.senders.entry(from).or_insert(Fastest { now: difference, before: difference, since: now });
        if now.duration_since(fastest.since) > WINDOW {
            *fastest = Fastest { now: difference, before: fastest.now, since: now };
        }
        fastest.now = fastest.now.min(difference);
        let least = fastest.now.min(fastest.before);
        Duration::from_micros(difference.wrapping_sub(least).max(0).cast_unsigned())
    }

    /// Forgets a sender that is gone.
    pub(crate) fn forget(&mut self, node: NodeId) {
        self.senders.remove(&node);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::{Lateness, NodeId, WINDOW};

    const SENDER: NodeId = NodeId(1);

    #[tokio::test]
    async fn clocks_that_disagree_make_nothing_late() {
        let mut lateness = Lateness::default();
        let now = Instant::now();
        // The sender's clock is an hour ahead.
        let ahead = 3_600_000_000;
        assert_eq!(lateness.of(now, SENDER, ahead + 1_000, 2_000), Duration::ZERO);
        assert_eq!(lateness.of(now, SENDER, ahead + 2_000, 5_000), Duration::from_micros(2_000));
    }

    #[tokio::test]
    async fn a_clock_that_is_set_back_is_believed_after_two_windows() {
        let mut lateness = Lateness::default();
        let start = Instant::now();
        assert_eq!(lateness.of(start, SENDER, 10_000_000, 10_000_000), Duration::ZERO);
        let mut late = Duration::MAX;
        for window in 1_u32..=3 {
            late = lateness.of(start + (WINDOW + Duration::from_secs(1)) * window, SENDER, 0, 10_000_000);
        }
        assert_eq!(late, Duration::ZERO);
    }
}
