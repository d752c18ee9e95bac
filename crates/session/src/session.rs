//! A conversation from its first packet to its last: waits for whatever comes next, tells the engine, does what it says.

use std::sync::Arc;
use std::time::Duration;

use audio::leg::{EndReason, FromCaller, Memo, PlayoutMark, ToCaller, TransportStats};
use audio::mend::Mended;
use audio::opus::OpusError;
use dialogue::{
    Action, Attempt, CloseReason, Counters, Dialogue, Event, Fact, PauseId, PlayoutEvent, ReplyEvent, Timer, Timestamp,
    ToolCall, Transcript, TurnId,
};
use providers::Failure;
use providers::live::{Live, Opening};
use providers::llm::LanguageModel;
use providers::stt::SpeechToText;
use providers::tools::Toolbox;
use providers::tts::TextToSpeech;
use providers::turn::TurnDetector;
use providers::vad::VoiceActivity;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tracing::Instrument as _;

use crate::AgentConfig;
use crate::agents::Agents;
use crate::judge::Judge;
use crate::memory::Memory;
use crate::microphone::{Heard, Microphone};
use crate::outbox::Outbox;
use crate::speech::Change;
use crate::toolbelt::{Returned, Toolbelt};
use crate::trace::Tape;
use crate::voice::{Step, Voice, clip_of, sentence_of};
use crate::writer::{Writer, Written};

/// The models that a conversation uses, shared by all conversations.
#[derive(Clone)]
pub struct Providers {
    /// Finds speech.
    pub vad: Arc<dyn VoiceActivity>,
    /// Tells whether a pause ends a turn.
    pub turn: Arc<dyn TurnDetector>,
    /// Understands words.
    pub stt: Arc<dyn SpeechToText>,
    /// Answers.
    pub llm: Arc<dyn LanguageModel>,
    /// Speaks.
    pub tts: Arc<dyn TextToSpeech>,
    /// Does what agents cannot.
    pub tools: Arc<Toolbox>,
    /// Hears the caller and answers aloud, in one; `llm` and `tts` stand behind it then.
    pub live: Option<Arc<Live>>,
}

/// The two ends of a call's media leg, whatever carries them.
#[derive(Debug)]
pub struct Link {
    /// What the caller does.
    pub from_caller: mpsc::Receiver<FromCaller>,
    /// What the caller is to hear and to be told.
    pub to_caller: mpsc::Sender<ToCaller>,
}

/// What others ask of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// The caller typed words.
    Typed(String),
    /// The caller pressed a key of the telephone's keypad.
    Digit(char),
    /// The caller's turn is over now.
    Commit,
    /// Be silent now.
    StopSpeaking,
    /// End the call.
    HangUp(CloseReason),
}

/// What a conversation tells others, in order. The last one is the fact [`Fact::Closed`].
#[derive(Debug, Clone, PartialEq)]
pub enum Report {
    /// Audio may flow.
    Connected,
    /// Messages to the caller may flow.
    ChannelOpen,
    /// Something happened in the conversation.
    Fact {
        /// When, on the conversation's clock.
        at: Timestamp,
        /// What.
        fact: Fact,
    },
    /// Another agent answers from here on.
    HandedOff {
        /// Its name.
        agent: String,
    },
    /// The caller's client sent a message.
    ClientMessage(String),
    /// How the network treats the call so far; every few seconds, and at its end.
    Transport {
        /// What the media server counted.
        transport: TransportStats,
        /// What was missing of the microphone, and filled in.
        mended: Mended,
    },
    /// What the engine counted; the last report but one.
    Counted(Counters),
}

/// A session could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// libopus refused the rates of the models.
    #[error("set up the call's audio: {0}")]
    Audio(#[from] OpusError),
}

/// One conversation, ready to run.
pub struct Session {
    /// The conversation's id.
    pub id: String,
    /// The call's media.
    pub link: Link,
    /// What others ask.
    pub requests: mpsc::Receiver<Request>,
    /// Where reports go. When it is full a report is dropped and an error logged: listeners must keep up.
    pub reports: mpsc::Sender<Report>,
    /// Who answers first. Need not be one of `agents`: a call may bring instructions of its own.
    pub agent: AgentConfig,
    /// To whom a call may be handed over.
    pub agents: Arc<Agents>,
    /// What was said before, in a conversation that goes on.
    pub history: Transcript,
    /// How many turns it had before; tools are told turns counted on from there.
    pub turns_before: u32,
    /// With which models.
    pub providers: Providers,
    /// Where every event and action is written down; none keeps nothing.
    pub tape: Option<Tape>,
}

