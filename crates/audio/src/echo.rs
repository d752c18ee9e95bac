//! Our own voice coming back through the caller's loudspeaker and room: how alike two signals are, and taking one out
//! of the other. Everything is mono at [`RATE_HZ`].
//!
//! [`likeness`] costs little and tells whether there is an echo at all; the [`Canceller`] removes it. A canceller that
//! runs without an echo dulls real speech, so whoever uses it asks for the likeness first.

mod canceller;
mod likeness;

pub use canceller::Canceller;
pub use likeness::{THIN_RATE_HZ, likeness, thin};

/// The rate of all signals here, in Hz: that of speech recognition.
pub const RATE_HZ: u32 = 16_000;
/// Samples of a frame of 20 ms.
pub const FRAME_SAMPLES: usize = (RATE_HZ / 1_000 * crate::leg::FRAME_MS) as usize;
