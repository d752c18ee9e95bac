//! How much packets that belong to nobody may cost: an allowance for each source address. Pure; time is an argument.
//!
//! Known callers are never looked up here, and a request that proves its password costs nothing, so many callers behind
//! one address do not hinder each other. Source addresses can be forged: whoever is limited because of that gets
//! through again within a second, as the allowance grows back, and repeats its requests anyway.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

/// What an address may send in vain at once: the rest of a call that has just ended, at 50 packets a second.
const BURST: u32 = 100;
/// How long one packet in vain takes to be forgiven.
const FORGIVEN_AFTER: Duration = Duration::from_millis(20);
/// Addresses remembered. When there are more, all start anew: a flood from everywhere cannot be told from callers.
const MAX_ADDRESSES: usize = 4_096;

/// The allowances of all addresses that have sent something in vain.
#[derive(Debug, Default)]
pub(crate) struct Strangers {
    /// When each will have been forgiven everything.
    clean_at: HashMap<IpAddr, Instant>,
}

impl Strangers {
    /// Whether a packet from there that no known caller sent is worth looking at.
    pub(crate) fn may_try(&self, source: IpAddr, now: Instant) -> bool {
        let clean_at = self.clean_at.get(&network_of(source));
        clean_at.is_none_or(|clean_at| clean_at.saturating_duration_since(now) <= FORGIVEN_AFTER * (BURST - 1))
    }

    /// Notes a packet that belonged to nobody.
    pub(crate) fn was_in_vain(&mut self, source: IpAddr, now: Instant) {
        if self.clean_at.len() >= MAX_ADDRESSES {
            self.clean_at.retain(|_, clean_at| *clean_at > now);
            if self.clean_at.len() >= MAX_ADDRESSES {
                self.clean_at.clear();
            }
        }
        let clean_at = self.clean_at.entry(network_of(source)).or_insert(now);
        *clean_at = (*clean_at).max(now) + FORGIVEN_AFTER;
    }
}

/// The address that somebody is likely to have alone: of IPv6, half of it.
fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flood(strangers: &mut Strangers, source: IpAddr, packets: u32, now: Instant) -> u32 {
        let tried = (0..packets).filter(|_| {
            let tries = strangers.may_try(source, now);
            if tries {
                strangers.was_in_vain(source, now);
            }
            tries
        });
        tried.count() as u32
    }

    #[test]
    fn an_address_is_limited_alone_and_not_for_good() {
        let (mut strangers, start) = (Strangers::default(), Instant::now());
        let (loud, quiet) = ("192.0.2.1".parse().expect("an address"), "192.0.2.2".parse().expect("an address"));
        assert_eq!(flood(&mut strangers, loud, 1_000, start), BURST);
        assert!(strangers.may_try(quiet, start));
        assert_eq!(flood(&mut strangers, loud, 1_000, start + FORGIVEN_AFTER * 7), 7);
        assert_eq!(flood(&mut strangers, loud, 1_000, start + Duration::from_secs(60)), BURST);
    }

    #[test]
    fn an_ipv6_network_is_one_address() {
        let (mut strangers, now) = (Strangers::default(), Instant::now());
        let address = |text: &str| text.parse().expect("an address");
        flood(&mut strangers, address("2001:db8::1"), BURST, now);
        assert!(!strangers.may_try(address("2001:db8::ffff:2"), now));
        assert!(strangers.may_try(address("2001:db8:0:1::1"), now));
    }

    #[test]
    fn a_flood_from_everywhere_costs_bounded_memory() {
        let (mut strangers, now) = (Strangers::default(), Instant::now());
        for bits in 0..3 * MAX_ADDRESSES as u32 {
            strangers.was_in_vain(IpAddr::V4(bits.into()), now);
            assert!(strangers.clean_at.len() <= MAX_ADDRESSES);
        }
    }
}
