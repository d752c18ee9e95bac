//! The table of deadlines. Asking for the next one also tells why.

use crate::Timestamp;

/// Why the engine waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Timer {
    /// The silence becomes the end of the turn.
    Endpoint,
    /// The words of a decided turn are overdue.
    Words,
    /// An answer's first audio is overdue.
    Reply,
    /// The word that a flush took effect is overdue.
    Flush,
    /// Audio that was made should have been played by now.
    Playout,
    /// The voice was held long enough for words that do not come.
    Overlap,
    /// Tools have run in silence for a while.
    Filler,
    /// A tool's result is overdue.
    Tools,
    /// Nobody has spoken for a while.
    Idle,
    /// The conversation has lasted long enough.
    Limit,
    /// No further key was pressed.
    Digits,
}

const TIMERS: [Timer; 11] = [
    Timer::Endpoint,
    Timer::Words,
    Timer::Reply,
    Timer::Flush,
    Timer::Playout,
    Timer::Overlap,
    Timer::Filler,
    Timer::Tools,
    Timer::Idle,
    Timer::Limit,
    Timer::Digits,
];

/// One optional deadline for each [`Timer`].
#[derive(Debug, Clone, Default)]
pub(crate) struct TimerTable {
    deadlines: [Option<Timestamp>; TIMERS.len()],
}

impl TimerTable {
    pub(crate) fn arm(&mut self, timer: Timer, at: Timestamp) {
        self.deadlines[timer as usize] = Some(at);
    }

    pub(crate) fn disarm(&mut self, timer: Timer) {
        self.deadlines[timer as usize] = None;
    }

    pub(crate) fn is_armed(&self, timer: Timer) -> bool {
        self.deadlines[timer as usize].is_some()
    }

    pub(crate) fn disarm_all(&mut self) {
        self.deadlines = Default::default();
    }

    /// Takes the deadline away if it is due; false for one that was disarmed or moved meanwhile.
    pub(crate) fn take_due(&mut self, timer: Timer, now: Timestamp) -> bool {
        let due = self.deadlines[timer as usize].is_some_and(|at| at <= now);
        if due {
            self.disarm(timer);
        }
        due
    }

    pub(crate) fn next(&self) -> Option<(Timestamp, Timer)> {
        TIMERS.iter().filter_map(|&timer| Some((self.deadlines[timer as usize]?, timer))).min_by_key(|&(at, _)| at)
    }
}
