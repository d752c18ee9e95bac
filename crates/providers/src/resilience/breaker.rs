//! Whether a provider is asked at all. Time is an argument, so nothing here waits.

use std::collections::VecDeque;
use std::time::Duration;

use serde::Deserialize;
use tokio::time::Instant;

/// When a breaker opens, and for how long.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BreakerConfig {
    /// So many bad outcomes in a row open it.
    pub failures: u32,
    /// Bad outcomes among the last ten that open it.
    pub of_last_ten: u32,
    /// An outcome whose first word or sound took longer is a bad one.
    #[serde(with = "humantime_serde")]
    pub slow: Duration,
    /// How long it is open at first; each failed trial doubles it.
    #[serde(with = "humantime_serde")]
    pub open: Duration,
    /// The longest that it is open, whatever a provider asks for.
    #[serde(with = "humantime_serde")]
    pub longest_open: Duration,
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self {
            failures: 3,
            of_last_ten: 5,
            slow: Duration::from_secs(4),
            open: Duration::from_secs(10),
            longest_open: Duration::from_secs(120),
        }
    }
}

/// What a breaker does with requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// They pass.
    Closed,
    /// They go elsewhere.
    Open,
    /// One is let through to see whether the provider has recovered.
    Trying,
}

/// Counts outcomes and decides.
#[derive(Debug)]
pub struct Breaker {
    config: BreakerConfig,
    state: State,
    /// The last outcomes, true for bad ones.
    recent: VecDeque<bool>,
    in_a_row: u32,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Closed,
    Open { until: Instant, lasting: Duration },
    Trying { lasting: Duration },
}

const REMEMBERED: usize = 10;

impl Breaker {
    /// A closed one.
    #[must_use]
    pub fn new(config: BreakerConfig) -> Self {
        Self { config, state: State::Closed, recent: VecDeque::with_capacity(REMEMBERED), in_a_row: 0 }
    }

    /// What it does at this moment.
    #[must_use]
    pub fn state(&self, now: Instant) -> BreakerState {
        match self.state {
            State::Closed => BreakerState::Closed,
            State::Open { until, .. } if now < until => BreakerState::Open,
            State::Open { .. } | State::Trying { .. } => BreakerState::Trying,
        }
    }

    /// Whether a request may pass. The first one after the time is over is a trial; while it runs no other passes.
    pub fn admits(&mut self, now: Instant) -> bool {
        match self.state {
            State::Closed => true,
            State::Open { until, lasting } if until <= now => {
                self.state = State::Trying { lasting };
                true
            }
            State::Open { .. } | State::Trying { .. } => false,
        }
    }

    /// A request went well.
    pub fn succeeded(&mut self) {
        if matches!(self.state, State::Trying { .. }) {
            self.recent.clear();
            self.state = State::Closed;
        }
        self.in_a_row = 0;
        self.remember(false);
    }

    /// A request failed or was slow. A provider that asked for a pause gets it at once.
    pub fn failed(&mut self, now: Instant, retry_after: Option<Duration>) {
        self.in_a_row += 1;
        self.remember(true);
        let bad = self.recent.iter().filter(|bad| **bad).count();
        let enough = self.in_a_row >= self.config.failures || bad >= self.config.of_last_ten as usize;
        let lasting = match self.state {
            State::Trying { lasting } => lasting * 2,
            State::Closed if enough || retry_after.is_some() => self.config.open,
            // An answer that began before it opened.
            State::Closed | State::Open { .. } => return,
        };
        let lasting = lasting.max(retry_after.unwrap_or_default()).min(self.config.longest_open);
        self.state = State::Open { until: now + lasting, lasting };
    }

    /// A request was called off before anything was known: a trial of it is for the next one.
    pub fn abandoned(&mut self, now: Instant) {
        if let State::Trying { lasting } = self.state {
            self.state = State::Open { until: now, lasting };
        }
    }

    /// An outcome that came too late to be a good one.
    #[must_use]
    pub fn is_slow(&self, took: Duration) -> bool {
        took > self.config.slow
    }

    fn remember(&mut self, bad: bool) {
        if self.recent.len() == REMEMBERED {
            self.recent.pop_front();
        }
        self.recent.push_back(bad);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::{Breaker, BreakerConfig, BreakerState};

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn three_failures_in_a_row_open_it_and_a_good_trial_closes_it() {
        let (mut breaker, begin) = (Breaker::new(BreakerConfig::default()), Instant::now());
        breaker.failed(begin, None);
        breaker.failed(begin, None);
        breaker.succeeded();
        breaker.failed(begin, None);
        breaker.failed(begin, None);
        assert!(breaker.admits(begin), "never three in a row");
        breaker.failed(begin, None);
        assert!(!breaker.admits(begin + 9 * SECOND));
        assert!(breaker.admits(begin + 10 * SECOND), "one is tried");
        assert!(!breaker.admits(begin + 10 * SECOND), "and only one");
        breaker.succeeded();
        assert_eq!(breaker.state(begin + 10 * SECOND), BreakerState::Closed);
    }

    #[test]
    fn each_failed_trial_doubles_the_time_up_to_the_longest() {
        let (mut breaker, mut now) = (Breaker::new(BreakerConfig::default()), Instant::now());
        (0..3).for_each(|_| breaker.failed(now, None));
        for seconds in [10, 20, 40, 80, 120, 120] {
            assert!(!breaker.admits(now + SECOND * seconds - SECOND / 10), "{seconds}");
            now += SECOND * seconds;
            assert!(breaker.admits(now));
            breaker.failed(now, None);
        }
    }

    #[test]
    fn a_provider_that_asks_for_a_pause_gets_it_at_once() {
        let (mut breaker, begin) = (Breaker::new(BreakerConfig::default()), Instant::now());
        breaker.failed(begin, Some(30 * SECOND));
        assert!(!breaker.admits(begin + 29 * SECOND));
        assert!(breaker.admits(begin + 30 * SECOND));
        let mut greedy = Breaker::new(BreakerConfig::default());
        greedy.failed(begin, Some(86_400 * SECOND));
        assert!(greedy.admits(begin + 120 * SECOND), "nobody is left alone for a day");
    }

    #[test]
    fn every_second_outcome_bad_opens_it_too() {
        let (mut breaker, begin) = (Breaker::new(BreakerConfig::default()), Instant::now());
        for _ in 0..4 {
            breaker.failed(begin, None);
            breaker.succeeded();
        }
        assert!(breaker.admits(begin));
        breaker.failed(begin, None);
        assert!(!breaker.admits(begin));
    }

    #[test]
    fn a_trial_that_was_called_off_is_for_the_next_one() {
        let (mut breaker, begin) = (Breaker::new(BreakerConfig::default()), Instant::now());
        (0..3).for_each(|_| breaker.failed(begin, None));
        let later = begin + 10 * SECOND;
        assert!(breaker.admits(later));
        breaker.abandoned(later);
        assert!(breaker.admits(later));
    }
}
