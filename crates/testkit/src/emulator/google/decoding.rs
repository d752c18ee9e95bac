//! Audio as clients of Speech-to-Text send it: which encoding, and the bytes to samples.

use google_apis::speech::explicit_decoding_config::AudioEncoding;
use google_apis::speech::recognition_config::DecodingConfig;
use tonic::Status;

use super::telephone::{from_a_law, from_mu_law};
use crate::emulator::voice;

/// Encodings that the emulator reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    Linear16,
    MuLaw,
    ALaw,
}

/// How a client's audio is to be read.
#[derive(Debug)]
pub(super) enum Decoding {
    /// As the client said.
    Explicit(Decoder),
    /// As the audio itself says in its head, which has not come yet.
    FromHead,
}

/// Reads bytes that may be cut anywhere.
#[derive(Debug)]
pub(super) struct Decoder {
    coding: Coding,
    pub(super) rate_hz: u32,
    channels: usize,
    rest: Vec<u8>,
}

impl Decoding {
    pub(super) fn new(config: Option<DecodingConfig>) -> Result<Self, Status> {
        let Some(config) = config else {
            return Err(Status::invalid_argument(
                "Audio decoding configuration must be set: one of auto_decoding_config or explicit_decoding_config.",
            ));
        };
        let explicit = match config {
            DecodingConfig::AutoDecodingConfig(_) => return Ok(Self::FromHead),
            DecodingConfig::ExplicitDecodingConfig(explicit) => explicit,
        };
        let coding = match explicit.encoding() {
            AudioEncoding::Linear16 => Coding::Linear16,
            AudioEncoding::Mulaw => Coding::MuLaw,
            AudioEncoding::Alaw => Coding::ALaw,
            other => {
                return Err(Status::invalid_argument(format!("The emulator does not read {}.", other.as_str_name())));
            }
        };
        let rate_hz = u32::try_from(explicit.sample_rate_hertz).unwrap_or_default();
        if !(8_000..=48_000).contains(&rate_hz) {
            return Err(Status::invalid_argument(format!("Invalid sample_rate_hertz: {}", explicit.sample_rate_hertz)));
        }
        let channels = match explicit.audio_channel_count {
            0 => 1,
            count @ 1..=8 => count as usize,
            count => return Err(Status::invalid_argument(format!("Invalid audio_channel_count: {count}"))),
        };
        Ok(Self::Explicit(Decoder { coding, rate_hz, channels, rest: Vec::new() }))
    }

    /// A decoder, and the audio behind the head that told which.
    pub(super) fn decoder(self, first: &[u8]) -> Result<(Decoder, &[u8]), Status> {
        match self {
            Self::Explicit(decoder) => Ok((decoder, first)),
            Self::FromHead => Decoder::from_wav_head(first),
        }
    }
}

impl Decoder {
    /// Audio without a head cannot be read by itself, at Google neither.
    fn from_wav_head(first: &[u8]) -> Result<(Self, &[u8]), Status> {
        let number = |at: usize| u16::from_le_bytes([first[at], first[at + 1]]);
        if first.len() < 44 || !first.starts_with(b"RIFF") || number(20) != 1 || number(34) != 16 {
            return Err(Status::invalid_argument("Audio data does not appear to be in a supported encoding."));
        }
        let rate_hz = u32::from(number(24)) | u32::from(number(26)) << 16;
        if !(8_000..=48_000).contains(&rate_hz) {
            return Err(Status::invalid_argument(format!("Invalid sample_rate_hertz: {rate_hz}")));
        }
        let channels = usize::from(number(22).max(1));
        Ok((Self { coding: Coding::Linear16, rate_hz, channels, rest: Vec::new() }, &first[44..]))
    }

    /// The next samples; channels are averaged into one.
    pub(super) fn decode(&mut self, bytes: &[u8]) -> Vec<f32> {
        self.rest.extend_from_slice(bytes);
        let sample_bytes = if self.coding == Coding::Linear16 { 2 } else { 1 };
        let whole = self.rest.len() - self.rest.len() % (sample_bytes * self.channels);
        let bytes: Vec<u8> = self.rest.drain(..whole).collect();
        let one = |expand: fn(u8) -> i16| bytes.iter().map(|byte| f32::from(expand(*byte)) / 32_768.0).collect();
        let interleaved: Vec<f32> = match self.coding {
            Coding::Linear16 => voice::samples(&bytes),
            Coding::MuLaw => one(from_mu_law),
            Coding::ALaw => one(from_a_law),
        };
        let mean = |frame: &[f32]| frame.iter().sum::<f32>() / frame.len() as f32;
        interleaved.chunks_exact(self.channels).map(mean).collect()
    }
}
