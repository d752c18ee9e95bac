//! What a call has of a speech-native model: an ear, a language model and a voice that share one conversation.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::LiveModel;
use super::conversation::{Ask, Conversation};
use super::link::Setup;
use super::voice::LiveVoice;
use crate::llm::{LanguageModel, LlmEvent, LlmRequest};
use crate::resilience::{Health, Link, LlmChain, ResilienceConfig, Stage};
use crate::tasks::Tasks;
use crate::tts::TextToSpeech;

/// What a call asks for and was not taken up yet: half a minute of speech, which comes in pieces of 32 ms. What is too
/// much is dropped; a conversation that is so late is lost anyway.
const ASKS: usize = 1_024;
/// Events of an answer that its reader has not taken; a vendor writes an answer faster than anybody speaks it.
const EVENTS: usize = 1_024;

/// A speech-native model as agents use it, shared by all calls.
pub struct Live {
    model: Arc<dyn LiveModel>,
    health: Arc<Health>,
    resilience: ResilienceConfig,
}

/// How a call begins.
#[derive(Debug, Clone, Default)]
pub struct Opening {
    /// The voice's name at the vendor; none takes the default.
    pub voice: Option<String>,
    /// BCP 47 tag of the caller's language; none lets the model choose.
    pub language: Option<String>,
}

/// One call's part of a speech-native model.
pub struct Call {
    /// Hears the caller.
    pub ear: Ear,
    /// Answers.
    pub llm: Arc<dyn LanguageModel>,
    /// Speaks the answers, and everything else.
    pub tts: Arc<dyn TextToSpeech>,
}

impl Live {
    /// A model, and how it fares.
    #[must_use]
    pub fn new(model: Arc<dyn LiveModel>, health: Arc<Health>, resilience: ResilienceConfig) -> Self {
        Self { model, health, resilience }
    }

    /// Begins a call. `llm` answers where the model fails, and `tts` then speaks; `tts` also speaks what no model wrote.
    /// The conversation is opened with the first request or its preparation, and ends with the last part of the call.
    #[must_use]
    pub fn call(&self, opening: Opening, llm: Arc<dyn LanguageModel>, tts: Arc<dyn TextToSpeech>) -> Call {
        let (asks, asked) = mpsc::channel(ASKS);
        let setup = Setup { voice: opening.voice, language: opening.language, ..Setup::default() };
        let tasks = Arc::new(Tasks::default());
        tasks.spawn(Conversation::new(Arc::clone(&self.model), setup, asked).run());
        let (name, rate_hz) = (self.model.name(), self.model.sample_rate_hz());
        let writer = LiveWriter { name, asks: asks.clone(), _tasks: Arc::clone(&tasks) };
        let voice = LiveVoice {
            name,
            rate_hz,
            asks: asks.clone(),
            behind: tts.for_call().unwrap_or(tts),
            tasks: Arc::clone(&tasks),
        };
        // The last of a chain is asked whatever its breaker says.
        let behind = Arc::new(Health::new(llm.name(), Stage::Llm, self.resilience.breaker.clone()));
        let links = vec![
            Link { provider: Arc::new(writer) as Arc<dyn LanguageModel>, health: Arc::clone(&self.health) },
            Link { provider: llm, health: behind },
        ];
        let chain = LlmChain::new(links, &self.resilience);
        Call { ear: Ear { asks, _tasks: tasks }, llm: Arc::new(chain), tts: Arc::new(voice) }
    }
}

/// Hears the caller for a speech-native model.
pub struct Ear {
    asks: mpsc::Sender<Ask>,
    _tasks: Arc<Tasks>,
}

impl Ear {
    /// The caller speaks: mono samples in −1..1 at [`super::SAMPLE_RATE_HZ`].
    pub fn hear(&self, samples: Arc<[f32]>) {
        self.ask(Ask::Hear(samples));
    }

    /// What was heard since the last turn was nothing.
    pub fn discard(&self) {
        self.ask(Ask::Discard);
    }

    /// The agent's turn is over, or was called off: what is heard from here on is the caller's turn.
    pub fn rest(&self) {
        self.ask(Ask::Rest);
    }

    /// Another agent speaks, with this voice.
    pub fn speak_as(&self, voice: Option<String>) {
        self.ask(Ask::SpeakAs(voice));
    }

    fn ask(&self, ask: Ask) {
        if let Err(mpsc::error::TrySendError::Full(_)) = self.asks.try_send(ask) {
            tracing::warn!("a spoken conversation does not keep up; what was heard is dropped");
        }
    }
}

/// The model as one that writes.
struct LiveWriter {
    name: &'static str,
    asks: mpsc::Sender<Ask>,
    _tasks: Arc<Tasks>,
}

impl LanguageModel for LiveWriter {
    fn name(&self) -> &'static str {
        self.name
    }

    fn reply(&self, request: LlmRequest) -> mpsc::Receiver<LlmEvent> {
        let (listener, events) = mpsc::channel(EVENTS);
        // Where it cannot be asked the sender is dropped, which is a failure to whoever listens.
        drop(self.asks.try_send(Ask::Reply(request, listener)));
        events
    }

    fn prepare(&self, request: LlmRequest) {
        // It is only a hint.
        drop(self.asks.try_send(Ask::Prepare(request)));
    }

    fn release(&self, _conversation: &str) {}
}
