//! The client's sockets: one, and after a change of networks the one before for what is still under way to it.

use std::io;
use std::net::{IpAddr, SocketAddr};

use mio::net::UdpSocket;
use mio::{Interest, Registry, Token};

/// The tokens of the two sockets; a new one takes the place of the one before the last.
const TOKENS: [Token; 2] = [Token(1), Token(2)];

pub(super) struct Paths {
    registry: Registry,
    present: Path,
    former: Option<Path>,
}

struct Path {
    socket: UdpSocket,
    local: SocketAddr,
    token: Token,
}

impl Paths {
    /// A first socket, on a free port of this address.
    pub(super) fn bind(ip: IpAddr, registry: Registry) -> io::Result<Self> {
        let present = Path::bind(ip, &registry, TOKENS[0])?;
        Ok(Self { registry, present, former: None })
    }

    /// Where packets leave and arrive.
    pub(super) fn local(&self) -> SocketAddr {
        self.present.local
    }

    /// Opens another socket and gives its address; from here on only old packets come to the present one.
    pub(super) fn change(&mut self) -> io::Result<SocketAddr> {
        // The one before the last is closed first: its token is free then.
        self.former = None;
        let token = if self.present.token == TOKENS[0] { TOKENS[1] } else { TOKENS[0] };
        let next = Path::bind(self.present.local.ip(), &self.registry, token)?;
        self.former = Some(std::mem::replace(&mut self.present, next));
        Ok(self.present.local)
    }

    /// What cannot be sent is lost, as on any network.
    pub(super) fn send(&self, source: SocketAddr, destination: SocketAddr, bytes: &[u8]) {
        let former = self.former.as_ref().filter(|path| path.local == source);
        let _ = former.unwrap_or(&self.present).socket.send_to(bytes, destination);
    }

    /// The next packet: its length, where it came from and where it came to.
    pub(super) fn receive(&self, buffer: &mut [u8]) -> Option<(usize, SocketAddr, SocketAddr)> {
        [Some(&self.present), self.former.as_ref()].into_iter().flatten().find_map(|path| path.receive(buffer))
    }
}

impl Path {
    fn bind(ip: IpAddr, registry: &Registry, token: Token) -> io::Result<Self> {
        let mut socket = UdpSocket::bind(SocketAddr::new(ip, 0))?;
        registry.register(&mut socket, token, Interest::READABLE)?;
        Ok(Self { local: socket.local_addr()?, socket, token })
    }

    fn receive(&self, buffer: &mut [u8]) -> Option<(usize, SocketAddr, SocketAddr)> {
        loop {
            match self.socket.recv_from(buffer) {
                Ok((length, source)) => return Some((length, source, self.local)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return None,
                Err(error) => tracing::trace!(%error, "receiving went on"),
            }
        }
    }
}