impl Session {
    /// Holds the conversation until it is over.
    ///
    /// # Errors
    /// When the session cannot be set up; nothing was said then.
    pub async fn run(self) -> Result<(), SessionError> {
        let span = tracing::info_span!("session", session = %self.id);
        let driver = Driver::new(self)?;
        driver.run().instrument(span).await;
        Ok(())
    }
}

struct Driver {
    started: Instant,
    latest: Timestamp,
    dialogue: Dialogue,
    from_caller: mpsc::Receiver<FromCaller>,
    requests: mpsc::Receiver<Request>,
    reports: mpsc::Sender<Report>,
    microphone: Microphone,
    judge: Judge,
    writer: Writer,
    voice: Voice,
    outbox: Outbox,
    toolbelt: Toolbelt,
    memory: Memory,
    agents: Arc<Agents>,
    tape: Option<Tape>,
}

/// Whatever comes next.
enum Next {
    Caller(Option<FromCaller>),
    Request(Request),
    Heard(Heard),
    Starved,
    Verdict(PauseId, Result<f32, Failure>),
    Reply(TurnId, Attempt, Written),
    Tool(Returned),
    Summary(Option<String>),
    Voice(Step),
    Forwarded,
    LinkGone,
    Deadline(Timestamp, Timer),
}

impl Driver {
    fn new(session: Session) -> Result<Self, SessionError> {
        let Session { id, link, requests, reports, agent, agents, history, turns_before, providers, mut tape } =
            session;
        let memory = Memory::new(Arc::clone(&providers.llm), &id);
        let (ear, llm, tts) = match &providers.live {
            Some(live) => {
                let opening = Opening { voice: agent.voice.clone(), language: agent.language.clone() };
                let call = live.call(opening, providers.llm, providers.tts);
                (Some(call.ear), call.llm, call.tts)
            }
            None => (None, providers.llm, providers.tts.for_call().unwrap_or(providers.tts)),
        };
        let microphone = Microphone::new(providers.vad, providers.stt, agent.language.clone(), ear)?;
        let voice = Voice::new(tts, &agent)?;
        if let Some(tape) = &mut tape {
            tape.began(&agent, &history);
        }
        let dialogue = Dialogue::new(agent.policy(), history);
        let mut toolbelt = Toolbelt::new(&id, turns_before, providers.tools);
        toolbelt.equip(&agent, &agents);
        let mut writer = Writer::new(llm, id, agent.clone());
        writer.equip(agent, toolbelt.specs());
        Ok(Self {
            started: Instant::now(),
            latest: Timestamp::ZERO,
            dialogue,
            from_caller: link.from_caller,
            requests,
            reports,
            microphone,
            judge: Judge::new(providers.turn),
            writer,
            voice,
            outbox: Outbox::new(link.to_caller),
            toolbelt,
            memory,
            agents,
            tape,
        })
    }

    async fn run(mut self) {
        // The model reads the system prompt while the call is being set up.
        self.writer.prepare(&[]);
        while !self.dialogue.is_closed() {
            let next = self.next().await;
            self.take(next);
            while let Some(action) = self.dialogue.poll_action() {
                if let Some(tape) = &mut self.tape {
                    tape.action(&action);
                }
                self.perform(action);
            }
        }
        self.outbox.flush();
    }

    /// Waits for whatever comes next. The caller's packets come first: they are cheap and must not pile up; the voice
    /// comes last: it always has something to encode while the agent speaks.
    async fn next(&mut self) -> Next {
        let deadline = self.dialogue.next_deadline();
        let starved = self.microphone.starved_at();
        let instant = |at: Option<Timestamp>| self.started + at.map_or(FAR_AWAY, |at| at.since(Timestamp::ZERO));
        let (due, starved_due) = (instant(deadline.map(|(at, _)| at)) - TIMER_LATENESS, instant(starved));
        tokio::select! {
            biased;
            message = self.from_caller.recv() => Next::Caller(message),
            heard = self.microphone.news() => Next::Heard(heard),
            () = tokio::time::sleep_until(due), if deadline.is_some() => {
                deadline.map_or(Next::Forwarded, |(at, timer)| Next::Deadline(at, timer))
            }
            open = self.outbox.forward() => if open { Next::Forwarded } else { Next::LinkGone },
            Some(request) = self.requests.recv() => Next::Request(request),
            (pause, verdict) = self.judge.verdict() => Next::Verdict(pause, verdict),
            (turn, attempt, written) = self.writer.news() => Next::Reply(turn, attempt, written),
            returned = self.toolbelt.returned() => Next::Tool(returned),
            summary = self.memory.summary() => Next::Summary(summary),
            () = tokio::time::sleep_until(starved_due), if starved.is_some() => Next::Starved,
            step = self.voice.ready() => Next::Voice(step),
        }
    }

