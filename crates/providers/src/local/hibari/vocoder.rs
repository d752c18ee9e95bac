//! From hibari's spectra to samples.
//!
//! The network predicts five spectra and a pitch for each 12.5 ms frame. A pulse train at that pitch, shaped by the
//! harmonic spectrum, plus shaped noise, plus a part with free phase, goes through one inverse transform per frame
//! and is overlapped and added. Frames are made in order, so the first samples are out before the last are computed.

use std::sync::Arc;

use realfft::num_complex::Complex32;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};

/// The rate of the samples.
pub(super) const SAMPLE_RATE_HZ: u32 = 24_000;
const FFT: usize = 1_200;
const HOP: usize = 300;
/// Values of one spectrum.
pub(super) const BINS: usize = FFT / 2 + 1;
/// Below this pitch a frame is unvoiced.
const VOICED_HZ: f32 = 40.0;
/// The pulse train holds every harmonic up to here.
const HARMONICS_HZ: f32 = 11_000.0;
/// The largest exponent of a magnitude, against overflow.
const LARGEST_LOG: f32 = 7.0;
/// Values of noise that are drawn once and then read from random places: drawing costs more than shaping.
const NOISE_LENGTH: usize = 1 << 15;

/// What the network says about a clause: spectra of [`BINS`] rows with one column a frame, and a pitch a frame.
pub(super) struct Spectra<'a> {
    pub(super) harmonic: &'a [f32],
    pub(super) rotation: &'a [f32],
    pub(super) noise: &'a [f32],
    pub(super) free: &'a [f32],
    pub(super) free_phase: &'a [f32],
    pub(super) pitch_hz: &'a [f32],
}

impl Spectra<'_> {
    /// Whether every spectrum has a column for each frame.
    pub(super) fn is_whole(&self) -> bool {
        let size = BINS * self.pitch_hz.len();
        [self.harmonic, self.rotation, self.noise, self.free, self.free_phase].iter().all(|plane| plane.len() == size)
    }
}

/// Everything that does not depend on the clause.
pub(super) struct Vocoder {
    window: Vec<f32>,
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
    frame: Vec<f32>,
    spectrum: Vec<Complex32>,
    scratch: Vec<Complex32>,
    noise: Vec<Complex32>,
    random: Random,
}

impl Vocoder {
    pub(super) fn new() -> Self {
        let mut planner = RealFftPlanner::new();
        let (forward, inverse) = (planner.plan_fft_forward(FFT), planner.plan_fft_inverse(FFT));
        let mut random = Random(0x9E37_79B9_7F4A_7C15);
        Self {
            window: (0..FFT).map(|i| 0.5 - 0.5 * (std::f32::consts::TAU * i as f32 / FFT as f32).cos()).collect(),
            frame: forward.make_input_vec(),
            spectrum: forward.make_output_vec(),
            scratch: vec![Complex32::default(); forward.get_scratch_len().max(inverse.get_scratch_len())],
            noise: (0..NOISE_LENGTH).map(|_| random.gaussian()).collect(),
            forward,
            inverse,
            random,
        }
    }

    /// Makes the clause's samples and hands them to `emit` in pieces of `piece_frames` frames, until it says no.
    pub(super) fn synthesise(
        &mut self,
        spectra: &Spectra<'_>,
        piece_frames: usize,
        emit: &mut dyn FnMut(&[f32]) -> bool,
    ) {
        let frames = spectra.pitch_hz.len();
        let source = mirrored(&pulses(spectra.pitch_hz));
        let mut sum = vec![0.0; (frames + FFT / HOP) * HOP];
        let mut weight = vec![0.0; sum.len()];
        let mut emitted = FFT / 2;
        for frame in 0..frames {
            self.shape(&source[frame * HOP..][..FFT], spectra, frame);
            for (j, (sample, window)) in self.frame.iter().zip(&self.window).enumerate() {
                sum[frame * HOP + j] += sample / FFT as f32 * window;
                weight[frame * HOP + j] += window * window;
            }
            let is_last = frame + 1 == frames;
            // A sample is complete once no later frame reaches it.
            let complete = if is_last { FFT / 2 + frames * HOP } else { (frame + 1) * HOP };
            if is_last || complete >= emitted + piece_frames * HOP {
                for (value, weight) in sum[emitted..complete].iter_mut().zip(&weight[emitted..complete]) {
                    *value = (*value / weight.max(1e-11)).clamp(-1.0, 1.0);
                }
                if !emit(&sum[emitted..complete]) {
                    return;
                }
                emitted = complete;
            }
        }
    }

