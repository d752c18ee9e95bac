//! The client's thread: its sockets, one peer.

use std::io;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

use audio::jitter::{Content, RtpPacket};
use audio::leg::{FRAME_MS, OpusFrame, RTP_CLOCK_HZ};
use bytes::Bytes;
use mio::{Events, Poll, Token};
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::oneshot;

use super::CallerEvent;
use super::paths::Paths;
use crate::peer::{OutgoingAudio, Peer, PeerEvent, PendingRestart};
use crate::sdp::Fragment;
use crate::texts::Texts;

pub(super) const WAKER: Token = Token(0);
/// Sleep without any deadline.
const MAX_SLEEP: Duration = Duration::from_secs(1);
/// How soon texts that found no room are tried again.
const TEXT_RETRY: Duration = Duration::from_millis(20);
/// How long closing may take to get texts out.
const CLOSE_GRACE: Duration = Duration::from_secs(1);
const FRAME_TICKS: u64 = (RTP_CLOCK_HZ / 1_000 * FRAME_MS) as u64;

/// What the user asks for.
pub(super) enum Order {
    Speak(Bytes),
    Skip,
    Press(char),
    Write(String),
    /// Begin ICE anew; the fragment for the server is handed back.
    BeginRestart(oneshot::Sender<String>),
    /// Go on as the server's fragment says.
    FinishRestart(Fragment),
    Close,
}

pub(super) struct CallerThread {
    peer: Peer,
    poll: Poll,
    paths: Paths,
    /// The server's first answer.
    answer: String,
    restart: Restart,
    orders: Receiver<Order>,
    events: Sender<CallerEvent>,
    texts: Texts,
    rtp_time: u64,
    /// Frames left out since the last one; the next bears the marker.
    skipped: u32,
    stage: Stage,
}

/// How far a restart of ICE has come.
enum Restart {
    Idle,
    /// The server is asked.
    Begun(PendingRestart),
    /// A path is looked for.
    Checking,
}

#[derive(Debug, Clone, Copy)]
enum Stage {
    Connecting {
        give_up_at: Instant,
    },
    Connected,
    /// The user has closed; texts may still go out until then.
    Closing {
        until: Instant,
    },
    Closed,
}

impl CallerThread {
    pub(super) fn new(
        peer: Peer,
        poll: Poll,
        paths: Paths,
        answer: String,
        orders: Receiver<Order>,
        events: Sender<CallerEvent>,
        give_up_at: Instant,
    ) -> Self {
        Self {
            peer,
            poll,
            paths,
            answer,
            restart: Restart::Idle,
            orders,
            events,
            texts: Texts::default(),
            rtp_time: 0,
            skipped: 0,
            stage: Stage::Connecting { give_up_at },
        }
    }

    pub(super) fn run(mut self) {
        let mut events = Events::with_capacity(8);
        while let Some(wake) = self.run_peer() {
            let sleep = wake.saturating_duration_since(Instant::now()).min(MAX_SLEEP);
            if let Err(error) = self.poll.poll(&mut events, Some(sleep))
                && error.kind() != io::ErrorKind::Interrupted
            {
                tracing::error!(%error, "caller could not wait for packets");
                break;
            }
            self.receive_packets();
            self.follow_orders();
        }
        let paths = &mut self.paths;
        self.peer.close(Instant::now(), &mut |packet| paths.send(packet));
        self.tell(CallerEvent::Closed);
    }

    /// Runs the peer and says when to do so again; `None` when the connection is over.
    fn run_peer(&mut self) -> Option<Instant> {
        let now = Instant::now();
        self.texts.flush(|text| self.peer.write_text(text));
        let paths = &mut self.paths;
        let mut news = Vec::new();
        let wake = self.peer.run(now, &mut |packet| paths.send(packet), &mut news);
        for event in news {
            self.on_peer_event(event, now);
        }
        let until = match self.stage {
            Stage::Connecting { give_up_at } => give_up_at,
            Stage::Connected => now + MAX_SLEEP,
            Stage::Closing { until } if self.texts.is_empty() && !self.peer.is_sending_text() => until.min(now),
            Stage::Closing { until } => until,
            Stage::Closed => now,
        };
        let retry =
            if self.texts.is_empty() && matches!(self.stage, Stage::Connected) { until } else { now + TEXT_RETRY };
        (until > now).then_some(wake?.min(until).min(retry))
    }

