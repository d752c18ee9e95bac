//! Models that follow a script. Each runs as a task of the test's own runtime, so a paused clock drives them all.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use audio::energy;
use providers::llm::{Finish, LanguageModel, LlmEvent, LlmRequest, ToolCall, Usage};
use providers::stt::{SpeechToText, SttEvent, SttInput, SttOptions, SttStream};
use providers::tts::{SpeechRequest, TextToSpeech, TtsEvent};
use providers::turn::TurnDetector;
use providers::vad::{VadStream, VoiceActivity};
use providers::{Failure, Remedy};
use tokio::sync::mpsc;
use tokio::time::sleep;

/// The rate at which [`Murmur`] speaks.
pub const VOICE_RATE_HZ: u32 = 24_000;
/// Marks a line of [`Speaker`] that calls a tool.
pub const CALL: &str = "! ";
/// How long [`Murmur`] takes for a word.
pub const WORD_MS: u32 = 300;

/// Runs a model's side of a stream on the test's runtime, which ends with the test.
#[allow(clippy::disallowed_methods)]
pub(crate) fn run(task: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(task);
}

/// Voice activity by loudness.
#[derive(Debug, Default)]
pub struct Loudness;

impl VoiceActivity for Loudness {
    fn open(&self) -> VadStream {
        let (windows, mut received) = mpsc::channel::<Box<[f32; providers::vad::WINDOW_SAMPLES]>>(64);
        let (verdicts, probabilities) = mpsc::channel(64);
        run(async move {
            while let Some(window) = received.recv().await {
                let loud = energy::rms(&*window) > 0.02;
                if verdicts.send(if loud { 0.95 } else { 0.05 }).await.is_err() {
                    break;
                }
            }
        });
        VadStream { windows, probabilities }
    }
}

/// Takes every pause for what it is told.
#[derive(Debug)]
pub struct Completeness(pub f32);

#[async_trait::async_trait]
impl TurnDetector for Completeness {
    async fn score(&self, _utterance: Vec<f32>) -> Result<f32, Failure> {
        sleep(Duration::from_millis(50)).await;
        Ok(self.0)
    }
}

/// Understands what the script says, one line for each utterance.
#[derive(Debug)]
pub struct Listener {
    lines: Vec<String>,
}

impl Listener {
    /// A recogniser that understands these utterances, in order; afterwards nothing.
    pub fn new(lines: &[&str]) -> Arc<Self> {
        Arc::new(Self { lines: lines.iter().map(ToString::to_string).collect() })
    }
}

impl SpeechToText for Listener {
    fn name(&self) -> &'static str {
        "scripted.listener"
    }

    fn open(&self, _options: SttOptions) -> SttStream {
        let (input, mut received) = mpsc::channel(512);
        let (sender, events) = mpsc::channel(64);
        let mut lines = self.lines.clone().into_iter();
        run(async move {
            let mut line = lines.next().unwrap_or_default();
            while let Some(input) = received.recv().await {
                let event = match input {
                    SttInput::Audio(_) | SttInput::Reset => continue,
                    SttInput::Pause(mark) => {
                        sleep(Duration::from_millis(40)).await;
                        SttEvent::Partial { text: line.clone(), settled: Some(mark) }
                    }
                    SttInput::Commit => {
                        SttEvent::Final { text: std::mem::replace(&mut line, lines.next().unwrap_or_default()) }
                    }
                };
                if sender.send(event).await.is_err() {
                    break;
                }
            }
        });
        SttStream { input, events }
    }
}

/// Answers with its lines in order, word by word; a line of none fails, and a line such as `look({"at": "it"})` after
/// [`CALL`] calls a tool. Calls with a line break between them are made at once.
#[derive(Debug)]
pub struct Speaker {
    lines: Mutex<std::vec::IntoIter<Option<String>>>,
    /// Every request, as it came.
    pub requests: Mutex<Vec<LlmRequest>>,
}

