//! The UDP sockets of the one port: one for each local address, so that every packet's local address is known.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket as StdUdpSocket};

use mio::net::UdpSocket;
use mio::{Interest, Registry, Token};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use crate::StartError;

/// Free ports tried before giving up, where one must be free on every interface.
const MAX_PORT_TRIES: usize = 16;

/// Sockets bound to the same port on different addresses, the most useful address first.
#[derive(Debug)]
pub(crate) struct Sockets {
    list: Vec<Local>,
}

#[derive(Debug)]
struct Local {
    socket: UdpSocket,
    address: SocketAddr,
}

impl Sockets {
    /// Binds `listen`; a wildcard stands for every interface's address and loopback, port 0 for a free port.
    pub(crate) fn bind(listen: SocketAddr, buffer_bytes: usize) -> Result<Self, StartError> {
        let addresses = addresses_of(listen.ip())?;
        let tries = if listen.port() == 0 { MAX_PORT_TRIES } else { 1 };
        let mut result = Err(StartError::NoAddress { listen });
        for _ in 0..tries {
            result = bind_all(&addresses, listen, buffer_bytes);
            if !matches!(result, Err(StartError::PortTaken { .. })) {
                break;
            }
        }
        result.map(|list| Self { list })
    }

    pub(crate) fn register(&mut self, registry: &Registry) -> io::Result<()> {
        for (index, local) in self.list.iter_mut().enumerate() {
            registry.register(&mut local.socket, Token(index), Interest::READABLE)?;
        }
        Ok(())
    }

    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.list.iter().map(|local| local.address).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// The next datagram of a socket: local address, source and length. `None` when there is none now.
    pub(crate) fn receive(&self, index: usize, buffer: &mut [u8]) -> Option<(SocketAddr, SocketAddr, usize)> {
        let local = self.list.get(index)?;
        loop {
            match local.socket.recv_from(buffer) {
                Ok((length, source)) => return Some((local.address, source, length)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return None,
                // What the network reports about an earlier packet (ICMP) concerns no receiver.
                Err(error) => tracing::trace!(%error, "receiving went on"),
            }
        }
    }

    /// Sends from the socket bound to `source`. `false`: the kernel would not.
    pub(crate) fn send(&self, source: SocketAddr, destination: SocketAddr, bytes: &[u8]) -> bool {
        let local = self.list.iter().find(|local| local.address == source);
        local.is_some_and(|local| local.socket.send_to(bytes, destination).is_ok())
    }
}

fn bind_all(addresses: &[IpAddr], listen: SocketAddr, buffer_bytes: usize) -> Result<Vec<Local>, StartError> {
    let mut port = listen.port();
    let mut list: Vec<Local> = Vec::with_capacity(addresses.len());
    for ip in addresses {
        let address = SocketAddr::new(*ip, port);
        match bind_one(address, buffer_bytes) {
            Ok(local) => {
                port = local.address.port();
                list.push(local);
            }
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                return Err(StartError::PortTaken { address });
            }
            // An interface may go away at any moment; the others serve.
            Err(error) if addresses.len() > 1 => tracing::warn!(%error, "media does not use one interface"),
            Err(source) => return Err(StartError::Bind { address, source }),
        }
    }
    if list.is_empty() { Err(StartError::NoAddress { listen }) } else { Ok(list) }
}

fn bind_one(address: SocketAddr, buffer_bytes: usize) -> io::Result<Local> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    enlarge_buffers(&socket, buffer_bytes);
    socket.set_nonblocking(true)?;
    socket.bind(&SockAddr::from(address))?;
    let socket = StdUdpSocket::from(socket);
    let address = socket.local_addr()?;
    Ok(Local { socket: UdpSocket::from_std(socket), address })
}

/// A smaller buffer than asked for still works, only less well under load.
fn enlarge_buffers(socket: &Socket, bytes: usize) {
    let _ = socket.set_recv_buffer_size(bytes);
    let _ = socket.set_send_buffer_size(bytes);
    match socket.recv_buffer_size() {
        Ok(given) if given < bytes => {
            tracing::info!(
                given,
                wanted = bytes,
                "net.core.rmem_max caps media's buffers; packets may be lost under load"
            );
        }
        Ok(_) | Err(_) => {}
    }
}

/// The addresses that a configured one stands for.
pub(crate) fn addresses_of(listen: IpAddr) -> Result<Vec<IpAddr>, StartError> {
    if listen.is_unspecified() { local_addresses(listen) } else { Ok(vec![listen]) }
}

/// Every address a peer could reach us at: other machines' first, loopback last. `0.0.0.0` stands for IPv4 alone.
fn local_addresses(wildcard: IpAddr) -> Result<Vec<IpAddr>, StartError> {
    let interfaces = if_addrs::get_if_addrs().map_err(StartError::Interfaces)?;
    let mut addresses: Vec<IpAddr> = interfaces
        .into_iter()
        .filter(|interface| !interface.is_link_local() && (wildcard.is_ipv6() || interface.ip().is_ipv4()))
        .map(|interface| interface.ip())
        .collect();
    addresses.sort_by_key(|ip| (ip.is_loopback(), ip.is_ipv6()));
    addresses.dedup();
    Ok(addresses)
}
