//! Hibari: an American English voice at 24 kHz, distilled from Kokoro.
//!
//! One thread speaks for all sessions, one clause of each in turn, so that a long text does not keep others waiting.
//! `speech_text` makes the text speakable, `phonemes` turns it into the network's ids, `vocoder` turns the network's
//! spectra into samples, `trim` takes excess silence away.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

use ort::session::Session;
use ort::value::TensorRef;
use tokio::sync::mpsc;

use self::phonemes::Phonemes;
use self::trim::Trim;
use self::vocoder::{SAMPLE_RATE_HZ, Spectra, Vocoder};
use super::runtime::{LoadError, Runtime};
use super::speech_text::{clauses, speakable};
use super::worker::{Worker, failure};
use crate::tts::{SpeechRequest, TextToSpeech, TtsEvent};
use crate::{Failure, Remedy};

mod phonemes;
mod trim;
mod vocoder;

const PROVIDER: &str = "local.hibari";
/// The one voice in the package.
const VOICE: &str = "heart";
/// Requests that may wait. At about 60 ms each, one that waits behind so many is too late to matter.
const QUEUE_LIMIT: usize = 256;
/// The longest text of one request: over two minutes of speech. What is longer is a mistake of the caller's.
const TEXT_LIMIT_CHARS: usize = 2_000;
/// Pieces that a reply may hold, more than the longest text can become at the slowest speed: the thread never waits.
const PIECES_LIMIT: usize = 2_048;
/// Frames in a piece: 200 ms.
const PIECE_FRAMES: usize = 16;
/// Speeds that the network was trained for.
const SPEEDS: std::ops::RangeInclusive<f32> = 0.5..=2.0;

/// The voice. Its thread ends when it is dropped and its queue is empty.
pub struct Hibari {
    worker: Worker<Job>,
}

impl Hibari {
    /// Where the voice's files lie under the models directory.
    pub const DIR: &'static str = "tts/hibari";

    /// Loads the voice from `dir` and starts its thread.
    ///
    /// # Errors
    /// When a file is missing or damaged.
    pub fn load(runtime: &Runtime, dir: &Path) -> Result<Self, LoadError> {
        let path = dir.join("hibari.onnx");
        let mut voice = Voice {
            session: runtime.session(&path)?,
            phonemes: Phonemes::load(runtime, dir)?,
            vocoder: Vocoder::new(),
        };
        // The first run allocates, and builds the phonemiser's tables; better now than before the first reply.
        voice.warm_up().map_err(|reason| LoadError::corrupt(&path, &reason))?;
        let worker = Worker::start(PROVIDER, QUEUE_LIMIT, move |queue| serve(voice, queue))?;
        Ok(Self { worker })
    }
}

impl TextToSpeech for Hibari {
    fn name(&self) -> &'static str {
        PROVIDER
    }

    fn sample_rate_hz(&self) -> u32 {
        SAMPLE_RATE_HZ
    }

    fn speak(&self, request: SpeechRequest) -> mpsc::Receiver<TtsEvent> {
        let (events, receiver) = mpsc::channel(PIECES_LIMIT);
        let accepted = check(&request).and_then(|()| self.worker.submit(Job { request, events: events.clone() }));
        if let Err(failure) = accepted {
            events.try_send(TtsEvent::Failed(failure)).expect("the channel is new");
        }
        receiver
    }
}

fn check(request: &SpeechRequest) -> Result<(), Failure> {
    if request.text.chars().count() > TEXT_LIMIT_CHARS {
        let message = format!("the text is longer than {TEXT_LIMIT_CHARS} characters");
        return Err(failure(PROVIDER, Remedy::GiveUp, &message));
    }
    match request.voice.as_deref() {
        None | Some(VOICE) => Ok(()),
        Some(_) => Err(failure(PROVIDER, Remedy::Replace, &format!("the only voice here is {VOICE}"))),
    }
}

struct Job {
    request: SpeechRequest,
    events: mpsc::Sender<TtsEvent>,
}