    fn take(&mut self, next: Next) {
        if let Next::Deadline(at, _) = next {
            // One that came a moment early counts as reached.
            self.latest = self.latest.max(at);
        }
        let now = self.now();
        let event = match next {
            Next::Caller(Some(message)) => self.caller_event(now, message),
            Next::Caller(None) | Next::LinkGone => Some(Event::HangUp(CloseReason::ConnectionLost)),
            Next::Request(Request::Typed(text)) => Some(Event::Typed { text }),
            Next::Request(Request::Digit(digit)) => Some(Event::Digit(digit)),
            Next::Request(Request::Commit) => Some(Event::Commit),
            Next::Request(Request::StopSpeaking) => Some(Event::StopSpeaking),
            Next::Request(Request::HangUp(reason)) => Some(Event::HangUp(reason)),
            Next::Heard(heard) => Some(heard_event(heard)),
            Next::Starved => {
                self.microphone.silence(now);
                None
            }
            Next::Verdict(pause, Ok(completeness)) => Some(Event::PauseScored { pause, completeness }),
            Next::Verdict(_, Err(failure)) => {
                // Without a verdict the longest silence decides.
                tracing::warn!(provider = failure.provider, cause = %failure.message, "a pause was not scored");
                None
            }
            Next::Reply(turn, attempt, written) => {
                Some(Event::Reply { turn, attempt, event: self.reply_event(written) })
            }
            Next::Tool(returned) => self.tool_returned(now, returned),
            Next::Summary(summary) => Some(Event::Summarised(summary)),
            Next::Voice(step) => {
                let news = self.voice.step(step, &mut self.outbox);
                news.map(|(sentence, event)| Event::Voice { sentence, event })
            }
            Next::Forwarded => None,
            Next::Deadline(_, timer) => Some(Event::Deadline(timer)),
        };
        if let Some(event) = event {
            if let Some(tape) = &mut self.tape {
                tape.event(now, &event);
            }
            self.dialogue.handle(now, event);
        }
    }

    fn caller_event(&mut self, now: Timestamp, message: FromCaller) -> Option<Event> {
        match message {
            FromCaller::Frame(frame) => {
                self.microphone.packet(now, &frame, self.outbox.loudspeaker());
                None
            }
            FromCaller::Playout(mark) => {
                self.outbox.loudspeaker().mark(mark);
                Some(Event::Playout(playout_event(mark)))
            }
            FromCaller::Key(key) => Some(Event::Digit(key)),
            FromCaller::Ended(reason) => Some(Event::HangUp(close_reason(reason))),
            FromCaller::Connected => {
                self.report(Report::Connected);
                Some(Event::Connected)
            }
            FromCaller::ChannelOpen => self.report(Report::ChannelOpen),
            FromCaller::Message(text) => self.report(Report::ClientMessage(text)),
            FromCaller::Transport(transport) => {
                if let Some(voice) = transport.voice {
                    self.voice.expect_loss(voice.loss_percent);
                }
                self.report(Report::Transport { transport, mended: self.microphone.mended() })
            }
        }
    }

    fn reply_event(&self, written: Written) -> ReplyEvent {
        match written {
            Written::Text(text) => ReplyEvent::Text(text),
            Written::ToolCall(call) => {
                let manner = self.toolbelt.manner(&call.name);
                let call = ToolCall { id: call.id, name: call.name, arguments: call.arguments };
                ReplyEvent::ToolCall { call, manner }
            }
            Written::Done => ReplyEvent::Done,
            Written::FailedRetryable => ReplyEvent::FailedRetryable,
            Written::Failed => ReplyEvent::Failed,
        }
    }

    fn tool_returned(&mut self, now: Timestamp, returned: Returned) -> Option<Event> {
        if let Some(agent) = returned.hand_off {
            self.hand_off(now, agent);
        }
        Some(Event::ToolReturned { run: returned.run, output: returned.output })
    }

    /// Lets another agent go on: its instructions, voice, tools and manners hold from the next sentence.
    fn hand_off(&mut self, now: Timestamp, name: String) {
        let Some(agent) = self.agents.get(&name).cloned() else { return };
        if let Some(tape) = &mut self.tape {
            tape.agent_changed(now, &agent);
        }
        self.dialogue.handle(now, Event::PolicyChanged(Box::new(agent.policy())));
        self.toolbelt.equip(&agent, &self.agents);
        self.voice.speak_as(&agent);
        self.microphone.answered_by(&agent);
        self.writer.equip(agent, self.toolbelt.specs());
        self.report(Report::HandedOff { agent: name });
    }

