//! The interface: start the media thread, open and end calls.

mod ice;

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use audio::leg::{EndReason, FromCaller};
use tokio::sync::mpsc;

use crate::commands::{CallKey, CallSender, Command, Commands, LegKey, NewCall, NewLeg};
use crate::directory::{Directory, UnknownCall};
use crate::ice::{IceSession, IceTag};
use crate::peer::{LocalAddress, PeerFactory, Transport};
use crate::public_address::{Discovery, PublicAddress};
use crate::reactor::{Ports, Reactor};
use crate::sdp::{Offer, OfferError, Role, touch_up};
use crate::sockets::Sockets;
use crate::stats::{Counters, MediaStats};
use crate::tcp::TcpPort;
use crate::{MediaConfig, commands};

/// Why media could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another program has the port.
    #[error(
        "listen on UDP {address}: the port is taken; stop the other program or set media.udp_listen to a free port"
    )]
    PortTaken {
        /// The address that was tried.
        address: SocketAddr,
    },
    /// The address cannot be used.
    #[error("listen on UDP {address}: {source}; set media.udp_listen to an address of this machine")]
    Bind {
        /// The address that was tried.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The TCP address cannot be used.
    #[error("listen on TCP {address}: {source}; set media.tcp_listen to a free port of this machine, or leave it out")]
    BindTcp {
        /// The address that was tried.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The STUN server has no address of a family that is listened on.
    #[error("look up the STUN server {name}: {reason}; set media.stun_server to host:port, or leave it out")]
    StunServer {
        /// What is configured.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// No interface has a usable address.
    #[error("listen on UDP {listen}: this machine has no usable address; set media.udp_listen to one")]
    NoAddress {
        /// The configured address.
        listen: SocketAddr,
    },
    /// The system would not list its addresses.
    #[error("list the network interfaces: {0}; set media.udp_listen to one address")]
    Interfaces(io::Error),
    /// DTLS cannot work here.
    #[error("{0}")]
    Crypto(String),
    /// No thread or no event queue.
    #[error("start the media thread: {0}")]
    Thread(io::Error),
}

/// Which endpoint the caller came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// WHIP: the caller speaks here, and hears by WHEP.
    Whip,
    /// OpenAI Realtime: both ways, with a data channel.
    TwoWay,
}

/// A call that has been answered.
#[derive(Debug)]
pub struct OpenedCall {
    /// The answer for the caller.
    pub answer: Answer,
    /// The agent's way to the caller.
    pub voice: CallSender,
}

/// An answer to an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The SDP.
    pub sdp: String,
    /// Names the ICE session that it begins.
    pub ice: IceTag,
}

/// A handle to the media thread. Cheap to clone; when the last one is dropped, all calls end.
#[derive(Clone)]
pub struct Media {
    shared: Arc<Shared>,
}

