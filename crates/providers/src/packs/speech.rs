//! Recordings of people, with their words, for tests.

use std::path::{Path, PathBuf};

use super::manifest::{Kind, Manifest};

/// The rate at which recordings are given out.
const SAMPLE_RATE_HZ: u32 = 16_000;

/// A recording and what is said in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpeechSample {
    /// The file: WAV, or `.raw` with 16-bit little-endian samples at 16 kHz.
    pub path: PathBuf,
    /// The words, without punctuation or capitals.
    pub transcript: String,
    /// The set it is scored with: `read` or `spoken`.
    pub set: String,
}

/// Why a recording cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("read the recording {}: {reason}", .path.display())]
pub struct SpeechError {
    path: PathBuf,
    reason: String,
}

/// The recordings of the pack `speech-tests`, whether they are there or not.
#[must_use]
pub fn speech_tests(dir: &Path) -> Vec<SpeechSample> {
    let manifest = Manifest::builtin();
    let packs = manifest.packs().iter().filter(|pack| pack.kind == Kind::Speech);
    packs
        .flat_map(|pack| &pack.files)
        .map(|file| SpeechSample {
            path: dir.join(&file.path),
            transcript: file.transcript.clone().unwrap_or_default(),
            set: file.set.clone().unwrap_or_default(),
        })
        .collect()
}

impl SpeechSample {
    /// The recording as mono samples in −1..1 at 16 kHz.
    ///
    /// # Errors
    /// When the file is missing or is no recording.
    pub fn samples(&self) -> Result<Vec<f32>, SpeechError> {
        let failed = |reason: String| SpeechError { path: self.path.clone(), reason };
        let bytes = std::fs::read(&self.path).map_err(|error| failed(error.to_string()))?;
        if self.path.extension().is_some_and(|extension| extension == "raw") {
            let pairs = bytes.chunks_exact(2);
            return Ok(pairs.map(|pair| f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 32_768.0).collect());
        }
        let wav = audio::wav::read(&bytes).map_err(|error| failed(error.to_string()))?;
        if wav.rate_hz != SAMPLE_RATE_HZ {
            return Err(failed(format!("its rate is {} Hz and should be {SAMPLE_RATE_HZ}", wav.rate_hz)));
        }
        Ok(wav.samples)
    }
}
