//! Models that fail as they are told: once for each request, then they work.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use providers::llm::{Finish, LanguageModel, LlmEvent, LlmRequest, ToolCall, Usage};
use providers::stt::{FailureEvent, SAMPLE_RATE_HZ, SpeechToText, SttEvent, SttInput, SttOptions, SttStream};
use providers::tts::{SpeechRequest, TextToSpeech, TtsEvent};
use providers::{Failure, Remedy};
use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::scripted::{VOICE_RATE_HZ, murmur, run};

/// What goes wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is refused at once, with this remedy.
    Refused(Remedy),
    /// It is refused by somebody who wants to be left alone for so long.
    Busy(Duration),
    /// Nothing ever comes.
    Silence,
    /// Everything comes, but so late.
    Slow(Duration),
    /// It fails after so many words.
    BreaksAfter(usize),
    /// Its stream ends after so many words, without a reason.
    VanishesAfter(usize),
    /// Nothing comes any more after so many words, and the stream stays open.
    StallsAfter(usize),
}

/// The faults of a model, and what became of its requests.
#[derive(Debug, Default)]
pub struct Faults {
    coming: Mutex<VecDeque<Option<Fault>>>,
    requests: AtomicUsize,
    cancelled: AtomicUsize,
    injected: AtomicUsize,
}

impl Faults {
    /// The next requests go like this; none goes well.
    pub fn expect(&self, faults: impl IntoIterator<Item = Option<Fault>>) {
        self.coming.lock().unwrap().extend(faults);
    }

    /// How many requests came.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    /// How many of them went wrong.
    pub fn injected(&self) -> usize {
        self.injected.load(Ordering::Relaxed)
    }

    /// How many were called off before their end.
    pub fn cancelled(&self) -> usize {
        self.cancelled.load(Ordering::Relaxed)
    }

    fn next(&self) -> Option<Fault> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let fault = self.coming.lock().unwrap().pop_front().flatten();
        self.injected.fetch_add(usize::from(fault.is_some()), Ordering::Relaxed);
        fault
    }

    /// Sends `steps` with a pause before each, as far as the fault lets it.
    async fn play<T>(&self, fault: Option<Fault>, name: &'static str, steps: Steps<T>, events: mpsc::Sender<T>) {
        let outcome = tokio::select! {
            biased;
            () = events.closed() => None,
            () = steps.send(fault, name, &events) => Some(()),
        };
        if outcome.is_none() {
            self.cancelled.fetch_add(1, Ordering::Relaxed);
        }
    }
}

struct Steps<T> {
    words: Vec<T>,
    last: Vec<T>,
    failed: fn(Failure) -> T,
    pace: Duration,
}

impl<T> Steps<T> {
    async fn send(self, fault: Option<Fault>, name: &'static str, events: &mpsc::Sender<T>) {
        let failure = |remedy| Failure::new(name, remedy, "told to fail");
        let words = match fault {
            Some(Fault::Refused(remedy)) => return tell(events, (self.failed)(failure(remedy))).await,
            Some(Fault::Busy(wait)) => return tell(events, (self.failed)(failure(Remedy::Retry).after(wait))).await,
            Some(Fault::Silence) => return std::future::pending().await,
            Some(Fault::Slow(late)) => {
                sleep(late).await;
                usize::MAX
            }
            Some(Fault::BreaksAfter(words) | Fault::VanishesAfter(words) | Fault::StallsAfter(words)) => words,
            None => usize::MAX,
        };
        for word in self.words.into_iter().take(words) {
            sleep(self.pace).await;
            tell(events, word).await;
        }
        match fault {
            Some(Fault::BreaksAfter(_)) => tell(events, (self.failed)(failure(Remedy::Retry))).await,
            Some(Fault::VanishesAfter(_)) => {}
            Some(Fault::StallsAfter(_)) => std::future::pending().await,
            Some(Fault::Refused(_) | Fault::Busy(_) | Fault::Silence | Fault::Slow(_)) | None => {
                for last in self.last {
                    tell(events, last).await;
                }
            }
        }
    }
}

async fn tell<T>(events: &mpsc::Sender<T>, event: T) {
    // Who does not listen is found out by `play`.
    drop(events.send(event).await);
}

