//! The media thread: waits for packets, commands and deadlines, and serves them in turn.
//!
//! One thread owns all calls, so nothing in here is locked. Commands run before packets: a call is known before its
//! first packet is looked at. Handling an event never runs another leg or call; it sets that one's deadline to now
//! instead. Read [`Reactor::run`], then `legs` (peer connections) and `calls` (what they are for).

mod calls;
mod discovery;
mod ice;
mod legs;
mod pace;
mod state;
mod transport;

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use audio::leg::EndReason;
use mio::{Events, Poll, Registry, Token, Waker};
use rustc_hash::FxHashMap;

use self::pace::Pace;
use self::state::{Call, Leg};
use crate::MediaConfig;
use crate::agent_line::AgentLine;
use crate::commands::{CallKey, Command, CommandQueue, LegKey};
use crate::demux::{Demux, Route, Source};
use crate::directory::Directory;
use crate::peer::{Datagram, PeerEvent, Transport};
use crate::public_address::Discovery;
use crate::sockets::Sockets;
use crate::stats::Counters;
use crate::strangers::Strangers;
use crate::tcp::TcpPort;
use crate::timers::Timers;

/// The waker's token; sockets have their index.
const WAKER: Token = Token(usize::MAX);
/// Sleep without any deadline; a bound, so that a lost wake-up would heal.
const MAX_SLEEP: Duration = Duration::from_secs(1);
/// Packets taken from one socket before commands and deadlines get their turn.
const MAX_BURST: usize = 256;
/// The largest datagram looked at; no peer of ours sends more than an Ethernet frame.
const MAX_DATAGRAM_BYTES: usize = 2_048;
/// How soon something that found no room is tried again.
const RETRY: Duration = Duration::from_millis(20);
/// How long agents are given to take `Ended` at shutdown.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(1);

/// Everything the thread owns.
pub(crate) struct Reactor {
    poll: Poll,
    queue: CommandQueue,
    net: Net,
    /// Sockets that may hold more packets; readiness is told once only.
    readable: Vec<bool>,
    registry: Registry,
    demux: Demux<LegKey>,
    strangers: Strangers,
    discovery: Option<Discovery>,
    legs: FxHashMap<LegKey, Leg>,
    calls: FxHashMap<CallKey, Call>,
    timers: Timers<Deadline>,
    /// Calls whose agents are to hear of something at the end of this round.
    mail: Vec<CallKey>,
    /// Ended calls whose agents have not taken the news yet.
    farewells: Vec<AgentLine>,
    directory: Arc<Directory>,
    limits: Limits,
    /// Kept to reuse its memory.
    peer_events: Vec<PeerEvent>,
    pace: Pace,
    started: Instant,
    course: Course,
}

/// What is open to the network, and whom to ask how it looks from outside.
pub(crate) struct Ports {
    pub(crate) sockets: Sockets,
    pub(crate) tcp: TcpPort,
    pub(crate) discovery: Option<Discovery>,
}

/// The way out to the network.
struct Net {
    sockets: Sockets,
    tcp: TcpPort,
    counters: Arc<Counters>,
}

#[derive(Debug, Clone, Copy)]
struct Limits {
    connect_timeout: Duration,
    silent_peer_timeout: Duration,
}

/// Whose deadline it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Deadline {
    Leg(LegKey),
    Call(CallKey),
    Farewells,
    /// Our public address is to be asked for.
    Discovery,
    /// Somebody who connected by TCP has said nothing yet.
    Strangers,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Course {
    Serving,
    Stopping,
}

impl Reactor {
    /// The waker that ends this poll's wait.
    pub(crate) fn waker(poll: &Poll) -> io::Result<Waker> {
        Waker::new(poll.registry(), WAKER)
    }

    pub(crate) fn new(
        config: &MediaConfig,
        poll: Poll,
        Ports { mut sockets, mut tcp, discovery }: Ports,
        queue: CommandQueue,
        directory: Arc<Directory>,
        counters: Arc<Counters>,
    ) -> io::Result<Self> {
        let registry = poll.registry().try_clone()?;
        sockets.register(&registry)?;
        tcp.register(&registry, sockets.len())?;
        let limits =
            Limits { connect_timeout: config.connect_timeout(), silent_peer_timeout: config.silent_peer_timeout() };
        Ok(Self {
            poll,
            queue,
            readable: vec![false; sockets.len()],
            registry,
            net: Net { sockets, tcp, counters },
            demux: Demux::new(),
            strangers: Strangers::default(),
            discovery,
            legs: FxHashMap::default(),
            calls: FxHashMap::default(),
            timers: Timers::new(),
            mail: Vec::new(),
            farewells: Vec::new(),
            directory,
            limits,
            peer_events: Vec::new(),
            pace: Pace::new(Instant::now()),
            started: Instant::now(),
            course: Course::Serving,
        })
    }

    /// Serves until told to stop, then ends all calls.
    pub(crate) fn run(mut self) {
        let mut events = Events::with_capacity(64);
        self.ask_for_address(Instant::now());
        while self.course == Course::Serving {
            self.wait(&mut events);
            self.queue.rearm();
            self.run_commands();
            self.receive_packets();
            self.meet_deadlines();
            self.deliver_mail();
        }
        self.stop();
    }

