//! End of turn: the probability that a speaker who fell silent has finished.

use crate::Failure;

/// The rate of the audio that a detector takes.
pub const SAMPLE_RATE_HZ: u32 = 16_000;

/// An end-of-turn model, shared by all sessions.
#[async_trait::async_trait]
pub trait TurnDetector: Send + Sync + 'static {
    /// Scores `utterance` (mono, −1..1, 16 kHz, the speaker's words up to now with the trailing silence): 0 says
    /// that the speaker will go on, 1 that the turn is complete. Only the last 8 s matter.
    ///
    /// # Errors
    /// When the model cannot be run. Cancel safe: dropping the future drops the request.
    async fn score(&self, utterance: Vec<f32>) -> Result<f32, Failure>;
}
