//! Loudness in bands, by second-order band-pass filters (R. Bristow-Johnson's Audio EQ Cookbook, constant peak gain).

use super::{Pattern, RATE_HZ};

/// How many bands.
pub(super) const BANDS: usize = 8;
/// Their centres, from the pitch of a voice to its consonants; a telephone passes all but the last.
const CENTRES_HZ: [f32; BANDS] = [180.0, 320.0, 520.0, 800.0, 1_200.0, 1_800.0, 2_600.0, 3_600.0];
/// Centre over width: neighbours touch.
const Q: f32 = 1.8;
/// Keeps the logarithm of digital silence finite.
const FLOOR: f32 = 1e-7;

#[derive(Debug)]
pub(super) struct Bands {
    filters: [BandPass; BANDS],
}

impl Default for Bands {
    fn default() -> Self {
        Self { filters: CENTRES_HZ.map(BandPass::new) }
    }
}

impl Bands {
    /// The loudness of each band over these samples.
    pub(super) fn pattern(&mut self, samples: &[f32]) -> Pattern {
        let mut pattern = [0.0; BANDS];
        for (filter, loudness) in self.filters.iter_mut().zip(&mut pattern) {
            let power: f32 = samples.iter().map(|&sample| filter.pass(sample).powi(2)).sum();
            *loudness = (power / samples.len().max(1) as f32 + FLOOR).ln();
        }
        pattern
    }
}

/// One filter, in transposed direct form II.
#[derive(Debug)]
struct BandPass {
    gain: f32,
    a1: f32,
    a2: f32,
    s1: f32,
    s2: f32,
}

impl BandPass {
    fn new(centre_hz: f32) -> Self {
        let omega = std::f32::consts::TAU * centre_hz / RATE_HZ as f32;
        let alpha = omega.sin() / (2.0 * Q);
        let a0 = 1.0 + alpha;
        Self { gain: alpha / a0, a1: -2.0 * omega.cos() / a0, a2: (1.0 - alpha) / a0, s1: 0.0, s2: 0.0 }
    }

    fn pass(&mut self, sample: f32) -> f32 {
        // b1 is zero and b2 is −b0.
        let out = self.gain * sample + self.s1;
        self.s1 = self.s2 - self.a1 * out;
        self.s2 = -self.gain * sample - self.a2 * out;
        out
    }
}