struct Shared {
    udp_address: SocketAddr,
    candidates: Vec<LocalAddress>,
    advertised: Vec<LocalAddress>,
    public_address: PublicAddress,
    accept_video: bool,
    factory: PeerFactory,
    commands: Commands,
    directory: Arc<Directory>,
    counters: Arc<Counters>,
    next_key: AtomicU64,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Media {
    /// Binds the port and starts the thread.
    ///
    /// # Errors
    /// See [`StartError`]: each says what to change.
    pub fn start(config: &MediaConfig) -> Result<Self, StartError> {
        let factory = PeerFactory::for_server(config.ice).map_err(|error| StartError::Crypto(error.to_string()))?;
        let sockets = Sockets::bind(config.udp_listen, config.socket_buffer_bytes)?;
        let tcp = config.tcp_listen.map_or_else(|| Ok(TcpPort::closed()), TcpPort::bind)?;
        let (udp_addresses, tcp_addresses) = (sockets.addresses(), tcp.addresses());
        let port = udp_addresses.first().map_or(config.udp_listen.port(), SocketAddr::port);
        let ports = [(Transport::Udp, Some(port)), (Transport::Tcp, tcp_addresses.first().map(SocketAddr::port))];
        let public_address = PublicAddress::default();
        let discovery = config.stun_server.as_ref().map(|name| find_stun_server(name, &udp_addresses));
        let discovery = discovery.transpose()?.map(|server| Discovery::new(server, public_address.clone()));
        let counters = Arc::new(Counters::default());
        let directory = Arc::new(Directory::new(config.max_calls, config.max_listeners_per_call));
        let poll = mio::Poll::new().map_err(StartError::Thread)?;
        let waker = Reactor::waker(&poll).map_err(StartError::Thread)?;
        let (commands, queue) = commands::channel(waker, Arc::clone(&counters));
        let reactor = Reactor::new(
            config,
            poll,
            Ports { sockets, tcp, discovery },
            queue,
            Arc::clone(&directory),
            Arc::clone(&counters),
        );
        let reactor = reactor.map_err(StartError::Thread)?;
        let thread = std::thread::Builder::new().name("media".into()).spawn(move || reactor.run());
        let shared = Shared {
            udp_address: SocketAddr::new(config.udp_listen.ip(), port),
            candidates: local(Transport::Udp, udp_addresses).chain(local(Transport::Tcp, tcp_addresses)).collect(),
            advertised: advertised(&config.advertise, &ports),
            public_address,
            accept_video: config.accept_video,
            factory,
            commands,
            directory,
            counters,
            next_key: AtomicU64::new(1),
            thread: Mutex::new(Some(thread.map_err(StartError::Thread)?)),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Where UDP packets arrive: the configured address with the real port.
    #[must_use]
    pub fn udp_address(&self) -> SocketAddr {
        self.shared.udp_address
    }

    /// Where callers may connect by TCP.
    #[must_use]
    pub fn tcp_address(&self) -> Option<SocketAddr> {
        self.shared.candidates.iter().find(|local| local.transport == Transport::Tcp).map(|local| local.address)
    }

    /// Answers an offer and starts the call `id`, whose events go to `to_agent` until `Ended`.
    ///
    /// # Errors
    /// See [`OfferError`]; nothing is left of a refused call.
    pub fn open_call(
        &self,
        door: Door,
        id: String,
        offer_sdp: &str,
        to_agent: mpsc::Sender<FromCaller>,
    ) -> Result<OpenedCall, OfferError> {
        let role = match door {
            Door::Whip => Role::Publisher,
            Door::TwoWay => Role::TwoWay,
        };
        let key = CallKey(self.shared.next_key());
        // The place is taken first: a full server should not do the work of an answer.
        self.shared.directory.enter_call(id.clone(), key)?;
        let opened = self.shared.open_call(key, role, id, offer_sdp, to_agent);
        if opened.is_err() {
            self.shared.directory.forget_call(key);
        }
        opened
    }

    /// Answers the offer of a listener (WHEP), who hears the agent of the call until either ends.
    ///
    /// # Errors
    /// See [`OfferError`].
    pub fn open_listener(&self, call_id: &str, listener_id: String, offer_sdp: &str) -> Result<Answer, OfferError> {
        let (leg, answer) = self.shared.answer(offer_sdp, Role::Listener)?;
        let call = self.shared.directory.enter_listener(call_id, &listener_id)?;
        let command = Command::Listen { call, listener_id, leg };
        self.shared.commands.send(command).map_err(|_| OfferError::ShuttingDown)?;
        Ok(answer)
    }

    /// Ends a call and its listeners; its agent hears `Ended(reason)`.
    ///
    /// # Errors
    /// [`UnknownCall`] when it is over already.
    pub fn hangup(&self, call_id: &str, reason: EndReason) -> Result<(), UnknownCall> {
        let call = self.shared.directory.find_call(call_id)?;
        self.shared.commands.send(Command::Hangup { call, reason }).map_err(|_| UnknownCall(call_id.to_owned()))
    }

    /// Ends one listener.
    ///
    /// # Errors
    /// [`UnknownCall`] when the call or the listener is gone already.
    pub fn close_listener(&self, call_id: &str, listener_id: &str) -> Result<(), UnknownCall> {
        let call = self.shared.directory.take_listener(call_id, listener_id)?;
        let command = Command::CloseListener { call, listener_id: listener_id.to_owned() };
        self.shared.commands.send(command).map_err(|_| UnknownCall(call_id.to_owned()))
    }

    /// Whether there is such a listener now.
    #[must_use]
    pub fn has_listener(&self, call_id: &str, listener_id: &str) -> bool {
        self.shared.directory.find_listener(call_id, listener_id).is_ok()
    }

    /// Live calls.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.shared.directory.len()
    }

    /// All counts at this moment.
    #[must_use]
    pub fn stats(&self) -> MediaStats {
        self.shared.counters.read()
    }

    /// Ends all calls ([`EndReason::Shutdown`]), then the thread, and waits for it. Calling again does nothing.
    pub fn shutdown(&self) {
        self.shared.shutdown();
    }
}

impl Shared {
    fn next_key(&self) -> u64 {
        self.next_key.fetch_add(1, Ordering::Relaxed)
    }

    fn open_call(
        &self,
        key: CallKey,
        role: Role,
        id: String,
        offer_sdp: &str,
        to_agent: mpsc::Sender<FromCaller>,
    ) -> Result<OpenedCall, OfferError> {
        let (leg, answer) = self.answer(offer_sdp, role)?;
        let command = Command::Open(NewCall { key, id, role, leg, to_agent });
        self.commands.send(command).map_err(|_| OfferError::ShuttingDown)?;
        Ok(OpenedCall { answer, voice: CallSender::new(key, self.commands.clone()) })
    }

    /// The public addresses, as far as they are known by now.
    fn advertised(&self) -> Vec<LocalAddress> {
        let found = self.public_address.get().map(|address| LocalAddress { transport: Transport::Udp, address });
        let is_news =
            |address: &LocalAddress| ![&self.candidates, &self.advertised].iter().any(|known| known.contains(address));
        self.advertised.iter().copied().chain(found.filter(is_news)).collect()
    }

    /// All SDP work, on the caller's thread: about 100 µs.
    fn answer(&self, offer_sdp: &str, role: Role) -> Result<(NewLeg, Answer), OfferError> {
        let offer = Offer::parse(offer_sdp)?;
        if offer.has_video() && !self.accept_video {
            return Err(OfferError::VideoRefused);
        }
        let narrowed = offer.narrowed_to(role)?;
        let answered = self.factory.answer(&narrowed, &offer.video_payload_types(), &self.candidates, Instant::now());
        let answered = answered.map_err(OfferError::BadSdp)?;
        let sdp = touch_up(&answered.answer, &offer, role, &self.advertised());
        let ice = IceSession::new(answered.ufrag.clone(), narrowed, offer.credentials().clone());
        let leg = NewLeg { key: LegKey(self.next_key()), peer: answered.peer, ice };
        Ok((leg, Answer { sdp, ice: answered.ufrag }))
    }

    fn shutdown(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(thread) = thread else { return };
        // A thread that is gone already needs no asking.
        let _ = self.commands.send(Command::Shutdown);
        if thread.join().is_err() {
            tracing::error!("media thread panicked");
        }
    }
}

/// Looks the name up; blocks for as long as that takes.
fn find_stun_server(name: &str, own: &[SocketAddr]) -> Result<SocketAddr, StartError> {
    let fail = |reason: String| StartError::StunServer { name: name.to_owned(), reason };
    let found = name.to_socket_addrs().map_err(|error| fail(error.to_string()))?;
    let is_reachable = |server: &SocketAddr| own.iter().any(|own| own.is_ipv4() == server.is_ipv4());
    found.into_iter().find(is_reachable).ok_or_else(|| fail("it has no address of our families".to_owned()))
}

fn local(transport: Transport, addresses: Vec<SocketAddr>) -> impl Iterator<Item = LocalAddress> {
    addresses.into_iter().map(move |address| LocalAddress { transport, address })
}

/// The public addresses with the ports that are open.
fn advertised(addresses: &[IpAddr], ports: &[(Transport, Option<u16>)]) -> Vec<LocalAddress> {
    let open = ports.iter().filter_map(|(transport, port)| Some((*transport, (*port)?)));
    open.flat_map(|(transport, port)| local(transport, addresses.iter().map(|ip| (*ip, port).into()).collect()))
        .collect()
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.shutdown();
    }
}

impl fmt::Debug for Media {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Media").field("udp_address", &self.shared.udp_address).finish_non_exhaustive()
    }
}
