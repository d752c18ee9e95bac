//! A call that a speech-native model answers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use audio::opus::Decoder;
use dialogue::{CloseReason, Fact, Transcript, TurnRecord};
use providers::live::{Live, LiveModel};
use providers::resilience::{Health, ResilienceConfig, Stage};
use providers::tools::Toolbox;
use session::{AgentConfig, Agents, Link, Providers, Report, Request, Session};
use testkit::emulator::{Emulator, Record, Reply, Route, Script, tone};
use testkit::leg::Caller;
use testkit::scripted::{Completeness, Listener, Loudness, Murmur, Speaker};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

const CALLER_HZ: u32 = 16_000;
const VOICE_HZ: u32 = 24_000;
/// How long a busy machine may take.
const SOON: Duration = Duration::from_secs(20);

/// A vendor's speech-native model, and where it is found in the emulator's log.
pub(crate) trait Vendor {
    const ROUTE: Route;
    fn model(emulator: &Emulator) -> Arc<dyn LiveModel>;
    /// Checks that the vendor forgot all of an answer but what was heard.
    fn forgot(conversations: &[Record], heard: &str, heard_ms: u32);
    /// When the vendor noticed that its first answer was called off.
    fn noticed(conversations: &[Record]) -> Option<Instant>;
}

pub(crate) struct Call {
    pub(crate) caller: Caller,
    pub(crate) requests: mpsc::Sender<Request>,
    pub(crate) reports: mpsc::Receiver<Report>,
    /// Answers where the vendor fails.
    pub(crate) cascade: Arc<Speaker>,
    pub(crate) emulator: Emulator,
    /// Every fact so far.
    pub(crate) facts: Vec<Fact>,
    /// What was heard is decoded by one decoder: each packet builds on the one before.
    decoder: Decoder,
    agent: JoinHandle<()>,
}

/// What is not the usual in a call.
#[derive(Default)]
pub(crate) struct Options<'a> {
    pub(crate) agent: AgentConfig,
    pub(crate) tools: Toolbox,
    pub(crate) script: Script,
    /// What the agent's own recogniser understands.
    pub(crate) understood: &'a [&'a str],
    /// What the agent's own language model answers.
    pub(crate) cascade: &'a [Option<&'a str>],
}

impl Call {
    #[allow(clippy::disallowed_methods)] // The test owns the task: each awaits it.
    pub(crate) async fn begin<V: Vendor>(options: Options<'_>) -> Self {
        let emulator = Emulator::start(options.script).await.unwrap();
        let resilience = ResilienceConfig::default();
        let health = Arc::new(Health::new("live", Stage::Llm, resilience.breaker.clone()));
        let (caller, from_caller, to_caller) = Caller::connect();
        let (requests, asked) = mpsc::channel(8);
        let (told, reports) = mpsc::channel(1_024);
        let cascade = Speaker::new(options.cascade);
        let providers = Providers {
            vad: Arc::new(Loudness),
            turn: Arc::new(Completeness(0.9)),
            stt: Listener::new(options.understood),
            llm: Arc::clone(&cascade) as _,
            tts: Arc::new(Murmur),
            tools: Arc::new(options.tools),
            live: Some(Arc::new(Live::new(V::model(&emulator), health, resilience))),
        };
        let billing = AgentConfig { instructions: Some("You do the billing.".to_owned()), ..AgentConfig::default() };
        let agents = Agents::new(options.agent.clone(), BTreeMap::from([("billing".to_owned(), billing)])).unwrap();
        let session = Session {
            id: "test".to_owned(),
            link: Link { from_caller, to_caller },
            requests: asked,
            reports: told,
            agent: options.agent,
            agents: Arc::new(agents),
            history: Transcript::default(),
            turns_before: 0,
            providers,
            tape: None,
        };
        let agent = tokio::spawn(async move { session.run().await.unwrap() });
        let decoder = Decoder::new(VOICE_HZ).unwrap();
        Self { caller, requests, reports, cascade, emulator, facts: Vec::new(), decoder, agent }
    }

    /// Speaks, which the vendor takes for these words, then is silent until the agent's turn has ended.
    pub(crate) async fn ask(&mut self, words: &str) -> TurnRecord {
        self.say(words, 600).await;
        self.turn().await
    }

    /// Speaks for so long, which the vendor takes for these words. No tones: a machine that stands still for a moment
    /// makes other words of them.
    pub(crate) async fn say(&mut self, words: &str, ms: u32) {
        self.emulator.add_transcript(words);
        self.caller.speak(ms).await;
    }

    /// Says words as tones.
    pub(crate) async fn say_in_tones(&mut self, words: &str) {
        self.caller.say(&tone::speak(words, CALLER_HZ)).await;
    }

    /// Is silent until a turn has ended.
    pub(crate) async fn turn(&mut self) -> TurnRecord {
        self.until(|fact| match fact {
            Fact::TurnEnded(record) => Some(record.clone()),
            _ => None,
        })
        .await
    }

    /// Is silent until this happens.
    pub(crate) async fn until<T>(&mut self, mut wanted: impl FnMut(&Fact) -> Option<T>) -> T {
        let until = async {
            loop {
                while let Ok(report) = self.reports.try_recv() {
                    if let Report::Fact { fact, .. } = report {
                        let found = wanted(&fact);
                        self.facts.push(fact);
                        if let Some(found) = found {
                            return found;
                        }
                    }
                }
                self.caller.silence(20).await;
            }
        };
        timeout(SOON, until).await.expect("it happens soon")
    }

    /// Is silent for so long.
    pub(crate) async fn silence(&mut self, ms: u32) {
        self.caller.silence(ms).await;
    }

    /// The words in all that was heard since the last time; what is no tone has none.
    pub(crate) fn understood(&mut self) -> String {
        let mut samples = Vec::new();
        for packet in self.caller.packets.drain(..) {
            self.decoder.decode(&packet, &mut samples).unwrap();
        }
        tone::understand(&samples, VOICE_HZ)
    }

    /// The conversations that the vendor had, in the order they came.
    pub(crate) fn vendor<V: Vendor>(&self) -> Vec<Record> {
        self.emulator.log().into_iter().filter(|record| record.route == V::ROUTE).collect()
    }

    /// Has the vendor's models answer so.
    pub(crate) fn answers(&self, text: &str) {
        self.emulator.add_reply(Reply::Text(text.to_owned()));
    }

    /// Hangs up.
    pub(crate) async fn end(self) -> (Emulator, Arc<Speaker>) {
        let Self { caller, agent, mut reports, emulator, cascade, .. } = self;
        caller.hang_up().await;
        timeout(SOON, agent).await.expect("it ends").unwrap();
        let mut last = None;
        while let Some(report) = reports.recv().await {
            last = Some(report);
        }
        assert!(matches!(last, Some(Report::Fact { fact: Fact::Closed(CloseReason::CallerHungUp), .. })), "{last:?}");
        (emulator, cascade)
    }
}

/// The kinds of messages that the vendor got in a conversation, in order.
pub(crate) fn received(record: &Record) -> Vec<String> {
    let kinds = record.request["received"].as_array().cloned().unwrap_or_default();
    kinds.iter().filter_map(|entry| entry["type"].as_str().map(str::to_owned)).collect()
}

/// All that the vendor was told in words, in a conversation.
pub(crate) fn told(record: &Record) -> String {
    record.request["items"].to_string()
}
