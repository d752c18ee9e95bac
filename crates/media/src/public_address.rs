//! Our public address as a STUN server sees it (RFC 8489), for servers behind NAT that do not know it.
//!
//! Pure but for the random numbers; time is an argument. The request leaves from the port of the calls, since that is the
//! one whose mapping callers need, and is repeated for as long as the server lives, which keeps the mapping open and
//! notices when it changes.

use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const BINDING_REQUEST: [u8; 2] = [0, 1];
const BINDING_SUCCESS: [u8; 2] = [1, 1];
const XOR_MAPPED_ADDRESS: u16 = 0x20;
const HEADER_BYTES: usize = 20;
/// The first wait for a response; it doubles up to [`REFRESH`] (RFC 8489, section 6.2.1).
const FIRST_TIMEOUT: Duration = Duration::from_millis(500);
/// How often a known address is asked for again. NATs forget UDP mappings after 30 s and more (RFC 4787 wants 2 min).
const REFRESH: Duration = Duration::from_secs(25);

/// What was found, for those who write answers.
#[derive(Debug, Clone, Default)]
pub(crate) struct PublicAddress(Arc<Mutex<Option<SocketAddr>>>);

/// Asks one STUN server.
#[derive(Debug)]
pub(crate) struct Discovery {
    server: SocketAddr,
    transaction: [u8; 12],
    /// How long the present request is waited for.
    timeout: Duration,
    found: PublicAddress,
}

impl PublicAddress {
    pub(crate) fn get(&self) -> Option<SocketAddr> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether that is news.
    fn set(&self, address: SocketAddr) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).replace(address) != Some(address)
    }
}

impl Discovery {
    pub(crate) fn new(server: SocketAddr, found: PublicAddress) -> Self {
        Self { server, transaction: [0; 12], timeout: FIRST_TIMEOUT / 2, found }
    }

    pub(crate) fn server(&self) -> SocketAddr {
        self.server
    }

    /// The next request, and when to send the one after it, unless a response comes first.
    pub(crate) fn request(&mut self, now: Instant) -> ([u8; HEADER_BYTES], Instant) {
        self.timeout = (self.timeout * 2).min(REFRESH);
        self.transaction = random_transaction();
        let mut request = [0; HEADER_BYTES];
        request[..2].copy_from_slice(&BINDING_REQUEST);
        request[4..8].copy_from_slice(&MAGIC_COOKIE);
        request[8..].copy_from_slice(&self.transaction);
        (request, now + self.timeout)
    }

    /// Takes a packet, if it is the response; returns when to ask again.
    pub(crate) fn response(&mut self, source: SocketAddr, packet: &[u8], now: Instant) -> Option<Instant> {
        if source != self.server {
            return None;
        }
        let address = mapped_address(packet, &self.transaction)?;
        self.timeout = FIRST_TIMEOUT / 2;
        if self.found.set(address) {
            tracing::info!("a STUN server told media its public address");
        }
        Some(now + REFRESH)
    }
}

/// A hasher's random key makes numbers that nobody on the network can guess.
fn random_transaction() -> [u8; 12] {
    let bytes = [RandomState::new().hash_one(1).to_be_bytes(), RandomState::new().hash_one(2).to_be_bytes()];
    std::array::from_fn(|index| bytes.as_flattened()[index])
}

/// The address in a successful response to this request (RFC 8489, section 14.2).
fn mapped_address(packet: &[u8], transaction: &[u8; 12]) -> Option<SocketAddr> {
    let (header, mut attributes) = packet.split_at_checked(HEADER_BYTES)?;
    if header[..2] != BINDING_SUCCESS || header[4..8] != MAGIC_COOKIE || header[8..] != *transaction {
        return None;
    }
    while let Some((head, rest)) = attributes.split_at_checked(4) {
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let value = rest.get(..length)?;
        if u16::from_be_bytes([head[0], head[1]]) == XOR_MAPPED_ADDRESS {
            return unmask(value, &header[4..]);
        }
        attributes = rest.get(length.next_multiple_of(4)..)?;
    }
    None
}

/// Port and address are sent masked with cookie and transaction, so that no NAT on the way rewrites them.
fn unmask(value: &[u8], mask: &[u8]) -> Option<SocketAddr> {
    let (head, masked) = value.split_at_checked(4)?;
    let port = u16::from_be_bytes([head[2] ^ mask[0], head[3] ^ mask[1]]);
    let plain: Vec<u8> = masked.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect();
    let ip: IpAddr = match (head[1], masked.len()) {
        (1, 4) => Ipv4Addr::from(<[u8; 4]>::try_from(plain).ok()?).into(),
        (2, 16) => Ipv6Addr::from(<[u8; 16]>::try_from(plain).ok()?).into(),
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: ([u8; 4], u16) = ([192, 0, 2, 3], 3_478);

    /// The response of RFC 5769, section 2.2: its header, SOFTWARE and XOR-MAPPED-ADDRESS of 192.0.2.1:32853.
    fn sample(transaction: &[u8; 12]) -> Vec<u8> {
        let mut packet = b"\x01\x01\x00\x3c\x21\x12\xa4\x42".to_vec();
        packet.extend(transaction);
        packet.extend(b"\x80\x22\x00\x0btest vector \x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43");
        packet
    }

    #[test]
    fn the_address_is_read_and_asked_for_again_later() {
        let (found, now) = (PublicAddress::default(), Instant::now());
        let mut discovery = Discovery::new(SERVER.into(), found.clone());
        let (request, again) = discovery.request(now);
        assert_eq!((again - now, &request[..8]), (FIRST_TIMEOUT, &b"\x00\x01\x00\x00\x21\x12\xa4\x42"[..]));
        let transaction = request[8..].try_into().expect("twelve bytes");
        assert_eq!(discovery.response(SERVER.into(), &sample(&transaction), now), Some(now + REFRESH));
        assert_eq!(found.get(), Some("192.0.2.1:32853".parse().expect("an address")));
    }

    #[test]
    fn ipv6_addresses_are_masked_with_the_transaction_too() {
        // RFC 5769, section 2.3.
        let mask = *b"\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae";
        let value = *b"\x00\x02\xa1\x47\x01\x13\xa9\xfa\xa5\xd3\xf1\x79\xbc\x25\xf4\xb5\xbe\xd2\xb9\xd9";
        let address = "[2001:db8:1234:5678:11:2233:4455:6677]:32853".parse().expect("an address");
        assert_eq!(unmask(&value, &mask), Some(address));
    }

    #[test]
    fn what_was_not_asked_for_is_not_believed() {
        let (found, now) = (PublicAddress::default(), Instant::now());
        let mut discovery = Discovery::new(SERVER.into(), found.clone());
        let transaction: [u8; 12] = discovery.request(now).0[8..].try_into().expect("twelve bytes");
        let whole = sample(&transaction);
        let elsewhere = SocketAddr::from(([192, 0, 2, 4], 3_478));
        assert_eq!(discovery.response(elsewhere, &whole, now), None);
        assert_eq!(discovery.response(SERVER.into(), &sample(&[7; 12]), now), None);
        for length in 0..whole.len() {
            assert_eq!(discovery.response(SERVER.into(), &whole[..length], now), None);
        }
        assert_eq!(found.get(), None);
    }

    #[test]
    fn a_silent_server_is_asked_less_and_less_often() {
        let now = Instant::now();
        let mut discovery = Discovery::new(SERVER.into(), PublicAddress::default());
        let waits: Vec<u128> = (0..8).map(|_| (discovery.request(now).1 - now).as_millis()).collect();
        assert_eq!(waits, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 25_000, 25_000]);
    }
}
