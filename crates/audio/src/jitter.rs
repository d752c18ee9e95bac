//! The jitter buffer: RTP packets as they arrive in, frames in order out.
//!
//! Made for machines that listen, not for a loudspeaker: nothing is delayed or stretched to hide jitter. A packet in
//! order leaves at once; only a hole makes later packets wait, as long as the missing one may still come by what
//! [`Arrivals`] has measured, and no longer than [`MAX_WAIT_US`]. Lost packets leave as frames with an empty payload.
//! Silence that the sender left out (DTX) is no loss: there the RTP time jumps and the sequence does not. Time is passed in,
//! in microseconds of any one clock.

mod arrivals;
mod extend;

use std::collections::BTreeMap;

use bytes::Bytes;

pub use self::arrivals::Arrivals;
use self::extend::Extender;
use crate::leg::{FRAME_MS, OpusFrame, RTP_CLOCK_HZ};
use crate::opus;

/// How long later packets wait for a missing one, at most. The caller's turn waits too.
pub const MAX_WAIT_US: u64 = 120_000;
/// How far beyond the measured spread a packet is waited for: so much, and an eighth of the spread.
pub const SLACK_US: u64 = 5_000;
/// Packets held behind a hole; enough for [`MAX_WAIT_US`] of 5 ms frames. [`JitterBuffer::pop`] waits for no more, so what a
/// peer can make us keep is this and what is pushed between two of its calls.
pub const MAX_HELD: usize = 32;
/// A sequence jump beyond this is a new stream, not loss: 10 s of packets.
pub const MAX_JUMP: u64 = 500;
/// Marks given for one hole. Concealing more than half a second helps nobody.
pub const MAX_GAP_MARKS: u64 = 25;
/// So long after a new stream has begun, packets of the one before it are stragglers. Later ones begin it anew.
const STRAGGLERS_US: u64 = 2_000_000;

/// One RTP packet of an incoming stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RtpPacket {
    /// The stream, as the sender numbers it (SSRC).
    pub stream: u32,
    /// The sequence number as sent.
    pub sequence: u16,
    /// The timestamp as sent, at [`RTP_CLOCK_HZ`].
    pub timestamp: u32,
    /// What it carries.
    pub content: Content,
}

/// What a packet carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// An Opus packet.
    Audio(Bytes),
    /// The copy of an Opus packet, from a later one (RED, RFC 2198).
    Copy(Bytes),
    /// Something that is numbered as audio is and is none: a key press (RFC 4733), padding.
    Other,
}

/// What happened to packets so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JitterStats {
    /// Frames given out, without gap marks.
    pub delivered: u64,
    /// Packets of which neither they nor a copy came in time.
    pub lost: u64,
    /// Packets that came after their place was given up.
    pub late: u64,
    /// Packets that came twice.
    pub duplicates: u64,
    /// Frames given out of which a copy came first, or nothing else.
    pub recovered: u64,
    /// RTP ticks of these.
    pub recovered_ticks: u64,
    /// Times the sender began a new stream.
    pub restarts: u64,
}

/// Orders one sender's streams.
#[derive(Debug, Default)]
pub struct JitterBuffer {
    sequences: Extender<16>,
    times: Extender<32>,
    streams: Streams,
    arrivals: Arrivals,
    /// When the last packet came.
    latest_us: u64,
    held: BTreeMap<u64, Held>,
    next: Option<Next>,
    /// Marks of the hole that is being reported.
    gap: Option<Gap>,
    /// Bit `n` set: the frame `n + 1` before the next one was delivered.
    delivered_before: u64,
    stats: JitterStats,
}

/// Which stream is the sender's now.
#[derive(Debug, Default)]
struct Streams {
    current: Option<u32>,
    former: Option<u32>,
    changed_us: u64,
}

#[derive(Debug)]
struct Held {
    rtp_time: u64,
    arrived_us: u64,
    content: Content,
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

    /// Takes a packet in.
    pub fn push(&mut self, packet: RtpPacket, now_us: u64) {
        let RtpPacket { stream, sequence: number, timestamp, content } = packet;
        let place = self.streams.place(stream, now_us);
        if place == Place::Former {
            self.stats.late += 1;
            return;
        }
        let pause_us = now_us.saturating_sub(std::mem::replace(&mut self.latest_us, now_us));
        if place == Place::New {
            self.restart(number, timestamp, pause_us);
        }
        let mut sequence = self.sequences.extend(u64::from(number));
        let mut rtp_time = self.times.extend(u64::from(timestamp));
        let next = self.next.get_or_insert(Next { sequence, rtp_time, ticks: DEFAULT_TICKS }).sequence;
        if sequence.abs_diff(next) > MAX_JUMP {
            (sequence, rtp_time) = self.restart(number, timestamp, pause_us);
        } else if sequence < next {
            // A copy that is not needed any more was none of the packets sent.
            if !matches!(content, Content::Copy(_)) && self.count_past(next - sequence) == Past::Late {
                self.note_arrival(rtp_time, &content, now_us);
            }
            return;
        } else if self.held.contains_key(&sequence) {
            self.stats.duplicates += 1;
            return;
        }
        self.note_arrival(rtp_time, &content, now_us);
        self.held.insert(sequence, Held { rtp_time, arrived_us: now_us, content });
    }

