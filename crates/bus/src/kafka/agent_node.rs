//! The orchestrator role's node: takes the calls that media nodes give it, carries both directions, and gives them up when
//! it stops.
//!
//! `pump` carries what one agent says; this task does everything else, so that no lock is needed.

mod call;
mod pump;

use std::collections::HashMap;
use std::time::Duration;

use audio::leg::{EndReason, FromCaller};
use bytes::Bytes;
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
use crate::local::{Announcer, HandedOver, Heard, NewCall, NewCalls, hub, link};
use call::Call;

/// Calls whose pump has ended and which wait to be told of.
const ENDED_CAPACITY: usize = 1_024;
/// Microphone audio that took this much longer than the fastest is dropped: an answer to it would come too late.
const MAX_LATE: Duration = Duration::from_secs(2);

/// How much an orchestrator can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// Calls that it may hold at once.
    pub capacity: u32,
    /// Share of its processors in use, in thousandths.
    pub busy_permille: u32,
    /// It takes no new calls.
    pub draining: bool,
}

/// The orchestrator role's node.
pub struct AgentNode<D> {
    node: Node,
    announcer: Announcer<D>,
    load: watch::Receiver<Load>,
    calls: HashMap<String, Call>,
    ended_sender: mpsc::Sender<Ended>,
    ended: mpsc::Receiver<Ended>,
    pumps: TaskTracker,
    hand_over: CancellationToken,
}

/// What media tells of a call that it announces.
struct Offer {
    details: Bytes,
    heard: Option<Heard>,
}

/// An agent let go of a call.
struct Ended {
    session: String,
    epoch: u32,
}

/// Joins the bus as an orchestrator. [`AgentNode::run`] carries the calls that come out here.
///
/// # Errors
/// When the broker does not answer, or its topics cannot be used.
pub async fn agent_node<D: Details>(
    config: &KafkaConfig,
    load: watch::Receiver<Load>,
) -> Result<(NewCalls<D>, AgentNode<D>), ConnectError> {
    let node = Node::connect(config, Role::Orchestrator).await?;
    let (announcer, new_calls) = hub();
    let (ended_sender, ended) = mpsc::channel(ENDED_CAPACITY);
    let (calls, pumps, hand_over) = (HashMap::new(), TaskTracker::new(), CancellationToken::new());
    Ok((new_calls, AgentNode { node, announcer, load, calls, ended_sender, ended, pumps, hand_over }))
}

impl<D: Details> AgentNode<D> {
    /// Whether records come through, as it changes.
    #[must_use]
    pub fn watch_state(&self) -> watch::Receiver<BusState> {
        self.node.watch_state()
    }

    /// What is counted.
    #[must_use]
    pub fn stats(&self) -> BusStats {
        self.node.stats.clone()
    }

