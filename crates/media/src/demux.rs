//! Which leg a packet belongs to. Pure: addresses and bytes in, a key out.
//!
//! A known source address decides, except for STUN: requests name their leg themselves, since a caller may begin a
//! new connection from an address of an old one, and responses repeat the transaction of a request of ours. An address is
//! learnt only after the leg has accepted a packet from it, so that a guessed name cannot take over another caller's address.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;

use rustc_hash::FxHashMap;

use crate::peer::Transport;

/// Addresses remembered for one leg: a phone that changes networks leaves a few behind.
pub(crate) const MAX_ADDRESSES_PER_LEG: usize = 16;
/// Our own STUN requests (full ICE) whose answers may still come, for one leg: its pairs, checked a few times each.
const MAX_REQUESTS_PER_LEG: usize = 64;
/// Names of one leg: a caller may restart ICE again before the last restart has found a path.
const MAX_NAMES_PER_LEG: usize = 4;

/// The other end of a path.
pub(crate) type Source = (Transport, SocketAddr);

/// The tables of all ports.
#[derive(Debug)]
pub(crate) struct Demux<K> {
    by_address: HashMap<Source, K>,
    by_ufrag: HashMap<String, K>,
    by_request: HashMap<Transaction, K>,
    legs: FxHashMap<K, Names>,
}

/// What a STUN request and its response have in common.
type Transaction = [u8; 12];

/// What is kept for a leg, to be forgotten with it.
#[derive(Debug)]
struct Names {
    /// The present name, behind those from before restarts of ICE that have not found a path yet.
    ufrags: Vec<String>,
    addresses: Vec<Source>,
    requests: VecDeque<Transaction>,
}

/// Where a packet goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route<K> {
    /// To this leg, whose address is known.
    Known(K),
    /// To this leg if it accepts the packet; then [`Demux::learn`] the address.
    Claimed(K),
    /// To nobody.
    Unknown,
}

impl<K: Copy + Eq + std::hash::Hash> Demux<K> {
    pub(crate) fn new() -> Self {
        let (by_address, by_ufrag, by_request) = (HashMap::new(), HashMap::new(), HashMap::new());
        Self { by_address, by_ufrag, by_request, legs: FxHashMap::default() }
    }

    pub(crate) fn add(&mut self, leg: K, ufrag: String) {
        self.by_ufrag.insert(ufrag.clone(), leg);
        self.legs.insert(leg, Names { ufrags: vec![ufrag], addresses: Vec::new(), requests: VecDeque::new() });
    }

    /// Gives the leg a new name, as a restart of ICE does. Who still uses the old one is led to the leg too, so that it is
    /// known to be alive.
    pub(crate) fn rename(&mut self, leg: K, ufrag: String) {
        let Some(names) = self.legs.get_mut(&leg) else { return };
        if names.ufrags.len() == MAX_NAMES_PER_LEG {
            self.by_ufrag.remove(&names.ufrags.remove(0));
        }
        self.by_ufrag.insert(ufrag.clone(), leg);
        names.ufrags.push(ufrag);
    }

    /// Forgets all names but the last: the path that it stands for has been found.
    pub(crate) fn settle(&mut self, leg: K) {
        let Some(names) = self.legs.get_mut(&leg) else { return };
        let last = names.ufrags.len().saturating_sub(1);
        for former in names.ufrags.drain(..last) {
            self.by_ufrag.remove(&former);
        }
    }

    /// Remembers what the leg sends, if it asks for a response.
    pub(crate) fn sent(&mut self, leg: K, packet: &[u8]) {
        let Some(transaction) = stun_transaction(packet, STUN_BINDING_REQUEST) else { return };
        let Some(names) = self.legs.get_mut(&leg) else { return };
        if names.requests.len() == MAX_REQUESTS_PER_LEG
            && let Some(oldest) = names.requests.pop_front()
        {
            self.by_request.remove(&oldest);
        }
        names.requests.push_back(transaction);
        self.by_request.insert(transaction, leg);
    }

