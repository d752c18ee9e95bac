//! Whether calls are taken: not while models load, not while the server stops, and not while nobody can answer them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use bus::kafka::BusState;
use tokio::sync::watch;

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

/// Why calls are not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unready {
    /// The models are being loaded.
    Loading,
    /// The server stops.
    Stopping,
    /// The bus is down.
    BusDown,
    /// No agent has room.
    Full,
}

/// What tells of the bus between machines.
#[derive(Debug, Clone)]
pub(crate) struct BusWatch {
    /// Whether records come through.
    pub state: watch::Receiver<BusState>,
    /// New calls that there is room for; only media knows.
    pub room: Option<watch::Receiver<u32>>,
}

/// Whether calls are taken, shared by all that ask.
#[derive(Debug, Clone, Default)]
pub(crate) struct Readiness {
    stage: Arc<AtomicU8>,
    bus: Option<BusWatch>,
}

impl Readiness {
    /// Calls depend on this bus as well.
    pub(crate) fn over(bus: Option<BusWatch>) -> Self {
        Self { stage: Arc::default(), bus }
    }

    /// Why calls are not taken now; none when they are.
    pub(crate) fn unready(&self) -> Option<Unready> {
        match self.stage() {
            Stage::Loading => return Some(Unready::Loading),
            Stage::Stopping => return Some(Unready::Stopping),
            Stage::Ready => {}
        }
        let bus = self.bus.as_ref()?;
        if *bus.state.borrow() == BusState::Down {
            return Some(Unready::BusDown);
        }
        bus.room.as_ref().is_some_and(|room| *room.borrow() == 0).then_some(Unready::Full)
    }

    /// The stage now.
    fn stage(&self) -> Stage {
        match self.stage.load(Ordering::Acquire) {
            0 => Stage::Loading,
            1 => Stage::Ready,
            _ => Stage::Stopping,
        }
    }

    /// Goes forward; a stage that was passed does not come back.
    pub(crate) fn reach(&self, stage: Stage) {
        self.stage.fetch_max(stage as u8, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use bus::kafka::BusState;
    use tokio::sync::watch;

    use super::{BusWatch, Readiness, Stage, Unready};

    #[test]
    fn a_server_that_stops_while_it_loads_never_becomes_ready() {
        let readiness = Readiness::default();
        assert_eq!(readiness.unready(), Some(Unready::Loading));
        readiness.reach(Stage::Stopping);
        readiness.reach(Stage::Ready);
        assert_eq!(readiness.unready(), Some(Unready::Stopping));
    }

    #[test]
    fn a_media_server_needs_the_bus_and_somebody_with_room() {
        let ((state, states), (room, rooms)) = (watch::channel(BusState::Down), watch::channel(0));
        let readiness = Readiness::over(Some(BusWatch { state: states, room: Some(rooms) }));
        readiness.reach(Stage::Ready);
        assert_eq!(readiness.unready(), Some(Unready::BusDown));
        state.send_replace(BusState::Up);
        assert_eq!(readiness.unready(), Some(Unready::Full));
        room.send_replace(1);
        assert_eq!(readiness.unready(), None);
    }
}
