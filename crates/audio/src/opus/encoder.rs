//! Samples to Opus packets.

use std::ffi::c_int;
use std::ptr::NonNull;

use bytes::Bytes;

use super::{MAX_PACKET_BYTES, OpusError, check_rate, count};

/// How to encode speech. Read once, at [`Encoder::new`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncoderConfig {
    /// The input's sample rate.
    pub rate_hz: u32,
    /// Aimed-at bits per second.
    pub bitrate_bps: u32,
    /// 0 (cheapest) to 10. Measured for 20 ms of 48 kHz speech: 70 µs at 0, 208 µs at 5, 222 µs at 9.
    pub complexity: u8,
    /// Whether silence shrinks to a tiny packet now and then.
    pub dtx: Dtx,
    /// Whether each packet carries a low-rate copy of the one before.
    pub fec: Fec,
    /// The loss the receiver is expected to see, in percent; the share of bits given to redundancy follows it.
    pub expected_loss_percent: u8,
}

/// Discontinuous transmission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dtx {
    /// Every frame gets a full packet.
    Off,
    /// Silent frames become packets of one or two bytes, which need not be sent.
    On,
}

/// In-band forward error correction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fec {
    /// No redundancy.
    Off,
    /// A coarse copy of the last frame rides along.
    On,
}

impl Default for EncoderConfig {
    /// 24 kHz speech at 32 kb/s and complexity 3: synthetic voices gain nothing audible from more, and it keeps a
    /// thousand voices on two cores.
    fn default() -> Self {
        Self {
            rate_hz: 24_000,
            bitrate_bps: 32_000,
            complexity: 3,
            dtx: Dtx::Off,
            fec: Fec::On,
            expected_loss_percent: 5,
        }
    }
}

/// Encodes one mono voice.
#[derive(Debug)]
pub struct Encoder {
    state: NonNull<opusic_sys::OpusEncoder>,
    rate_hz: u32,
}

// SAFETY: the state is plain memory that this value owns alone; libopus ties nothing to a thread.
unsafe impl Send for Encoder {}

impl Encoder {
    /// An encoder tuned for speech.
    ///
    /// # Errors
    /// [`OpusError::Rate`] for a rate Opus does not know; [`OpusError::Internal`] for other bad settings.
    pub fn new(config: &EncoderConfig) -> Result<Self, OpusError> {
        check_rate(config.rate_hz)?;
        let mut code = opusic_sys::OPUS_OK;
        // SAFETY: rate, channel count and application are valid, and `code` outlives the call.
        let state = unsafe {
            opusic_sys::opus_encoder_create(config.rate_hz as i32, 1, opusic_sys::OPUS_APPLICATION_VOIP, &raw mut code)
        };
        let state = NonNull::new(state).ok_or(OpusError::Internal(code))?;
        let mut encoder = Self { state, rate_hz: config.rate_hz };
        encoder.set(opusic_sys::OPUS_SET_BITRATE_REQUEST, config.bitrate_bps as i32)?;
        encoder.set(opusic_sys::OPUS_SET_COMPLEXITY_REQUEST, i32::from(config.complexity))?;
        encoder.set(opusic_sys::OPUS_SET_SIGNAL_REQUEST, opusic_sys::OPUS_SIGNAL_VOICE)?;
        encoder.set(opusic_sys::OPUS_SET_DTX_REQUEST, i32::from(config.dtx == Dtx::On))?;
        encoder.set(opusic_sys::OPUS_SET_INBAND_FEC_REQUEST, i32::from(config.fec == Fec::On))?;
        encoder.set(opusic_sys::OPUS_SET_PACKET_LOSS_PERC_REQUEST, i32::from(config.expected_loss_percent))?;
        Ok(encoder)
    }

    /// Samples in a 20 ms frame.
    #[must_use]
    pub fn frame_samples(&self) -> usize {
        (self.rate_hz / 1_000 * crate::leg::FRAME_MS) as usize
    }

    /// One packet for one frame, usually of [`Encoder::frame_samples`].
    ///
    /// # Errors
    /// [`OpusError::FrameLength`] unless the frame lasts 10, 20, 40 or 60 ms.
    pub fn encode(&mut self, frame: &[f32]) -> Result<Bytes, OpusError> {
        let ten_ms = (self.rate_hz / 100) as usize;
        if ![1, 2, 4, 6].iter().any(|tens| tens * ten_ms == frame.len()) {
            return Err(OpusError::FrameLength(frame.len()));
        }
        let mut packet = [0_u8; MAX_PACKET_BYTES];
        // SAFETY: the frame holds as many mono samples as told, the packet as many bytes; the state is ours alone.
        let code = unsafe {
            opusic_sys::opus_encode_float(
                self.state.as_ptr(),
                frame.as_ptr(),
                frame.len() as i32,
                packet.as_mut_ptr(),
                packet.len() as i32,
            )
        };
        Ok(Bytes::copy_from_slice(&packet[..count(code)?]))
    }

    /// From the next frame on, this loss is expected, in percent.
    ///
    /// # Errors
    /// [`OpusError::Internal`] for more than 100.
    pub fn expect_loss(&mut self, percent: u8) -> Result<(), OpusError> {
        self.set(opusic_sys::OPUS_SET_PACKET_LOSS_PERC_REQUEST, i32::from(percent))
    }

    /// Another encoder that remembers the same past. About 30 KB are copied.
    ///
    /// # Errors
    /// [`OpusError::Internal`] when there is no memory for it.
    pub fn copy(&self) -> Result<Self, OpusError> {
        let copy = Self::new(&EncoderConfig { rate_hz: self.rate_hz, ..EncoderConfig::default() })?;
        // SAFETY: both states are those of mono encoders and as long as this; libopus states hold no pointers into
        // themselves and may be copied shallowly (opus.h).
        unsafe {
            let bytes = opusic_sys::opus_encoder_get_size(1);
            let (from, to) = (self.state.as_ptr().cast::<u8>(), copy.state.as_ptr().cast::<u8>());
            from.copy_to_nonoverlapping(to, usize::try_from(bytes).unwrap_or_default());
        }
        Ok(copy)
    }

    /// Forgets the past, so that the next frame starts a new voice.
    pub fn reset(&mut self) {
        // SAFETY: this request takes no argument; the state is ours alone. It cannot fail on a live encoder.
        let code = unsafe { opusic_sys::opus_encoder_ctl(self.state.as_ptr(), opusic_sys::OPUS_RESET_STATE) };
        debug_assert_eq!(code, opusic_sys::OPUS_OK, "resetting a live encoder succeeds");
    }

    fn set(&mut self, request: c_int, value: c_int) -> Result<(), OpusError> {
        // SAFETY: each request passed here takes one `opus_int32`; the state is ours alone.
        match unsafe { opusic_sys::opus_encoder_ctl(self.state.as_ptr(), request, value) } {
            opusic_sys::OPUS_OK => Ok(()),
            code => Err(OpusError::Internal(code)),
        }
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // SAFETY: `opus_encoder_create` made the state and nothing uses it after this.
        unsafe { opusic_sys::opus_encoder_destroy(self.state.as_ptr()) }
    }
}
