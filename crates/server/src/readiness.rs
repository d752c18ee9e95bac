//! Whether calls are taken: not while models load, and not while the server stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// Where the server stands between start and stop. Stages only go forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// The models are being loaded.
    Loading,
    /// Calls are taken.
    Ready,
    /// Calls are no longer taken.
    Stopping,
}

/// The stage, shared by all that ask.
#[derive(Debug, Clone, Default)]
pub(crate) struct Readiness(Arc<AtomicU8>);

impl Readiness {
    /// The stage now.
    pub(crate) fn stage(&self) -> Stage {
        match self.0.load(Ordering::Acquire) {
            0 => Stage::Loading,
            1 => Stage::Ready,
            _ => Stage::Stopping,
        }
    }

    /// Goes forward; a stage that was passed does not come back.
    pub(crate) fn reach(&self, stage: Stage) {
        self.0.fetch_max(stage as u8, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::{Readiness, Stage};

    #[test]
    fn a_server_that_stops_while_it_loads_never_becomes_ready() {
        let readiness = Readiness::default();
        assert_eq!(readiness.stage(), Stage::Loading);
        readiness.reach(Stage::Stopping);
        readiness.reach(Stage::Ready);
        assert_eq!(readiness.stage(), Stage::Stopping);
    }
}