/// A language model that always answers the same, a word each 20 ms.
#[derive(Debug)]
pub struct FaultyWriter {
    /// What goes wrong.
    pub faults: Arc<Faults>,
    /// All requests.
    pub asked: Mutex<Vec<LlmRequest>>,
    name: &'static str,
    answer: &'static str,
    tool: Option<&'static str>,
    /// So long it writes at the call of its tool, after its words; without, the call comes first and at once.
    long_call: Option<Duration>,
}

impl FaultyWriter {
    /// One that answers these words.
    pub fn new(name: &'static str, answer: &'static str) -> Arc<Self> {
        Arc::new(Self { faults: Arc::default(), asked: Mutex::default(), name, answer, tool: None, long_call: None })
    }

    /// One that calls a tool before these words.
    pub fn with_tool(name: &'static str, tool: &'static str, answer: &'static str) -> Arc<Self> {
        Arc::new(Self {
            faults: Arc::default(),
            asked: Mutex::default(),
            name,
            answer,
            tool: Some(tool),
            long_call: None,
        })
    }

    /// One that says these words and then writes for `span` at the call of a tool.
    pub fn with_long_call(name: &'static str, answer: &'static str, tool: &'static str, span: Duration) -> Arc<Self> {
        let (faults, asked) = (Arc::default(), Mutex::default());
        Arc::new(Self { faults, asked, name, answer, tool: Some(tool), long_call: Some(span) })
    }
}

impl LanguageModel for FaultyWriter {
    fn name(&self) -> &'static str {
        self.name
    }

    fn reply(&self, request: LlmRequest) -> mpsc::Receiver<LlmEvent> {
        let (sender, events) = mpsc::channel(64);
        self.asked.lock().unwrap().push(request);
        let (faults, name) = (Arc::clone(&self.faults), self.name);
        let fault = faults.next();
        let call = self.tool.map(|tool| {
            let (id, arguments) = (format!("{name}-1"), "{}".to_owned());
            LlmEvent::ToolCall(ToolCall { id, name: tool.to_owned(), arguments })
        });
        let text = self.answer.split_inclusive(' ').map(|word| LlmEvent::Text(word.to_owned()));
        let pace = Duration::from_millis(20);
        let words = match self.long_call {
            None => call.into_iter().chain(text).collect(),
            Some(span) => {
                let signs = span.as_millis() / pace.as_millis();
                let signs = (0..signs).map(|_| LlmEvent::Text(String::new()));
                text.chain(signs).chain(call).collect()
            }
        };
        let last = vec![LlmEvent::Done { finish: Finish::Stop, usage: Usage::default() }];
        let steps = Steps { words, last, failed: LlmEvent::Failed, pace };
        run(async move { faults.play(fault, name, steps, sender).await });
        events
    }

    fn prepare(&self, _request: LlmRequest) {}

    fn release(&self, _conversation: &str) {}
}

/// A voice that says each word as 300 ms of sound or as [`tone`](crate::tone)s, and notes what it was asked to say.
#[derive(Debug)]
pub struct FaultyVoice {
    /// What goes wrong.
    pub faults: Arc<Faults>,
    /// All requests.
    pub asked: Mutex<Vec<SpeechRequest>>,
    name: &'static str,
    rate_hz: u32,
    sound: fn(u32, &str, u32) -> Vec<f32>,
}

impl FaultyVoice {
    /// A voice of this rate.
    pub fn new(name: &'static str, rate_hz: u32) -> Arc<Self> {
        let sound = |number, _: &str, rate_hz| murmur(rate_hz, Self::WORD_MS, number);
        Arc::new(Self { faults: Arc::default(), asked: Mutex::default(), name, rate_hz, sound })
    }

    /// A voice whose words can be understood.
    pub fn in_tones(name: &'static str) -> Arc<Self> {
        let sound = |_, word: &str, rate_hz| crate::tone::speak(word, rate_hz);
        Arc::new(Self { faults: Arc::default(), asked: Mutex::default(), name, rate_hz: Self::RATE_HZ, sound })
    }