impl Speaker {
    /// A model that answers with these lines, in order.
    pub fn new(lines: &[Option<&str>]) -> Arc<Self> {
        let lines: Vec<_> = lines.iter().map(|line| line.map(str::to_owned)).collect();
        Arc::new(Self { lines: Mutex::new(lines.into_iter()), requests: Mutex::default() })
    }
}

impl LanguageModel for Speaker {
    fn name(&self) -> &'static str {
        "scripted.speaker"
    }

    fn reply(&self, request: LlmRequest) -> mpsc::Receiver<LlmEvent> {
        self.requests.lock().unwrap().push(request);
        let line = self.lines.lock().unwrap().next().flatten();
        let (sender, events) = mpsc::channel(64);
        run(async move {
            let Some(line) = line else {
                let failure = Failure::new("scripted.speaker", Remedy::Retry, "the script says so");
                return drop(sender.send(LlmEvent::Failed(failure)).await);
            };
            let calls: Vec<ToolCall> = line.lines().filter_map(|line| tool_call(line.strip_prefix(CALL)?)).collect();
            if !calls.is_empty() {
                for call in calls {
                    drop(sender.send(LlmEvent::ToolCall(call)).await);
                }
                return drop(sender.send(LlmEvent::Done { finish: Finish::ToolCalls, usage: Usage::default() }).await);
            }
            for word in line.split_inclusive(' ') {
                sleep(Duration::from_millis(20)).await;
                if sender.send(LlmEvent::Text(word.to_owned())).await.is_err() {
                    return;
                }
            }
            drop(sender.send(LlmEvent::Done { finish: Finish::Stop, usage: Usage::default() }).await);
        });
        events
    }

    fn prepare(&self, _request: LlmRequest) {}

    fn release(&self, _conversation: &str) {}
}

fn tool_call(line: &str) -> Option<ToolCall> {
    let (name, arguments) = line.trim().trim_end_matches(')').split_once('(')?;
    Some(ToolCall { id: format!("call_{name}"), name: name.to_owned(), arguments: arguments.to_owned() })
}

/// Speaks each word as [`WORD_MS`] of a murmur.
#[derive(Debug, Default)]
pub struct Murmur;

impl TextToSpeech for Murmur {
    fn name(&self) -> &'static str {
        "scripted.murmur"
    }

    fn sample_rate_hz(&self) -> u32 {
        VOICE_RATE_HZ
    }

    fn speak(&self, request: SpeechRequest) -> mpsc::Receiver<TtsEvent> {
        let (sender, events) = mpsc::channel(64);
        run(async move {
            sleep(Duration::from_millis(30)).await;
            for (word, _) in (0..).zip(request.text.split_whitespace()) {
                let samples = murmur(VOICE_RATE_HZ, WORD_MS, word);
                if sender.send(TtsEvent::Audio(samples.into())).await.is_err() {
                    return;
                }
            }
            drop(sender.send(TtsEvent::Done).await);
        });
        events
    }
}

/// A murmur, other for each `word`: what the agent sounds like. Unlike a tone it tells its echo from everything else.
pub fn murmur(rate_hz: u32, ms: u32, word: u32) -> Vec<f32> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ u64::from(word + 1).wrapping_mul(0x2545_f491_4f6c_dd1d);
    let mut smooth = 0.0_f32;
    (0..rate_hz / 1_000 * ms)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            smooth = 0.8 * smooth + 0.2 * ((state >> 40) as f32 / 8_388_608.0 - 1.0);
            smooth
        })
        .collect()
}

/// A tone of 440 Hz at half scale: what callers sound like.
pub fn tone(rate_hz: u32, ms: u32) -> Vec<f32> {
    let samples = rate_hz / 1_000 * ms;
    let step = std::f32::consts::TAU * 440.0 / rate_hz as f32;
    (0..samples).map(|i| 0.5 * (i as f32 * step).sin()).collect()
}