/// A request that is being spoken: what is left of its text.
struct Speaking {
    clauses: VecDeque<String>,
    speed: f32,
    events: mpsc::Sender<TtsEvent>,
}

impl From<Job> for Speaking {
    fn from(job: Job) -> Self {
        let speed = if job.request.speed.is_finite() { job.request.speed } else { 1.0 };
        Self {
            clauses: clauses(&speakable(&job.request.text)).into(),
            speed: speed.clamp(*SPEEDS.start(), *SPEEDS.end()),
            events: job.events,
        }
    }
}

fn serve(mut voice: Voice, mut queue: mpsc::Receiver<Job>) {
    let mut turns: VecDeque<Speaking> = VecDeque::new();
    loop {
        while let Ok(job) = queue.try_recv() {
            turns.push_back(job.into());
        }
        let Some(mut speaking) = turns.pop_front() else {
            match queue.blocking_recv() {
                Some(job) => turns.push_back(job.into()),
                None => return,
            }
            continue;
        };
        if speaking.events.is_closed() {
            continue;
        }
        let Some(clause) = speaking.clauses.pop_front() else {
            speaking.events.try_send(TtsEvent::Done).ok();
            continue;
        };
        match voice.say(&clause, speaking.speed, &speaking.events) {
            Ok(()) => turns.push_back(speaking),
            Err(failure) => drop(speaking.events.try_send(TtsEvent::Failed(failure))),
        }
    }
}

struct Voice {
    session: Session,
    phonemes: Phonemes,
    vocoder: Vocoder,
}

impl Voice {
    fn warm_up(&mut self) -> Result<(), String> {
        let (events, _receiver) = mpsc::channel(PIECES_LIMIT);
        self.say("Hello, this is a test of the voice.", 1.0, &events).map_err(|failure| failure.message)
    }

    /// Speaks one clause, or nothing when there is nothing to pronounce in it.
    fn say(&mut self, clause: &str, speed: f32, events: &mpsc::Sender<TtsEvent>) -> Result<(), Failure> {
        let parts = self.phonemes.clauses(clause).map_err(|error| failure(PROVIDER, Remedy::GiveUp, &error))?;
        for ids in parts {
            self.render(&ids, speed, events).map_err(|error| {
                tracing::error!(provider = PROVIDER, %error, "the model failed");
                failure(PROVIDER, Remedy::Replace, &error)
            })?;
        }
        Ok(())
    }

    fn render(&mut self, ids: &[i64], speed: f32, events: &mpsc::Sender<TtsEvent>) -> ort::Result<()> {
        let speed = [speed];
        let outputs = self.session.run(ort::inputs![
            "ids" => TensorRef::from_array_view(([1, ids.len()], ids))?,
            "speed" => TensorRef::from_array_view(([1_usize], &speed[..]))?,
        ])?;
        if outputs.len() < 6 {
            return Err(ort::Error::new("the model has fewer outputs than it should"));
        }
        let plane = |index: usize| outputs[index].try_extract_tensor::<f32>().map(|(_, values)| values);
        let spectra = Spectra {
            harmonic: plane(0)?,
            rotation: plane(1)?,
            noise: plane(2)?,
            free: plane(3)?,
            free_phase: plane(4)?,
            pitch_hz: plane(5)?,
        };
        if !spectra.is_whole() {
            return Err(ort::Error::new("the model's outputs do not fit together"));
        }
        let mut trim = Trim::default();
        let send = |samples: Vec<f32>| samples.is_empty() || send(events, samples);
        self.vocoder.synthesise(&spectra, PIECE_FRAMES, &mut |piece| send(trim.push(piece)));
        send(trim.finish());
        Ok(())
    }
}

/// False once nobody listens.
fn send(events: &mpsc::Sender<TtsEvent>, samples: Vec<f32>) -> bool {
    events.try_send(TtsEvent::Audio(Arc::from(samples))).is_ok()
}
