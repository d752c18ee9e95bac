//! Carries what one caller does to whichever orchestrator holds the call.
//!
//! It keeps the last seconds of the microphone, and how much of the agent's turn was heard (`ledger`): when another
//! orchestrator takes the call it hears what was said while nobody listened, and learns what it must write down.

use std::collections::VecDeque;
use std::time::Duration;

use audio::leg::{Clip, EndReason, FromCaller, Memo, OpusFrame, PlayoutMark};
use bytes::Bytes;
use tokio::sync::mpsc::Receiver;
use tokio::time::Instant;

use super::ledger::Ledger;
use super::notice::without_notice;
use crate::kafka::fleet::Place;
use crate::kafka::outlet::{Outlet, Stream};
use crate::kafka::producer::Kind;
use crate::kafka::wire::ToAgent;

/// What the next orchestrator hears again: the time in which the one before may have been dead unnoticed, and a second.
const REPLAY: Duration = Duration::from_millis(2_500);

/// A flush takes effect within one packet; a mark of it that does not come must not silence all others.
const MAX_FLUSHING: Duration = Duration::from_secs(1);

/// Who holds the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Route {
    /// The orchestrator.
    pub(super) place: Place,
    /// How often the call has been given to one before.
    pub(super) epoch: u32,
    /// Whether what the one before had said was flushed.
    pub(super) flushed: bool,
}

/// What a pump is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Order {
    /// Another orchestrator holds the call.
    Turn(Route),
    /// The orchestrator says what is to be kept.
    Keep(Memo),
    /// A clip is complete, and so long in milliseconds.
    Duration(Clip, u32),
}

/// Carries what one caller does.
pub(super) struct Pump {
    outlet: Outlet,
    session: String,
    details: Bytes,
    reply_partition: i32,
    stream: Stream,
    recent: VecDeque<(Instant, OpusFrame)>,
    connected: bool,
    channel_open: bool,
    ended: Option<EndReason>,
    /// The flush of a hand-over is under way since then: marks are still about what the one before had said.
    flushing: Option<Instant>,
    ledger: Ledger,
    /// The turn that was heard last, by the count of the orchestrator that holds the call.
    turn_heard: u32,
}

impl Pump {
    pub(super) fn new(outlet: Outlet, session: String, details: Bytes, reply_partition: i32, route: Route) -> Self {
        let stream = outlet.stream(&session, route.place, route.epoch);
        let (recent, ended, flushing) = (VecDeque::new(), None, None);
        let (connected, channel_open) = (false, false);
        let (ledger, turn_heard) = (Ledger::default(), 0);
        Self {
            outlet,
            session,
            details,
            reply_partition,
            stream,
            recent,
            connected,
            channel_open,
            ended,
            flushing,
            ledger,
            turn_heard,
        }
    }

    /// Carries until media lets go of the call.
    pub(super) async fn run(mut self, mut from_caller: Receiver<FromCaller>, mut orders: Receiver<Order>) {
        self.announce().await;
        loop {
            tokio::select! {
                biased;
                Some(order) = orders.recv() => match order {
                    Order::Turn(route) => self.turn_to(route).await,
                    Order::Keep(Memo::TurnsBefore(turns)) => self.ledger.begin(turns),
                    // The node keeps it.
                    Order::Keep(Memo::Notice(_)) => {}
                    Order::Keep(Memo::Words { clip, text }) => self.ledger.words(clip, text),
                    Order::Duration(clip, duration_ms) => self.ledger.duration(clip, duration_ms),
                },
                event = from_caller.recv() => match event {
                    Some(event) => self.carry(event).await,
                    None => break,
                },
            }
        }
        self.stream.send(ToAgent::Closed).await;
    }

    async fn announce(&mut self) {
        let (reply_partition, details, heard) = (self.reply_partition, self.details.clone(), self.ledger.heard());
        self.stream.send_traced(ToAgent::Announce { reply_partition, details, heard }).await;
    }

    /// Tells another orchestrator all that the one before knew of the line.
    async fn turn_to(&mut self, route: Route) {
        self.stream = self.outlet.stream(&self.session, route.place, route.epoch);
        self.turn_heard = 0;
        if route.flushed {
            self.flushing = Some(Instant::now());
        }
        self.announce().await;
        if self.connected {
            self.stream.send(ToAgent::Caller(FromCaller::Connected)).await;
        }
        if self.channel_open {
            self.stream.send(ToAgent::Caller(FromCaller::ChannelOpen)).await;
        }
        self.forget_old(Instant::now());
        for (_, frame) in &self.recent {
            let _ = self.stream.offer(ToAgent::Caller(FromCaller::Frame(frame.clone())), Kind::Audio);
        }
        if let Some(reason) = self.ended {
            self.stream.send(ToAgent::Caller(FromCaller::Ended(reason))).await;
        }
    }

    async fn carry(&mut self, event: FromCaller) {
        let event = match event {
            FromCaller::Frame(frame) => {
                let now = Instant::now();
                self.forget_old(now);
                self.recent.push_back((now, frame.clone()));
                // The client counts what does not fit.
                let _ = self.stream.offer(ToAgent::Caller(FromCaller::Frame(frame)), Kind::Audio);
                return;
            }
            FromCaller::Playout(mark) => match self.known_mark(mark) {
                Some(mark) => FromCaller::Playout(mark),
                None => return,
            },
            other => other,
        };
        match &event {
            FromCaller::Connected => self.connected = true,
            FromCaller::ChannelOpen => self.channel_open = true,
            FromCaller::Ended(reason) => self.ended = Some(*reason),
            FromCaller::Frame(_)
            | FromCaller::Key(_)
            | FromCaller::Message(_)
            | FromCaller::Playout(_)
            | FromCaller::Transport(_) => {}
        }
        self.stream.send(ToAgent::Caller(event)).await;
    }

    /// What the orchestrator that holds the call may hear of a mark.
    fn known_mark(&mut self, mark: PlayoutMark) -> Option<PlayoutMark> {
        let Some(since) = self.flushing.filter(|since| since.elapsed() < MAX_FLUSHING) else {
            self.ledger.mark(mark);
            self.forget_answered(mark);
            return without_notice(mark);
        };
        self.flushing = (!matches!(mark, PlayoutMark::Flushed { .. })).then_some(since);
        None
    }

    /// What was said before an answer began is written down by then, and must not be heard, and answered, once more.
    fn forget_answered(&mut self, mark: PlayoutMark) {
        let PlayoutMark::Reached { clip, heard_ms } = mark else { return };
        if clip.turn > self.turn_heard
            && let Some(began) = Instant::now().checked_sub(Duration::from_millis(heard_ms.into()))
        {
            self.turn_heard = clip.turn;
            self.recent.retain(|(at, _)| *at >= began);
        }
    }

    fn forget_old(&mut self, now: Instant) {
        while self.recent.front().is_some_and(|(at, _)| now.duration_since(*at) > REPLAY) {
            self.recent.pop_front();
        }
    }
}
