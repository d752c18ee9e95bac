//! Which nodes live, and which orchestrator takes a new call: decided from what the nodes say of themselves.
//!
//! Every node also reads its own words. While those do not come back the bus is down, and silence says nothing about the
//! others; only with the bus up is a silent node a dead one.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::kafka::node_id::NodeId;
use crate::kafka::wire::{Role, Status};

/// How often a node says that it lives.
pub(crate) const BEAT: Duration = Duration::from_millis(200);
/// A node that is silent for seven beats is dead: long enough for a pause of a busy machine, short enough that somebody
/// else answers the caller within three seconds.
const DEAD_AFTER: Duration = Duration::from_millis(1_500);
/// The bus is down when four own beats did not come back; before any other node is taken for dead.
const DOWN_AFTER: Duration = Duration::from_millis(1_000);
/// An orchestrator with less than a tenth of its processors left takes no more calls.
const FULL_PERMILLE: u32 = 900;

/// Addresses that are remembered: more than there are nodes, and those that were restarted lately.
const MAX_ADDRESSES: usize = 4_096;

/// Whether records come through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BusState {
    /// Not yet, or no more.
    Down,
    /// Records come through.
    Up,
}

#[derive(Debug)]
struct Seen {
    status: Status,
    last: Instant,
    /// Calls given to it that it has not taken yet.
    promised: u32,
    /// When, by its own clock, it took the calls that its own count does not show yet.
    settling: Vec<u64>,
}

/// All nodes that are heard.
#[derive(Debug)]
pub(crate) struct Fleet {
    own: NodeId,
    nodes: HashMap<NodeId, Seen>,
    /// Where each reads, also those that were taken for dead and may speak again.
    addresses: HashMap<NodeId, i32>,
    last_echo: Option<Instant>,
    up_since: Option<Instant>,
}

/// An orchestrator that was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// Who.
    pub(crate) node: NodeId,
    /// The partition of `audio-in` that it reads.
    pub(crate) partition: i32,
}

impl Fleet {
    pub(crate) fn new(own: NodeId) -> Self {
        Self { own, nodes: HashMap::new(), addresses: HashMap::new(), last_echo: None, up_since: None }
    }

    /// A node has said something of itself. True when it is gone by its own word.
    pub(crate) fn heard(&mut self, now: Instant, status: Status) -> bool {
        if status.node == self.own {
            self.last_echo = Some(now);
            self.up_since.get_or_insert(now);
            return false;
        }
        if self.addresses.len() >= MAX_ADDRESSES {
            self.addresses.clear();
        }
        self.addresses.insert(status.node, status.partition);
        if status.stopped {
            return self.nodes.remove(&status.node).is_some();
        }
        let new = || Seen { status, last: now, promised: 0, settling: Vec::new() };
        let seen = self.nodes.entry(status.node).or_insert_with(new);
        seen.settling.retain(|taken_us| *taken_us > status.sent_us);
        seen.status = status;
        seen.last = now;
        false
    }

    /// Looks at the time: the state of the bus.
    pub(crate) fn state(&mut self, now: Instant) -> BusState {
        match self.last_echo {
            Some(last) if now.duration_since(last) < DOWN_AFTER => BusState::Up,
            _ => {
                self.up_since = None;
                BusState::Down
            }
        }
    }

    /// Takes out the nodes that died. None while the bus is down.
    pub(crate) fn take_dead(&mut self, now: Instant) -> Vec<NodeId> {
        if self.state(now) == BusState::Down {
            return Vec::new();
        }
        let Some(up_since) = self.up_since else { return Vec::new() };
        let is_dead = |seen: &Seen| now.duration_since(seen.last.max(up_since)) > DEAD_AFTER;
        let dead: Vec<NodeId> = self.nodes.iter().filter(|(_, seen)| is_dead(seen)).map(|(node, _)| *node).collect();
        for node in &dead {
            self.nodes.remove(node);
        }
        dead
    }

    /// Chooses the orchestrator with the most room, by its own measure, and promises it the call.
    pub(crate) fn place(&mut self, except: Option<NodeId>) -> Option<Place> {
        let candidates = self.nodes.iter_mut().filter(|(node, seen)| Some(**node) != except && seen.room() > 0);
        let (node, seen) = candidates.min_by_key(|(node, seen)| (seen.load_permille(), **node))?;
        seen.promised += 1;
        Some(Place { node: *node, partition: seen.status.partition })
    }

    /// New calls that all orchestrators together have room for.
    pub(crate) fn room(&self) -> u32 {
        self.nodes.values().map(Seen::room).fold(0, u32::saturating_add)
    }

    /// A node has taken a call that was promised to it, at that time by its own clock.
    pub(crate) fn taken(&mut self, node: NodeId, taken_us: u64) {
        self.forget_promise(node);
        if let Some(seen) = self.nodes.get_mut(&node).filter(|seen| seen.status.sent_us < taken_us) {
            seen.settling.push(taken_us);
        }
    }

    /// A node gave a call up: it stops.
    pub(crate) fn drains(&mut self, node: NodeId) {
        if let Some(seen) = self.nodes.get_mut(&node) {
            seen.status.draining = true;
        }
    }

    /// Takes back a promise that was not accepted.
    pub(crate) fn forget_promise(&mut self, node: NodeId) {
        if let Some(seen) = self.nodes.get_mut(&node) {
            seen.promised = seen.promised.saturating_sub(1);
        }
    }

    /// Where a node reads, or read.
    pub(crate) fn partition_of(&self, node: NodeId) -> Option<i32> {
        self.addresses.get(&node).copied()
    }

    /// How many nodes of a role read each partition.
    pub(crate) fn readers(&self, role: Role) -> HashMap<i32, usize> {
        let mut readers = HashMap::new();
        for seen in self.nodes.values().filter(|seen| seen.status.role == role) {
            *readers.entry(seen.status.partition).or_default() += 1;
        }
        readers
    }
}

impl Seen {
    fn room(&self) -> u32 {
        let Status { role, calls, capacity, busy_permille, draining, .. } = self.status;
        if role != Role::Orchestrator || draining || busy_permille >= FULL_PERMILLE {
            return 0;
        }
        capacity.saturating_sub(calls).saturating_sub(self.uncounted())
    }

    /// Calls that its own count may not show.
    fn uncounted(&self) -> u32 {
        self.promised.saturating_add(u32::try_from(self.settling.len()).unwrap_or(u32::MAX))
    }

    /// The greater of the two shares in use: places and processors.
    fn load_permille(&self) -> u64 {
        let Status { calls, capacity, busy_permille, .. } = self.status;
        let held = u64::from(calls) + u64::from(self.uncounted());
        let places = held * 1_000 / u64::from(capacity.max(1));
        places.max(busy_permille.into())
    }
}

#[cfg(test)]
mod tests;
