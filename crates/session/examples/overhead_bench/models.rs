//! Models that take a known time: each notes how long it truly took, since a timer that is asked for 20 ms gives 21.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use providers::Failure;
use providers::llm::{Finish, LanguageModel, LlmEvent, LlmRequest, Usage};
use providers::stt::{SpeechToText, SttEvent, SttInput, SttOptions, SttStream};
use providers::tts::{SpeechRequest, TextToSpeech, TtsEvent};
use providers::turn::TurnDetector;
use providers::vad::{VadStream, VoiceActivity, WINDOW_SAMPLES};
use testkit::scripted::{VOICE_RATE_HZ, murmur};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

/// What the language model takes to its first word, and the voice to its first sound.
const FIRST_TOKEN: Duration = Duration::from_millis(20);
const FIRST_AUDIO: Duration = Duration::from_millis(30);
/// How long the agent speaks.
const ANSWER_MS: u32 = 300;

/// How long the models of one session took, answer by answer.
#[derive(Debug, Default, Clone)]
pub(crate) struct Injected(Arc<Mutex<Vec<Duration>>>);

impl Injected {
    fn add(&self, took: Duration) {
        self.0.lock().unwrap().push(took);
    }

    /// All that was added since the last time.
    pub(crate) fn take(&self) -> Duration {
        self.0.lock().unwrap().drain(..).sum()
    }
}

#[allow(clippy::disallowed_methods)] // The tasks end with their streams.
fn run(task: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(task);
}

/// Voice activity, end of turn and words that take no time of their own.
pub(crate) struct Instantly;

impl VoiceActivity for Instantly {
    fn open(&self) -> VadStream {
        let (windows, mut received) = mpsc::channel::<Box<[f32; WINDOW_SAMPLES]>>(64);
        let (sender, probabilities) = mpsc::channel(64);
        run(async move {
            while let Some(window) = received.recv().await {
                let loud = audio::energy::rms(&*window) > 0.02;
                if sender.send(if loud { 0.95 } else { 0.05 }).await.is_err() {
                    return;
                }
            }
        });
        VadStream { windows, probabilities }
    }
}

#[async_trait]
impl TurnDetector for Instantly {
    async fn score(&self, _utterance: Vec<f32>) -> Result<f32, Failure> {
        // Sounds unfinished: nothing is started ahead, so the whole path is in the figure.
        Ok(0.1)
    }
}

impl SpeechToText for Instantly {
    fn name(&self) -> &'static str {
        "scripted.instantly"
    }

    fn open(&self, _options: SttOptions) -> SttStream {
        let (input, mut received) = mpsc::channel(512);
        let (sender, events) = mpsc::channel(64);
        run(async move {
            while let Some(input) = received.recv().await {
                let text = "Is it so?".to_owned();
                let event = match input {
                    SttInput::Pause(mark) => SttEvent::Partial { text, settled: Some(mark) },
                    SttInput::Commit => SttEvent::Final { text },
                    SttInput::Audio(_) | SttInput::Reset => continue,
                };
                if sender.send(event).await.is_err() {
                    return;
                }
            }
        });
        SttStream { input, events }
    }
}

/// Always answers with one word.
pub(crate) struct Laconic(pub(crate) Injected);

impl LanguageModel for Laconic {
    fn name(&self) -> &'static str {
        "scripted.laconic"
    }

    fn reply(&self, _request: LlmRequest) -> mpsc::Receiver<LlmEvent> {
        let (asked, injected) = (Instant::now(), self.0.clone());
        let (sender, events) = mpsc::channel(8);
        run(async move {
            sleep(FIRST_TOKEN).await;
            injected.add(asked.elapsed());
            drop(sender.send(LlmEvent::Text("Yes.".to_owned())).await);
            drop(sender.send(LlmEvent::Done { finish: Finish::Stop, usage: Usage::default() }).await);
        });
        events
    }

    fn prepare(&self, _request: LlmRequest) {}

    fn release(&self, _conversation: &str) {}
}

/// Speaks a tone.
pub(crate) struct Voice(pub(crate) Injected);

impl TextToSpeech for Voice {
    fn name(&self) -> &'static str {
        "scripted.voice"
    }

    fn sample_rate_hz(&self) -> u32 {
        VOICE_RATE_HZ
    }

    fn speak(&self, _request: SpeechRequest) -> mpsc::Receiver<TtsEvent> {
        let (asked, injected) = (Instant::now(), self.0.clone());
        let (sender, events) = mpsc::channel(8);
        run(async move {
            let samples: Arc<[f32]> = murmur(VOICE_RATE_HZ, ANSWER_MS, 0).into();
            sleep(FIRST_AUDIO).await;
            injected.add(asked.elapsed());
            drop(sender.send(TtsEvent::Audio(samples)).await);
            drop(sender.send(TtsEvent::Done).await);
        });
        events
    }
}
