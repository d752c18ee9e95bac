//! Silero v6.2: the probability of speech for each 32 ms window.
//!
//! One thread serves all sessions and runs whatever windows have come in as one batch: a batch costs little more than
//! a single window, so the detector keeps up with many callers. The model is recurrent; each stream keeps its state
//! and the end of its last window, which the model wants in front of the next.

use std::collections::HashMap;
use std::path::Path;

use ort::session::Session;
use ort::value::TensorRef;
use tokio::sync::mpsc;

use super::runtime::{LoadError, Runtime};
use super::worker::{Arrival, Opening, StreamId, Streams, Unread, Worker};
use crate::vad::{SAMPLE_RATE_HZ, UNREAD_LIMIT, VadStream, VoiceActivity, WINDOW_SAMPLES};

const PROVIDER: &str = "local.silero";
/// Samples of the last window in front of each window.
const CONTEXT_SAMPLES: usize = 64;
/// Floats of recurrent state: two layers of 128.
const STATE_FLOATS: usize = 256;
const LAYER_FLOATS: usize = STATE_FLOATS / 2;
/// Streams that may wait to be opened.
const OPENINGS_LIMIT: usize = 1024;
/// Windows in one run of the model. More would keep the first one waiting longer than the saving is worth.
const BATCH_LIMIT: usize = 32;

type Window = Box<[f32; WINDOW_SAMPLES]>;

/// The detector. Cheap to open streams on; its thread ends when it and its streams are gone.
pub struct Silero {
    worker: Worker<Opening<Window, StreamState>>,
}

impl Silero {
    /// Where the model lies under the models directory.
    pub const FILE: &'static str = "vad/silero_vad.onnx";

    /// Loads the model and starts its thread.
    ///
    /// # Errors
    /// When the file is missing or damaged.
    pub fn load(runtime: &Runtime, path: &Path) -> Result<Self, LoadError> {
        let mut model = Model { session: runtime.session(path)?, audio: Vec::new(), state: Vec::new() };
        // The first run allocates; better now than in somebody's first word.
        model.run(&mut [Turn::silent()]).map_err(|error| LoadError::corrupt(path, &error))?;
        let worker = Worker::start(PROVIDER, OPENINGS_LIMIT, move |openings| {
            Detector { model, streams: HashMap::new(), inbox: Streams::new(openings) }.serve();
        })?;
        Ok(Self { worker })
    }
}

impl VoiceActivity for Silero {
    fn open(&self) -> VadStream {
        let (windows, input) = mpsc::channel(UNREAD_LIMIT);
        let (answers, probabilities) = mpsc::channel(UNREAD_LIMIT);
        let state = StreamState { answers, memory: Memory::default() };
        if let Err(failure) = self.worker.submit(Opening { input, state }) {
            // The stream's channels are closed already, which is how the caller learns of it.
            tracing::warn!(provider = PROVIDER, %failure, "cannot open a stream");
        }
        VadStream { windows, probabilities }
    }
}

struct StreamState {
    answers: mpsc::Sender<f32>,
    memory: Memory,
}

/// What the model remembers of one stream.
struct Memory {
    recurrent: [f32; STATE_FLOATS],
    context: [f32; CONTEXT_SAMPLES],
}

impl Default for Memory {
    fn default() -> Self {
        Self { recurrent: [0.0; STATE_FLOATS], context: [0.0; CONTEXT_SAMPLES] }
    }
}

/// One stream's part of a batch.
struct Turn {
    window: Window,
    memory: Memory,
    probability: f32,
}

impl Turn {
    fn silent() -> Self {
        Self { window: Box::new([0.0; WINDOW_SAMPLES]), memory: Memory::default(), probability: 0.0 }
    }
}

/// A window that waits for the batch.
struct Pending {
    id: StreamId,
    turn: Turn,
    unread: Unread<Window>,
}

struct Detector {
    model: Model,
    streams: HashMap<StreamId, StreamState>,
    inbox: Streams<Window, StreamState>,
}

