//! The media role's node: gives each new call to an orchestrator, carries both directions, and gives the call to another
//! when its orchestrator dies or stops.
//!
//! `pump` carries one caller's words to whichever orchestrator holds the call; this task does everything else, so that no
//! lock is needed.

mod call;
mod ledger;
mod notice;
mod pump;

use std::collections::HashMap;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::kafka::Details;
use crate::kafka::client::now_us;
use crate::kafka::config::KafkaConfig;
use crate::kafka::fleet::{BusState, Place};
use crate::kafka::node::{ConnectError, Incoming, LAST_WORDS, Node, Record, TICK};
use crate::kafka::node_id::NodeId;
use crate::kafka::stats::BusStats;
use crate::kafka::wire::{Header, Role, Status, ToAgent, ToMedia};
use crate::local::{Announcer, NewCall, NewCalls, Places, hub_with};
use call::Call;
use pump::{Pump, Route};

pub use notice::Notice;

/// Calls whose pump has ended and which wait to be forgotten.
const ENDED_CAPACITY: usize = 1_024;
/// An orchestrator that has not taken a call by then does not get it: it takes them within milliseconds.
const TAKE_WITHIN: Duration = Duration::from_secs(1);
/// Orchestrators that a call is offered to, one after the other, before its caller is let go.
const MAX_OFFERS: u32 = 4;
/// A call is held this long while the bus is down, or while no orchestrator has room after its own is gone.
const PATIENCE: Duration = Duration::from_secs(60);

/// The media role's node.
pub struct MediaNode<D> {
    node: Node,
    new_calls: NewCalls<D>,
    places: Places,
    room: watch::Sender<u32>,
    calls: HashMap<String, Call>,
    ended_sender: mpsc::Sender<String>,
    ended: mpsc::Receiver<String>,
    pumps: TaskTracker,
    notice: Notice,
    down_since: Option<Instant>,
}

/// Joins the bus as a media node. Calls go through the announcer; [`MediaNode::run`] carries them.
///
/// # Errors
/// When the broker does not answer, or its topics cannot be used.
pub async fn media_node<D: Details>(
    config: &KafkaConfig,
    notice: Notice,
) -> Result<(Announcer<D>, MediaNode<D>), ConnectError> {
    let node = Node::connect(config, Role::Media).await?;
    let places = Places::counted();
    let (announcer, new_calls) = hub_with(places.clone());
    let (ended_sender, ended) = mpsc::channel(ENDED_CAPACITY);
    let (calls, pumps, down_since) = (HashMap::new(), TaskTracker::new(), None);
    let (room, _) = watch::channel(0);
    Ok((announcer, MediaNode { node, new_calls, places, room, calls, ended_sender, ended, pumps, notice, down_since }))
}

impl<D: Details> MediaNode<D> {
    /// Whether records come through, as it changes.
    #[must_use]
    pub fn watch_state(&self) -> watch::Receiver<BusState> {
        self.node.watch_state()
    }

    /// New calls that there is room for, as it changes.
    #[must_use]
    pub fn watch_room(&self) -> watch::Receiver<u32> {
        self.room.subscribe()
    }

    /// What is counted.
    #[must_use]
    pub fn stats(&self) -> BusStats {
        self.node.stats.clone()
    }

