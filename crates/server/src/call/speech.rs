//! A WAV file as something to say.

use std::path::Path;

use audio::energy;
use audio::leg::FRAME_MS;
use audio::wav::WavError;

/// The rate of what is sent. Wide-band speech needs no more, and it is the cheapest that Opus keeps whole.
pub(super) const RATE_HZ: u32 = 24_000;
/// Samples of one packet.
pub(super) const FRAME_SAMPLES: usize = (RATE_HZ * FRAME_MS / 1_000) as usize;

/// A frame this far below the loudest one is the room, not the speaker. ITU-T P.56 draws the line 16 dB below the mean
/// level of speech, and the loudest 20 ms are about 8 dB above that mean.
const SPEECH_BELOW_LOUDEST_DB: f32 = 24.0;
/// Nothing below this is speech, however quiet the rest.
const SPEECH_FLOOR_DBFS: f32 = -55.0;

/// Something to say.
#[derive(Debug)]
pub(super) struct Utterance {
    /// Frames of [`FRAME_SAMPLES`].
    pub(super) frames: Vec<Vec<f32>>,
    /// The frame in which the speech ends; what follows is the recording's own silence.
    pub(super) last_speech: usize,
}

/// A file that cannot be spoken.
#[derive(Debug, thiserror::Error)]
pub enum SpeechError {
    /// It cannot be read.
    #[error("{0}; name a WAV file with recorded speech")]
    File(#[from] std::io::Error),
    /// It is no usable WAV file.
    #[error("{0}")]
    Wav(#[from] WavError),
    /// Nothing can be heard in it.
    #[error("the recording is silent; record it again, louder")]
    Silent,
}

impl Utterance {
    /// Reads a WAV file of any rate.
    pub(super) fn read(path: &Path) -> Result<Self, SpeechError> {
        let wav = audio::wav::read(&std::fs::read(path)?)?;
        Self::from_samples(&audio::resample::resample(&wav.samples, wav.rate_hz, RATE_HZ))
    }

    fn from_samples(samples: &[f32]) -> Result<Self, SpeechError> {
        let frames: Vec<Vec<f32>> = samples
            .chunks(FRAME_SAMPLES)
            .map(|frame| {
                let mut frame = frame.to_vec();
                frame.resize(FRAME_SAMPLES, 0.0);
                frame
            })
            .collect();
        let levels: Vec<f32> = frames.iter().map(|frame| energy::dbfs(frame)).collect();
        let loudest = levels.iter().copied().fold(energy::SILENCE_DBFS, f32::max);
        let threshold = (loudest - SPEECH_BELOW_LOUDEST_DB).max(SPEECH_FLOOR_DBFS);
        let last_speech = levels.iter().rposition(|level| *level > threshold).ok_or(SpeechError::Silent)?;
        Ok(Self { frames, last_speech })
    }
}

#[cfg(test)]
mod tests {
    use super::{FRAME_SAMPLES, SpeechError, Utterance};

    fn tone(frames: usize, amplitude: f32) -> Vec<f32> {
        (0..frames * FRAME_SAMPLES).map(|index| amplitude * (index as f32 * 0.1).sin()).collect()
    }

    #[test]
    fn speech_ends_before_the_silence_of_the_recording() {
        let mut samples = tone(10, 0.5);
        samples.extend(tone(5, 0.001));
        samples.extend([0.0; 100]);
        let utterance = Utterance::from_samples(&samples).expect("it can be heard");
        assert_eq!((utterance.frames.len(), utterance.last_speech), (16, 9));
        assert!(utterance.frames.iter().all(|frame| frame.len() == FRAME_SAMPLES));
    }

    #[test]
    fn silence_is_refused() {
        assert!(matches!(Utterance::from_samples(&tone(10, 0.0005)), Err(SpeechError::Silent)));
    }
}
