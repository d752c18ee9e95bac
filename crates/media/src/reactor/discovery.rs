//! Asking a STUN server for our public address, from the port of the calls.

use std::time::Instant;

use super::{Deadline, Reactor};
use crate::peer::{Datagram, Transport};

impl Reactor {
    /// Sends the next request.
    pub(super) fn ask_for_address(&mut self, now: Instant) {
        let Some(discovery) = &mut self.discovery else { return };
        let (request, again) = discovery.request(now);
        let destination = discovery.server();
        // The first address of the family is the one that other machines reach us by.
        let own = self.net.sockets.addresses().into_iter().find(|own| own.is_ipv4() == destination.is_ipv4());
        if let Some(source) = own {
            self.net.send(Datagram { transport: Transport::Udp, source, destination, bytes: &request });
        }
        self.timers.set(Deadline::Discovery, Some(again));
    }

    /// Whether the packet was the server's response.
    pub(super) fn take_response(&mut self, datagram: Datagram<'_>, now: Instant) -> bool {
        let discovery = self.discovery.as_mut().filter(|_| datagram.transport == Transport::Udp);
        let again = discovery.and_then(|discovery| discovery.response(datagram.source, datagram.bytes, now));
        if again.is_some() {
            self.timers.set(Deadline::Discovery, again);
        }
        again.is_some()
    }
}