    fn on_peer_event(&mut self, event: PeerEvent, now: Instant) {
        match event {
            PeerEvent::Connected => {
                if matches!(self.stage, Stage::Connecting { .. }) {
                    self.stage = Stage::Connected;
                }
                self.tell(CallerEvent::Connected);
            }
            PeerEvent::PathFound => {
                if matches!(self.restart, Restart::Checking) {
                    self.restart = Restart::Idle;
                    self.tell(CallerEvent::Restarted);
                }
            }
            PeerEvent::ChannelOpen => self.tell(CallerEvent::ChannelOpen),
            PeerEvent::Text(text) => self.tell(CallerEvent::Message(text)),
            // The agent has no keypad, and how it hears is its own business.
            PeerEvent::Key(_)
            | PeerEvent::Reported(_)
            | PeerEvent::Audio(RtpPacket { content: Content::Other, .. }) => {}
            PeerEvent::Audio(RtpPacket {
                stream: _,
                sequence,
                timestamp,
                content: Content::Audio(payload) | Content::Copy(payload),
            }) => {
                let frame = OpusFrame { sequence: sequence.into(), rtp_time: timestamp.into(), payload };
                self.tell(CallerEvent::Frame { arrived: now, frame });
            }
            PeerEvent::Closed => self.stage = Stage::Closed,
        }
    }

    fn receive_packets(&mut self) {
        let mut buffer = [0; 2_048];
        while let Some(datagram) = self.paths.receive(&mut buffer) {
            self.peer.receive(datagram, Instant::now());
            // One packet may call for several in return, and the stack wants to be emptied after each.
            if self.run_peer().is_none() {
                return;
            }
        }
    }

    fn follow_orders(&mut self) {
        loop {
            match self.orders.try_recv() {
                Ok(Order::Speak(payload)) => self.speak(&payload),
                Ok(Order::Skip) => {
                    self.rtp_time += FRAME_TICKS;
                    self.skipped += 1;
                }
                Ok(Order::Press(key)) => {
                    self.peer.press(key, self.rtp_time, Instant::now());
                    let _ = self.run_peer();
                }
                Ok(Order::Write(text)) => {
                    if self.texts.push(text).is_err() {
                        tracing::warn!("caller's text dropped: too many wait");
                    }
                }
                Ok(Order::BeginRestart(reply)) => self.begin_restart(reply),
                Ok(Order::FinishRestart(fragment)) => self.finish_restart(&fragment),
                Ok(Order::Close) => {
                    let until = match self.stage {
                        Stage::Connected => Instant::now() + CLOSE_GRACE,
                        // Texts of a connection that never was, or is over, go nowhere.
                        Stage::Connecting { .. } | Stage::Closing { .. } | Stage::Closed => Instant::now(),
                    };
                    self.stage = Stage::Closing { until };
                }
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => return,
            }
        }
    }

    fn begin_restart(&mut self, reply: oneshot::Sender<String>) {
        if let Some((pending, fragment)) = self.peer.begin_restart() {
            self.restart = Restart::Begun(pending);
            // Who asked may be gone.
            let _ = reply.send(fragment);
        }
    }

    fn finish_restart(&mut self, fragment: &Fragment) {
        let Restart::Begun(pending) = std::mem::replace(&mut self.restart, Restart::Checking) else {
            self.restart = Restart::Idle;
            return;
        };
        let changed = self.paths.change().map_err(|error| error.to_string());
        let finished = changed.and_then(|local| self.peer.finish_restart(pending, &self.answer, fragment, local));
        if let Err(error) = finished {
            tracing::warn!(%error, "caller could not restart ICE");
            self.restart = Restart::Idle;
        }
        let _ = self.run_peer();
    }

    fn speak(&mut self, payload: &[u8]) {
        let packet = OutgoingAudio { rtp_time: self.rtp_time, marker: self.skipped > 0, payload: payload.into() };
        self.rtp_time += FRAME_TICKS;
        self.skipped = 0;
        if matches!(self.stage, Stage::Connected) {
            self.peer.write_audio(packet, Instant::now());
            let _ = self.run_peer();
        }
    }

    /// The end is told by the channel's end too, so a full channel loses nothing but frames worth dropping.
    fn tell(&self, event: CallerEvent) {
        if let Err(TrySendError::Full(event)) = self.events.try_send(event)
            && !matches!(event, CallerEvent::Frame { .. })
        {
            tracing::warn!("caller's event dropped: the user lags");
        }
    }
}