    /// Carries calls until `stop`; then lets go of all that are left.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut takes_calls = true;
        loop {
            let consumer = self.node.consumer.client();
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                _ = ticks.tick() => self.tick(Instant::now()),
                Some(session) = self.ended.recv() => self.forget(&session),
                call = self.new_calls.recv(), if takes_calls => match call {
                    Some(call) => self.take(call),
                    None => takes_calls = false,
                },
                message = consumer.recv() => if let Ok(message) = message {
                    let now = Instant::now();
                    match self.node.read(now, &message) {
                        Incoming::Nothing => {}
                        Incoming::Gone(node) => self.orchestrator_gone(now, node),
                        Incoming::Record(record) => self.record(now, record),
                    }
                },
            }
        }
        self.stop().await;
    }

    async fn stop(mut self) {
        // Each pump tells its orchestrator that the call is over.
        self.calls.clear();
        self.pumps.close();
        self.ended.close();
        // One that the broker holds up must not hold up the end.
        let _ = tokio::time::timeout(LAST_WORDS, self.pumps.wait()).await;
        self.node.leave(status(&self.node, 0)).await;
    }

    fn take(&mut self, new_call: NewCall<D>) {
        let NewCall { id, details, link, .. } = new_call;
        // Without one, the link is dropped, by which media hangs up. The announcer counts the places, so this is rare.
        let Some(place) = self.node.fleet.place(None) else {
            self.node.stats.refused(1);
            return;
        };
        self.count_places();
        let (call, orders) = Call::new(link.to_caller, place, Instant::now());
        let route = Route { place, epoch: 0, flushed: false };
        let (outlet, partition) = (self.node.outlet.clone(), self.node.partition);
        let pump = Pump::new(outlet, id.clone(), details.to_bytes().into(), partition, route);
        let (ended, session) = (self.ended_sender.clone(), id.clone());
        self.pumps.spawn(async move {
            pump.run(link.from_caller, orders).await;
            // A node that stops does not listen any more.
            let _ = ended.send(session).await;
        });
        self.calls.insert(id, call);
    }

    fn forget(&mut self, session: &str) {
        self.calls.remove(session);
    }

    fn record(&mut self, now: Instant, record: Record<ToMedia>) {
        let Record { session, header, body, .. } = record;
        let holder = self.calls.get_mut(&session);
        let Some(call) = holder.filter(|call| call.place.node == header.from && call.epoch == header.epoch) else {
            self.supersede(&session, &header, &body);
            return;
        };
        if body == ToMedia::Taken && !call.taken {
            self.node.fleet.taken(header.from, header.sent_us);
        }
        call.arrived(header.sequence, body, &self.node.stats);
        self.read_call(now, &session);
    }

    /// Tells an orchestrator that the call is no longer its own.
    fn supersede(&self, session: &str, header: &Header, body: &ToMedia) {
        self.node.stats.superseded(1);
        let lets_go = matches!(body, ToMedia::LetGo | ToMedia::Refused | ToMedia::HandOver);
        let Some(partition) = self.node.fleet.partition_of(header.from).filter(|_| !lets_go) else { return };
        let to = Place { node: header.from, partition };
        self.node.outlet.tell(session, to, header.epoch, ToAgent::Superseded);
    }

    /// Does what has come in for a call, in order.
    fn read_call(&mut self, now: Instant, session: &str) {
        let Some(call) = self.calls.get_mut(session) else { return };
        while let Some(body) = call.next(now) {
            match body {
                ToMedia::Taken => call.take(),
                ToMedia::Voice(clip, payloads) => call.voice(clip, payloads, &self.node.stats),
                ToMedia::Agent(said) => call.said(said, &self.node.stats),
                ToMedia::LetGo => call.let_go(),
                ToMedia::Refused => return self.place_again(now, session),
                ToMedia::HandOver => {
                    self.node.fleet.drains(call.place.node);
                    return self.place_again(now, session);
                }
            }
        }
        self.node.stats.missing(call.take_missing());
    }

    fn orchestrator_gone(&mut self, now: Instant, node: NodeId) {
        let held = self.calls.iter().filter(|(_, call)| call.place.node == node);
        let orphans: Vec<String> = held.map(|(session, _)| session.clone()).collect();
        for session in orphans {
            self.place_again(now, &session);
        }
    }

    /// Gives a call to another orchestrator.
    fn place_again(&mut self, now: Instant, session: &str) {
        let Some(call) = self.calls.get_mut(session).filter(|call| call.has_agent()) else { return };
        if !call.taken && call.orphaned.is_none() {
            self.node.fleet.forget_promise(call.place.node);
        }
        let place = if call.offers < MAX_OFFERS { self.node.fleet.place(Some(call.place.node)) } else { None };
        let Some(place) = place else { return self.nobody_takes(now, session) };
        tracing::info!(session, from = %call.place.node, to = %place.node, "call given to another orchestrator");
        self.node.stats.handed_over(1);
        call.give_to(place, now, &self.node.stats);
        self.count_places();
    }

    /// A call that an agent has held waits for another one; a new one is let go.
    fn nobody_takes(&mut self, now: Instant, session: &str) {
        let Some(call) = self.calls.get_mut(session) else { return };
        let is_news = call.orphaned.is_none();
        if !call.wait_for_a_place(now, &self.node.stats) {
            tracing::warn!(session, "no orchestrator takes the call; it is let go");
            self.node.stats.refused(1);
            call.let_go();
        } else if is_news {
            tracing::warn!(session, "no orchestrator has room for the call; it waits for one");
            self.notice.give(call, &self.node.stats);
        }
    }

    /// Calls that nobody holds, and those that were not taken in time.
    fn place_waiting(&mut self, now: Instant) {
        let mut waiting = Vec::new();
        for (session, call) in &mut self.calls {
            match call.orphaned {
                Some(since) if now.duration_since(since) > PATIENCE => call.let_go(),
                Some(_) => waiting.push(session.clone()),
                None if !call.taken && now.duration_since(call.placed_at) > TAKE_WITHIN => {
                    waiting.push(session.clone())
                }
                None => {}
            }
        }
        waiting.iter().for_each(|session| self.place_again(now, session));
    }

    fn tick(&mut self, now: Instant) {
        let own = status(&self.node, u32::try_from(self.calls.len()).unwrap_or(u32::MAX));
        let dead = self.node.tick(now, own);
        // Before anybody hears of an outage: whoever calls then must be refused.
        self.count_places();
        for node in dead {
            self.orchestrator_gone(now, node);
        }
        self.look_at_bus(now);
        let mut waiting = Vec::new();
        for (session, call) in &mut self.calls {
            call.flush();
            if call.is_waiting() {
                waiting.push(session.clone());
            }
        }
        waiting.iter().for_each(|session| self.read_call(now, session));
        if self.node.state() == BusState::Up {
            self.place_waiting(now);
        }
    }

    fn count_places(&self) {
        let is_up = self.node.state() == BusState::Up;
        let room = if is_up { self.node.fleet.room() } else { 0 };
        self.places.set(room);
        self.room.send_if_modified(|before| std::mem::replace(before, room) != room);
    }

    /// Tells callers when the bus goes down, and lets them go when it stays down.
    fn look_at_bus(&mut self, now: Instant) {
        if self.node.state() == BusState::Up {
            // Whoever was offered a call before the outage has its whole time once more.
            if self.down_since.take().is_some() {
                self.calls.values_mut().for_each(|call| call.placed_at = now);
            }
            return;
        }
        let since = *self.down_since.get_or_insert_with(|| {
            for call in self.calls.values_mut() {
                self.notice.give(call, &self.node.stats);
            }
            now
        });
        if now.duration_since(since) > PATIENCE {
            self.calls.values_mut().for_each(Call::let_go);
        }
    }
}

fn status(node: &Node, calls: u32) -> Status {
    let (id, role, partition) = (node.id, node.role, node.partition);
    let (capacity, busy_permille, draining, stopped, sent_us) = (0, 0, false, false, now_us());
    Status { node: id, role, partition, calls, capacity, busy_permille, draining, stopped, sent_us }
}
