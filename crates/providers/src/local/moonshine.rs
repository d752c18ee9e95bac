//! Moonshine tiny: English speech to text.
//!
//! One thread serves all sessions. The model reads a segment at once, so running transcripts come from reading the
//! growing segment again and again; whoever waits for a pause or a commit to be answered goes before those, and a
//! running transcript that somebody's pause interrupts is thrown away. `desk` decides what is next, `utterance` keeps
//! the audio and the words, `model` runs the networks.

use std::path::Path;

use tokio::sync::mpsc;

use self::desk::{Desk, Order, Speaker};
use self::model::Model;
use self::utterance::{clean, is_wordless};
use super::runtime::{LoadError, Runtime};
use super::worker::{Opening, Streams, Worker, failure};
use crate::Remedy;
use crate::stt::{FailureEvent, SpeechToText, SttEvent, SttInput, SttOptions, SttStream};

mod desk;
mod model;
mod tokens;
mod utterance;

const PROVIDER: &str = "local.moonshine";
/// Streams that may wait to be opened.
const OPENINGS_LIMIT: usize = 1024;
/// Inputs a stream may hold before its sender waits: about 2 s of 20 ms frames.
const INPUT_LIMIT: usize = 100;
/// Events a stream may hold. Running transcripts are left out when half are taken, so that answers always fit.
const EVENTS_LIMIT: usize = 64;

/// The recogniser. Its thread ends when it and its streams are gone.
pub struct Moonshine {
    worker: Worker<Opening<SttInput, Speaker>>,
}

impl Moonshine {
    /// Where the model's files lie under the models directory.
    pub const DIR: &'static str = "stt/moonshine-tiny-en";

    /// Loads both networks and the vocabulary from `dir` and starts the thread.
    ///
    /// # Errors
    /// When a file is missing or damaged.
    pub fn load(runtime: &Runtime, dir: &Path) -> Result<Self, LoadError> {
        let mut model = Model::load(runtime, dir)?;
        // The first run allocates; better now than in somebody's first word.
        model.transcribe(&[], &mut || true).map_err(|error| LoadError::corrupt(dir, &error))?;
        let worker = Worker::start(PROVIDER, OPENINGS_LIMIT, move |openings| {
            serve(model, Desk::new(Streams::new(openings)));
        })?;
        Ok(Self { worker })
    }
}

impl SpeechToText for Moonshine {
    fn name(&self) -> &'static str {
        PROVIDER
    }

    fn open(&self, _: SttOptions) -> SttStream {
        let (input, inputs) = mpsc::channel(INPUT_LIMIT);
        let (sender, events) = mpsc::channel(EVENTS_LIMIT);
        let opening = Opening { input: inputs, state: Speaker::new(sender.clone()) };
        if let Err(failure) = self.worker.submit(opening) {
            sender.try_send(SttEvent::Failed(FailureEvent(failure))).expect("the channel is new");
        }
        SttStream { input, events }
    }
}

fn serve(mut model: Model, mut desk: Desk) {
    while let Some(order) = desk.next_order() {
        match recognise(&mut model, &mut desk, order) {
            Ok(Outcome::Heard) => desk.answer(order),
            Ok(Outcome::Interrupted) => desk.postpone(order),
            Err(error) => {
                tracing::error!(provider = PROVIDER, %error, "the model failed");
                desk.fail(order, failure(PROVIDER, Remedy::Replace, &error));
            }
        }
    }
}

enum Outcome {
    Heard,
    Interrupted,
}

/// Reads all that the speaker said and nobody read yet, segment by segment.
fn recognise(model: &mut Model, desk: &mut Desk, order: Order) -> ort::Result<Outcome> {
    while let Some(audio) = desk.unread_segment(order) {
        let mut keep_going = || desk.may_continue(order);
        let text = if is_wordless(&audio.samples) {
            String::new()
        } else {
            match model.transcribe(&audio.samples, &mut keep_going)? {
                Some(text) => clean(&text, &audio.samples),
                None => return Ok(Outcome::Interrupted),
            }
        };
        desk.hear(order, &audio, text);
        // What came in meanwhile belongs to the next order; otherwise a speaker in full flow would keep the thread.
        if !audio.is_cut {
            break;
        }
    }
    Ok(Outcome::Heard)
}
