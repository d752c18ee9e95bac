//! Scores pauses with the end-of-turn model, one at a time: a newer pause replaces the one being scored.

use std::sync::Arc;

use dialogue::PauseId;
use futures_util::future::BoxFuture;
use providers::Failure;
use providers::turn::TurnDetector;

type Score = BoxFuture<'static, Result<f32, Failure>>;

pub(crate) struct Judge {
    detector: Arc<dyn TurnDetector>,
    pending: Option<(PauseId, Score)>,
}

impl Judge {
    pub(crate) fn new(detector: Arc<dyn TurnDetector>) -> Self {
        Self { detector, pending: None }
    }

    pub(crate) fn score(&mut self, pause: PauseId, utterance: Vec<f32>) {
        let detector = Arc::clone(&self.detector);
        self.pending = Some((pause, Box::pin(async move { detector.score(utterance).await })));
    }

    /// The next verdict; waits for ever while none is under way. Cancel safe.
    pub(crate) async fn verdict(&mut self) -> (PauseId, Result<f32, Failure>) {
        let Some((pause, score)) = &mut self.pending else { return std::future::pending().await };
        let verdict = (*pause, score.await);
        self.pending = None;
        verdict
    }
}