    /// The next frame that may leave by now; call until there is none.
    pub fn pop(&mut self, now_us: u64) -> Option<OpusFrame> {
        loop {
            if let Some(mark) = self.next_mark() {
                return Some(mark);
            }
            let next = self.next?;
            let (&sequence, first) = self.held.first_key_value()?;
            if sequence == next.sequence {
                if let Some(frame) = self.deliver() {
                    return Some(frame);
                }
            } else if now_us >= self.patience_us(next, first) || self.held.len() >= MAX_HELD {
                self.give_up(next, sequence, first.rtp_time);
            } else {
                return None;
            }
        }
    }

    /// When [`JitterBuffer::pop`] will have something without another packet.
    #[must_use]
    pub fn deadline_us(&self) -> Option<u64> {
        self.held.first_key_value().zip(self.next).map(|((_, first), next)| self.patience_us(next, first))
    }

    /// What happened so far.
    #[must_use]
    pub fn stats(&self) -> JitterStats {
        self.stats
    }

    /// How regularly packets come.
    #[must_use]
    pub fn arrivals(&self) -> &Arrivals {
        &self.arrivals
    }

    /// Until when the packets before `first`, the first one held, are waited for.
    fn patience_us(&self, next: Next, first: &Held) -> u64 {
        let missing = first.rtp_time.saturating_sub(next.ticks);
        let latest = self.arrivals.latest_us(missing).unwrap_or(first.arrived_us);
        let slack = SLACK_US + self.arrivals.assumed_spread_us() / 8;
        latest.saturating_add(slack).clamp(first.arrived_us, first.arrived_us + MAX_WAIT_US)
    }

    /// Only what came by itself tells how long the way takes; the RTP time of a key press is that of its begin.
    fn note_arrival(&mut self, rtp_time: u64, content: &Content, now_us: u64) {
        match content {
            Content::Audio(_) => self.arrivals.note(rtp_time, now_us),
            Content::Copy(_) | Content::Other => {}
        }
    }

    /// Gives out the first packet held, if it is audio.
    fn deliver(&mut self) -> Option<OpusFrame> {
        let (sequence, held) = self.held.pop_first()?;
        let next = self.next.as_mut()?;
        next.sequence = sequence + 1;
        self.delivered_before = self.delivered_before << 1 | 1;
        let is_copy = matches!(held.content, Content::Copy(_));
        let (Content::Audio(payload) | Content::Copy(payload)) = held.content else { return None };
        // A packet without payload has its number and nothing else.
        if payload.is_empty() {
            return None;
        }
        next.ticks = opus::packet_samples(&payload, RTP_CLOCK_HZ).map_or(DEFAULT_TICKS, |samples| samples as u64);
        next.rtp_time = held.rtp_time + next.ticks;
        self.stats.delivered += 1;
        if is_copy {
            self.stats.recovered += 1;
            self.stats.recovered_ticks += next.ticks;
        }
        Some(OpusFrame { sequence, rtp_time: held.rtp_time, payload })
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

    fn count_past(&mut self, behind: u64) -> Past {
        if behind <= 64 && self.delivered_before >> (behind - 1) & 1 == 1 {
            self.stats.duplicates += 1;
            Past::Duplicate
        } else {
            self.stats.late += 1;
            Past::Late
        }
    }

    /// Begins a new stream right behind the one before it: what is held still comes first, and the RTP time goes on as
    /// the time has since the last packet. Gives the packet's place.
    fn restart(&mut self, number: u16, timestamp: u32, pause_us: u64) -> (u64, u64) {
        let Some(next) = self.next else {
            return (self.sequences.extend(u64::from(number)), self.times.extend(u64::from(timestamp)));
        };
        self.stats.restarts += 1;
        let last = self.held.last_key_value().map(|(sequence, held)| (sequence + 1, held.rtp_time + next.ticks));
        let (sequence, rtp_time) = last.unwrap_or((next.sequence, next.rtp_time));
        let pause_ticks = pause_us.saturating_mul(u64::from(RTP_CLOCK_HZ) / 1_000) / 1_000;
        let rtp_time = rtp_time.saturating_add(pause_ticks.saturating_sub(next.ticks));
        self.sequences.restart(u64::from(number), sequence);
        self.times.restart(u64::from(timestamp), rtp_time);
        (sequence, rtp_time)
    }
}

impl Streams {
    fn place(&mut self, stream: u32, now_us: u64) -> Place {
        if self.current == Some(stream) {
            return Place::Current;
        }
        if self.former == Some(stream) && now_us < self.changed_us.saturating_add(STRAGGLERS_US) {
            return Place::Former;
        }
        self.former = self.current.replace(stream);
        self.changed_us = now_us;
        if self.former.is_some() { Place::New } else { Place::Current }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Current,
    New,
    Former,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Past {
    Duplicate,
    Late,
}

/// RTP ticks of a 20 ms frame, until a packet tells its own length.
const DEFAULT_TICKS: u64 = (RTP_CLOCK_HZ / 1_000 * FRAME_MS) as u64;

#[cfg(test)]
mod tests;
