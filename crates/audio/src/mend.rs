//! Frames in order, with holes, to samples without.
//!
//! A hole is filled from the coarse copy that the packet behind it may carry (in-band FEC, RFC 6716, section 2.1.7), else by
//! what the decoder makes up (PLC). Silence that the sender left out (DTX) is given back as silence. Pure; read
//! [`Mender::frame`].

use bytes::Bytes;

use crate::leg::{FRAME_MS, OpusFrame, RTP_CLOCK_HZ};
use crate::opus::{self, Decoder, MAX_PACKET_MS, OpusError};

/// Holes kept until what is behind them comes: all that the jitter buffer marks at once.
const MAX_HOLES: usize = crate::jitter::MAX_GAP_MARKS as usize;
/// Silence given back for a pause, at most: more than anybody listens back, so a longer pause is no different.
const MAX_PAUSE_MS: u64 = 240;
const TICKS_PER_MS: u64 = RTP_CLOCK_HZ as u64 / 1_000;
/// The shortest Opus frame; what is made up comes in multiples of it.
const STEP_TICKS: u64 = TICKS_PER_MS * 5 / 2;
const FRAME_TICKS: u64 = TICKS_PER_MS * FRAME_MS as u64;

/// What was filled in so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mended {
    /// RTP ticks from in-band copies.
    pub fec_ticks: u64,
    /// RTP ticks that the decoder made up.
    pub plc_ticks: u64,
}

/// Decodes one voice.
#[derive(Debug)]
pub struct Mender {
    decoder: Decoder,
    holes: Vec<OpusFrame>,
    /// The RTP time behind the last frame; none before the first.
    next: Option<u64>,
    /// RTP ticks of the last frame.
    ticks: u64,
    /// RTP ticks of silence that stood in since the last frame.
    stood_in: u64,
    mended: Mended,
}

impl Mender {
    /// For samples at `rate_hz`.
    ///
    /// # Errors
    /// [`OpusError::Rate`] for a rate Opus does not know.
    pub fn new(rate_hz: u32) -> Result<Self, OpusError> {
        let (decoder, mended) = (Decoder::new(rate_hz)?, Mended::default());
        Ok(Self { decoder, holes: Vec::new(), next: None, ticks: FRAME_TICKS, stood_in: 0, mended })
    }

    /// Takes a frame and appends what there is to hear. A hole gives nothing until what is behind it comes.
    ///
    /// Gives how many samples of silence the sender left out before. They are not in `out`: nobody heard anything meanwhile, so
    /// they are no part of what is compared with an echo.
    pub fn frame(&mut self, frame: &OpusFrame, out: &mut Vec<f32>) -> usize {
        if frame.payload.is_empty() {
            if self.holes.len() < MAX_HOLES {
                self.holes.push(frame.clone());
            }
            return 0;
        }
        let left_out = self.next.map_or(0, |next| frame.rtp_time.saturating_sub(next));
        let filled = self.fill_holes(frame, out);
        let pause = left_out.saturating_sub(filled + self.stood_in).min(MAX_PAUSE_MS * TICKS_PER_MS);
        self.decode(&frame.payload, out);
        self.next = Some(frame.rtp_time.saturating_add(self.ticks));
        self.stood_in = 0;
        self.samples(pause)
    }

    /// 20 ms of silence stood in for what did not come in time.
    pub fn silence_stood_in(&mut self) {
        self.stood_in += FRAME_TICKS;
    }

    /// What was filled in so far.
    #[must_use]
    pub fn mended(&self) -> Mended {
        self.mended
    }

    /// Fills all holes before `behind`; gives the RTP ticks they were.
    fn fill_holes(&mut self, behind: &OpusFrame, out: &mut Vec<f32>) -> u64 {
        let holes = std::mem::take(&mut self.holes);
        let ends = holes.iter().skip(1).chain([behind]).map(|next| next.rtp_time);
        let mut filled = 0;
        for (index, (hole, end)) in holes.iter().zip(ends).enumerate() {
            // A hole before a pause is as long as a frame; what is no multiple of the shortest frame is a sender's whim.
            let ticks = end.saturating_sub(hole.rtp_time).min(self.ticks) / STEP_TICKS * STEP_TICKS;
            filled += ticks;
            let is_last = index + 1 == holes.len();
            if is_last && behind.sequence == hole.sequence + 1 && opus::has_copy(&behind.payload) {
                self.recover(ticks, &behind.payload, out);
            } else if self.stood_in >= ticks {
                // Silence has been there instead for as long.
                self.stood_in -= ticks;
            } else {
                self.make_up(ticks, out);
            }
        }
        filled
    }

    fn recover(&mut self, ticks: u64, behind: &Bytes, out: &mut Vec<f32>) {
        if self.decoder.decode_fec(behind, self.samples(ticks), out).is_ok() {
            self.mended.fec_ticks += ticks;
        } else {
            self.make_up(ticks, out);
        }
    }

    /// As [`Decoder::conceal`], and silence where it cannot.
    fn make_up(&mut self, ticks: u64, out: &mut Vec<f32>) {
        self.mended.plc_ticks += ticks;
        let mut left = self.samples(ticks);
        let most = self.samples(TICKS_PER_MS * u64::from(MAX_PACKET_MS));
        while left > 0 {
            let part = left.min(most);
            if self.decoder.conceal(part, out).is_err() {
                out.resize(out.len() + part, 0.0);
            }
            left -= part;
        }
    }

    /// A packet that breaks the format is made up for.
    fn decode(&mut self, payload: &Bytes, out: &mut Vec<f32>) {
        match self.decoder.decode(payload, out) {
            Ok(samples) => self.ticks = samples as u64 * u64::from(RTP_CLOCK_HZ) / u64::from(self.decoder.rate_hz()),
            Err(_) => self.make_up(self.ticks, out),
        }
    }

    fn samples(&self, ticks: u64) -> usize {
        (ticks * u64::from(self.decoder.rate_hz()) / u64::from(RTP_CLOCK_HZ)) as usize
    }
}

#[cfg(test)]
mod tests;
