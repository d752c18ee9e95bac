//! Deadlines by name: which comes next, and which are due. Pure; time is an argument.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hash::Hash;
use std::time::Instant;

use rustc_hash::FxHashMap;

/// One deadline for each key. Moving one is cheap: outdated entries stay in the heap and are skipped later.
#[derive(Debug)]
pub(crate) struct Timers<K> {
    heap: BinaryHeap<Reverse<(Instant, K)>>,
    due: FxHashMap<K, Instant>,
}

impl<K: Copy + Eq + Hash + Ord> Timers<K> {
    pub(crate) fn new() -> Self {
        Self { heap: BinaryHeap::new(), due: FxHashMap::default() }
    }

    /// Sets, moves or (with `None`) clears the key's deadline.
    pub(crate) fn set(&mut self, key: K, at: Option<Instant>) {
        let Some(at) = at else {
            self.due.remove(&key);
            return;
        };
        if self.due.insert(key, at) != Some(at) {
            self.heap.push(Reverse((at, key)));
        }
    }

    /// The earliest deadline.
    pub(crate) fn next(&mut self) -> Option<Instant> {
        self.skip_outdated();
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    /// Takes a key whose deadline has passed; its deadline is cleared.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<K> {
        self.skip_outdated();
        let Reverse((at, key)) = *self.heap.peek()?;
        if at > now {
            return None;
        }
        self.heap.pop();
        self.due.remove(&key);
        Some(key)
    }

    fn skip_outdated(&mut self) {
        while let Some(Reverse((at, key))) = self.heap.peek() {
            if self.due.get(key) == Some(at) {
                return;
            }
            self.heap.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn keys_come_due_in_order_and_moved_ones_at_their_new_time() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut timers = Timers::new();
        timers.set('a', Some(at(10)));
        timers.set('b', Some(at(20)));
        timers.set('c', Some(at(5)));
        timers.set('a', Some(at(30)));
        timers.set('c', None);
        assert_eq!(timers.next(), Some(at(20)));
        assert_eq!(timers.pop_due(at(19)), None);
        assert_eq!(timers.pop_due(at(40)), Some('b'));
        assert_eq!(timers.pop_due(at(40)), Some('a'));
        assert_eq!(timers.pop_due(at(40)), None);
        assert_eq!(timers.next(), None);
    }

    #[test]
    fn setting_the_same_time_twice_fires_once() {
        let now = Instant::now();
        let mut timers = Timers::new();
        timers.set(1, Some(now));
        timers.set(1, Some(now));
        assert_eq!(timers.pop_due(now), Some(1));
        assert_eq!(timers.pop_due(now), None);
    }
}
