//! The agent's voice on its way out: a queue of packets, paced on one timeline per call, with marks of what was played.
//!
//! Pure; time is an argument. Frames leave every 20 ms after the one before, however late the thread comes around, so
//! the pace never drifts. After a pause the timeline starts at the next frame and the RTP time jumps by the pause.
//! Read [`Playout::poll`] first.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use audio::leg::{Clip, FRAME_MS, PlayoutMark, RTP_CLOCK_HZ};
use bytes::Bytes;

/// Voice that may wait: one minute. An agent speaks faster than it is heard, but no sane answer is longer.
pub(crate) const MAX_QUEUED_FRAMES: usize = 60 * 1_000 / FRAME_MS as usize;
/// How long the first voice waits for somebody to hear it: a WHIP caller's listening leg comes a moment later.
pub(crate) const AUDIENCE_WAIT: Duration = Duration::from_secs(5);
/// A frame that comes this late still belongs to the running timeline; receivers' jitter buffers cover it.
const MAX_LAG: Duration = Duration::from_millis(100);
/// Frames between two [`PlayoutMark::Reached`]: 100 ms.
const FRAMES_PER_MARK: u32 = 5;
/// Silence after the last voice: when packets just stop, a receiver conceals the loss by droning on for about 200 ms
/// (measured in Chromium 156). 100 ms of real silence end the voice for good.
const SILENT_FRAMES: u32 = 5;
/// The shortest Opus packet of 20 ms of silence (RFC 6716: CELT, full band, mono).
const SILENCE: [u8; 3] = [0xF8, 0xFF, 0xFE];
const FRAME: Duration = Duration::from_millis(FRAME_MS as u64);
const FRAME_TICKS: u64 = (RTP_CLOCK_HZ / 1_000 * FRAME_MS) as u64;

/// What is to be done now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Send this to every listener.
    Frame(VoiceFrame),
    /// Tell the agent.
    Mark(PlayoutMark),
}

/// A frame that leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct VoiceFrame {
    /// RTP time on the call's timeline.
    pub(crate) rtp_time: u64,
    pub(crate) position: Position,
    pub(crate) payload: Arc<[u8]>,
}

/// Where a frame stands in the flow; the first after a pause bears the RTP marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Position {
    FirstAfterPause,
    Following,
}

/// The queue is full; the frame was not taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct QueueFull;

/// One call's queue and timeline.
#[derive(Debug, Default)]
pub(crate) struct Playout {
    queue: VecDeque<Item>,
    marks: VecDeque<PlayoutMark>,
    audience: Audience,
    timeline: Option<Timeline>,
    playing: Option<Playing>,
    flow: Flow,
    /// Silent frames still to send once no voice is left.
    silence_due: u32,
}

#[derive(Debug)]
enum Item {
    Frame { clip: Clip, payload: Arc<[u8]> },
    End(Clip),
}

/// Whether anybody can hear.
#[derive(Debug, Default)]
enum Audience {
    /// Nobody yet, and nothing to say.
    #[default]
    Absent,
    /// Nobody yet; voice waits until then.
    Awaited { until: Instant },
    /// Somebody came, or the wait was in vain.
    Present,
}

/// Whether the queue moves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Flow {
    #[default]
    Running,
    /// Silence, until a resume or a flush.
    Held,
}

#[derive(Debug, Clone, Copy)]
struct Timeline {
    /// When the last frame has been played and the next may leave.
    next_due: Instant,
    next_rtp_time: u64,
}

#[derive(Debug)]
struct Playing {
    clip: Clip,
    frames: u32,
}

impl Playout {
    /// Queues a frame.
    pub(crate) fn push(&mut self, clip: Clip, payload: &Bytes, now: Instant) -> Result<(), QueueFull> {
        if self.queue.len() >= MAX_QUEUED_FRAMES {
            return Err(QueueFull);
        }
        if matches!(self.audience, Audience::Absent) {
            self.audience = Audience::Awaited { until: now + AUDIENCE_WAIT };
        }
        self.queue.push_back(Item::Frame { clip, payload: Arc::from(&payload[..]) });
        Ok(())
    }

    /// Says that no more frames of the clip follow. Always taken: it costs less than the frame it stands for.
    pub(crate) fn end_clip(&mut self, clip: Clip) {
        self.queue.push_back(Item::End(clip));
    }

    /// Somebody listens from now on. Later absence does not stop the voice.
    pub(crate) fn audience_arrived(&mut self) {
        self.audience = Audience::Present;
    }

