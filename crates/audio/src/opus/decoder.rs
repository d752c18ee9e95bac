//! Opus packets to samples, with concealment of lost ones.

use std::ptr::NonNull;

use super::{MAX_PACKET_BYTES, MAX_PACKET_MS, OpusError, check_rate, count};

/// Decodes one stream to mono samples; keeps the state that concealment needs.
#[derive(Debug)]
pub struct Decoder {
    state: NonNull<opusic_sys::OpusDecoder>,
    rate_hz: u32,
}

// SAFETY: the state is plain memory that this value owns alone; libopus ties nothing to a thread.
unsafe impl Send for Decoder {}

impl Decoder {
    /// A decoder whose output is mono at `rate_hz`; libopus resamples inside, so recognition may ask for 16 kHz.
    ///
    /// # Errors
    /// [`OpusError::Rate`] for a rate Opus does not know.
    pub fn new(rate_hz: u32) -> Result<Self, OpusError> {
        check_rate(rate_hz)?;
        let mut code = opusic_sys::OPUS_OK;
        // SAFETY: rate and channel count are valid, and `code` outlives the call.
        let state = unsafe { opusic_sys::opus_decoder_create(rate_hz as i32, 1, &raw mut code) };
        let state = NonNull::new(state).ok_or(OpusError::Internal(code))?;
        Ok(Self { state, rate_hz })
    }

    /// The output's sample rate.
    #[must_use]
    pub fn rate_hz(&self) -> u32 {
        self.rate_hz
    }

    /// Appends the packet's samples to `out` and returns their number.
    ///
    /// # Errors
    /// [`OpusError::InvalidPacket`] for a packet that breaks the format: treat it as lost, `out` is as before.
    pub fn decode(&mut self, packet: &[u8], out: &mut Vec<f32>) -> Result<usize, OpusError> {
        if packet.is_empty() || packet.len() > MAX_PACKET_BYTES {
            return Err(OpusError::InvalidPacket);
        }
        self.run(Some(packet), self.max_samples(), Source::Primary, out)
    }

    /// Appends `samples` that stand in for a lost packet (packet loss concealment).
    ///
    /// # Errors
    /// [`OpusError::FrameLength`] unless they are a multiple of 2.5 ms and at most 120 ms.
    pub fn conceal(&mut self, samples: usize, out: &mut Vec<f32>) -> Result<usize, OpusError> {
        self.check_duration(samples)?;
        self.run(None, samples, Source::Primary, out)
    }

    /// Appends `samples` of the lost packet before `next`, from the copy that `next` carries (in-band FEC);
    /// conceals where it carries none. Decode `next` itself afterwards.
    ///
    /// # Errors
    /// As [`Decoder::decode`] and [`Decoder::conceal`].
    pub fn decode_fec(&mut self, next: &[u8], samples: usize, out: &mut Vec<f32>) -> Result<usize, OpusError> {
        self.check_duration(samples)?;
        if next.is_empty() || next.len() > MAX_PACKET_BYTES {
            return Err(OpusError::InvalidPacket);
        }
        self.run(Some(next), samples, Source::Redundant, out)
    }

    fn max_samples(&self) -> usize {
        (self.rate_hz / 1_000 * MAX_PACKET_MS) as usize
    }

    fn check_duration(&self, samples: usize) -> Result<(), OpusError> {
        let step = (self.rate_hz / 400) as usize;
        if samples == 0 || !samples.is_multiple_of(step) || samples > self.max_samples() {
            return Err(OpusError::FrameLength(samples));
        }
        Ok(())
    }

    fn run(
        &mut self,
        packet: Option<&[u8]>,
        samples: usize,
        source: Source,
        out: &mut Vec<f32>,
    ) -> Result<usize, OpusError> {
        let (data, len) = packet.map_or((std::ptr::null(), 0), |packet| (packet.as_ptr(), packet.len() as i32));
        let start = out.len();
        out.resize(start + samples, 0.0);
        // SAFETY: `data` and `len` describe a live slice (or null and 0, which asks for concealment); the output has
        // room for `samples` mono samples from `start` on; the state is ours alone.
        let code = unsafe {
            opusic_sys::opus_decode_float(
                self.state.as_ptr(),
                data,
                len,
                out[start..].as_mut_ptr(),
                samples as i32,
                source as i32,
            )
        };
        let decoded = count(code);
        out.truncate(start + decoded.unwrap_or(0));
        decoded
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        // SAFETY: `opus_decoder_create` made the state and nothing uses it after this.
        unsafe { opusic_sys::opus_decoder_destroy(self.state.as_ptr()) }
    }
}

/// Which copy of the audio in a packet is decoded; the values are libopus' `decode_fec` flag.
#[derive(Clone, Copy)]
enum Source {
    Primary = 0,
    Redundant = 1,
}
