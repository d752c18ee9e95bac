//! A call, as its orchestrator's node knows it.

use audio::leg::{EndReason, FromCaller};
use tokio::sync::mpsc::Sender;
use tokio::time::Instant;

use crate::kafka::delivery::{Delivered, Delivery};
use crate::kafka::node_id::NodeId;
use crate::kafka::sequence::{Arrival, Sequencer};
use crate::kafka::stats::BusStats;
use crate::kafka::wire::{Header, ToAgent};

/// A call.
pub(super) struct Call {
    /// The media node that holds the caller.
    pub(super) media: NodeId,
    /// How often the call had been given to an orchestrator before.
    pub(super) epoch: u32,
    /// The agent let go of it.
    pub(super) agent_gone: bool,
    /// None once the caller is gone.
    to_agent: Option<Delivery<FromCaller>>,
    /// Audio that came too late leaves only its number.
    records: Sequencer<Option<ToAgent>>,
}

impl Call {
    pub(super) fn new(media: NodeId, epoch: u32, to_agent: Sender<FromCaller>) -> Self {
        let mut records = Sequencer::default();
        // The announcement.
        records.skip_first();
        Self { media, epoch, agent_gone: false, to_agent: Some(Delivery::new(to_agent)), records }
    }

    /// Whether a record belongs to it.
    pub(super) fn is_of(&self, header: &Header) -> bool {
        self.media == header.from && self.epoch == header.epoch
    }

    /// Takes a record in; none for one that came too late.
    pub(super) fn arrived(&mut self, sequence: u64, body: Option<ToAgent>, stats: &BusStats) {
        if self.records.push(sequence, body) == Arrival::Duplicate {
            stats.duplicates(1);
        }
    }

    /// Tells the agent what has come in, in order.
    pub(super) fn read(&mut self, now: Instant, stats: &BusStats) {
        while let Some(record) = self.records.pop(now) {
            match record {
                Some(ToAgent::Caller(event)) => self.deliver(event, stats),
                Some(ToAgent::Closed) => self.to_agent = None,
                // The node has dealt with these.
                Some(ToAgent::Announce { .. } | ToAgent::Superseded) | None => {}
            }
        }
        stats.missing(self.records.take_missing());
    }

    /// The caller is gone, or somebody else's.
    pub(super) fn end(&mut self, reason: EndReason, stats: &BusStats) {
        self.deliver(FromCaller::Ended(reason), stats);
        self.to_agent = None;
    }

    /// Hands over what waits.
    pub(super) fn flush(&mut self) {
        if self.to_agent.as_mut().is_some_and(|to_agent| to_agent.flush() == Delivered::Gone) {
            self.to_agent = None;
        }
    }

    /// Whether records wait behind a gap.
    pub(super) fn is_waiting(&self) -> bool {
        self.records.is_waiting()
    }

    /// Whether nothing more can happen in it.
    pub(super) fn is_done(&self) -> bool {
        self.agent_gone && self.to_agent.is_none()
    }

    fn deliver(&mut self, event: FromCaller, stats: &BusStats) {
        match self.to_agent.as_mut().map(|to_agent| to_agent.push(event)) {
            Some(Delivered::Kept) | None => {}
            Some(Delivered::Dropped) => stats.overflowed(1),
            Some(Delivered::Gone) => self.to_agent = None,
        }
    }
}
