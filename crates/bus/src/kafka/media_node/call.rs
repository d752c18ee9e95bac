//! A call, as its media node knows it.

use audio::leg::{Clip, FRAME_MS, Memo, ToCaller};
use bytes::Bytes;
use tokio::sync::mpsc::{self, Sender};
use tokio::time::Instant;

use super::Notice;
use super::pump::{Order, Route};
use crate::kafka::delivery::{Delivered, Delivery};
use crate::kafka::fleet::Place;
use crate::kafka::sequence::{Arrival, Sequencer};
use crate::kafka::stats::BusStats;
use crate::kafka::wire::ToMedia;

/// What a pump may be told while it is busy: the sentences of a long answer, and more orchestrators than are tried.
const ORDERS_CAPACITY: usize = 128;

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
    orders: Sender<Order>,
    /// How much of the clip that is being sent has come.
    voiced: Option<(Clip, u32)>,
    /// What its agent has said for when nobody can be reached.
    pub(super) notice: Option<Notice>,
}

impl Call {
    /// A call, and where its pump hears who holds it and what is said.
    pub(super) fn new(to_caller: Sender<ToCaller>, place: Place, now: Instant) -> (Self, mpsc::Receiver<Order>) {
        let (orders, told) = mpsc::channel(ORDERS_CAPACITY);
        let to_caller = Some(Delivery::new(to_caller));
        let records = Sequencer::default();
        let (taken, was_held, orphaned, voiced, notice) = (false, false, None, None, None);
        let (epoch, placed_at, offers) = (0, now, 1);
        let call = Self {
            place,
            epoch,
            taken,
            placed_at,
            offers,
            was_held,
            orphaned,
            to_caller,
            records,
            orders,
            voiced,
            notice,
        };
        (call, told)
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

    /// Plays packets of the agent's voice to the caller.
    pub(super) fn voice(&mut self, clip: Clip, payloads: Vec<Bytes>, stats: &BusStats) {
        let before = self.voiced.filter(|(voiced, _)| *voiced == clip).map_or(0, |(_, packets)| packets);
        self.voiced = Some((clip, before + u32::try_from(payloads.len()).unwrap_or(u32::MAX)));
        for payload in payloads {
            self.deliver(ToCaller::Voice { clip, payload }, stats);
        }
    }

    /// What the agent says beside its voice.
    pub(super) fn said(&mut self, said: ToCaller, stats: &BusStats) {
        let note = match &said {
            ToCaller::Keep(Memo::Notice(packets)) => {
                self.notice = Some(Notice(packets.clone()));
                None
            }
            ToCaller::Keep(memo) => Some(Order::Keep(memo.clone())),
            ToCaller::EndOfClip(clip) => {
                let packets = self.voiced.take_if(|(voiced, _)| voiced == clip).map(|(_, packets)| packets);
                packets.map(|packets| Order::Duration(*clip, packets * FRAME_MS))
            }
            ToCaller::Voice { .. }
            | ToCaller::Flush
            | ToCaller::Hold
            | ToCaller::Resume
            | ToCaller::Message(_)
            | ToCaller::Hangup => None,
        };
        // One that does not fit costs words of a record, should this orchestrator die, and nothing else.
        let _ = note.map(|note| self.orders.try_send(note));
        if !matches!(said, ToCaller::Keep(_)) {
            self.deliver(said, stats);
        }
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
        if self.orders.try_send(Order::Turn(Route { place, epoch: self.epoch, flushed: before })).is_err() {
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
