//! Scripted providers of our own: they understand tones, answer by the emulator's rule, and speak in tones.

use std::time::Duration;

use providers::llm::{Finish, LanguageModel, LlmEvent, LlmRequest, Message, Usage};
use providers::stt::{SAMPLE_RATE_HZ, SpeechToText, SttEvent, SttInput, SttOptions, SttStream};
use providers::tts::{SpeechRequest, TextToSpeech, TtsEvent};
use testkit::emulator::tone;
use tokio::sync::mpsc;
use tokio::time::sleep;

/// The test owns the tasks of its models: they end with its runtime.
#[allow(clippy::disallowed_methods)]
fn run(task: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(task);
}

/// Understands tones.
pub(crate) struct ToneEar;

impl SpeechToText for ToneEar {
    fn name(&self) -> &'static str {
        "fallback.stt"
    }

    fn open(&self, _options: SttOptions) -> SttStream {
        let (input, mut inputs) = mpsc::channel(256);
        let (sender, events) = mpsc::channel(64);
        run(async move {
            let mut heard: Vec<f32> = Vec::new();
            while let Some(input) = inputs.recv().await {
                let words = |heard: &[f32]| tone::understand(heard, SAMPLE_RATE_HZ);
                let event = match input {
                    SttInput::Audio(samples) => {
                        heard.extend_from_slice(&samples);
                        continue;
                    }
                    SttInput::Pause(mark) => SttEvent::Partial { text: words(&heard), settled: Some(mark) },
                    SttInput::Commit => SttEvent::Final { text: words(&std::mem::take(&mut heard)) },
                    SttInput::Reset => {
                        heard.clear();
                        continue;
                    }
                };
                if sender.send(event).await.is_err() {
                    return;
                }
            }
        });
        SttStream { input, events }
    }
}

/// Says what it was told, as the emulated models do. Asked to go on, it begins anew, as small models do.
pub(crate) struct Parrot;

impl LanguageModel for Parrot {
    fn name(&self) -> &'static str {
        "fallback.llm"
    }

    fn reply(&self, request: LlmRequest) -> mpsc::Receiver<LlmEvent> {
        let (sender, events) = mpsc::channel(64);
        let said = request.messages.iter().rev().find_map(|message| match message {
            Message::User(text) if !text.starts_with('[') => Some(text.clone()),
            _ => None,
        });
        let answer = format!("You said: {}", said.unwrap_or_default());
        run(async move {
            for word in answer.split_inclusive(' ') {
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

/// Speaks in tones.
pub(crate) struct ToneVoice;

impl TextToSpeech for ToneVoice {
    fn name(&self) -> &'static str {
        "fallback.tts"
    }

    fn sample_rate_hz(&self) -> u32 {
        24_000
    }

    fn speak(&self, request: SpeechRequest) -> mpsc::Receiver<TtsEvent> {
        let (sender, events) = mpsc::channel(64);
        run(async move {
            sleep(Duration::from_millis(30)).await;
            for word in request.text.split_whitespace() {
                if sender.send(TtsEvent::Audio(tone::speak(word, 24_000).into())).await.is_err() {
                    return;
                }
            }
            drop(sender.send(TtsEvent::Done).await);
        });
        events
    }
}
