//! Plays one case through a whole session in virtual time, and says what came of it.

use std::sync::Arc;
use std::time::Duration;

use dialogue::{Counters, Fact, Timestamp, Transcript, TurnId, TurnStatus};
use providers::llm::{Finish, LanguageModel, LlmEvent, LlmRequest, Usage};
use providers::tools::Toolbox;
use providers::tts::{SpeechRequest, TextToSpeech, TtsEvent};
use session::{AgentConfig, Agents, Link, Providers, Report, Request, Session};
use testkit::leg::Caller;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use crate::corpus::{Case, Kind, RATE_HZ};

/// How long the scripted model takes to its first word: what the local one takes for a prepared prompt.
const FIRST_TOKEN: Duration = Duration::from_millis(300);
/// How long before the decision's truth a decision is no cut-off: the resolution of the truth.
const TOLERANCE_MS: f64 = 50.0;
/// A turn that is not over by then was missed.
const MISSED_AFTER_MS: f64 = 2_000.0;

/// What the agent always says.
pub(crate) const SPOKEN: &str = "The river rises in the hills behind the village, and then it runs for a very long way \
    through fields and forests until it finally comes to the great city by the sea.";

/// What came of a case.
#[derive(Debug, Default, Clone)]
pub(crate) struct Outcome {
    /// Decisions before the end of speech.
    pub(crate) cut_offs: usize,
    /// End of speech to the decision; none if it was missed.
    pub(crate) delay_ms: Option<f64>,
    /// End of speech to the first frame of the answer.
    pub(crate) voice_to_voice_ms: Option<f64>,
    /// Whether the agent's answer was cut short.
    pub(crate) interrupted: bool,
    /// Begin of speech to silence, where the agent was speaking.
    pub(crate) silenced_ms: Option<f64>,
    /// How often the agent's voice was held.
    pub(crate) holds: usize,
    /// Whether more than the asked-for turn was opened.
    pub(crate) extra_turns: usize,
    pub(crate) counters: Counters,
    /// What was understood, turn by turn.
    pub(crate) words: Vec<String>,
}

/// Answers every prompt with the same long sentence.
struct Talker;

impl LanguageModel for Talker {
    fn name(&self) -> &'static str {
        "scripted.talker"
    }

    #[allow(clippy::disallowed_methods)] // The task ends with the benchmark's own runtime.
    fn reply(&self, _request: LlmRequest) -> mpsc::Receiver<LlmEvent> {
        let (sender, events) = mpsc::channel(8);
        tokio::spawn(async move {
            sleep(FIRST_TOKEN).await;
            drop(sender.send(LlmEvent::Text(SPOKEN.to_owned())).await);
            drop(sender.send(LlmEvent::Done { finish: Finish::Stop, usage: Usage::default() }).await);
        });
        events
    }

    fn prepare(&self, _request: LlmRequest) {}
    fn release(&self, _conversation: &str) {}
}

/// Says the same recording whatever it is asked to say.
pub(crate) struct Recorded {
    pub(crate) samples: Arc<[f32]>,
    pub(crate) rate_hz: u32,
}

impl TextToSpeech for Recorded {
    fn name(&self) -> &'static str {
        "scripted.recorded"
    }

    fn sample_rate_hz(&self) -> u32 {
        self.rate_hz
    }

    fn speak(&self, _request: SpeechRequest) -> mpsc::Receiver<TtsEvent> {
        let (sender, events) = mpsc::channel(2);
        drop(sender.try_send(TtsEvent::Audio(Arc::clone(&self.samples))));
        drop(sender.try_send(TtsEvent::Done));
        events
    }
}

/// The models that are shared by all cases.
#[derive(Clone)]
pub(crate) struct Models {
    pub(crate) vad: Arc<dyn providers::vad::VoiceActivity>,
    pub(crate) turn: Arc<dyn providers::turn::TurnDetector>,
    pub(crate) stt: Arc<dyn providers::stt::SpeechToText>,
    pub(crate) tts: Arc<Recorded>,
}

pub(crate) fn play(case: &Case, agent: &AgentConfig, models: &Models) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(hold(case, agent.clone(), models))
}