    /// One frame: the source's spectrum is shaped, noise is added, and the result is back in `self.frame`.
    fn shape(&mut self, source: &[f32], spectra: &Spectra<'_>, frame: usize) {
        const PROOF: &str = "the buffers were made by the plans";
        let frames = spectra.pitch_hz.len();
        for ((to, sample), window) in self.frame.iter_mut().zip(source).zip(&self.window) {
            // A cosine of amplitude 1 has half the window's sum as its peak.
            *to = sample * window / (FFT as f32 / 4.0);
        }
        self.forward.process_with_scratch(&mut self.frame, &mut self.spectrum, &mut self.scratch).expect(PROOF);
        let noise = &self.noise[self.random.below(NOISE_LENGTH - BINS)..][..BINS];
        for (bin, (value, noise)) in self.spectrum.iter_mut().zip(noise).enumerate() {
            let at = bin * frames + frame;
            let turn = spectra.rotation[at].tanh() * std::f32::consts::PI;
            *value = *value * Complex32::from_polar(magnitude(spectra.harmonic[at]), turn)
                + noise * magnitude(spectra.noise[at])
                + Complex32::from_polar(magnitude(spectra.free[at]), spectra.free_phase[at]);
        }
        self.spectrum[0].im = 0.0;
        self.spectrum[BINS - 1].im = 0.0;
        self.inverse.process_with_scratch(&mut self.spectrum, &mut self.frame, &mut self.scratch).expect(PROOF);
    }
}

fn magnitude(log: f32) -> f32 {
    log.min(LARGEST_LOG).exp()
}

/// A band-limited pulse train: all harmonics below [`HARMONICS_HZ`] with amplitude 1, in closed form.
fn pulses(pitch_hz: &[f32]) -> Vec<f32> {
    let frames = pitch_hz.len();
    let mut phase = 0.0_f64;
    (0..frames * HOP)
        .map(|sample| {
            let pitch = pitch_at(pitch_hz, sample);
            let hz = pitch.max(VOICED_HZ);
            phase = (phase + f64::from(hz) / f64::from(SAMPLE_RATE_HZ)).fract();
            if pitch <= VOICED_HZ {
                return 0.0;
            }
            let angle = (phase * std::f64::consts::TAU) as f32;
            let harmonics = (HARMONICS_HZ / hz).floor() + 0.5;
            let divisor = 2.0 * (angle * 0.5).sin();
            if divisor.abs() <= 2e-3 { harmonics - 0.5 } else { (harmonics * angle).sin() / divisor - 0.5 }
        })
        .collect()
}

/// The pitch at a sample, linear between the middles of the frames.
fn pitch_at(pitch_hz: &[f32], sample: usize) -> f32 {
    let (frame, offset) = (sample / HOP, sample % HOP);
    let place = (offset as f32 + 0.5) / HOP as f32 - 0.5;
    let here = pitch_hz[frame];
    if place < 0.0 {
        pitch_hz[frame.saturating_sub(1)] * -place + here * (1.0 + place)
    } else {
        here * (1.0 - place) + pitch_hz[(frame + 1).min(pitch_hz.len() - 1)] * place
    }
}

/// `samples` with half a transform of mirror image at both ends.
fn mirrored(samples: &[f32]) -> Vec<f32> {
    let last = samples.len().saturating_sub(1);
    let at = |i: usize| samples.get(i.min(last)).copied().unwrap_or(0.0);
    let before = (1..=FFT / 2).rev().map(at);
    let after = (1..=FFT / 2).map(|i| at(last.saturating_sub(i)));
    before.chain(samples.iter().copied()).chain(after).collect()
}

/// Xorshift: fast, and good enough for noise.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() >> 32) as usize % limit
    }

    fn unit(&mut self) -> f32 {
        ((self.next() >> 40) as f32 + 0.5) / (1_u32 << 24) as f32
    }

    /// Two independent values of the standard normal distribution.
    fn gaussian(&mut self) -> Complex32 {
        let (radius, turn) = ((-2.0 * self.unit().ln()).sqrt(), std::f32::consts::TAU * self.unit());
        Complex32::from_polar(radius, turn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn synthesise(frames: usize, piece_frames: usize) -> Vec<Vec<f32>> {
        let (quiet, zero) = (vec![-20.0; BINS * frames], vec![0.0; BINS * frames]);
        let (harmonic, pitch) = (vec![-4.0; BINS * frames], vec![150.0; frames]);
        let spectra = Spectra {
            harmonic: &harmonic,
            rotation: &zero,
            noise: &quiet,
            free: &quiet,
            free_phase: &zero,
            pitch_hz: &pitch,
        };
        assert!(spectra.is_whole());
        let mut pieces = Vec::new();
        Vocoder::new().synthesise(&spectra, piece_frames, &mut |piece| {
            pieces.push(piece.to_vec());
            true
        });
        pieces
    }

    #[test]
    fn every_frame_becomes_its_samples_however_they_are_cut() {
        for frames in [1, 2, 3, 40] {
            let (whole, cut) = (synthesise(frames, 1_000).concat(), synthesise(frames, 4).concat());
            assert_eq!(whole.len(), frames * HOP);
            assert_eq!(cut.len(), whole.len());
            assert!(whole.iter().all(|sample| sample.is_finite()));
        }
    }

    #[test]
    fn a_steady_pitch_has_its_period() {
        let audio = synthesise(40, 16).concat();
        let (period, middle) = ((SAMPLE_RATE_HZ / 150) as usize, &audio[3_000..9_000]);
        let like = |lag: usize| middle.iter().zip(&middle[lag..]).map(|(a, b)| a * b).sum::<f32>();
        assert!(like(period) > 0.8 * like(0), "{} of {}", like(period), like(0));
        assert!(like(period) > 2.0 * like(period / 2).abs());
    }
}