    /// Carries calls until `stop`; then gives those that are left to other orchestrators.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let consumer = self.node.consumer.client();
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                _ = ticks.tick() => self.tick(Instant::now()),
                Some(ended) = self.ended.recv() => self.agent_let_go(&ended),
                message = consumer.recv() => if let Ok(message) = message {
                    let now = Instant::now();
                    match self.node.read(now, &message) {
                        Incoming::Nothing => {}
                        Incoming::Gone(node) => self.media_gone(node),
                        Incoming::Record(record) => self.record(now, record),
                    }
                },
            }
        }
        self.stop().await;
    }

    async fn stop(mut self) {
        let last = self.status();
        self.hand_over.cancel();
        self.ended.close();
        self.pumps.close();
        // One that the broker holds up must not hold up the end.
        let _ = tokio::time::timeout(LAST_WORDS, self.pumps.wait()).await;
        // The conversations here end; their callers are somebody else's now.
        for call in self.calls.values_mut() {
            call.end(EndReason::Lost, &self.node.stats);
        }
        self.node.leave(last).await;
    }

    fn record(&mut self, now: Instant, record: Record<ToAgent>) {
        let Record { session, header, late, body } = record;
        if let ToAgent::Announce { reply_partition, details, heard } = body {
            return self.announced(&session, &header, reply_partition, Offer { details, heard });
        }
        let Some(call) = self.calls.get_mut(&session).filter(|call| call.is_of(&header)) else {
            self.node.stats.strangers(1);
            return;
        };
        if body == ToAgent::Superseded {
            call.end(EndReason::Lost, &self.node.stats);
            return self.forget_if_done(&session);
        }
        if matches!(body, ToAgent::Caller(FromCaller::Frame(_))) && late > MAX_LATE {
            self.node.stats.stale(1);
            // Its number is used up, or what follows would wait for it.
            call.arrived(header.sequence, None, &self.node.stats);
        } else {
            call.arrived(header.sequence, Some(body), &self.node.stats);
        }
        call.read(now, &self.node.stats);
        self.forget_if_done(&session);
    }

    fn announced(&mut self, session: &str, header: &Header, partition: i32, offer: Offer) {
        let known = self.calls.get(session).is_some_and(|call| call.epoch >= header.epoch);
        if known {
            self.node.stats.duplicates(1);
            return;
        }
        let Some(details) = D::from_bytes(&offer.details) else {
            self.node.stats.poison(1);
            tracing::warn!(session, "a call's details cannot be read; is a media node of another version?");
            return self.refuse(session, header, partition);
        };
        if let Some(mut before) = self.calls.remove(session) {
            before.end(EndReason::Lost, &self.node.stats);
        }
        let load = *self.load.borrow();
        if load.draining || self.calls.len() >= usize::try_from(load.capacity).unwrap_or(usize::MAX) {
            return self.refuse(session, header, partition);
        }
        let (media_end, agent_end) = link();
        let handed_over = (header.epoch > 0).then_some(HandedOver { heard: offer.heard });
        let new_call = NewCall { id: session.to_owned(), details, handed_over, link: agent_end };
        if self.announcer.announce(new_call).is_err() {
            return self.refuse(session, header, partition);
        }
        let media = Place { node: header.from, partition };
        let stream = self.node.outlet.stream(session, media, header.epoch);
        let call = Call::new(media.node, header.epoch, media_end.to_agent);
        self.calls.insert(session.to_owned(), call);
        let pump = pump::run(stream, media_end.from_agent, self.hand_over.clone());
        let (sender, ended) = (self.ended_sender.clone(), Ended { session: session.to_owned(), epoch: header.epoch });
        self.pumps.spawn(async move {
            pump.await;
            // A node that stops does not listen any more.
            let _ = sender.send(ended).await;
        });
    }

    fn refuse(&self, session: &str, header: &Header, partition: i32) {
        self.node.stats.refused(1);
        let media = Place { node: header.from, partition };
        self.node.outlet.tell(session, media, header.epoch, ToMedia::Refused);
    }

    fn agent_let_go(&mut self, ended: &Ended) {
        if let Some(call) = self.calls.get_mut(&ended.session).filter(|call| call.epoch == ended.epoch) {
            call.agent_gone = true;
        }
        self.forget_if_done(&ended.session);
    }

    fn media_gone(&mut self, node: NodeId) {
        for call in self.calls.values_mut().filter(|call| call.media == node) {
            call.end(EndReason::Lost, &self.node.stats);
        }
        self.calls.retain(|_, call| !call.is_done());
    }

    fn forget_if_done(&mut self, session: &str) {
        if self.calls.get(session).is_some_and(Call::is_done) {
            self.calls.remove(session);
        }
    }

    fn tick(&mut self, now: Instant) {
        let own = self.status();
        for node in self.node.tick(now, own) {
            self.media_gone(node);
        }
        for call in self.calls.values_mut() {
            call.flush();
            if call.is_waiting() {
                call.read(now, &self.node.stats);
            }
        }
        self.calls.retain(|_, call| !call.is_done());
    }

    fn status(&self) -> Status {
        let Load { capacity, busy_permille, draining } = *self.load.borrow();
        let calls = u32::try_from(self.calls.len()).unwrap_or(u32::MAX);
        let (node, role, partition) = (self.node.id, self.node.role, self.node.partition);
        Status { node, role, partition, calls, capacity, busy_permille, draining, stopped: false, sent_us: now_us() }
    }
}
