//! The real models in virtual time: while one computes, the paused clock stands still; then it advances by the time the
//! model is declared to take. So a run is repeatable, and as fast as the models are.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, mpsc as blocking};
use std::time::Duration;

use async_trait::async_trait;
use providers::Failure;
use providers::stt::{SpeechToText, SttEvent, SttInput, SttOptions, SttStream};
use providers::turn::TurnDetector;
use providers::vad::{VadStream, VoiceActivity};
use tokio::sync::mpsc;
use tokio::time::sleep;

/// What smart-turn takes on two cores beside other work (docs/latency.md).
const TURN_TIME: Duration = Duration::from_millis(90);
/// What Moonshine takes for the words that are left at a pause.
const STT_TIME: Duration = Duration::from_millis(60);
/// Running transcripts come this often, in samples of 16 kHz.
const PARTIAL_EVERY: usize = 8_000;
/// Marks of running transcripts lie beyond those of pauses.
const PARTIAL_MARKS: u32 = 1 << 30;

type Cache<T> = Arc<Mutex<HashMap<u64, T>>>;

fn key(samples: &[f32]) -> u64 {
    let mut hasher = DefaultHasher::new();
    samples.iter().for_each(|sample| sample.to_bits().hash(&mut hasher));
    hasher.finish()
}

/// Waits for an answer without letting the clock go on. A thread of its own receives, since this one runs the clock.
fn bridge<T: Send + 'static>(mut events: mpsc::Receiver<T>) -> blocking::Receiver<T> {
    let (sender, receiver) = blocking::channel();
    std::thread::spawn(move || {
        while let Some(event) = events.blocking_recv() {
            if sender.send(event).is_err() {
                break;
            }
        }
    });
    receiver
}

#[allow(clippy::disallowed_methods)] // The tasks end with the benchmark's own runtime.
fn run(task: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(task);
}

/// Voice activity.
pub(crate) struct Vad(pub(crate) Arc<dyn VoiceActivity>);

impl VoiceActivity for Vad {
    fn open(&self) -> VadStream {
        let real = self.0.open();
        let verdicts = bridge(real.probabilities);
        let (windows, mut received) = mpsc::channel(64);
        let (sender, probabilities) = mpsc::channel(64);
        run(async move {
            while let Some(window) = received.recv().await {
                if real.windows.try_send(window).is_err() {
                    return;
                }
                let Ok(probability) = verdicts.recv() else { return };
                if sender.send(probability).await.is_err() {
                    return;
                }
            }
        });
        VadStream { windows, probabilities }
    }
}

/// End of turn; what was scored once is remembered.
pub(crate) struct Turn {
    pub(crate) real: Arc<dyn TurnDetector>,
    pub(crate) known: Cache<f32>,
}

#[async_trait]
impl TurnDetector for Turn {
    async fn score(&self, utterance: Vec<f32>) -> Result<f32, Failure> {
        let key = key(&utterance);
        let known = self.known.lock().unwrap().get(&key).copied();
        let score = match known {
            Some(score) => score,
            None => {
                let real = Arc::clone(&self.real);
                let asked = std::thread::spawn(move || {
                    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                    runtime.block_on(real.score(utterance))
                });
                let score = asked.join().unwrap()?;
                self.known.lock().unwrap().insert(key, score);
                score
            }
        };
        sleep(TURN_TIME).await;
        Ok(score)
    }
}

/// Speech to text; what was understood once is remembered.
pub(crate) struct Stt {
    pub(crate) real: Arc<dyn SpeechToText>,
    pub(crate) known: Cache<String>,
}

impl SpeechToText for Stt {
    fn name(&self) -> &'static str {
        "virtual.stt"
    }

    fn open(&self, options: SttOptions) -> SttStream {
        let real = self.real.open(options);
        let ear = Ear { input: real.input, events: bridge(real.events), known: Arc::clone(&self.known), fed: 0 };
        let (input, received) = mpsc::channel(512);
        let (sender, events) = mpsc::channel(64);
        run(listen(ear, received, sender));
        SttStream { input, events }
    }
}

/// The real recogniser, fed only with what is not known yet.
struct Ear {
    input: mpsc::Sender<SttInput>,
    events: blocking::Receiver<SttEvent>,
    known: Cache<String>,
    fed: usize,
}

impl Ear {
    fn words(&mut self, utterance: &[f32], mark: u32) -> String {
        let key = key(utterance);
        if let Some(words) = self.known.lock().unwrap().get(&key) {
            return words.clone();
        }
        self.input.try_send(SttInput::Audio(Arc::from(&utterance[self.fed..]))).unwrap();
        self.fed = utterance.len();
        self.input.try_send(SttInput::Pause(mark)).unwrap();
        let words = loop {
            match self.events.recv().unwrap() {
                SttEvent::Partial { text, settled: Some(settled) } if settled == mark => break text,
                SttEvent::Failed(failure) => panic!("{}", failure.0),
                SttEvent::Partial { .. } | SttEvent::Final { .. } => {}
            }
        };
        self.known.lock().unwrap().insert(key, words.clone());
        words
    }

    fn forget(&mut self) {
        self.fed = 0;
        self.input.try_send(SttInput::Reset).unwrap();
    }
}

async fn listen(mut ear: Ear, mut received: mpsc::Receiver<SttInput>, sender: mpsc::Sender<SttEvent>) {
    let mut utterance: Vec<f32> = Vec::new();
    let (mut told, mut marks) = (0, PARTIAL_MARKS);
    while let Some(input) = received.recv().await {
        let event = match input {
            SttInput::Audio(samples) => {
                utterance.extend_from_slice(&samples);
                if utterance.len() < told + PARTIAL_EVERY {
                    continue;
                }
                told = utterance.len();
                marks += 1;
                SttEvent::Partial { text: ear.words(&utterance, marks), settled: None }
            }
            SttInput::Pause(mark) => SttEvent::Partial { text: ear.words(&utterance, mark), settled: Some(mark) },
            SttInput::Commit => {
                marks += 1;
                let text = ear.words(&utterance, marks);
                (utterance, told) = (Vec::new(), 0);
                ear.forget();
                SttEvent::Final { text }
            }
            SttInput::Reset => {
                (utterance, told) = (Vec::new(), 0);
                ear.forget();
                continue;
            }
        };
        sleep(STT_TIME).await;
        if sender.send(event).await.is_err() {
            return;
        }
    }
}