    /// Forgets a leg; returns the addresses that were its own.
    pub(crate) fn remove(&mut self, leg: K) -> Vec<Source> {
        let Some(mut names) = self.legs.remove(&leg) else { return Vec::new() };
        for ufrag in names.ufrags {
            self.by_ufrag.remove(&ufrag);
        }
        for transaction in names.requests {
            self.by_request.remove(&transaction);
        }
        names.addresses.retain(|address| self.by_address.get(address) == Some(&leg));
        for address in &names.addresses {
            self.by_address.remove(address);
        }
        names.addresses
    }

    pub(crate) fn route(&self, source: Source, packet: &[u8]) -> Route<K> {
        let known = self.by_address.get(&source);
        let responds_to =
            stun_transaction(packet, STUN_BINDING_SUCCESS).or(stun_transaction(packet, STUN_BINDING_ERROR));
        let named = if let Some(ufrag) = stun_request_ufrag(packet) {
            self.by_ufrag.get(ufrag)
        } else if let Some(transaction) = responds_to {
            self.by_request.get(&transaction)
        } else {
            return known.map_or(Route::Unknown, |leg| Route::Known(*leg));
        };
        match named {
            Some(leg) if known == Some(leg) => Route::Known(*leg),
            Some(leg) => Route::Claimed(*leg),
            None => Route::Unknown,
        }
    }

    /// Remembers that the leg accepted a packet from this address; the oldest address gives way to the 17th, and is returned.
    pub(crate) fn learn(&mut self, leg: K, source: Source) -> Option<Source> {
        let names = self.legs.get_mut(&leg)?;
        let mut given_way = None;
        names.addresses.retain(|address| *address != source);
        if names.addresses.len() == MAX_ADDRESSES_PER_LEG {
            let oldest = names.addresses.remove(0);
            if self.by_address.get(&oldest) == Some(&leg) {
                self.by_address.remove(&oldest);
                given_way = Some(oldest);
            }
        }
        names.addresses.push(source);
        self.by_address.insert(source, leg);
        given_way
    }
}

const STUN_HEADER_BYTES: usize = 20;
const STUN_BINDING_REQUEST: [u8; 2] = [0, 1];
const STUN_BINDING_SUCCESS: [u8; 2] = [1, 1];
const STUN_BINDING_ERROR: [u8; 2] = [1, 0x11];
const STUN_MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const STUN_USERNAME: u16 = 6;

/// The transaction of a STUN message of this type.
fn stun_transaction(packet: &[u8], kind: [u8; 2]) -> Option<Transaction> {
    let header = packet.get(..STUN_HEADER_BYTES)?;
    if header[..2] != kind || header[4..8] != STUN_MAGIC_COOKIE {
        return None;
    }
    header[8..].try_into().ok()
}

