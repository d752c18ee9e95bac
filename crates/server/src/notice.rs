//! What callers hear when the bus is gone: words of their agent (`spoken`), a file of the operator's, or a soft signal that
//! needs no language.

mod spoken;

use std::path::{Path, PathBuf};

use audio::opus::{Encoder, EncoderConfig, OpusError};
use bus::kafka::Notice;
use bytes::Bytes;

pub(crate) use spoken::Notices;

/// What the encoder takes.
const RATE_HZ: u32 = 24_000;
const FRAME: usize = 480;
/// The longest notice: what follows would only pile up.
const MAX_FRAMES: usize = 500;
/// Two falling tones, as telephones signal that somebody is away, each with its length in frames.
const SIGNAL: [(f32, usize); 4] = [(0.0, 10), (587.0, 15), (440.0, 20), (0.0, 10)];
const LOUDNESS: f32 = 0.12;

/// A notice that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum NoticeError {
    /// The file cannot be read.
    #[error("read bus.notice = {}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// It cannot be encoded.
    #[error("encode the notice for callers: {0}")]
    Encode(String),
}

/// The notice, ready to be played.
///
/// # Errors
/// When the file is no WAV.
pub(crate) fn notice(file: Option<&Path>) -> Result<Notice, NoticeError> {
    let samples = file.map_or_else(|| Ok(signal()), read)?;
    let packets = encode(&samples, RATE_HZ);
    packets.map(Notice).map_err(|cause| NoticeError::Encode(cause.to_string()))
}

fn encode(samples: &[f32], rate_hz: u32) -> Result<Vec<Bytes>, OpusError> {
    let mut encoder = Encoder::new(&EncoderConfig { rate_hz, ..EncoderConfig::default() })?;
    let whole = samples.chunks_exact(encoder.frame_samples()).take(MAX_FRAMES);
    whole.map(|frame| encoder.encode(frame)).collect()
}

fn signal() -> Vec<f32> {
    let tone = |(hz, frames): (f32, usize)| {
        let length = frames * FRAME;
        (0..length).map(move |at| {
            let phase = std::f32::consts::TAU * hz * at as f32 / RATE_HZ as f32;
            // It swells and fades, so that nothing clicks.
            let swell = (std::f32::consts::PI * at as f32 / length as f32).sin();
            LOUDNESS * swell * phase.sin()
        })
    };
    SIGNAL.into_iter().flat_map(tone).collect()
}

fn read(path: &Path) -> Result<Vec<f32>, NoticeError> {
    let failed = |reason: String| NoticeError::File { path: path.to_owned(), reason };
    let bytes = std::fs::read(path).map_err(|cause| failed(cause.to_string()))?;
    let wav = audio::wav::read(&bytes).map_err(|cause| failed(cause.to_string()))?;
    Ok(audio::resample::resample(&wav.samples, wav.rate_hz, RATE_HZ))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use audio::energy;
    use audio::opus::Decoder;

    use super::{FRAME, RATE_HZ, notice};

    #[test]
    fn the_signal_can_be_heard() {
        let packets = notice(None).expect("it is built in").0;
        let mut decoder = Decoder::new(RATE_HZ).expect("a decoder");
        let mut heard = Vec::new();
        for packet in &packets {
            decoder.decode(packet, &mut heard).expect("Opus");
        }
        assert_eq!(heard.len(), packets.len() * FRAME);
        assert!(energy::dbfs(&heard) > -40.0);
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = notice(Some(Path::new("/nowhere/moment.wav"))).expect_err("there is none");
        assert!(error.to_string().contains("bus.notice = /nowhere/moment.wav"), "{error}");
    }
}