    /// Drops all queued voice and marks where it was cut. Silence follows, not nothing. Ends a hold.
    pub(crate) fn flush(&mut self, now: Instant) {
        self.queue.clear();
        self.flow = Flow::Running;
        let cut = self.position(now);
        self.playing = None;
        self.marks.push_back(PlayoutMark::Flushed { cut });
    }

    /// Keeps all queued voice back and marks where it was stopped. Silence follows.
    pub(crate) fn hold(&mut self, now: Instant) {
        // A clip whose last frame left is over, though nobody came around to say so.
        while let Some(Item::End(clip)) = self.queue.front() {
            self.marks.push_back(PlayoutMark::Finished(*clip));
            self.playing = None;
            self.queue.pop_front();
        }
        self.flow = Flow::Held;
        let at = self.position(now);
        self.marks.push_back(PlayoutMark::Held { at });
    }

    /// Lets the queue go on where the hold began.
    pub(crate) fn resume(&mut self) {
        self.flow = Flow::Running;
    }

    /// The clip that plays, and the milliseconds of it that were played.
    fn position(&self, now: Instant) -> Option<(Clip, u32)> {
        let playing = self.playing.as_ref()?;
        let ahead = self.timeline.map_or(Duration::ZERO, |timeline| timeline.next_due.saturating_duration_since(now));
        let heard_ms = (playing.frames * FRAME_MS).saturating_sub(ahead.as_millis() as u32);
        Some((playing.clip, heard_ms))
    }

    /// The next thing to do by now; call until there is none.
    pub(crate) fn poll(&mut self, now: Instant) -> Option<Step> {
        if let Some(mark) = self.marks.pop_front() {
            return Some(Step::Mark(mark));
        }
        if self.next_deadline(now)? > now {
            return None;
        }
        self.audience = Audience::Present;
        let item = if self.flow == Flow::Held { None } else { self.queue.pop_front() };
        match item {
            Some(Item::Frame { clip, payload }) => {
                self.mark_progress(clip);
                self.silence_due = SILENT_FRAMES;
                Some(Step::Frame(self.leave(payload, now)))
            }
            Some(Item::End(clip)) => {
                self.playing = None;
                Some(Step::Mark(PlayoutMark::Finished(clip)))
            }
            None => {
                self.silence_due -= 1;
                Some(Step::Frame(self.leave(Arc::from(SILENCE), now)))
            }
        }
    }

    /// When [`Playout::poll`] will have something to do, if nothing else happens; maybe in the past.
    pub(crate) fn next_deadline(&self, now: Instant) -> Option<Instant> {
        if !self.marks.is_empty() {
            return Some(now);
        }
        let still = self.queue.is_empty() || self.flow == Flow::Held;
        if still && self.silence_due == 0 {
            return None;
        }
        match (&self.audience, self.timeline) {
            (Audience::Awaited { until }, _) => Some(*until),
            (Audience::Absent | Audience::Present, Some(timeline)) => Some(timeline.next_due),
            (Audience::Absent | Audience::Present, None) => Some(now),
        }
    }

    fn leave(&mut self, payload: Arc<[u8]>, now: Instant) -> VoiceFrame {
        let (due, rtp_time, position) = match self.timeline {
            None => (now, 0, Position::FirstAfterPause),
            Some(timeline) => {
                let lag = now.saturating_duration_since(timeline.next_due);
                if lag <= MAX_LAG {
                    (timeline.next_due, timeline.next_rtp_time, Position::Following)
                } else {
                    (now, timeline.next_rtp_time + ticks(lag), Position::FirstAfterPause)
                }
            }
        };
        self.timeline = Some(Timeline { next_due: due + FRAME, next_rtp_time: rtp_time + FRAME_TICKS });
        VoiceFrame { rtp_time, position, payload }
    }

    /// Notes the frame that leaves; the one before it has now been played in full.
    fn mark_progress(&mut self, clip: Clip) {
        match &mut self.playing {
            Some(playing) if playing.clip == clip => {
                if playing.frames.is_multiple_of(FRAMES_PER_MARK) {
                    self.marks.push_back(PlayoutMark::Reached { clip, heard_ms: playing.frames * FRAME_MS });
                }
                playing.frames += 1;
            }
            _ => {
                self.playing = Some(Playing { clip, frames: 1 });
                self.marks.push_back(PlayoutMark::Started(clip));
            }
        }
    }
}

fn ticks(duration: Duration) -> u64 {
    duration.as_micros() as u64 * u64::from(RTP_CLOCK_HZ) / 1_000_000
}

#[cfg(test)]
mod tests;