#[allow(clippy::disallowed_methods)] // The session is awaited below.
async fn hold(case: &Case, agent: AgentConfig, models: &Models) -> Outcome {
    let (mut caller, from_caller, to_caller) = Caller::connect();
    let (requests, asked) = mpsc::channel(8);
    let (told, mut reports) = mpsc::channel(8_192);
    let providers = Providers {
        vad: Arc::clone(&models.vad),
        turn: Arc::clone(&models.turn),
        stt: Arc::clone(&models.stt),
        llm: Arc::new(Talker),
        tts: Arc::clone(&models.tts) as _,
        tools: Arc::new(Toolbox::default()),
        live: None,
    };
    let agents = Arc::new(Agents::new(agent.clone(), std::collections::BTreeMap::new()).unwrap());
    let link = Link { from_caller, to_caller };
    let history = Transcript::default();
    let id = "bench".to_owned();
    let session = Session {
        id,
        link,
        requests: asked,
        reports: told,
        agent,
        agents,
        history,
        turns_before: 0,
        providers,
        tape: None,
    };
    let began = Instant::now();
    let held = tokio::spawn(async move { session.run().await.unwrap() });
    caller.silence(200).await;
    if over_agent(case.kind) {
        requests.send(Request::Typed("Tell me.".to_owned())).await.unwrap();
        while caller.heard.is_empty() {
            caller.silence(20).await;
        }
    }
    let offset_ms = (Instant::now() - began).as_secs_f64() * 1_000.0;
    match case.kind {
        Kind::Echo(way) | Kind::InterruptionBeside(way) => caller.say_in(&mut way.room(), &case.samples).await,
        Kind::Whole | Kind::Reading | Kind::Paused | Kind::Noisy | Kind::Assent | Kind::Interruption => {
            caller.say(&case.samples).await;
        }
    }
    let heard: Vec<f64> = caller.heard.iter().map(|(at, _)| (*at - began).as_secs_f64() * 1_000.0).collect();
    caller.hang_up().await;
    held.await.unwrap();
    let mut facts = Vec::new();
    let mut counters = Counters::default();
    while let Ok(report) = reports.try_recv() {
        match report {
            Report::Fact { at, fact } => facts.push((at, fact)),
            Report::Counted(counted) => counters = counted,
            _ => {}
        }
    }
    judge(case, offset_ms, &facts, &heard, counters)
}

pub(crate) fn over_agent(kind: Kind) -> bool {
    match kind {
        Kind::Assent | Kind::Interruption | Kind::Echo(_) | Kind::InterruptionBeside(_) => true,
        Kind::Whole | Kind::Reading | Kind::Paused | Kind::Noisy => false,
    }
}

fn judge(case: &Case, offset_ms: f64, facts: &[(Timestamp, Fact)], heard: &[f64], counters: Counters) -> Outcome {
    let moment = |samples: usize| offset_ms + samples as f64 * 1_000.0 / RATE_HZ as f64;
    let (begins, ends) = (moment(case.speech_begins), moment(case.speech_ends));
    let ms = |at: &Timestamp| at.as_micros() as f64 / 1_000.0;
    let asked = u32::from(over_agent(case.kind));
    let committed: Vec<f64> = facts
        .iter()
        .filter(|(_, fact)| matches!(fact, Fact::TurnCommitted { turn, .. } if turn.0 > asked))
        .map(|(at, _)| ms(at))
        .collect();
    let decided = committed.iter().find(|at| **at >= ends - TOLERANCE_MS).map(|at| at - ends);
    let silenced = facts.iter().find(|(_, fact)| matches!(fact, Fact::ReplyHeld { turn: TurnId(1) }));
    let cut = |fact: &Fact| matches!(fact, Fact::TurnEnded(record) if record.turn.0 == 1 && record.status == TurnStatus::Interrupted);
    // Hanging up cuts too, but only at the very end.
    let over = moment(case.samples.len()) - 100.0;
    Outcome {
        cut_offs: committed.iter().filter(|at| **at < ends - TOLERANCE_MS).count(),
        delay_ms: decided.filter(|delay| *delay <= MISSED_AFTER_MS),
        voice_to_voice_ms: heard.iter().find(|at| **at > ends).map(|at| at - ends),
        interrupted: facts.iter().any(|(at, fact)| cut(fact) && ms(at) < over),
        silenced_ms: silenced.map(|(at, _)| ms(at) - begins),
        holds: facts.iter().filter(|(_, fact)| matches!(fact, Fact::ReplyHeld { .. })).count(),
        extra_turns: committed.len(),
        words: facts
            .iter()
            .filter_map(|(_, fact)| match fact {
                Fact::PartialTranscript { text, .. } if over_agent(case.kind) => Some(text.clone()),
                Fact::TurnCommitted { user_text, .. } => Some(user_text.clone()),
                _ => None,
            })
            .collect(),
        counters,
    }
}
