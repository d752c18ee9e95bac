//! Text-to-speech: a sentence in, audio out.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::Failure;

/// A voice, shared by all sessions.
pub trait TextToSpeech: Send + Sync + 'static {
    /// The name in metrics and spans, such as `local.hibari`.
    fn name(&self) -> &'static str;
    /// The rate of the audio it makes, in Hz; one that Opus takes (8, 12, 16, 24 or 48 kHz).
    fn sample_rate_hz(&self) -> u32;
    /// Speaks. Dropping the receiver cancels it. Requests of one session are spoken in the order they came.
    fn speak(&self, request: SpeechRequest) -> mpsc::Receiver<TtsEvent>;
    /// The voice for one call, where a call has a state of its own; else this one serves all.
    fn for_call(&self) -> Option<Arc<dyn TextToSpeech>> {
        None
    }
}

/// What to say.
#[derive(Debug, Clone)]
pub struct SpeechRequest {
    /// A sentence or clause, plain words without markup.
    pub text: String,
    /// The voice's name; none takes the default.
    pub voice: Option<String>,
    /// Speaking rate; 1 is normal.
    pub speed: f32,
}

/// Whether there is anything in a text to pronounce. A clause of marks alone is done before any vendor is asked, who
/// would refuse it.
#[cfg(feature = "remote")]
pub(crate) fn is_speakable(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}

/// What a voice sends. The last event is `Done` or `Failed`.
#[derive(Debug, Clone)]
pub enum TtsEvent {
    /// The next samples, mono, −1..1.
    Audio(Arc<[f32]>),
    /// The sentence is complete.
    Done,
    /// The sentence failed.
    Failed(Failure),
}
