//! How the network treats a call, told to its agent.

use std::time::{Duration, Instant};

use audio::leg::{FromCaller, MicrophoneStats, TransportStats, ticks_to_ms};

use super::Reactor;
use super::state::Call;
use crate::commands::CallKey;

/// How often the agent is told: as often as a listener may change what it reports.
pub(super) const TRANSPORT_INTERVAL: Duration = Duration::from_secs(2);

impl Reactor {
    /// Tells the agent, if it is time to.
    pub(super) fn tell_transport_in_time(&mut self, key: CallKey, now: Instant) {
        if self.calls.get(&key).is_some_and(|call| call.transport_due <= now) {
            self.tell_transport(key, now);
        }
    }

    /// Tells the agent how the network treated the call up to now.
    pub(super) fn tell_transport(&mut self, key: CallKey, now: Instant) {
        let Some(call) = self.calls.get(&key) else { return };
        let duplicates = self.legs.get(&call.caller).map_or(0, |leg| leg.peer.repeated());
        let listeners = call.listeners.iter().chain([&call.caller]);
        let reports = listeners.filter_map(|leg| self.legs.get(leg)?.report);
        let voice = reports.max_by_key(|report| report.loss_percent);
        let microphone = microphone(call, duplicates);
        if let Some(call) = self.calls.get_mut(&key) {
            call.transport_due = now + TRANSPORT_INTERVAL;
            let counted = std::mem::replace(&mut call.duplicates_counted, microphone.duplicates);
            self.net.counters.frames_duplicate.add(microphone.duplicates.saturating_sub(counted));
        }
        let stats = TransportStats { microphone, voice };
        // Before anything was sent there is nothing to tell.
        if stats != TransportStats::default() {
            self.tell_agent(key, FromCaller::Transport(stats));
        }
    }
}

/// Most packets that come twice are dropped with their encryption still on, the others by the jitter buffer.
fn microphone(call: &Call, repeated: u64) -> MicrophoneStats {
    let stats = call.jitter.stats();
    MicrophoneStats {
        frames: stats.delivered,
        lost: stats.lost,
        late: stats.late,
        duplicates: stats.duplicates + repeated,
        recovered_ms: ticks_to_ms(stats.recovered_ticks),
        jitter: Duration::from_micros(call.jitter.arrivals().jitter_us()),
    }
}
