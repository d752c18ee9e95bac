//! Voice activity: the probability that a window of audio holds speech.

use tokio::sync::mpsc;

/// Samples in one window: 32 ms at 16 kHz, as Silero takes them.
pub const WINDOW_SAMPLES: usize = 512;
/// The rate of the audio that a detector takes.
pub const SAMPLE_RATE_HZ: u32 = 16_000;

/// Windows of a stream that may be unanswered, or answered and not read: half a second. A stream with more is ended.
pub const UNREAD_LIMIT: usize = 16;

/// A voice activity detector, shared by all sessions.
pub trait VoiceActivity: Send + Sync + 'static {
    /// Opens a stream for one speaker. Dropping the stream frees its state.
    fn open(&self) -> VadStream;
}

/// One speaker's detector: one probability comes back for each window sent, in order.
#[derive(Debug)]
pub struct VadStream {
    /// Windows of [`WINDOW_SAMPLES`] samples in −1..1 at [`SAMPLE_RATE_HZ`]; [`UNREAD_LIMIT`] at most ahead of
    /// the probabilities that were read.
    pub windows: mpsc::Sender<Box<[f32; WINDOW_SAMPLES]>>,
    /// The probability of speech, 0..1, for each window. Ends when the detector failed.
    pub probabilities: mpsc::Receiver<f32>,
}
