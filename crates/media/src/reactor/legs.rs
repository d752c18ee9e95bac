//! Peer connections: packets in, events out, deadlines, the end.

use std::time::{Duration, Instant};

use audio::leg::{EndReason, FromCaller};

use super::state::{Leg, Link, Purpose};
use super::{Deadline, Reactor};
use crate::commands::{CallKey, LegKey, NewLeg};
use crate::peer::{Datagram, PeerEvent, Transport};

/// The stack may ask to be called at once, again and again; this much rest keeps others alive.
const MIN_REST: Duration = Duration::from_millis(1);

impl Reactor {
    pub(super) fn add_leg(&mut self, new: NewLeg, call: CallKey, purpose: Purpose, now: Instant) {
        let link = Link::Connecting { until: now + self.limits.connect_timeout };
        self.pace.hurry(now);
        self.demux.add(new.key, new.ice.tag().clone());
        self.legs.insert(new.key, Leg { peer: new.peer, ice: new.ice, call, purpose, link, report: None });
        self.run_leg(new.key, now);
    }

    pub(super) fn leg_receives(&mut self, key: LegKey, datagram: Datagram<'_>, now: Instant) {
        let Some(leg) = self.legs.get_mut(&key) else { return };
        match &mut leg.link {
            Link::Connecting { .. } => self.pace.hurry(now),
            Link::Connected { heard_at } => *heard_at = now,
            Link::Closed => {}
        }
        if !leg.peer.receive(datagram, now) {
            self.net.counters.packets_refused.add(1);
        }
        self.run_leg(key, now);
    }

    pub(super) fn leg_deadline(&mut self, key: LegKey, now: Instant) {
        let Some(leg) = self.legs.get(&key) else { return };
        match leg.patience(self.limits.silent_peer_timeout) {
            Some((until, reason)) if until <= now => self.leg_over(key, reason, now),
            _ => self.run_leg(key, now),
        }
    }

    /// Sends what the leg has to send, handles what happened to it, and sets its next deadline.
    pub(super) fn run_leg(&mut self, key: LegKey, now: Instant) {
        let Some(leg) = self.legs.get_mut(&key) else { return };
        let call = leg.call;
        let mut events = std::mem::take(&mut self.peer_events);
        let (net, demux) = (&mut self.net, &mut self.demux);
        let mut send = |packet: Datagram<'_>| {
            demux.sent(key, packet.bytes);
            net.send(packet);
        };
        let wake = leg.peer.run(now, &mut send, &mut events);
        let has_news = !events.is_empty();
        for event in events.drain(..) {
            self.on_peer_event(key, call, event, now);
        }
        self.peer_events = events;
        if has_news {
            self.post(call);
        }
        let Some(leg) = self.legs.get(&key) else { return };
        match (wake, leg.patience(self.limits.silent_peer_timeout)) {
            (_, None) => self.leg_over(key, EndReason::Hangup, now),
            (None, Some(_)) => self.leg_over(key, EndReason::Failed, now),
            (Some(wake), Some((until, _))) => {
                self.timers.set(Deadline::Leg(key), Some(wake.min(until).max(now + MIN_REST)));
            }
        }
    }

    /// Closes the connection and forgets it; for its call nothing happens.
    pub(super) fn close_leg(&mut self, key: LegKey, now: Instant) {
        let Some(mut leg) = self.legs.remove(&key) else { return };
        let net = &mut self.net;
        leg.peer.close(now, &mut |packet| net.send(packet));
        for (transport, remote) in self.demux.remove(key) {
            if transport == Transport::Tcp {
                net.tcp.close(remote);
            }
        }
        self.timers.set(Deadline::Leg(key), None);
    }

    fn leg_over(&mut self, key: LegKey, reason: EndReason, now: Instant) {
        let Some(leg) = self.legs.get(&key) else { return };
        match leg.purpose {
            Purpose::Caller => self.end_call(leg.call, reason, now),
            Purpose::Listener { .. } => self.remove_listener(leg.call, key, now),
        }
    }

    fn on_peer_event(&mut self, key: LegKey, call: CallKey, event: PeerEvent, now: Instant) {
        match event {
            PeerEvent::Connected => self.leg_connected(key, call, now),
            PeerEvent::PathFound => self.demux.settle(key),
            PeerEvent::ChannelOpen => self.tell_agent(call, FromCaller::ChannelOpen),
            PeerEvent::Key(key) => self.tell_agent(call, FromCaller::Key(key)),
            PeerEvent::Text(text) => self.tell_agent(call, FromCaller::Message(text)),
            PeerEvent::Audio(packet) => self.take_audio(call, packet, now),
            PeerEvent::Reported(report) => {
                if let Some(leg) = self.legs.get_mut(&key) {
                    leg.report = Some(report);
                }
            }
            PeerEvent::Closed => {
                if let Some(leg) = self.legs.get_mut(&key) {
                    leg.link = Link::Closed;
                }
            }
        }
    }

    fn leg_connected(&mut self, key: LegKey, call_key: CallKey, now: Instant) {
        let (Some(leg), Some(call)) = (self.legs.get_mut(&key), self.calls.get_mut(&call_key)) else { return };
        leg.link = Link::Connected { heard_at: now };
        self.net.counters.connected.add(1);
        let hears = match leg.purpose {
            Purpose::Caller => call.role.listens(),
            Purpose::Listener { .. } => true,
        };
        if hears {
            call.audience.push(key);
            call.playout.audience_arrived();
        }
        if matches!(leg.purpose, Purpose::Caller) {
            self.tell_agent(call_key, FromCaller::Connected);
        }
    }
}
