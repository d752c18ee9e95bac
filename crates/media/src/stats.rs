//! What the media thread counts. Written by it, read by anyone.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// The live counters.
        #[derive(Debug, Default)]
        pub(crate) struct Counters { $(pub(crate) $name: Counter,)* }

        /// All counts at one moment, since the start. `calls` and `listeners` are those there are now.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct MediaStats { $($(#[$doc])* pub $name: u64,)* }

        impl Counters {
            pub(crate) fn read(&self) -> MediaStats {
                MediaStats { $($name: self.$name.get(),)* }
            }
        }
    };
}

counters! {
    /// Calls now.
    calls,
    /// WHEP listeners now.
    listeners,
    /// Peers that came to be connected.
    connected,
    /// UDP packets received.
    packets_in,
    /// UDP packets sent.
    packets_out,
    /// Packets that belong to no call.
    packets_unknown,
    /// Packets that were not looked at, since too many from there had belonged to no call.
    packets_limited,
    /// Packets for a call that were no STUN, DTLS or SRTP of its peer.
    packets_refused,
    /// Packets that the kernel would not send.
    packets_unsent,
    /// Microphone frames handed to agents.
    frames_in,
    /// Microphone packets of which neither they nor a copy came in time.
    frames_lost,
    /// Microphone frames of which a copy in a later packet came first, or nothing else.
    frames_recovered,
    /// Microphone packets that came too late.
    frames_late,
    /// Microphone packets that came twice.
    frames_duplicate,
    /// Microphone frames dropped because the agent lagged.
    frames_dropped,
    /// Voice frames that left (once, however many listeners heard them).
    voice_out,
    /// Voice frames dropped because a queue was full.
    voice_dropped,
    /// Text messages dropped: no channel, queue full or refused.
    texts_dropped,
    /// Events dropped because the agent was stuck.
    events_dropped,
}

/// A number that goes up, or (for gauges) up and down.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Relaxed);
    }

    pub(crate) fn subtract(&self, count: u64) {
        self.0.fetch_sub(count, Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}
