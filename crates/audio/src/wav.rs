//! WAV bytes to samples and back. Reads what people have (8 to 32 bits, integer or float, any channels, any rate);
//! writes 16-bit mono.

use std::io::Cursor;

use hound::{SampleFormat, WavReader, WavSpec, WavWriter};

/// A recording: one channel at its own rate.
#[derive(Debug, Clone, PartialEq)]
pub struct Wav {
    /// Samples per second.
    pub rate_hz: u32,
    /// Samples in -1.0 to 1.0; more channels were averaged into one.
    pub samples: Vec<f32>,
}

/// Why bytes are not a usable recording.
#[derive(Debug, thiserror::Error)]
pub enum WavError {
    /// The bytes are no WAV file, or a damaged one.
    #[error("not a WAV file: {0}")]
    NotWav(String),
    /// A WAV file with something inside that is not plain PCM.
    #[error("unsupported WAV encoding: {0}; convert it to 16-bit PCM")]
    Unsupported(String),
    /// The file is sound but empty.
    #[error("no samples in the WAV file")]
    NoSamples,
    /// More samples than a WAV file may hold (4 GiB).
    #[error("too many samples for a WAV file: {0}")]
    TooLong(usize),
}

/// Reads a WAV file and mixes it down to one channel.
///
/// # Errors
/// See [`WavError`].
pub fn read(bytes: &[u8]) -> Result<Wav, WavError> {
    let mut reader = WavReader::new(Cursor::new(bytes)).map_err(|error| from_hound(&error))?;
    let spec = reader.spec();
    if spec.sample_rate == 0 || spec.channels == 0 {
        return Err(WavError::NotWav("its sample rate or channel count is zero".into()));
    }
    let interleaved: Vec<f32> = match spec.sample_format {
        SampleFormat::Float => reader.samples::<f32>().collect::<Result<_, _>>().map_err(|error| from_hound(&error))?,
        SampleFormat::Int => {
            let full_scale = (1_i64 << (spec.bits_per_sample.clamp(1, 32) - 1)) as f32;
            let scaled = reader.samples::<i32>().map(|sample| sample.map(|sample| sample as f32 / full_scale));
            scaled.collect::<Result<_, _>>().map_err(|error| from_hound(&error))?
        }
    };
    let samples = mix_down(interleaved, usize::from(spec.channels));
    if samples.is_empty() {
        return Err(WavError::NoSamples);
    }
    Ok(Wav { rate_hz: spec.sample_rate, samples })
}

/// A 16-bit mono WAV file. Samples beyond full scale are clipped.
///
/// # Errors
/// [`WavError::TooLong`] beyond what the format can count.
pub fn write(samples: &[f32], rate_hz: u32) -> Result<Vec<u8>, WavError> {
    let too_long = |_| WavError::TooLong(samples.len());
    if samples.len() > (u32::MAX / 2 - 64) as usize {
        return Err(WavError::TooLong(samples.len()));
    }
    let spec = WavSpec { channels: 1, sample_rate: rate_hz, bits_per_sample: 16, sample_format: SampleFormat::Int };
    let mut bytes = Cursor::new(Vec::with_capacity(samples.len() * 2 + 44));
    let mut writer = WavWriter::new(&mut bytes, spec).map_err(too_long)?;
    for sample in samples {
        writer.write_sample((sample.clamp(-1.0, 1.0) * 32_767.0).round() as i16).map_err(too_long)?;
    }
    writer.finalize().map_err(too_long)?;
    Ok(bytes.into_inner())
}

fn mix_down(interleaved: Vec<f32>, channels: usize) -> Vec<f32> {
    if channels == 1 {
        return interleaved;
    }
    interleaved.chunks_exact(channels).map(|frame| frame.iter().sum::<f32>() / channels as f32).collect()
}

fn from_hound(error: &hound::Error) -> WavError {
    match error {
        hound::Error::Unsupported | hound::Error::InvalidSampleFormat | hound::Error::TooWide => {
            WavError::Unsupported(error.to_string())
        }
        hound::Error::IoError(_) => WavError::NotWav("it ends too early".into()),
        hound::Error::FormatError(reason) => WavError::NotWav((*reason).into()),
        hound::Error::UnfinishedSample => WavError::NotWav("its last sample is cut".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(spec: WavSpec, fill: impl Fn(&mut WavWriter<&mut Cursor<Vec<u8>>>)) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let mut writer = WavWriter::new(&mut bytes, spec).expect("in memory");
        fill(&mut writer);
        writer.finalize().expect("in memory");
        bytes.into_inner()
    }

    #[test]
    fn what_is_written_reads_back() {
        let samples: Vec<f32> = (0..480).map(|i| (i as f32 * 0.1).sin() * 0.5).collect();
        let wav = read(&write(&samples, 24_000).expect("short")).expect("our own file");
        assert_eq!(wav.rate_hz, 24_000);
        assert!(wav.samples.iter().zip(&samples).all(|(a, b)| (a - b).abs() < 1e-4));
    }

    #[test]
    fn integers_of_every_width_are_scaled_alike() {
        for bits_per_sample in [8, 16, 24, 32] {
            let spec = WavSpec { channels: 1, sample_rate: 8_000, bits_per_sample, sample_format: SampleFormat::Int };
            let half = (1_i64 << (bits_per_sample - 2)) as i32;
            let bytes = file(spec, |w| [half, -half].iter().for_each(|s| w.write_sample(*s).expect("in memory")));
            assert_eq!(read(&bytes).expect("valid").samples, [0.5, -0.5], "{bits_per_sample} bits");
        }
    }

    #[test]
    fn stereo_floats_are_averaged() {
        let spec =
            WavSpec { channels: 2, sample_rate: 44_100, bits_per_sample: 32, sample_format: SampleFormat::Float };
        let bytes =
            file(spec, |w| [0.2_f32, 0.4, -0.2, -0.4].iter().for_each(|s| w.write_sample(*s).expect("in memory")));
        let wav = read(&bytes).expect("valid");
        assert!((wav.samples[0] - 0.3).abs() < 1e-6 && (wav.samples[1] + 0.3).abs() < 1e-6);
    }

    #[test]
    fn other_bytes_are_refused_with_the_reason() {
        for bytes in [&b""[..], b"RIFF", b"ID3\x04 this is an mp3 file, is it not?", &[0; 64]] {
            assert!(matches!(read(bytes), Err(WavError::NotWav(_))), "{bytes:?}");
        }
        let spec = WavSpec { channels: 1, sample_rate: 8_000, bits_per_sample: 16, sample_format: SampleFormat::Int };
        let empty = file(spec, |_| ());
        assert_eq!(read(&empty).expect_err("empty").to_string(), "no samples in the WAV file");
        let mut cut = file(spec, |w| (0..10).for_each(|i| w.write_sample(i).expect("in memory")));
        cut.truncate(cut.len() - 5);
        assert!(matches!(read(&cut), Err(WavError::NotWav(_))));
    }

    #[test]
    fn loud_samples_are_clipped() {
        let wav = read(&write(&[2.0, -2.0], 16_000).expect("short")).expect("our own file");
        assert!(wav.samples[0] > 0.99 && wav.samples[1] < -0.99);
    }
}
