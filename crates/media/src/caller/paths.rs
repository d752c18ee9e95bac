//! The client's sockets: one, and after a change of networks the one before for what is still under way to it.

use std::io;
use std::net::{IpAddr, SocketAddr};

use mio::net::{TcpStream, UdpSocket};
use mio::{Interest, Registry, Token};

use crate::peer::{Datagram, LocalAddress, Transport};
use crate::tcp::{Framed, Incoming};

/// The tokens of the two sockets; a new one takes the place of the one before the last.
const TOKENS: [Token; 2] = [Token(1), Token(2)];

/// How packets travel.
#[derive(Debug, Clone, Copy)]
pub(super) enum Way {
    /// From this address.
    Udp { local: IpAddr },
    /// By a connection to the server.
    Tcp { server: SocketAddr },
}

pub(super) struct Paths {
    way: Way,
    registry: Registry,
    present: Path,
    former: Option<Path>,
}

struct Path {
    socket: Socket,
    local: SocketAddr,
    token: Token,
}

enum Socket {
    Udp(UdpSocket),
    Tcp { framed: Framed, server: SocketAddr },
}

impl Paths {
    /// Opens a first socket, on a free port.
    pub(super) fn open(way: Way, registry: Registry) -> io::Result<Self> {
        let present = Path::open(way, &registry, TOKENS[0])?;
        Ok(Self { way, registry, present, former: None })
    }

    /// Where packets leave and arrive.
    pub(super) fn local(&self) -> LocalAddress {
        LocalAddress { transport: self.present.transport(), address: self.present.local }
    }

    /// Opens another socket and gives its address; from here on only old packets come to the present one.
    pub(super) fn change(&mut self) -> io::Result<LocalAddress> {
        // The one before the last is closed first: its token is free then.
        self.former = None;
        let token = if self.present.token == TOKENS[0] { TOKENS[1] } else { TOKENS[0] };
        let next = Path::open(self.way, &self.registry, token)?;
        self.former = Some(std::mem::replace(&mut self.present, next));
        Ok(self.local())
    }

    /// What cannot be sent is lost, as on any network.
    pub(super) fn send(&mut self, packet: Datagram<'_>) {
        let former = self.former.as_mut().filter(|path| path.local == packet.source);
        match &mut former.unwrap_or(&mut self.present).socket {
            Socket::Udp(socket) => drop(socket.send_to(packet.bytes, packet.destination)),
            Socket::Tcp { framed, .. } => _ = framed.send(packet.bytes),
        }
    }

    /// The next packet.
    pub(super) fn receive<'a>(&mut self, buffer: &'a mut [u8]) -> Option<Datagram<'a>> {
        let paths = [Some(&mut self.present), self.former.as_mut()];
        let received = paths.into_iter().flatten().find_map(|path| {
            let (length, source) = path.receive(buffer)?;
            Some((length, source, path.local, path.transport()))
        });
        let (length, source, destination, transport) = received?;
        Some(Datagram { transport, source, destination, bytes: &buffer[..length] })
    }
}

impl Path {
    fn open(way: Way, registry: &Registry, token: Token) -> io::Result<Self> {
        let (socket, local) = match way {
            Way::Udp { local } => {
                let mut socket = UdpSocket::bind(SocketAddr::new(local, 0))?;
                registry.register(&mut socket, token, Interest::READABLE)?;
                let local = socket.local_addr()?;
                (Socket::Udp(socket), local)
            }
            Way::Tcp { server } => {
                let mut stream = TcpStream::connect(server)?;
                stream.set_nodelay(true)?;
                registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
                let local = stream.local_addr()?;
                (Socket::Tcp { framed: Framed::new(stream), server }, local)
            }
        };
        Ok(Self { socket, local, token })
    }

    fn transport(&self) -> Transport {
        match self.socket {
            Socket::Udp(_) => Transport::Udp,
            Socket::Tcp { .. } => Transport::Tcp,
        }
    }

    /// The next packet's length and where it came from. A connection that is over is as silent as a lost network.
    fn receive(&mut self, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
        let socket = match &mut self.socket {
            Socket::Udp(socket) => socket,
            Socket::Tcp { framed, server } => {
                framed.flush();
                let Incoming::Packet(length) = framed.receive(buffer) else { return None };
                return Some((length, *server));
            }
        };
        loop {
            match socket.recv_from(buffer) {
                Ok(received) => return Some(received),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return None,
                Err(error) => tracing::trace!(%error, "receiving went on"),
            }
        }
    }
}