    fn perform(&mut self, action: Action) {
        match action {
            Action::JudgePause(pause) => {
                let utterance = self.microphone.settle(pause);
                self.judge.score(pause, utterance);
            }
            Action::EndUtterance => self.microphone.end_utterance(),
            Action::DiscardUtterance => self.microphone.discard_utterance(),
            Action::Prepare { prompt } => self.writer.prepare(&prompt),
            Action::StartReply { turn, attempt, prompt } => self.writer.start(turn, attempt, &prompt),
            Action::CancelReply { turn, attempt } => {
                self.writer.cancel(turn, attempt);
                self.voice.cancel(turn, attempt, &self.outbox);
                self.outbox.cancel(turn, attempt);
                self.microphone.floor_is_free();
            }
            Action::Speak { sentence, text } => {
                let clip = clip_of(sentence);
                self.outbox.send_voice(clip, ToCaller::Keep(Memo::Words { clip, text: text.clone() }));
                self.voice.speak(sentence, text);
            }
            Action::Release { turn, attempt } => self.outbox.release(turn, attempt),
            Action::FlushPlayout => self.outbox.send(ToCaller::Flush),
            Action::HoldPlayout => self.outbox.send(ToCaller::Hold),
            Action::ResumePlayout => self.outbox.send(ToCaller::Resume),
            Action::RunTool { run, turn, call } => self.toolbelt.run(run, turn, call),
            Action::CancelTool(run) => self.toolbelt.cancel(run),
            Action::Summarise { entries } => self.memory.summarise(&entries),
            Action::Announce(fact) => {
                let at = self.now();
                if let Fact::Closed(_) = fact {
                    self.report(Report::Counted(self.dialogue.counters()));
                }
                if let Fact::TurnEnded(_) = fact {
                    self.microphone.floor_is_free();
                }
                self.report(Report::Fact { at, fact });
            }
            Action::Close(CloseReason::AgentHungUp | CloseReason::Failed) => self.outbox.send(ToCaller::Hangup),
            Action::Close(CloseReason::CallerHungUp | CloseReason::ConnectionLost | CloseReason::Shutdown) => {}
        }
    }

    /// Reports never hold up the voice, so a listener that does not keep up loses one.
    fn report(&self, report: Report) -> Option<Event> {
        if let Err(mpsc::error::TrySendError::Full(_)) = self.reports.try_send(report) {
            tracing::error!("a report was lost: its listener does not keep up");
        }
        None
    }

    /// The conversation's clock; it never goes back.
    fn now(&mut self) -> Timestamp {
        let elapsed = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.latest = self.latest.max(Timestamp::from_micros(elapsed));
        self.latest
    }
}

/// Stands for no deadline in a timer that is switched off.
const FAR_AWAY: Duration = Duration::from_secs(86_400);
/// Tokio's timers have a resolution of a millisecond and round up, the system's poll does so once more: they fired 1.2 to
/// 1.8 ms late (`overhead_bench`). Asked for so much sooner they are right on average.
const TIMER_LATENESS: Duration = Duration::from_micros(1_500);

pub(crate) fn close_reason(reason: EndReason) -> CloseReason {
    match reason {
        EndReason::Hangup => CloseReason::CallerHungUp,
        EndReason::AgentHangup => CloseReason::AgentHungUp,
        EndReason::Lost | EndReason::NeverConnected => CloseReason::ConnectionLost,
        EndReason::Shutdown => CloseReason::Shutdown,
        EndReason::Failed => CloseReason::Failed,
    }
}

fn heard_event(heard: Heard) -> Event {
    match heard {
        Heard::Speech(Change::Started { onset }) => Event::SpeechStarted { onset },
        Heard::Speech(Change::GoesOn { spoken }) => Event::SpeechGoesOn { spoken },
        Heard::Speech(Change::Paused { ended }) => Event::SpeechPaused { ended },
        Heard::Words { text, settled } => Event::Words { text, settled },
        Heard::WordsFailed => Event::WordsFailed,
    }
}

fn playout_event(mark: PlayoutMark) -> PlayoutEvent {
    match mark {
        PlayoutMark::Started(clip) => PlayoutEvent::Started(sentence_of(clip)),
        PlayoutMark::Reached { clip, heard_ms } => PlayoutEvent::Reached { sentence: sentence_of(clip), heard_ms },
        PlayoutMark::Finished(clip) => PlayoutEvent::Finished(sentence_of(clip)),
        PlayoutMark::Held { at } => PlayoutEvent::Held { at: at.map(|(clip, heard_ms)| (sentence_of(clip), heard_ms)) },
        PlayoutMark::Flushed { cut } => {
            PlayoutEvent::Flushed { cut: cut.map(|(clip, heard_ms)| (sentence_of(clip), heard_ms)) }
        }
    }
}
