//! The jitter buffer: RTP packets as they arrive in, frames in order out.
//!
//! Made for machines that listen, not for a loudspeaker: nothing is delayed or stretched to hide jitter. A packet in
//! order leaves at once; only a hole makes later packets wait, and no longer than [`MAX_WAIT_US`]. Lost packets leave
//! as frames with an empty payload. Silence that the sender left out (DTX) is no loss: there the RTP time jumps and
//! the sequence does not. Time is passed in, in microseconds of any one clock.

mod extend;

use std::collections::BTreeMap;

use bytes::Bytes;

use self::extend::Extender;
use crate::leg::{FRAME_MS, OpusFrame, RTP_CLOCK_HZ};
use crate::opus;

/// How long later packets wait for a missing one. Reordering beyond 60 ms is rare, and the caller's turn waits too.
pub const MAX_WAIT_US: u64 = 60_000;
/// Packets held behind a hole; enough for [`MAX_WAIT_US`] of 2.5 ms frames, and a bound on what a peer can make us keep.
pub const MAX_HELD: usize = 32;
/// A sequence jump beyond this is a new stream, not loss: 10 s of packets.
pub const MAX_JUMP: u64 = 500;
/// Marks given for one hole. Concealing more than half a second helps nobody.
pub const MAX_GAP_MARKS: u64 = 25;

/// One RTP packet of an Opus stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RtpPacket {
    /// The sequence number as sent.
    pub sequence: u16,
    /// The timestamp as sent, at [`RTP_CLOCK_HZ`].
    pub timestamp: u32,
    /// The Opus packet.
    pub payload: Bytes,
}

/// What happened to packets so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JitterStats {
    /// Frames given out, without gap marks.
    pub delivered: u64,
    /// Packets that never came in time.
    pub lost: u64,
    /// Packets that came after their place was given up.
    pub late: u64,
    /// Packets that came twice.
    pub duplicates: u64,
    /// Times the sender began a new stream.
    pub restarts: u64,
}

/// Orders one incoming stream.
#[derive(Debug, Default)]
pub struct JitterBuffer {
    sequences: Extender<16>,
    times: Extender<32>,
    held: BTreeMap<u64, Held>,
    next: Option<Next>,
    /// Marks of the hole that is being reported.
    gap: Option<Gap>,
    /// Bit `n` set: the frame `n + 1` before the next one was delivered.
    delivered_before: u64,
    stats: JitterStats,
}

#[derive(Debug)]
struct Held {
    rtp_time: u64,
    arrived_us: u64,
    payload: Bytes,
}

/// What should come next, if nothing is lost or left out.
#[derive(Debug, Clone, Copy)]
struct Next {
    sequence: u64,
    rtp_time: u64,
    /// RTP ticks of the last frame, which missing ones are taken to share.
    ticks: u64,
}

#[derive(Debug)]
struct Gap {
    left: u64,
    sequence: u64,
    rtp_time: u64,
    ticks: u64,
}

impl JitterBuffer {
    /// An empty buffer, before the first packet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a packet in. Empty payloads carry no audio and are ignored.
    pub fn push(&mut self, packet: RtpPacket, now_us: u64) {
        if packet.payload.is_empty() {
            return;
        }
        let sequence = self.sequences.extend(u64::from(packet.sequence));
        let rtp_time = self.times.extend(u64::from(packet.timestamp));
        let Some(next) = self.next else {
            self.next = Some(Next { sequence, rtp_time, ticks: DEFAULT_TICKS });
            self.hold(sequence, rtp_time, now_us, packet.payload);
            return;
        };
        if sequence.abs_diff(next.sequence) > MAX_JUMP {
            self.restart(sequence, rtp_time);
            self.hold(sequence, rtp_time, now_us, packet.payload);
        } else if sequence < next.sequence {
            self.count_past(next.sequence - sequence);
        } else if self.held.contains_key(&sequence) {
            self.stats.duplicates += 1;
        } else {
            self.hold(sequence, rtp_time, now_us, packet.payload);
        }
    }

