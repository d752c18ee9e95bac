//! Faults that a test schedules: what goes wrong, where in the answer, and in which request.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::refusal::Refusal;
use super::route::Route;

/// What goes wrong with one answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// How many pieces of the answer (chunks of a body, messages of a stream) go out first. With 0 it goes wrong
    /// before the first byte. An answer with fewer pieces stays whole.
    pub after: usize,
    /// What happens then.
    pub trouble: Trouble,
}

/// What can happen to an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Trouble {
    /// The vendor answers with an error; after the first byte, as that vendor reports one in mid-stream.
    Error(Refusal),
    /// The TCP connection is reset, with all that runs on it.
    Reset,
    /// Nothing comes for this long, then it goes on.
    Stall(Duration),
    /// Nothing comes any more, while the connection stays open.
    Silence,
    /// The answer ends early but cleanly: no finish reason, no gRPC status.
    Cut,
    /// One piece is damaged: half a JSON text, or bytes that are no message. The rest follows.
    Garbage,
    /// The connection takes no new requests (HTTP/2 GOAWAY, HTTP/1.1 close); this answer is completed.
    GoAway,
    /// The rest comes byte by byte, this far apart.
    Drip(Duration),
}

impl Fault {
    /// It goes wrong before the first byte.
    #[must_use]
    pub fn at_once(trouble: Trouble) -> Self {
        Self { after: 0, trouble }
    }

    /// It goes wrong after this many pieces of the answer.
    #[must_use]
    pub fn after(pieces: usize, trouble: Trouble) -> Self {
        Self { after: pieces, trouble }
    }
}

/// The faults to come.
#[derive(Debug, Default)]
pub(super) struct Faults(Mutex<Vec<Scheduled>>);

/// Which requests of a route something happens to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hits {
    /// The first one, counted from now with 1.
    pub(super) first: u32,
    /// From one to the next.
    pub(super) every: u32,
    /// How many.
    pub(super) times: u32,
}

#[derive(Debug)]
struct Scheduled {
    route: Route,
    /// Requests of the route that stay whole before it.
    skip: u32,
    hits: Hits,
    fault: Fault,
}

impl Faults {
    pub(super) fn schedule(&self, route: Route, hits: Hits, fault: Fault) {
        self.scheduled().push(Scheduled { route, skip: hits.first.saturating_sub(1), hits, fault });
    }

    /// Forgets all faults to come.
    pub(super) fn clear(&self) {
        self.scheduled().clear();
    }

    /// Counts a request; gives what shall happen to it. Of several faults that are due the first one scheduled wins.
    pub(super) fn take(&self, route: Route) -> Option<Fault> {
        let mut scheduled = self.scheduled();
        let mut due = None;
        for entry in scheduled.iter_mut().filter(|entry| entry.route == route) {
            if entry.skip > 0 {
                entry.skip -= 1;
            } else if due.is_none() && entry.hits.times > 0 {
                entry.hits.times -= 1;
                entry.skip = entry.hits.every.saturating_sub(1);
                due = Some(entry.fault.clone());
            }
        }
        scheduled.retain(|entry| entry.hits.times > 0);
        due
    }

    fn scheduled(&self) -> MutexGuard<'_, Vec<Scheduled>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, Faults, Hits, Trouble};
    use crate::emulator::Route;

    #[test]
    fn a_fault_hits_the_request_that_it_is_meant_for() {
        let faults = Faults::default();
        faults.schedule(Route::OpenAiChat, Hits { first: 2, every: 1, times: 1 }, Fault::at_once(Trouble::Cut));
        faults.schedule(Route::OpenAiChat, Hits { first: 3, every: 2, times: 2 }, Fault::at_once(Trouble::Reset));
        assert_eq!(faults.take(Route::GeminiStream), None);
        let hit: Vec<_> = (0..6).map(|_| faults.take(Route::OpenAiChat).map(|fault| fault.trouble)).collect();
        assert_eq!(hit, [None, Some(Trouble::Cut), Some(Trouble::Reset), None, Some(Trouble::Reset), None]);
    }
}
