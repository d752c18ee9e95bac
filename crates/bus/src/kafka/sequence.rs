//! Puts the records of one session and direction in order: duplicates go, a gap is waited for, but not for long.
//!
//! A producer keeps order by itself (one request under way at a time) and repeats only what it believes lost, so gaps are
//! rare: a broker that died with records which no other had.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

/// How long a gap holds up what is behind it: as long as a repeated request takes, and less than a person notices.
const MAX_WAIT: Duration = Duration::from_millis(100);
/// Records that may wait behind a gap: more than come in [`MAX_WAIT`] (5 of audio, and what else happens).
const MAX_HELD: usize = 64;

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// It may be read, now or after those before it.
    Kept,
    /// It came before, or its place was given up.
    Duplicate,
}

/// Records by number.
#[derive(Debug)]
pub(crate) struct Sequencer<T> {
    next: u64,
    held: BTreeMap<u64, T>,
    waiting_since: Option<Instant>,
    missing: u64,
}

impl<T> Default for Sequencer<T> {
    fn default() -> Self {
        Self { next: 0, held: BTreeMap::new(), waiting_since: None, missing: 0 }
    }
}

impl<T> Sequencer<T> {
    /// Takes a record in.
    pub(crate) fn push(&mut self, sequence: u64, record: T) -> Arrival {
        if sequence < self.next || self.held.contains_key(&sequence) {
            return Arrival::Duplicate;
        }
        self.held.insert(sequence, record);
        Arrival::Kept
    }

    /// The first record has been read otherwise.
    pub(crate) fn skip_first(&mut self) {
        self.next = self.next.max(1);
    }

    /// The next record whose turn it is.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<T> {
        let (&first, _) = self.held.first_key_value()?;
        if first > self.next {
            let since = *self.waiting_since.get_or_insert(now);
            if now.duration_since(since) < MAX_WAIT && self.held.len() < MAX_HELD {
                return None;
            }
            self.missing += first - self.next;
        }
        self.waiting_since = None;
        self.next = first + 1;
        self.held.pop_first().map(|(_, record)| record)
    }

    /// Whether records wait behind a gap.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.held.is_empty()
    }

    /// Records that never came, since this was last asked.
    pub(crate) fn take_missing(&mut self) -> u64 {
        std::mem::take(&mut self.missing)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::{Arrival, MAX_HELD, MAX_WAIT, Sequencer};

    fn drain(records: &mut Sequencer<u64>, now: Instant) -> Vec<u64> {
        std::iter::from_fn(|| records.pop(now)).collect()
    }

    fn pushed(sequences: &[u64]) -> Sequencer<u64> {
        let mut records = Sequencer::default();
        for &sequence in sequences {
            records.push(sequence, sequence);
        }
        records
    }

    #[tokio::test]
    async fn swapped_records_come_out_in_order() {
        let mut records = pushed(&[1, 0, 3, 2]);
        assert_eq!(drain(&mut records, Instant::now()), [0, 1, 2, 3]);
        assert_eq!(records.take_missing(), 0);
    }

    #[tokio::test]
    async fn a_record_comes_out_once() {
        let mut records = pushed(&[0, 0, 1]);
        assert_eq!(drain(&mut records, Instant::now()), [0, 1]);
        assert_eq!(records.push(1, 1), Arrival::Duplicate);
        assert!(drain(&mut records, Instant::now()).is_empty());
    }

    #[tokio::test]
    async fn a_gap_is_given_up_after_its_time_and_its_record_does_not_come_late() {
        let mut records = pushed(&[0, 2]);
        let start = Instant::now();
        assert_eq!(drain(&mut records, start), [0]);
        assert!(drain(&mut records, start + MAX_WAIT / 2).is_empty());
        assert!(records.is_waiting());
        assert_eq!(drain(&mut records, start + MAX_WAIT), [2]);
        assert_eq!(records.take_missing(), 1);
        assert_eq!(records.push(1, 1), Arrival::Duplicate);
    }

    #[tokio::test]
    async fn a_gap_does_not_hold_more_than_its_limit() {
        let behind: Vec<u64> = (1..=MAX_HELD as u64).collect();
        let mut records = pushed(&behind);
        assert_eq!(drain(&mut records, Instant::now()), behind);
        assert_eq!(records.take_missing(), 1);
    }
}
