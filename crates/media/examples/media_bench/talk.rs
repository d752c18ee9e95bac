//! Who speaks when: both ends talk 30 % of the time, in bursts of three seconds.
//!
//! Each session has its own phase, so that bursts are spread evenly over the cycle of ten seconds. In its pauses the
//! caller sends one packet each 400 ms, as Opus does with DTX; the agent sends nothing.

use std::time::Duration;

use audio::leg::FRAME_MS;

/// One cycle of a conversation, in frames.
pub(crate) const CYCLE_FRAMES: u64 = 10_000 / FRAME_MS as u64;
/// How long a burst is, in frames.
pub(crate) const BURST_FRAMES: u64 = 3_000 / FRAME_MS as u64;
/// Frames from one packet to the next in the caller's pauses.
const DTX_FRAMES: u64 = 400 / FRAME_MS as u64;
/// A prime, so that neighbours in number are far apart in phase.
const PHASE_STEP: u64 = 197;

/// The bytes of a talking packet: 32 kb/s.
pub(crate) const TALK_BYTES: usize = 80;
/// The bytes of a packet in a pause. Opus needs two or three; eight tell when it was sent.
pub(crate) const PAUSE_BYTES: usize = 8;

/// How many bytes the caller of a session sends in the frame, if it sends.
pub(crate) fn caller_sends(session: usize, frame: u64) -> Option<usize> {
    let at = (frame + session as u64 * PHASE_STEP) % CYCLE_FRAMES;
    if at < BURST_FRAMES {
        return Some(TALK_BYTES);
    }
    (at - BURST_FRAMES).is_multiple_of(DTX_FRAMES).then_some(PAUSE_BYTES)
}

/// How long the agent of a session waits before its first burst.
pub(crate) fn agent_phase(session: usize) -> Duration {
    // The agent's bursts have nothing to do with the caller's: their sum over all sessions stays the same.
    let frames = session as u64 * PHASE_STEP * 3 % CYCLE_FRAMES;
    Duration::from_millis(frames * u64::from(FRAME_MS))
}
