//! A call, as its media node knows it.

use audio::leg::ToCaller;
use tokio::sync::mpsc::{self, Sender};
use tokio::time::Instant;

use super::pump::Route;
use crate::kafka::delivery::{Delivered, Delivery};
use crate::kafka::fleet::Place;
use crate::kafka::sequence::{Arrival, Sequencer};
use crate::kafka::stats::BusStats;
use crate::kafka::wire::ToMedia;

/// Orchestrators that a call may be given to while its pump is busy: more than are tried.
const ROUTES_CAPACITY: usize = 16;

/// A call.
pub(super) struct Call {
    /// The orchestrator that holds it.
    pub(super) place: Place,
    /// How often it has been given to one before.
    pub(super) epoch: u32,
    /// Whether that orchestrator said so.
    pub(super) taken: bool,
    /// When it was given to it.
    pub(super) placed_at: Instant,
    /// Orchestrators in a row that did not take it.
    pub(super) offers: u32,
    /// Whether any orchestrator ever took it.
    was_held: bool,
    /// Since when nobody holds it who did, and nobody else can.
    pub(super) orphaned: Option<Instant>,
    /// None once the agent let go.
    to_caller: Option<Delivery<ToCaller>>,
    records: Sequencer<ToMedia>,
    routes: Sender<Route>,
}

impl Call {
    /// A call, and where its pump hears who holds it.
    pub(super) fn new(to_caller: Sender<ToCaller>, place: Place, now: Instant) -> (Self, mpsc::Receiver<Route>) {
        let (routes, changes) = mpsc::channel(ROUTES_CAPACITY);
        let to_caller = Some(Delivery::new(to_caller));
        let records = Sequencer::default();
        let (taken, was_held, orphaned) = (false, false, None);
        let call =
            Self { place, epoch: 0, taken, placed_at: now, offers: 1, was_held, orphaned, to_caller, records, routes };
        (call, changes)
    }

    /// Takes a record of its orchestrator in.
    pub(super) fn arrived(&mut self, sequence: u64, body: ToMedia, stats: &BusStats) {
        if self.records.push(sequence, body) == Arrival::Duplicate {
            stats.duplicates(1);
        }
    }

    /// The next record whose turn it is.
    pub(super) fn next(&mut self, now: Instant) -> Option<ToMedia> {
        self.records.pop(now)
    }

    /// Records that never came, since this was last asked.
    pub(super) fn take_missing(&mut self) -> u64 {
        self.records.take_missing()
    }

    /// Says something to the caller.
    pub(super) fn deliver(&mut self, said: ToCaller, stats: &BusStats) {
        match self.to_caller.as_mut().map(|to_caller| to_caller.push(said)) {
            Some(Delivered::Kept) | None => {}
            Some(Delivered::Dropped) => stats.overflowed(1),
            Some(Delivered::Gone) => self.let_go(),
        }
    }

    /// The agent is done: media hangs up once it has read what is on its way.
    pub(super) fn let_go(&mut self) {
        self.to_caller = None;
    }

    /// Whether an agent still speaks in it.
    pub(super) fn has_agent(&self) -> bool {
        self.to_caller.is_some()
    }

    /// Its orchestrator has it.
    pub(super) fn take(&mut self) {
        self.taken = true;
        self.was_held = true;
    }

    /// Nobody can take it now. False when nobody ever has: then there is nothing to wait for.
    pub(super) fn wait_for_a_place(&mut self, now: Instant, stats: &BusStats) -> bool {
        if self.was_held && self.orphaned.is_none() {
            self.orphaned = Some(now);
            self.taken = false;
            self.epoch += 1;
            self.deliver(ToCaller::Flush, stats);
        }
        self.was_held
    }

    /// Another orchestrator holds it from now on. Whatever the one before left to be played is dropped.
    pub(super) fn give_to(&mut self, place: Place, now: Instant, stats: &BusStats) {
        let before = self.orphaned.take().is_some() || self.taken;
        self.offers = if before { 1 } else { self.offers + 1 };
        self.taken = false;
        self.place = place;
        self.epoch += 1;
        self.placed_at = now;
        self.records = Sequencer::default();
        if before {
            self.deliver(ToCaller::Flush, stats);
        }
        // The pump reads at once, and there is room for more than are ever tried.
        if self.routes.try_send(Route { place, epoch: self.epoch, flushed: before }).is_err() {
            self.let_go();
        }
    }

    /// Hands over what waits.
    pub(super) fn flush(&mut self) {
        if self.to_caller.as_mut().is_some_and(|to_caller| to_caller.flush() == Delivered::Gone) {
            self.let_go();
        }
    }

    /// Whether records wait behind a gap.
    pub(super) fn is_waiting(&self) -> bool {
        self.records.is_waiting()
    }
}