/// Our ICE user name fragment in a STUN binding request: the part of USERNAME before the colon (RFC 8445, 7.2.2).
fn stun_request_ufrag(packet: &[u8]) -> Option<&str> {
    stun_transaction(packet, STUN_BINDING_REQUEST)?;
    let (_, mut attributes) = packet.split_at_checked(STUN_HEADER_BYTES)?;
    while let Some((head, rest)) = attributes.split_at_checked(4) {
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let value = rest.get(..length)?;
        if u16::from_be_bytes([head[0], head[1]]) == STUN_USERNAME {
            return std::str::from_utf8(value).ok()?.split(':').next();
        }
        attributes = rest.get(length.next_multiple_of(4)..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(username: &str) -> Vec<u8> {
        let mut packet = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
        packet.extend([0; 12]);
        // PRIORITY first, so that walking over attributes is exercised.
        packet.extend([0, 0x24, 0, 4, 1, 2, 3, 4]);
        packet.extend([0, 6, 0, username.len() as u8]);
        packet.extend(username.as_bytes());
        packet.resize(packet.len().next_multiple_of(4), 0);
        packet
    }

    fn address(port: u16) -> Source {
        (Transport::Udp, SocketAddr::from(([192, 0, 2, 1], port)))
    }

    const RTP: &[u8] = &[0x80, 111, 0, 1];

    #[test]
    fn a_request_claims_its_leg_and_later_packets_follow_the_address() {
        let mut demux = Demux::new();
        demux.add(7, "ours".into());
        assert_eq!(demux.route(address(1), RTP), Route::Unknown);
        assert_eq!(demux.route(address(1), &request("ours:theirs")), Route::Claimed(7));
        demux.learn(7, address(1));
        assert_eq!(demux.route(address(1), RTP), Route::Known(7));
        assert_eq!(demux.route(address(1), &request("ours:theirs")), Route::Known(7));
        assert_eq!(demux.route(address(2), RTP), Route::Unknown);
    }

    #[test]
    fn a_new_connection_from_an_old_address_goes_to_the_new_leg() {
        let mut demux = Demux::new();
        demux.add(1, "old".into());
        demux.add(2, "new".into());
        demux.learn(1, address(1));
        assert_eq!(demux.route(address(1), &request("new:x")), Route::Claimed(2));
        demux.learn(2, address(1));
        demux.remove(1);
        assert_eq!(demux.route(address(1), RTP), Route::Known(2));
    }

    #[test]
    fn a_leg_has_both_names_until_its_restart_has_found_a_path() {
        let mut demux = Demux::new();
        demux.add(1, "old".into());
        demux.rename(1, "new".into());
        assert_eq!(demux.route(address(1), &request("old:x")), Route::Claimed(1));
        assert_eq!(demux.route(address(1), &request("new:x")), Route::Claimed(1));
        demux.settle(1);
        assert_eq!(demux.route(address(1), &request("old:x")), Route::Unknown);
        assert_eq!(demux.route(address(1), &request("new:x")), Route::Claimed(1));
    }

    #[test]
    fn a_response_from_anywhere_belongs_to_who_asked() {
        let mut demux = Demux::new();
        demux.add(1, "a".into());
        let asked = request("theirs:a");
        let mut response = asked.clone();
        response[..2].copy_from_slice(&STUN_BINDING_SUCCESS);
        assert_eq!(demux.route(address(1), &response), Route::Unknown);
        demux.sent(1, &asked);
        assert_eq!(demux.route(address(1), &response), Route::Claimed(1));
        response[8] ^= 1;
        assert_eq!(demux.route(address(1), &response), Route::Unknown);
    }

    #[test]
    fn a_removed_leg_leaves_nothing_behind() {
        let mut demux = Demux::new();
        demux.add(1, "gone".into());
        for number in 0..100 {
            demux.learn(1, address(number));
            demux.rename(1, number.to_string());
            let mut asked = request("theirs:a");
            asked[8..10].copy_from_slice(&number.to_be_bytes());
            demux.sent(1, &asked);
        }
        let sizes = (demux.by_address.len(), demux.by_ufrag.len(), demux.by_request.len());
        assert_eq!(sizes, (MAX_ADDRESSES_PER_LEG, MAX_NAMES_PER_LEG, MAX_REQUESTS_PER_LEG));
        demux.remove(1);
        assert!(demux.by_address.is_empty() && demux.by_ufrag.is_empty() && demux.by_request.is_empty());
        assert!(demux.legs.is_empty());
    }

    #[test]
    fn damaged_requests_are_nobodys() {
        let mut demux = Demux::new();
        demux.add(1, "a".into());
        let whole = request("a:b");
        for length in 0..whole.len() {
            assert_ne!(demux.route(address(1), &whole[..length]), Route::Known(1));
        }
        let mut lying = whole;
        lying[23] = 200;
        assert_eq!(demux.route(address(1), &lying), Route::Unknown);
        assert_eq!(demux.route(address(1), &request("someone else")), Route::Unknown);
        assert_eq!(demux.route(address(1), &[]), Route::Unknown);
    }
}
