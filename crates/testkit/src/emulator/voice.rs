//! What emulated voices have in common: text to tones, samples to bytes, audio in pieces at a pace.

use bytes::Bytes;

use super::produce::Outlet;
use super::script::Pace;
use super::{pause, tone};

/// A voice says something even when there are no words: this much silence.
const LEAST_MS: u32 = 100;

pub(super) fn speak(text: &str, rate_hz: u32) -> Vec<f32> {
    let mut samples = tone::speak(text, rate_hz);
    samples.resize(samples.len().max((rate_hz / 1_000 * LEAST_MS) as usize), 0.0);
    samples
}

/// Samples as signed 16-bit numbers, little end first.
pub(super) fn pcm(samples: &[f32]) -> Vec<u8> {
    samples.iter().flat_map(|sample| ((sample.clamp(-1.0, 1.0) * 32_767.0).round() as i16).to_le_bytes()).collect()
}

/// The same as a WAV file.
pub(super) fn wav(samples: &[f32], rate_hz: u32) -> Vec<u8> {
    audio::wav::write(samples, rate_hz).expect("a request's text is short")
}

/// Samples from signed 16-bit numbers, little end first; an odd byte at the end is left out.
pub(super) fn samples(pcm: &[u8]) -> Vec<f32> {
    pcm.chunks_exact(2).map(|pair| f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 32_768.0).collect()
}

/// Audio that is handed out piece by piece.
pub(super) struct PcmPieces {
    pub(super) samples: Vec<f32>,
    pub(super) pace: Pace,
    /// Bytes in a piece; may be odd.
    pub(super) bytes: usize,
}

impl PcmPieces {
    pub(super) async fn run(self, out: &Outlet<Bytes>) {
        pause(self.pace.first_audio).await;
        for piece in pcm(&self.samples).chunks(self.bytes) {
            out.send(Bytes::copy_from_slice(piece)).await;
            pause(self.pace.audio_piece).await;
        }
    }
}
