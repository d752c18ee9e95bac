//! The last moments of what the loudspeaker played, as samples. Decoded only when somebody asks: most callers' devices
//! take the echo out themselves, and then nobody does.

use std::collections::VecDeque;

use audio::echo::{FRAME_SAMPLES, RATE_HZ};
use audio::opus::{Decoder, OpusError};
use bytes::Bytes;

/// Frames kept: 800 ms, the longest echo (600 ms) and what is compared of it (128 ms).
const FRAMES: usize = 40;

/// What was played, in frames of 20 ms.
pub(crate) struct Air {
    decoder: Decoder,
    /// Frames that nobody asked for yet, oldest first; none stands for silence.
    coded: VecDeque<Option<Bytes>>,
    /// What was decoded before them.
    samples: Vec<f32>,
    /// How many frames ago something was played last.
    silent_for: usize,
}

impl Air {
    pub(crate) fn new() -> Result<Self, OpusError> {
        let decoder = Decoder::new(RATE_HZ)?;
        Ok(Self { decoder, coded: VecDeque::new(), samples: Vec::new(), silent_for: usize::MAX })
    }

    /// Another 20 ms pass.
    pub(crate) fn push(&mut self, packet: Option<Bytes>) {
        self.silent_for = if packet.is_some() { 0 } else { self.silent_for.saturating_add(1) };
        self.coded.push_back(packet);
        if self.coded.len() > FRAMES {
            self.coded.pop_front();
            // What lies before a gap is no past.
            self.samples.clear();
        }
    }

    /// How many frames ago something was played last.
    pub(crate) fn silent_for(&self) -> usize {
        self.silent_for
    }

    /// Whether something that was played may still be in the room, or on its way through the caller's device.
    pub(crate) fn may_echo(&self) -> bool {
        self.silent_for < FRAMES
    }

    /// Everything kept, in whole frames, oldest first.
    pub(crate) fn samples(&mut self) -> &[f32] {
        for packet in std::mem::take(&mut self.coded) {
            let decoded = packet.and_then(|packet| {
                let before = self.samples.len();
                let count = self.decoder.decode(&packet, &mut self.samples).ok()?;
                (count == FRAME_SAMPLES).then_some(()).or_else(|| {
                    self.samples.truncate(before);
                    None
                })
            });
            if decoded.is_none() {
                self.samples.resize(self.samples.len() + FRAME_SAMPLES, 0.0);
            }
        }
        let excess = self.samples.len().saturating_sub(FRAMES * FRAME_SAMPLES);
        self.samples.drain(..excess);
        &self.samples
    }
}
