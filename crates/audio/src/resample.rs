//! Rate conversion between any two sample rates: a windowed-sinc polyphase filter.
//!
//! Live audio rarely needs it, since Opus decodes to and encodes from the rates that models use; files and
//! WebSocket audio do. [`resample`] converts a whole buffer, [`Resampler`] a stream.

use std::f64::consts::PI;

/// Zero crossings of the sinc on each side. 16 with a Blackman window puts the stop band below -70 dB.
const ZERO_CROSSINGS: usize = 16;
/// The pass band ends here, as a share of the lower Nyquist frequency, so that the roll-off ends at Nyquist.
const PASS_BAND: f64 = 0.94;

/// Converts a whole buffer; the result has `len * to / from` samples (rounded up) and no delay.
///
/// # Panics
/// When a rate is 0.
#[must_use]
pub fn resample(samples: &[f32], from_hz: u32, to_hz: u32) -> Vec<f32> {
    let mut resampler = Resampler::new(from_hz, to_hz);
    let mut out = Vec::with_capacity(samples.len() * to_hz as usize / from_hz as usize + 1);
    resampler.process(samples, &mut out);
    resampler.finish(&mut out);
    out
}

/// Converts a stream piece by piece. Pieces may have any length; the joints are seamless.
#[derive(Debug)]
pub struct Resampler {
    /// Output and input rate, divided by their greatest common divisor.
    up: usize,
    down: usize,
    /// Input samples that the filter looks at before and after a point.
    half: usize,
    /// `up` filters of `2 * half` taps, one after the other.
    taps: Vec<f32>,
    /// The input that is still needed, beginning with `half` samples of silence.
    history: Vec<f32>,
    /// Where the next output sample lies after the start of `history + half`, in 1/`up` samples.
    position: usize,
    /// Samples put in and given out since the start.
    taken: usize,
    given: usize,
}

impl Resampler {
    /// A converter at the start of a stream.
    ///
    /// # Panics
    /// When a rate is 0.
    #[must_use]
    pub fn new(from_hz: u32, to_hz: u32) -> Self {
        assert!(from_hz > 0 && to_hz > 0, "sample rates are positive");
        let divisor = gcd(from_hz, to_hz);
        let (up, down) = ((to_hz / divisor) as usize, (from_hz / divisor) as usize);
        let cutoff = PASS_BAND * (up as f64 / down as f64).min(1.0);
        let half = (ZERO_CROSSINGS as f64 / cutoff).ceil() as usize;
        let taps = if up == down { Vec::new() } else { filter_bank(up, half, cutoff) };
        Self { up, down, half, taps, history: vec![0.0; half], position: 0, taken: 0, given: 0 }
    }

    /// Appends all output that the input so far determines; the rest follows with later input or `finish`.
    pub fn process(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        if self.up == self.down {
            out.extend_from_slice(samples);
            return;
        }
        self.taken += samples.len();
        self.history.extend_from_slice(samples);
        self.produce(usize::MAX, out);
    }

    /// Appends the tail, as if silence followed, and starts anew.
    pub fn finish(&mut self, out: &mut Vec<f32>) {
        if self.up == self.down {
            return;
        }
        let total = (self.taken * self.up).div_ceil(self.down);
        self.history.extend(std::iter::repeat_n(0.0, 2 * self.half));
        self.produce(total.saturating_sub(self.given), out);
        self.history.clear();
        self.history.resize(self.half, 0.0);
        (self.position, self.taken, self.given) = (0, 0, 0);
    }

    fn produce(&mut self, limit: usize, out: &mut Vec<f32>) {
        let width = 2 * self.half;
        for _ in 0..limit {
            let (start, phase) = (self.position / self.up, self.position % self.up);
            let Some(window) = self.history.get(start..start + width) else { break };
            let taps = &self.taps[phase * width..(phase + 1) * width];
            out.push(window.iter().zip(taps).map(|(sample, tap)| sample * tap).sum());
            self.position += self.down;
            self.given += 1;
        }
        let used = (self.position / self.up).min(self.history.len());
        self.history.drain(..used);
        self.position -= used * self.up;
    }
}

/// One filter for each of the `up` fractions of a sample. Tap `k` weighs the input `k - half` samples after
/// the output's whole position; `history` leads by `half` samples, so that tap 0 meets its index 0.
fn filter_bank(up: usize, half: usize, cutoff: f64) -> Vec<f32> {
    let mut taps = Vec::with_capacity(up * 2 * half);
    for phase in 0..up {
        let fraction = phase as f64 / up as f64;
        let filter: Vec<f64> =
            (0..2 * half).map(|k| windowed_sinc(k as f64 - half as f64 - fraction, half, cutoff)).collect();
        // Each phase is scaled to unit gain, so that a constant stays constant.
        let gain: f64 = filter.iter().sum();
        taps.extend(filter.iter().map(|tap| (tap / gain) as f32));
    }
    taps
}

fn windowed_sinc(x: f64, half: usize, cutoff: f64) -> f64 {
    let along = x / half as f64;
    if along.abs() >= 1.0 {
        return 0.0;
    }
    let window = 0.42 + 0.5 * (PI * along).cos() + 0.08 * (2.0 * PI * along).cos();
    let sinc = if x == 0.0 { 1.0 } else { (PI * x * cutoff).sin() / (PI * x * cutoff) };
    window * sinc
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::energy::rms;

    fn tone(hz: f32, rate_hz: u32, samples: usize) -> Vec<f32> {
        (0..samples).map(|i| (i as f32 * hz * std::f32::consts::TAU / rate_hz as f32).sin()).collect()
    }

    #[test]
    fn a_tone_keeps_frequency_phase_and_level() {
        for (from, to) in [(48_000, 16_000), (16_000, 48_000), (44_100, 24_000), (22_050, 16_000), (8_000, 24_000)] {
            let out = resample(&tone(440.0, from, from as usize), from, to);
            assert_eq!(out.len(), to as usize, "{from} to {to}");
            let wanted = tone(440.0, to, to as usize);
            let edge = to as usize / 50;
            let error: Vec<f32> = out.iter().zip(&wanted).map(|(a, b)| a - b).collect();
            let error = rms(&error[edge..error.len() - edge]);
            assert!(error < 0.002, "{from} to {to}: error {error}");
        }
    }

    #[test]
    fn what_the_lower_rate_cannot_hold_is_removed() {
        let out = resample(&tone(11_000.0, 48_000, 48_000), 48_000, 16_000);
        assert!(rms(&out[500..15_500]) < 0.001, "{}", rms(&out[500..15_500]));
    }

    #[test]
    fn pieces_give_the_same_as_the_whole() {
        let input = tone(300.0, 44_100, 10_000);
        let whole = resample(&input, 44_100, 16_000);
        let mut resampler = Resampler::new(44_100, 16_000);
        let mut pieces = Vec::new();
        for (i, piece) in input.chunks(37).enumerate() {
            resampler.process(&piece[..piece.len().min(i)], &mut pieces);
            resampler.process(&piece[piece.len().min(i)..], &mut pieces);
        }
        resampler.finish(&mut pieces);
        assert_eq!(whole, pieces);
    }

    #[test]
    fn equal_rates_and_no_samples_pass_through() {
        assert_eq!(resample(&[0.1, 0.2], 16_000, 16_000), [0.1, 0.2]);
        assert!(resample(&[], 48_000, 16_000).is_empty());
        assert_eq!(resample(&[0.5], 16_000, 48_000).len(), 3);
    }
}
