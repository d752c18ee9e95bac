//! Opus in both directions: a small safe wrapper around libopus, mono only.
//!
//! Owns the project's only `unsafe` code. Whatever a peer sends is decoded or refused with an error; nothing here
//! panics on input. Read [`Decoder`] for the caller's microphone, [`Encoder`] for the agent's voice.
#![allow(unsafe_code)]

mod decoder;
mod encoder;

use std::ffi::c_int;

pub use decoder::Decoder;
pub use encoder::{Dtx, Encoder, EncoderConfig, Fec};

/// The longest packet Opus allows (RFC 6716, section 3.4), in milliseconds.
pub const MAX_PACKET_MS: u32 = 120;
/// The largest Opus packet accepted or made: one that fits an Ethernet frame beside its headers.
pub const MAX_PACKET_BYTES: usize = 1_400;

/// Why libopus refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpusError {
    /// Opus works at these five rates only.
    #[error("use a sample rate of {0} Hz: Opus knows 8000, 12000, 16000, 24000 and 48000")]
    Rate(u32),
    /// The packet breaks the format; it is best treated as lost.
    #[error("read the Opus packet: it is damaged")]
    InvalidPacket,
    /// Frames must last 10, 20, 40 or 60 ms at the encoder's rate.
    #[error("encode a frame of {0} samples: it must last 10, 20, 40 or 60 ms")]
    FrameLength(usize),
    /// Memory is exhausted or libopus contradicts itself.
    #[error("run libopus: internal error {0}")]
    Internal(i32),
}

/// How many samples at `rate_hz` the packet decodes to.
///
/// # Errors
/// [`OpusError::InvalidPacket`] for anything that is not an Opus packet of at most 120 ms.
pub fn packet_samples(packet: &[u8], rate_hz: u32) -> Result<usize, OpusError> {
    check_rate(rate_hz)?;
    if packet.is_empty() || packet.len() > MAX_PACKET_BYTES {
        return Err(OpusError::InvalidPacket);
    }
    // SAFETY: the pointer and the length describe one live slice, which libopus only reads.
    let samples =
        unsafe { opusic_sys::opus_packet_get_nb_samples(packet.as_ptr(), packet.len() as i32, rate_hz as i32) };
    // A packet may promise samples for frames that its length does not hold; that shows only when it is decoded.
    usize::try_from(samples).ok().filter(|&samples| samples > 0).ok_or(OpusError::InvalidPacket)
}

/// Whether the packet carries a coarse copy of the one before it (in-band FEC, RFC 6716, section 2.1.7).
#[must_use]
pub fn has_copy(packet: &[u8]) -> bool {
    if packet.is_empty() || packet.len() > MAX_PACKET_BYTES {
        return false;
    }
    // SAFETY: the pointer and the length describe one live slice, which libopus only reads.
    unsafe { opusic_sys::opus_packet_has_lbrr(packet.as_ptr(), packet.len() as i32) == 1 }
}

fn check_rate(rate_hz: u32) -> Result<(), OpusError> {
    match rate_hz {
        8_000 | 12_000 | 16_000 | 24_000 | 48_000 => Ok(()),
        other => Err(OpusError::Rate(other)),
    }
}

/// Turns a libopus return value into a count.
fn count(code: c_int) -> Result<usize, OpusError> {
    match code {
        opusic_sys::OPUS_INVALID_PACKET | opusic_sys::OPUS_BUFFER_TOO_SMALL => Err(OpusError::InvalidPacket),
        code => usize::try_from(code).map_err(|_| OpusError::Internal(code)),
    }
}

#[cfg(test)]
mod tests;