impl Detector {
    fn serve(mut self) {
        let mut batch = Vec::with_capacity(BATCH_LIMIT);
        while let Some(arrival) = self.inbox.wait() {
            self.take(arrival, &mut batch);
            while batch.len() < BATCH_LIMIT
                && let Some(arrival) = self.inbox.ready()
            {
                self.take(arrival, &mut batch);
            }
            self.answer(&mut batch);
        }
    }

    fn take(&mut self, arrival: Arrival<Window, StreamState>, batch: &mut Vec<Pending>) {
        match arrival {
            Arrival::Opened(id, state) => {
                self.streams.insert(id, state);
            }
            Arrival::Input(id, window, unread) => {
                if let Some(stream) = self.streams.get_mut(&id) {
                    let turn = Turn { window, memory: std::mem::take(&mut stream.memory), probability: 0.0 };
                    batch.push(Pending { id, turn, unread });
                }
            }
            Arrival::Closed(id) => {
                self.streams.remove(&id);
            }
        }
    }

    /// A stream is in a batch at most once, since it is read again only after its answer.
    fn answer(&mut self, batch: &mut Vec<Pending>) {
        let mut turns: Vec<Turn> = Vec::with_capacity(batch.len());
        let mut rest = Vec::with_capacity(batch.len());
        for Pending { id, turn, unread } in batch.drain(..) {
            turns.push(turn);
            rest.push((id, unread));
        }
        if turns.is_empty() {
            return;
        }
        let outcome = self.model.run(&mut turns);
        if let Err(error) = &outcome {
            tracing::error!(provider = PROVIDER, %error, "the model failed");
        }
        for ((id, unread), turn) in rest.into_iter().zip(turns) {
            // Ends the stream of a failed run, of a dropped one, and of one that does not read its answers.
            let answered = outcome.is_ok()
                && self.streams.get(&id).is_some_and(|stream| stream.answers.try_send(turn.probability).is_ok());
            if !answered {
                self.streams.remove(&id);
            } else if let Some(stream) = self.streams.get_mut(&id) {
                stream.memory = turn.memory;
                self.inbox.resume(unread);
            }
        }
    }
}

struct Model {
    session: Session,
    audio: Vec<f32>,
    state: Vec<f32>,
}

impl Model {
    /// Fills in each turn's probability and carries its memory on.
    fn run(&mut self, turns: &mut [Turn]) -> ort::Result<()> {
        let count = turns.len();
        self.audio.clear();
        self.state.clear();
        for turn in &*turns {
            self.audio.extend_from_slice(&turn.memory.context);
            self.audio.extend_from_slice(&turn.window[..]);
        }
        // The model wants the state layer by layer, not stream by stream.
        for layer in 0..2 {
            for turn in &*turns {
                self.state.extend_from_slice(&turn.memory.recurrent[layer * LAYER_FLOATS..][..LAYER_FLOATS]);
            }
        }
        let rate = [i64::from(SAMPLE_RATE_HZ)];
        let outputs = self.session.run(ort::inputs![
            "input" => TensorRef::from_array_view(([count, CONTEXT_SAMPLES + WINDOW_SAMPLES], &self.audio[..]))?,
            "state" => TensorRef::from_array_view(([2, count, LAYER_FLOATS], &self.state[..]))?,
            "sr" => TensorRef::from_array_view(((), &rate[..]))?,
        ])?;
        let (_, probabilities) = outputs[0].try_extract_tensor::<f32>()?;
        let (_, state) = outputs[1].try_extract_tensor::<f32>()?;
        if probabilities.len() < count || state.len() < count * STATE_FLOATS {
            return Err(ort::Error::new("the model answered for fewer windows than it was given"));
        }
        for (index, turn) in turns.iter_mut().enumerate() {
            turn.probability = probabilities[index].clamp(0.0, 1.0);
            for layer in 0..2 {
                let from = (layer * count + index) * LAYER_FLOATS;
                turn.memory.recurrent[layer * LAYER_FLOATS..][..LAYER_FLOATS]
                    .copy_from_slice(&state[from..][..LAYER_FLOATS]);
            }
            turn.memory.context.copy_from_slice(&turn.window[WINDOW_SAMPLES - CONTEXT_SAMPLES..]);
        }
        Ok(())
    }
}