    fn wait(&mut self, events: &mut Events) {
        if let Some(rest) = self.pace.rest(self.calls.len(), Instant::now()) {
            self.queue.nap(rest);
        }
        let sleep = if self.readable.contains(&true) || self.net.tcp.is_readable() {
            Duration::ZERO
        } else {
            let next = self.timers.next().map(|at| at.saturating_duration_since(Instant::now()));
            next.unwrap_or(MAX_SLEEP).min(MAX_SLEEP)
        };
        match self.poll.poll(events, Some(sleep)) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => tracing::error!(%error, "media could not wait for packets"),
        }
        let now = Instant::now();
        self.pace.round_begins(now);
        for event in events.iter() {
            if let Some(readable) = self.readable.get_mut(event.token().0) {
                *readable = true;
            } else {
                self.net.tcp.on_ready(event.token(), &self.registry, now);
                self.timers.set(Deadline::Strangers, self.net.tcp.next_dismissal());
            }
        }
    }

    fn run_commands(&mut self) {
        while let Some(command) = self.queue.next() {
            let now = Instant::now();
            match command {
                Command::Open(call) => self.open_call(call, now),
                Command::Listen { call, listener_id, leg } => self.add_listener(call, listener_id, leg, now),
                Command::ToCaller { call, message } => self.pass_to_caller(call, message, now),
                Command::Hangup { call, reason } => self.end_call(call, reason, now),
                Command::CloseListener { call, listener_id } => self.close_listener(call, &listener_id, now),
                Command::PatchIce(patch) => self.patch_ice(patch, now),
                Command::Shutdown => {
                    self.course = Course::Stopping;
                    return;
                }
            }
        }
    }

    fn receive_packets(&mut self) {
        let mut buffer = [0; MAX_DATAGRAM_BYTES];
        for index in 0..self.readable.len() {
            if !self.readable[index] {
                continue;
            }
            for _ in 0..MAX_BURST {
                let Some((destination, source, length)) = self.net.sockets.receive(index, &mut buffer) else {
                    self.readable[index] = false;
                    break;
                };
                let transport = Transport::Udp;
                self.take_datagram(Datagram { transport, source, destination, bytes: &buffer[..length] });
            }
        }
        for _ in 0..MAX_BURST {
            let Some((destination, source, length)) = self.net.tcp.receive(&mut buffer) else { return };
            self.take_datagram(Datagram { transport: Transport::Tcp, source, destination, bytes: &buffer[..length] });
        }
    }

    fn take_datagram(&mut self, datagram: Datagram<'_>) {
        self.net.counters.packets_in.add(1);
        let (source, now) = ((datagram.transport, datagram.source), Instant::now());
        let mut route = self.demux.route(source, datagram.bytes);
        if route == Route::Unknown && self.take_response(datagram, now) {
            return;
        }
        let is_known = matches!(route, Route::Known(_));
        if !is_known && !self.strangers.may_try(datagram.source.ip(), now) {
            self.net.counters.packets_limited.add(1);
            return;
        }
        if route == Route::Unknown {
            // Its call may have been opened since the commands were last looked at.
            self.run_commands();
            route = self.demux.route(source, datagram.bytes);
        }
        match route {
            Route::Known(leg) => self.leg_receives(leg, datagram, now),
            Route::Claimed(leg) if self.legs.get(&leg).is_some_and(|l| l.peer.accepts(datagram, now)) => {
                let given_way = self.demux.learn(leg, source);
                self.net.belongs_to_call(source, given_way);
                self.leg_receives(leg, datagram, now);
            }
            Route::Claimed(_) | Route::Unknown => {
                self.net.counters.packets_unknown.add(1);
                self.strangers.was_in_vain(datagram.source.ip(), now);
            }
        }
    }

    fn meet_deadlines(&mut self) {
        let now = Instant::now();
        while let Some(deadline) = self.timers.pop_due(now) {
            match deadline {
                Deadline::Leg(leg) => self.leg_deadline(leg, now),
                Deadline::Call(call) => self.serve_call(call, now),
                Deadline::Farewells => self.retry_farewells(now),
                Deadline::Discovery => self.ask_for_address(now),
                Deadline::Strangers => {
                    let next = self.net.tcp.dismiss_strangers(now);
                    self.timers.set(Deadline::Strangers, next);
                }
            }
        }
    }

    fn retry_farewells(&mut self, now: Instant) {
        self.farewells.retain_mut(|agent| {
            agent.deliver();
            agent.is_waiting()
        });
        let again = (!self.farewells.is_empty()).then(|| now + RETRY);
        self.timers.set(Deadline::Farewells, again);
    }

    fn stop(mut self) {
        let now = Instant::now();
        let calls: Vec<CallKey> = self.calls.keys().copied().collect();
        for call in calls {
            self.end_call(call, EndReason::Shutdown, now);
        }
        while !self.farewells.is_empty() && now.elapsed() < SHUTDOWN_GRACE {
            // Nothing else can happen any more, so waiting for room is all that is left to do.
            let _ = self.poll.poll(&mut Events::with_capacity(1), Some(RETRY));
            self.retry_farewells(Instant::now());
        }
    }
}

impl Net {
    fn send(&mut self, packet: Datagram<'_>) {
        let is_sent = match packet.transport {
            Transport::Udp => self.sockets.send(packet.source, packet.destination, packet.bytes),
            Transport::Tcp => self.tcp.send(packet.destination, packet.bytes),
        };
        let counter = if is_sent { &self.counters.packets_out } else { &self.counters.packets_unsent };
        counter.add(1);
    }

    /// A call has accepted a packet from there, and forgotten another address for it.
    fn belongs_to_call(&mut self, source: Source, given_way: Option<Source>) {
        if let (Transport::Tcp, remote) = source {
            self.tcp.belongs_to_call(remote);
        }
        if let Some((Transport::Tcp, remote)) = given_way {
            self.tcp.close(remote);
        }
    }
}
