//! Smart Turn v3: the probability that a speaker who fell silent has finished.
//!
//! One thread scores the utterances of all sessions in the order they came; an utterance whose caller has gone is
//! passed over. `log_mel` makes what the model sees.

use std::path::Path;

use ort::session::Session;
use ort::value::TensorRef;
use tokio::sync::{mpsc, oneshot};

use self::log_mel::{FRAMES, LogMel, MELS};
use super::runtime::{LoadError, Runtime};
use super::worker::{Worker, failure};
use crate::turn::TurnDetector;
use crate::{Failure, Remedy};

mod log_mel;

const PROVIDER: &str = "local.smart_turn";
/// Utterances that may wait. At about 0.1 s each, one that waits behind so many is too late to matter.
const QUEUE_LIMIT: usize = 64;

/// The end-of-turn model.
pub struct SmartTurn {
    worker: Worker<Job>,
}

impl SmartTurn {
    /// Where the model lies under the models directory.
    pub const FILE: &'static str = "turn/smart-turn-v3.2-cpu.onnx";

    /// Loads the model and starts its thread.
    ///
    /// # Errors
    /// When the file is missing or damaged.
    pub fn load(runtime: &Runtime, path: &Path) -> Result<Self, LoadError> {
        let mut model = Model { session: runtime.session(path)?, log_mel: LogMel::new() };
        model.score(&[]).map_err(|error| LoadError::corrupt(path, &error))?;
        let worker = Worker::start(PROVIDER, QUEUE_LIMIT, move |queue| serve(model, queue))?;
        Ok(Self { worker })
    }
}

#[async_trait::async_trait]
impl TurnDetector for SmartTurn {
    async fn score(&self, utterance: Vec<f32>) -> Result<f32, Failure> {
        let (reply, answer) = oneshot::channel();
        self.worker.submit(Job { utterance, reply })?;
        answer.await.unwrap_or_else(|_| Err(failure(PROVIDER, Remedy::Replace, &"the model has stopped")))
    }
}

struct Job {
    utterance: Vec<f32>,
    reply: oneshot::Sender<Result<f32, Failure>>,
}

fn serve(mut model: Model, mut queue: mpsc::Receiver<Job>) {
    while let Some(job) = queue.blocking_recv() {
        if job.reply.is_closed() {
            continue;
        }
        let score = model.score(&job.utterance).map_err(|error| failure(PROVIDER, Remedy::Replace, &error));
        // The caller may have gone meanwhile.
        job.reply.send(score).ok();
    }
}

struct Model {
    session: Session,
    log_mel: LogMel,
}

impl Model {
    fn score(&mut self, utterance: &[f32]) -> ort::Result<f32> {
        let features = self.log_mel.features(utterance);
        let input = TensorRef::from_array_view(([1usize, MELS, FRAMES], features))?;
        let outputs = self.session.run(ort::inputs!["input_features" => input])?;
        let (_, scores) = outputs[0].try_extract_tensor::<f32>()?;
        let score = scores.first().ok_or_else(|| ort::Error::new("the model gave no score"))?;
        Ok(if score.is_finite() { score.clamp(0.0, 1.0) } else { 0.5 })
    }
}
