//! Speech-to-text: a stream of audio in, running and final transcripts out.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::Failure;

/// The rate of the audio that a recogniser takes.
pub const SAMPLE_RATE_HZ: u32 = 16_000;

/// How long so many samples last at [`SAMPLE_RATE_HZ`].
pub(crate) fn lasts(samples: usize) -> Duration {
    Duration::from_secs(samples as u64) / SAMPLE_RATE_HZ
}

/// A speech recogniser, shared by all sessions.
pub trait SpeechToText: Send + Sync + 'static {
    /// The name in metrics and spans, such as `local.moonshine`.
    fn name(&self) -> &'static str;
    /// Opens a stream for one speaker. Dropping it cancels the work; dropping the recogniser ends it too.
    fn open(&self, options: SttOptions) -> SttStream;
}

/// How to recognise.
#[derive(Debug, Clone, Default)]
pub struct SttOptions {
    /// BCP 47 language tag; none lets the recogniser choose.
    pub language: Option<String>,
}

/// One speaker's recogniser.
#[derive(Debug)]
pub struct SttStream {
    /// What the speaker says and where the words end. Bounded; senders wait.
    pub input: mpsc::Sender<SttInput>,
    /// What was understood.
    pub events: mpsc::Receiver<SttEvent>,
}

/// What goes into a recogniser. An utterance is all audio between two commits (or resets).
#[derive(Debug, Clone)]
pub enum SttInput {
    /// Speech with its lead-in: mono samples in −1..1 at [`SAMPLE_RATE_HZ`].
    Audio(Arc<[f32]>),
    /// The speaker fell silent and may have finished: answer soon with [`SttEvent::Partial`] for all audio so far,
    /// settled with this mark. Marks grow; of several pauses that wait, the last may be answered for all.
    Pause(u32),
    /// The utterance is over: answer with [`SttEvent::Final`] for it, then start the next one. Costs nothing when
    /// the last `Pause` already covered the audio.
    Commit,
    /// Forget the utterance; no answer.
    Reset,
}

/// What a recogniser says.
#[derive(Debug, Clone, PartialEq)]
pub enum SttEvent {
    /// The transcript up to now; a later one replaces it.
    Partial {
        /// All words of the utterance so far.
        text: String,
        /// The mark of the last [`SttInput::Pause`] up to which this covers all audio; none for a running transcript.
        settled: Option<u32>,
    },
    /// The utterance's transcript, once for each [`SttInput::Commit`]. May be empty.
    Final {
        /// All words of the utterance.
        text: String,
    },
    /// The utterance could not be recognised; the stream goes on with the next one.
    Failed(FailureEvent),
}

/// A [`Failure`] that can be compared by its text in tests.
#[derive(Debug, Clone)]
pub struct FailureEvent(pub Failure);

impl PartialEq for FailureEvent {
    fn eq(&self, other: &Self) -> bool {
        self.0.provider == other.0.provider && self.0.message == other.0.message
    }
}
