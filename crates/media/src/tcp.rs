//! The TCP port for callers whose network lets no UDP through (ICE-TCP, RFC 6544): we are passive, they connect.
//!
//! A connection is a path like any other: what it carries is routed by the same tables. Until a call has accepted a
//! packet from it, it belongs to a stranger, of whom there are few and not for long. Each connection is known by the
//! address of its other end.

mod framed;

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use mio::net::{TcpListener, TcpStream};
use mio::{Interest, Registry, Token};

pub(crate) use framed::{Framed, Incoming};

use crate::StartError;
use crate::sockets::addresses_of;

/// How long a stranger may take to send what a call accepts.
const STRANGER_PATIENCE: Duration = Duration::from_secs(5);
/// Strangers at once, and of one address.
const MAX_STRANGERS: usize = 256;
const MAX_STRANGERS_PER_ADDRESS: usize = 16;

/// All listeners and connections.
#[derive(Debug)]
pub(crate) struct TcpPort {
    listeners: Vec<(TcpListener, SocketAddr)>,
    first_token: usize,
    next_token: usize,
    connections: HashMap<SocketAddr, Connection>,
    by_token: HashMap<Token, SocketAddr>,
    /// Connections that may hold more packets; readiness is told once only.
    readable: Vec<SocketAddr>,
}

#[derive(Debug)]
struct Connection {
    framed: Framed,
    local: SocketAddr,
    token: Token,
    owner: Owner,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    Stranger { until: Instant },
    Call,
}

impl TcpPort {
    /// No TCP at all.
    pub(crate) fn closed() -> Self {
        Self {
            listeners: Vec::new(),
            first_token: 0,
            next_token: 0,
            connections: HashMap::new(),
            by_token: HashMap::new(),
            readable: Vec::new(),
        }
    }

    /// Listens on `listen`; a wildcard stands for every interface's address and loopback.
    pub(crate) fn bind(listen: SocketAddr) -> Result<Self, StartError> {
        let mut port = Self::closed();
        let mut number = listen.port();
        for ip in addresses_of(listen.ip())? {
            let address = SocketAddr::new(ip, number);
            let listener = TcpListener::bind(address).map_err(|source| StartError::BindTcp { address, source })?;
            let address = listener.local_addr().map_err(|source| StartError::BindTcp { address, source })?;
            number = address.port();
            port.listeners.push((listener, address));
        }
        Ok(port)
    }

