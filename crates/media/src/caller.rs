//! A headless WebRTC client: the other end of a call, for the command line and for tests.
//!
//! [`Caller::offer`] makes an SDP offer; whoever speaks HTTP posts it; [`PendingCaller::connect`] takes the answer
//! and starts a thread that holds the connection until [`Caller::close`], the server's goodbye, or a drop. It speaks
//! and hears Opus packets as they come, without a jitter buffer: measuring is the user's business.

mod paths;
mod thread;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use audio::leg::OpusFrame;
use bytes::Bytes;
use mio::{Poll, Waker};
use str0m::media::Direction;
use tokio::sync::{mpsc, oneshot};

use self::paths::{Paths, Way};
use self::thread::{CallerThread, Order, WAKER};
use crate::peer::{PeerFactory, PendingOffer, Redundancy};
use crate::sdp::Fragment;

/// Orders under way to the thread: ten seconds of frames and then some.
const MAX_ORDERS: usize = 1_024;
/// Events that wait for the user; frames beyond are dropped.
const MAX_EVENTS: usize = 4_096;
/// A server that cannot be reached is given up then.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What the client wants of the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallerKind {
    /// WHIP: speak.
    Publish,
    /// WHEP: hear.
    Listen,
    /// Speak and hear, with the data channel `oai-events`.
    TwoWay,
}

/// What happens to a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallerEvent {
    /// The transport is up.
    Connected,
    /// Messages may flow.
    ChannelOpen,
    /// A packet of the agent's voice.
    Frame {
        /// When it came.
        arrived: Instant,
        /// The packet. Sequence and time are those on the wire, not extended.
        frame: OpusFrame,
    },
    /// A text message.
    Message(String),
    /// A restart of ICE has found a path.
    Restarted,
    /// The connection is over; nothing follows.
    Closed,
}

/// Why a client could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CallerError {
    /// DTLS cannot work here.
    #[error("make an SDP offer: {0}")]
    Offer(String),
    /// The answer is no SDP or does not fit the offer.
    #[error("use the SDP answer: {0}")]
    Answer(String),
    /// The answer says nowhere to send to.
    #[error("use the SDP answer: it has no candidate of this machine's address families")]
    NoCandidate,
    /// The server's fragment does not fit.
    #[error("restart ICE: {0}")]
    Fragment(String),
    /// There is nothing to restart any more.
    #[error("restart ICE: the connection is over")]
    Over,
    /// Sockets or threads are exhausted.
    #[error("open a UDP socket: {0}")]
    Io(#[from] io::Error),
}

/// A client that waits for the answer to its offer.
pub struct PendingCaller {
    pending: PendingOffer,
}

/// A connected, or connecting, client.
#[derive(Debug)]
pub struct Caller {
    /// What happens, in order; ends after [`CallerEvent::Closed`].
    pub events: mpsc::Receiver<CallerEvent>,
    orders: SyncSender<Order>,
    waker: Arc<Waker>,
    thread: Option<JoinHandle<()>>,
}

impl Caller {
    /// Makes an offer. It has no candidates: the server learns the address from the first packet.
    ///
    /// # Errors
    /// [`CallerError::Offer`] when the machine lacks the cryptography.
    pub fn offer(kind: CallerKind) -> Result<(PendingCaller, String), CallerError> {
        Self::offer_with(kind, Redundancy::None)
    }

    /// The same, with each packet repeated in the next one, both ways, where the server can do that too (RED, RFC 2198).
    ///
    /// # Errors
    /// As [`Caller::offer`].
    pub fn offer_redundant(kind: CallerKind) -> Result<(PendingCaller, String), CallerError> {
        Self::offer_with(kind, Redundancy::Red)
    }

    fn offer_with(kind: CallerKind, redundancy: Redundancy) -> Result<(PendingCaller, String), CallerError> {
        let factory = PeerFactory::for_client(redundancy).map_err(|error| CallerError::Offer(error.to_string()))?;
        let direction = match kind {
            CallerKind::Publish => Direction::SendOnly,
            CallerKind::Listen => Direction::RecvOnly,
            CallerKind::TwoWay => Direction::SendRecv,
        };
        let offer = factory.offer(direction, Instant::now());
        let (pending, sdp) = offer.ok_or_else(|| CallerError::Offer("it would be empty".into()))?;
        Ok((PendingCaller { pending }, sdp))
    }

    /// Sends the next 20 ms as one Opus packet. Pacing is the user's; what comes before `Connected` is lost.
    pub fn send_opus(&self, payload: Bytes) {
        self.order(Order::Speak(payload));
    }

    /// Lets 20 ms pass without a packet, as a sender with DTX does in silence.
    pub fn skip_opus(&self) {
        self.order(Order::Skip);
    }

    /// Presses a key of the telephone's keypad: `0` to `9`, `*`, `#`, `A` to `D`. Others are ignored, and so is one within
    /// 150 ms of the last.
    pub fn press(&self, key: char) {
        self.order(Order::Press(key));
    }

    /// Sends a text message; kept until the channel is open.
    pub fn send_message(&self, text: String) {
        self.order(Order::Write(text));
    }

