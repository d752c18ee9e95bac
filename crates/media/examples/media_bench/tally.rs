//! Counts of what came, what came late and what never came.

use std::ops::Sub;
use std::time::{SystemTime, UNIX_EPOCH};

/// A packet that takes so much longer than the quickest one of its voice is late: the length of a frame.
const LATE_NS: i64 = 20_000_000;

/// Counts over one direction.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) received: u64,
    pub(crate) late: u64,
    pub(crate) missing: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Self) {
        self.received += other.received;
        self.late += other.late;
        self.missing += other.missing;
    }
}

impl Sub for Tally {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            received: self.received - earlier.received,
            late: self.late - earlier.late,
            // A packet that overtook others made them missing until they came.
            missing: self.missing.saturating_sub(earlier.missing),
        }
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let all = (self.received + self.missing).max(1) as f64;
        let percent = |count: u64| count as f64 / all * 100.0;
        write!(
            f,
            "{} packets, late (> 20 ms) {} = {:.3} %, missing {} = {:.3} %",
            self.received,
            self.late,
            percent(self.late),
            self.missing,
            percent(self.missing)
        )
    }
}

/// How long packets of one voice take, against its quickest one. Both clocks may start anywhere.
#[derive(Debug, Default)]
pub(crate) struct Transit {
    quickest_ns: Option<i64>,
}

impl Transit {
    pub(crate) fn is_late(&mut self, sent_ns: i64, arrived_ns: i64) -> bool {
        let transit = arrived_ns - sent_ns;
        let quickest = self.quickest_ns.map_or(transit, |quickest| quickest.min(transit));
        self.quickest_ns = Some(quickest);
        transit - quickest > LATE_NS
    }
}

/// The wall clock: the kernel stamps packets with it, and all processes share it.
pub(crate) fn wall_ns() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as i64)
}

/// Prints the middle and the ends of a distribution.
pub(crate) fn print_times(what: &str, times_ms: &mut [f64]) {
    times_ms.sort_by(f64::total_cmp);
    let at = |share: f64| times_ms[((times_ms.len() - 1) as f64 * share) as usize];
    println!(
        "{what}: n {} p50 {:.3} p90 {:.3} p99 {:.3} max {:.3} ms",
        times_ms.len(),
        at(0.5),
        at(0.9),
        at(0.99),
        at(1.0)
    );
}
