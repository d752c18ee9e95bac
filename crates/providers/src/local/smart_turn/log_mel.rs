//! Whisper's log-mel spectrogram of the last 8 s, as Smart Turn was trained on it.
//!
//! The utterance stands at the end of the window, silence before it. All frames that lie wholly in that silence are
//! equal, so one of them is computed and the rest copied: a short utterance costs a fraction of a full window, and the
//! result is the same to the last bit.

use std::sync::Arc;

use realfft::num_complex::Complex32;
use realfft::{RealFftPlanner, RealToComplex};

/// Mel bands of a frame.
pub(super) const MELS: usize = 80;
/// Frames of the window, one each 10 ms.
pub(super) const FRAMES: usize = 800;
const HOP: usize = 160;
const FFT: usize = 400;
const BINS: usize = FFT / 2 + 1;
const WINDOW_SAMPLES: usize = FRAMES * HOP;
const NYQUIST_HZ: f64 = 8000.0;

/// One band's triangle: the bins that it reads, and their weights.
struct Band {
    first_bin: usize,
    weights: Vec<f32>,
}

/// The front end with everything that does not depend on the audio.
pub(super) struct LogMel {
    window: Vec<f32>,
    bands: Vec<Band>,
    fft: Arc<dyn RealToComplex<f32>>,
    /// The audio with half a transform of reflection at both ends.
    padded: Vec<f32>,
    frame: Vec<f32>,
    spectrum: Vec<Complex32>,
    scratch: Vec<Complex32>,
    features: Vec<f32>,
}

impl LogMel {
    pub(super) fn new() -> Self {
        let fft = RealFftPlanner::new().plan_fft_forward(FFT);
        Self {
            window: (0..FFT).map(|i| hann(i as f32 / FFT as f32)).collect(),
            bands: bands(),
            padded: vec![0.0; WINDOW_SAMPLES + FFT],
            frame: fft.make_input_vec(),
            spectrum: fft.make_output_vec(),
            scratch: fft.make_scratch_vec(),
            features: vec![0.0; MELS * FRAMES],
            fft,
        }
    }

    /// The features, band by band, of the last 8 s of `audio`.
    pub(super) fn features(&mut self, audio: &[f32]) -> &[f32] {
        let audio = &audio[audio.len().saturating_sub(WINDOW_SAMPLES)..];
        let silent_frames = self.fill(audio);
        let mut loudest = f32::MIN;
        for frame in 0..FRAMES {
            if frame > 0 && frame < silent_frames {
                for band in 0..MELS {
                    self.features[band * FRAMES + frame] = self.features[band * FRAMES];
                }
            } else {
                loudest = loudest.max(self.compute(frame));
            }
        }
        for value in &mut self.features {
            *value = (value.max(loudest - 8.0) + 4.0) / 4.0;
        }
        &self.features
    }

    /// Lays out the normalised window and returns how many frames at its start hold nothing but padding.
    fn fill(&mut self, audio: &[f32]) -> usize {
        let silence = WINDOW_SAMPLES - audio.len();
        let mean = audio.iter().sum::<f32>() / WINDOW_SAMPLES as f32;
        let power = audio.iter().map(|s| (s - mean) * (s - mean)).sum::<f32>() + silence as f32 * mean * mean;
        let scale = 1.0 / (power / WINDOW_SAMPLES as f32 + 1e-7).sqrt();
        let half = FFT / 2;
        self.padded[half..half + silence].fill(-mean * scale);
        for (to, from) in self.padded[half + silence..].iter_mut().zip(audio) {
            *to = (from - mean) * scale;
        }
        for i in 1..=half {
            self.padded[half - i] = self.padded[half + i];
            self.padded[half + WINDOW_SAMPLES - 1 + i] = self.padded[half + WINDOW_SAMPLES - 1 - i];
        }
        // The first frame also sees the mirror image of `half` samples, so it is padding only beyond that.
        if silence <= FFT { 0 } else { (half + silence - FFT) / HOP + 1 }
    }

    /// Computes one frame and returns its loudest band.
    fn compute(&mut self, frame: usize) -> f32 {
        let samples = &self.padded[frame * HOP..][..FFT];
        for ((to, sample), weight) in self.frame.iter_mut().zip(samples).zip(&self.window) {
            *to = sample * weight;
        }
        self.fft
            .process_with_scratch(&mut self.frame, &mut self.spectrum, &mut self.scratch)
            .expect("the buffers were made by the plan");
        let mut power = [0.0; BINS];
        for (to, bin) in power.iter_mut().zip(&self.spectrum) {
            *to = bin.norm_sqr();
        }
        let mut loudest = f32::MIN;
        for (index, band) in self.bands.iter().enumerate() {
            let energy: f32 = power[band.first_bin..].iter().zip(&band.weights).map(|(p, w)| p * w).sum();
            let value = energy.max(1e-10).log10();
            self.features[index * FRAMES + frame] = value;
            loudest = loudest.max(value);
        }
        loudest
    }
}

fn hann(phase: f32) -> f32 {
    0.5 - 0.5 * (std::f32::consts::TAU * phase).cos()
}

/// Slaney's mel scale: linear below 1 kHz, logarithmic above.
fn mel_to_hz(mel: f64) -> f64 {
    if mel < 15.0 { 200.0 * mel / 3.0 } else { 1000.0 * ((mel - 15.0) * 6.4f64.ln() / 27.0).exp() }
}

fn bands() -> Vec<Band> {
    let top_mel = 15.0 + (NYQUIST_HZ / 1000.0).ln() * 27.0 / 6.4f64.ln();
    let edge = |i: usize| mel_to_hz(top_mel * i as f64 / (MELS + 1) as f64);
    (0..MELS)
        .map(|band| {
            let (low, centre, high) = (edge(band), edge(band + 1), edge(band + 2));
            let weight = |bin: usize| {
                let hz = NYQUIST_HZ * bin as f64 / (BINS - 1) as f64;
                ((hz - low) / (centre - low)).min((high - hz) / (high - centre)).max(0.0) * 2.0 / (high - low)
            };
            let first_bin = (0..BINS).find(|&bin| weight(bin) > 0.0).unwrap_or(0);
            let weights = (first_bin..BINS).map(|bin| weight(bin) as f32).take_while(|&w| w > 0.0).collect();
            Band { first_bin, weights }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copied_silent_frames_equal_computed_ones() {
        let mut log_mel = LogMel::new();
        for length in [0, 1, 159, 16_000, 40_123, WINDOW_SAMPLES - FFT - 1, WINDOW_SAMPLES, WINDOW_SAMPLES + 7] {
            let audio: Vec<f32> = (0..length).map(|i| 0.3 * (i as f32 * 0.05).sin() + 0.01).collect();
            let quick = log_mel.features(&audio).to_vec();
            log_mel.fill(&audio[audio.len().saturating_sub(WINDOW_SAMPLES)..]);
            let loudest = (0..FRAMES).map(|frame| log_mel.compute(frame)).fold(f32::MIN, f32::max);
            let full: Vec<f32> = log_mel.features.iter().map(|v| (v.max(loudest - 8.0) + 4.0) / 4.0).collect();
            assert!(quick == full, "{length} samples");
        }
    }
}