    /// Begins ICE anew, as after a change of networks; gives the fragment of SDP that the server needs (RFC 8840). Packets
    /// go the old way until [`Caller::finish_restart`].
    ///
    /// # Errors
    /// [`CallerError::Over`].
    pub async fn begin_restart(&self) -> Result<String, CallerError> {
        let (reply, fragment) = oneshot::channel();
        self.order(Order::BeginRestart(reply));
        fragment.await.map_err(|_| CallerError::Over)
    }

    /// Goes on as the server's fragment says, from another socket; [`CallerEvent::Restarted`] tells when a path is found.
    ///
    /// # Errors
    /// [`CallerError::Fragment`] when it cannot be read.
    pub fn finish_restart(&self, fragment: &str) -> Result<(), CallerError> {
        let fragment = Fragment::parse(fragment).map_err(CallerError::Fragment)?;
        self.order(Order::FinishRestart(fragment));
        Ok(())
    }

    /// Says goodbye and waits until it is out.
    pub fn close(mut self) {
        self.order(Order::Close);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("caller thread panicked");
        }
    }

    fn order(&self, order: Order) {
        match self.orders.try_send(order) {
            Ok(()) => {}
            // Only frames come fast enough to fill the queue, and they are worthless late.
            Err(TrySendError::Full(Order::Speak(_) | Order::Skip) | TrySendError::Disconnected(_)) => return,
            Err(TrySendError::Full(order)) => {
                let _ = self.orders.send(order);
            }
        }
        // A failed wake-up costs at most the thread's longest sleep.
        let _ = self.waker.wake();
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        self.order(Order::Close);
    }
}

impl PendingCaller {
    /// Connects as the server's answer says.
    ///
    /// # Errors
    /// See [`CallerError`]. A server that does not respond is no error here, but an early [`CallerEvent::Closed`].
    pub fn connect(self, answer_sdp: &str) -> Result<Caller, CallerError> {
        let server = candidates(answer_sdp, "udp").find_map(local_address_towards);
        let local = server.ok_or(CallerError::NoCandidate)?;
        self.connect_from(Way::Udp { local }, answer_sdp)
    }

    /// The same by TCP, for networks that let no UDP through.
    ///
    /// # Errors
    /// The same.
    pub fn connect_by_tcp(self, answer_sdp: &str) -> Result<Caller, CallerError> {
        let server = candidates(answer_sdp, "tcp").find(|server| local_address_towards(*server).is_some());
        let server = server.ok_or(CallerError::NoCandidate)?;
        self.connect_from(Way::Tcp { server }, answer_sdp)
    }

    fn connect_from(self, way: Way, answer_sdp: &str) -> Result<Caller, CallerError> {
        let poll = Poll::new()?;
        let paths = Paths::open(way, poll.registry().try_clone()?)?;
        let peer = self.pending.complete(answer_sdp, paths.local()).map_err(CallerError::Answer)?;

        let waker = Arc::new(Waker::new(poll.registry(), WAKER)?);
        let (orders, order_queue) = sync_channel(MAX_ORDERS);
        let (event_sender, events) = mpsc::channel(MAX_EVENTS);
        let give_up_at = Instant::now() + CONNECT_TIMEOUT;
        let answer = answer_sdp.to_owned();
        let thread = CallerThread::new(peer, poll, paths, answer, order_queue, event_sender, give_up_at);
        let thread = std::thread::Builder::new().name("caller".into()).spawn(move || thread.run())?;
        Ok(Caller { events, orders, waker, thread: Some(thread) })
    }
}

impl std::fmt::Debug for PendingCaller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PendingCaller").finish_non_exhaustive()
    }
}

/// The addresses in an answer that can be reached by this transport, in its order.
fn candidates(answer: &str, transport: &str) -> impl Iterator<Item = SocketAddr> {
    answer.lines().filter_map(|line| line.strip_prefix("a=candidate:")).filter_map(move |candidate| {
        let mut fields = candidate.split_ascii_whitespace().skip(2);
        let is_meant = fields.next()?.eq_ignore_ascii_case(transport);
        let ip: IpAddr = fields.nth(1)?.parse().ok()?;
        let port = fields.next()?.parse().ok()?;
        is_meant.then_some(SocketAddr::new(ip, port))
    })
}

/// The address of ours from which packets to `server` leave. Connecting a UDP socket asks the routing table only.
fn local_address_towards(server: SocketAddr) -> Option<IpAddr> {
    let any: IpAddr = if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind(SocketAddr::new(any, 0)).ok()?;
    socket.connect(server).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_are_read_in_order_and_others_skipped() {
        let answer = "a=candidate:1 1 udp 2130706175 10.0.0.5 8080 typ host\r\n\
            a=candidate:2 1 tcp 1 10.0.0.5 9 typ host\r\na=candidate:3 1 UDP 1 name.local 8080 typ host\r\n\
            a=candidate:4 1 UDP 1 ::1 8080 typ host\r\na=candidate:5\r\n";
        let found: Vec<String> = candidates(answer, "udp").map(|address| address.to_string()).collect();
        assert_eq!(found, ["10.0.0.5:8080", "[::1]:8080"]);
    }
}
