//! One call in real time: somebody speaks in tones, and everything that is heard is written down.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use dialogue::{Fact, Transcript, TurnRecord};
use providers::llm::LanguageModel;
use providers::stt::SpeechToText;
use providers::tools::Toolbox;
use providers::tts::TextToSpeech;
use session::{AgentConfig, Agents, Link, Providers, Report, Request, Session};
use testkit::emulator::tone;
use testkit::leg::Caller;
use testkit::scripted::{Completeness, Loudness};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// The rate at which the caller speaks and records.
const RATE_HZ: u32 = 16_000;
/// A turn that takes longer has hung.
const PATIENCE: Duration = Duration::from_secs(15);

/// The models of a call.
#[derive(Clone)]
pub(crate) struct Models {
    pub(crate) stt: Arc<dyn SpeechToText>,
    pub(crate) llm: Arc<dyn LanguageModel>,
    pub(crate) tts: Arc<dyn TextToSpeech>,
}

pub(crate) struct Call {
    caller: Caller,
    _requests: mpsc::Sender<Request>,
    /// A server's models outlive its calls; their streams end with them.
    _models: Models,
    reports: mpsc::Receiver<Report>,
    agent: JoinHandle<()>,
}

/// What may be asked of the voice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Voice {
    /// Every word is heard.
    Whole,
    /// It breaks off within sentences. The word that it was in may be lost, one of each sentence.
    BreaksOff,
}

/// A turn as the caller knows it.
#[derive(Debug)]
pub(crate) struct Turn {
    said: &'static str,
    heard: String,
    record: Option<TurnRecord>,
    pub(crate) silence: Duration,
}

impl Call {
    #[allow(clippy::disallowed_methods)] // The test owns the task: `end` awaits it.
    pub(crate) fn begin(models: Models) -> Self {
        let (mut caller, from_caller, to_caller) = Caller::connect();
        caller.record();
        let (requests, asked) = mpsc::channel(8);
        let (told, reports) = mpsc::channel(1_024);
        let Models { stt, llm, tts } = models.clone();
        let (vad, turn) = (Arc::new(Loudness), Arc::new(Completeness(0.95)));
        let agent = AgentConfig::default();
        let session = Session {
            id: "matrix".to_owned(),
            link: Link { from_caller, to_caller },
            requests: asked,
            reports: told,
            agents: Arc::new(Agents::new(agent.clone(), std::collections::BTreeMap::new()).unwrap()),
            agent,
            history: Transcript::default(),
            turns_before: 0,
            providers: Providers { vad, turn, stt, llm, tts, tools: Arc::new(Toolbox::default()), live: None },
            tape: None,
        };
        let agent = tokio::spawn(async move { session.run().await.unwrap() });
        Self { caller, _requests: requests, _models: models, reports, agent }
    }

    /// Says the words, and listens until the turn is over.
    pub(crate) async fn turn(&mut self, said: &'static str) -> Turn {
        self.caller.silence(300).await;
        let frames_before = self.caller.heard.len();
        self.caller.recording.clear();
        self.caller.say(&tone::speak(said, RATE_HZ)).await;
        let spoke = Instant::now();
        let mut record = None;
        while record.is_none() && spoke.elapsed() < PATIENCE {
            self.caller.silence(100).await;
            while let Ok(report) = self.reports.try_recv() {
                if let Report::Fact { fact: Fact::TurnEnded(ended), .. } = report {
                    record = Some(ended);
                }
            }
        }
        let frames = &self.caller.heard[frames_before..];
        let ended = frames.last().map_or(spoke, |(at, _)| *at);
        let spoken = Duration::from_millis(20) * u32::try_from(frames.len()).unwrap();
        let silence = ended.saturating_duration_since(spoke).saturating_sub(spoken);
        Turn { said, heard: tone::understand(&self.caller.recording, RATE_HZ), record, silence }
    }

    /// Hangs up; says what was wrong with the end.
    pub(crate) async fn end(self) -> Option<String> {
        self.caller.hang_up().await;
        self.agent.await.err().map(|error| format!("the session ended badly: {error}"))
    }
}

impl Turn {
    /// What is not as it should be.
    pub(crate) fn complaints(&self, voice: Voice) -> Vec<String> {
        let Some(record) = &self.record else { return vec![format!("no answer to {:?}: {self:?}", self.said)] };
        let answer = format!("You said: {}", self.said);
        let words: Vec<&str> = self.heard.split_whitespace().collect();
        let mut complaints = Vec::new();
        if record.user_text != self.said {
            complaints.push(format!("{:?} was understood for {:?}", record.user_text, self.said));
        }
        if words.iter().collect::<BTreeSet<_>>().len() < words.len() {
            complaints.push(format!("a word was said twice: {:?}", self.heard));
        }
        let missing = answer.split_whitespace().filter(|word| !words.contains(word)).count();
        let allowed = match voice {
            Voice::Whole => 0,
            Voice::BreaksOff => sentences(&answer),
        };
        if missing > allowed {
            complaints.push(format!("{missing} words of the answer were not heard: {:?}", self.heard));
        }
        complaints
    }
}

fn sentences(text: &str) -> usize {
    text.matches('.').count()
}