    /// The next frame that may leave by now; call until there is none.
    pub fn pop(&mut self, now_us: u64) -> Option<OpusFrame> {
        if let Some(mark) = self.next_mark() {
            return Some(mark);
        }
        let next = self.next?;
        let (&sequence, first) = self.held.first_key_value()?;
        if sequence > next.sequence {
            if now_us < first.arrived_us + MAX_WAIT_US && self.held.len() < MAX_HELD {
                return None;
            }
            self.give_up(next, sequence, first.rtp_time);
            if let Some(mark) = self.next_mark() {
                return Some(mark);
            }
        }
        self.deliver()
    }

    /// When [`JitterBuffer::pop`] will have something without another packet.
    #[must_use]
    pub fn deadline_us(&self) -> Option<u64> {
        self.held.first_key_value().map(|(_, first)| first.arrived_us + MAX_WAIT_US)
    }

    /// What happened so far.
    #[must_use]
    pub fn stats(&self) -> JitterStats {
        self.stats
    }

    fn hold(&mut self, sequence: u64, rtp_time: u64, arrived_us: u64, payload: Bytes) {
        debug_assert!(self.held.len() <= MAX_HELD, "pop drains the buffer as soon as it is full");
        self.held.insert(sequence, Held { rtp_time, arrived_us, payload });
    }

    fn deliver(&mut self) -> Option<OpusFrame> {
        let (sequence, held) = self.held.pop_first()?;
        let ticks = opus::packet_samples(&held.payload, RTP_CLOCK_HZ).map_or(DEFAULT_TICKS, |samples| samples as u64);
        self.next = Some(Next { sequence: sequence + 1, rtp_time: held.rtp_time + ticks, ticks });
        self.delivered_before = self.delivered_before << 1 | 1;
        self.stats.delivered += 1;
        Some(OpusFrame { sequence, rtp_time: held.rtp_time, payload: held.payload })
    }

    /// Declares everything before `sequence` lost and prepares its marks, the last ones if there are too many.
    fn give_up(&mut self, next: Next, sequence: u64, rtp_time: u64) {
        let missing = sequence - next.sequence;
        self.stats.lost += missing;
        self.delivered_before = self.delivered_before.checked_shl(missing as u32).unwrap_or(0);
        let marks = missing.min(MAX_GAP_MARKS);
        let skipped = missing - marks;
        // Frames may have changed their length in the hole; marks never reach beyond the frame that ends it.
        let ticks = next.ticks.min(rtp_time.saturating_sub(next.rtp_time) / missing);
        let rtp_start = next.rtp_time + skipped * ticks;
        self.gap = Some(Gap { left: marks, sequence: next.sequence + skipped, rtp_time: rtp_start, ticks });
        self.next = Some(Next { sequence, ..next });
    }

    fn next_mark(&mut self) -> Option<OpusFrame> {
        let gap = self.gap.as_mut()?;
        let mark = OpusFrame { sequence: gap.sequence, rtp_time: gap.rtp_time, payload: Bytes::new() };
        gap.left -= 1;
        gap.sequence += 1;
        gap.rtp_time += gap.ticks;
        if gap.left == 0 {
            self.gap = None;
        }
        Some(mark)
    }

    fn count_past(&mut self, behind: u64) {
        let delivered = behind <= 64 && self.delivered_before >> (behind - 1) & 1 == 1;
        if delivered {
            self.stats.duplicates += 1;
        } else {
            self.stats.late += 1;
        }
    }

    fn restart(&mut self, sequence: u64, rtp_time: u64) {
        self.stats.restarts += 1;
        self.held.clear();
        self.gap = None;
        self.delivered_before = 0;
        self.next = Some(Next { sequence, rtp_time, ticks: DEFAULT_TICKS });
    }
}

/// RTP ticks of a 20 ms frame, until a packet tells its own length.
const DEFAULT_TICKS: u64 = (RTP_CLOCK_HZ / 1_000 * FRAME_MS) as u64;

#[cfg(test)]
mod tests;