    /// The rate of [`crate::scripted`]'s voice.
    pub const RATE_HZ: u32 = VOICE_RATE_HZ;
    /// How long a word takes, in milliseconds.
    pub const WORD_MS: u32 = 300;
}

impl TextToSpeech for FaultyVoice {
    fn name(&self) -> &'static str {
        self.name
    }

    fn sample_rate_hz(&self) -> u32 {
        self.rate_hz
    }

    fn speak(&self, request: SpeechRequest) -> mpsc::Receiver<TtsEvent> {
        let (sender, events) = mpsc::channel(64);
        let (faults, name) = (Arc::clone(&self.faults), self.name);
        let fault = faults.next();
        let words = (0..).zip(request.text.split_whitespace());
        let steps = Steps {
            words: words
                .map(|(number, word)| TtsEvent::Audio((self.sound)(number, word, self.rate_hz).into()))
                .collect(),
            last: vec![TtsEvent::Done],
            failed: TtsEvent::Failed,
            pace: Duration::from_millis(10),
        };
        self.asked.lock().unwrap().push(request);
        run(async move { faults.play(fault, name, steps, sender).await });
        events
    }
}

/// A recogniser that understands as many words as it got pieces of audio, "1 2 3", or a word for each 300 ms. A fault is of a stream: it breaks after
/// so many inputs.
#[derive(Debug)]
pub struct FaultyEar {
    /// What goes wrong.
    pub faults: Arc<Faults>,
    name: &'static str,
    words: fn(&[f32]) -> String,
}

impl FaultyEar {
    /// A recogniser of this name.
    pub fn new(name: &'static str) -> Arc<Self> {
        let words = |heard: &[f32]| heard.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        Arc::new(Self { faults: Arc::default(), name, words })
    }

    /// A recogniser that understands a word for each 300 ms of speech: "word1 word2".
    pub fn of_speech(name: &'static str) -> Arc<Self> {
        let words = |heard: &[f32]| {
            let count = heard.len() / (SAMPLE_RATE_HZ as usize * 3 / 10);
            (1..=count).map(|number| format!("word{number}")).collect::<Vec<_>>().join(" ")
        };
        Arc::new(Self { faults: Arc::default(), name, words })
    }
}

impl SpeechToText for FaultyEar {
    fn name(&self) -> &'static str {
        self.name
    }

    fn open(&self, _options: SttOptions) -> SttStream {
        let (input, mut inputs) = mpsc::channel(64);
        let (sender, events) = mpsc::channel(64);
        let (fault, name, words) = (self.faults.next(), self.name, self.words);
        run(async move {
            let patience = match fault {
                Some(Fault::Refused(_) | Fault::Busy(_)) => 0,
                Some(Fault::BreaksAfter(inputs) | Fault::VanishesAfter(inputs) | Fault::StallsAfter(inputs)) => inputs,
                Some(Fault::Silence | Fault::Slow(_)) | None => usize::MAX,
            };
            let mut heard: Vec<f32> = Vec::new();
            let mut taken = 0;
            while taken < patience {
                let Some(input) = inputs.recv().await else { return };
                taken += 1;
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
                match fault {
                    Some(Fault::Silence) => continue,
                    Some(Fault::Slow(late)) => sleep(late).await,
                    Some(
                        Fault::Refused(_)
                        | Fault::Busy(_)
                        | Fault::BreaksAfter(_)
                        | Fault::VanishesAfter(_)
                        | Fault::StallsAfter(_),
                    )
                    | None => {}
                }
                tell(&sender, event).await;
            }
            if matches!(fault, Some(Fault::StallsAfter(_))) {
                while inputs.recv().await.is_some() {}
                return;
            }
            if !matches!(fault, Some(Fault::VanishesAfter(_))) {
                let remedy = if let Some(Fault::Refused(remedy)) = fault { remedy } else { Remedy::Retry };
                let failure = Failure::new(name, remedy, "told to fail");
                tell(&sender, SttEvent::Failed(FailureEvent(failure))).await;
                // A stream that failed goes on with the next utterance; this one goes on with nothing.
                sender.closed().await;
            }
        });
        SttStream { input, events }
    }
}