    /// Where callers may connect to.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.listeners.iter().map(|(_, address)| *address).collect()
    }

    /// Tokens from `first_token` on are this port's.
    pub(crate) fn register(&mut self, registry: &Registry, first_token: usize) -> io::Result<()> {
        self.first_token = first_token;
        self.next_token = first_token + self.listeners.len();
        for (index, (listener, _)) in self.listeners.iter_mut().enumerate() {
            registry.register(listener, Token(first_token + index), Interest::READABLE)?;
        }
        Ok(())
    }

    /// Takes note of what the system says about a socket: somebody connects, or a connection can be read or written.
    pub(crate) fn on_ready(&mut self, token: Token, registry: &Registry, now: Instant) {
        let index = token.0.wrapping_sub(self.first_token);
        if index < self.listeners.len() {
            self.accept(index, registry, now);
        } else if let Some(remote) = self.by_token.get(&token).copied() {
            if let Some(connection) = self.connections.get_mut(&remote)
                && !connection.framed.flush()
            {
                self.close(remote);
            } else {
                self.readable.push(remote);
            }
        }
    }

    /// Whether [`TcpPort::receive`] may have something.
    pub(crate) fn is_readable(&self) -> bool {
        !self.readable.is_empty()
    }

    /// The next packet of any connection: local address, source and length. `None` when there is none now.
    pub(crate) fn receive(&mut self, buffer: &mut [u8]) -> Option<(SocketAddr, SocketAddr, usize)> {
        while let Some(remote) = self.readable.last().copied() {
            let connection = self.connections.get_mut(&remote);
            match connection.map(|connection| (connection.local, connection.framed.receive(buffer))) {
                Some((local, Incoming::Packet(length))) => {
                    // The others have their turn before its next packet.
                    self.readable.rotate_right(1);
                    return Some((local, remote, length));
                }
                Some((_, Incoming::Over)) => self.close(remote),
                Some((_, Incoming::NothingYet)) | None => {}
            }
            self.readable.pop();
        }
        None
    }

    /// Sends to the other end of a connection. `false`: it is gone or stalled.
    pub(crate) fn send(&mut self, remote: SocketAddr, packet: &[u8]) -> bool {
        self.connections.get_mut(&remote).is_some_and(|connection| connection.framed.send(packet))
    }

    /// Notes that a call has accepted a packet from there.
    pub(crate) fn belongs_to_call(&mut self, remote: SocketAddr) {
        if let Some(connection) = self.connections.get_mut(&remote) {
            connection.owner = Owner::Call;
        }
    }

    pub(crate) fn close(&mut self, remote: SocketAddr) {
        // Dropping the stream takes it from the poll too.
        if let Some(connection) = self.connections.remove(&remote) {
            self.by_token.remove(&connection.token);
        }
    }

    /// Closes connections of strangers whose time is up; returns when to come again.
    pub(crate) fn dismiss_strangers(&mut self, now: Instant) -> Option<Instant> {
        let due = self.strangers().filter(|(_, until)| *until <= now).map(|(remote, _)| remote);
        for remote in due.collect::<Vec<_>>() {
            self.close(remote);
        }
        self.next_dismissal()
    }

    /// When the next stranger's time is up.
    pub(crate) fn next_dismissal(&self) -> Option<Instant> {
        self.strangers().map(|(_, until)| until).min()
    }

    fn strangers(&self) -> impl Iterator<Item = (SocketAddr, Instant)> {
        self.connections.iter().filter_map(|(remote, connection)| match connection.owner {
            Owner::Stranger { until } => Some((*remote, until)),
            Owner::Call => None,
        })
    }

    fn accept(&mut self, index: usize, registry: &Registry, now: Instant) {
        // A failed attempt is the other end's trouble, and there is no more to accept after it.
        while let Some((listener, local)) = self.listeners.get(index)
            && let Ok((stream, remote)) = listener.accept()
        {
            let local = *local;
            if self.has_room_for(remote.ip())
                && let Err(error) = self.welcome(stream, local, remote, registry, now)
            {
                tracing::debug!(%error, "connection lost as it came");
            }
        }
    }

    fn has_room_for(&self, source: IpAddr) -> bool {
        let same = self.strangers().filter(|(remote, _)| remote.ip() == source).count();
        self.strangers().count() < MAX_STRANGERS && same < MAX_STRANGERS_PER_ADDRESS
    }

    fn welcome(
        &mut self,
        mut stream: TcpStream,
        local: SocketAddr,
        remote: SocketAddr,
        registry: &Registry,
        now: Instant,
    ) -> io::Result<()> {
        // Voice packets are small and must not wait for each other.
        stream.set_nodelay(true)?;
        let token = Token(self.next_token);
        registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        self.next_token += 1;
        let owner = Owner::Stranger { until: now + STRANGER_PATIENCE };
        self.close(remote);
        self.connections.insert(remote, Connection { framed: Framed::new(stream), local, token, owner });
        self.by_token.insert(token, remote);
        self.readable.push(remote);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_who_say_nothing_are_dismissed_and_callers_stay() {
        let mut poll = mio::Poll::new().expect("a poll");
        let registry = poll.registry().try_clone().expect("a poll");
        let mut port = TcpPort::bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
        port.register(&registry, 3).expect("a poll");
        let connect = || std::net::TcpStream::connect(port.addresses()[0]).expect("it listens");
        let (caller, stranger) = (connect(), connect());
        let (now, mut events) = (Instant::now(), mio::Events::with_capacity(8));
        while port.connections.len() < 2 {
            poll.poll(&mut events, None).expect("a poll");
            events.iter().for_each(|event| port.on_ready(event.token(), &registry, now));
        }
        port.belongs_to_call(caller.local_addr().expect("it is connected"));
        assert_eq!(port.next_dismissal(), Some(now + STRANGER_PATIENCE));
        port.dismiss_strangers(now + STRANGER_PATIENCE / 2);
        assert_eq!(port.connections.len(), 2);
        assert_eq!(port.dismiss_strangers(now + STRANGER_PATIENCE), None);
        assert!(!port.connections.contains_key(&stranger.local_addr().expect("it was connected")));
        assert_eq!((port.connections.len(), port.by_token.len()), (1, 1));
    }
}
