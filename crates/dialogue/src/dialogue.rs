//! The engine itself: one `match` meets every event.
//!
//! `hearing` holds the caller's speech, `deciding` the end of their turn, `overlap` speech over the agent, `answering`
//! the agent's words and voice, `failing` what is done when they do not come, `tooling` its tools, and `initiative` what
//! the agent says of its own accord.

mod answering;
mod deciding;
mod failing;
mod hearing;
mod initiative;
mod overlap;
mod tooling;

use std::collections::VecDeque;
use std::time::Duration;

use crate::endpoint::Pace;
use crate::phase::{Ear, Phase};
use crate::timer::TimerTable;
use crate::{
    Action, AgentState, Attempt, CloseReason, Event, Fact, PauseId, PlayoutEvent, Policy, SentenceId, Timer, Timestamp,
    ToolRunId, Transcript, TurnId,
};

use initiative::{Agenda, Closing};
use tooling::Errand;

/// One conversation's turn-taking. Drain [`Self::poll_action`] after each [`Self::handle`], and send
/// [`Event::Deadline`] when [`Self::next_deadline`] has passed.
#[derive(Debug)]
pub struct Dialogue {
    policy: Policy,
    phase: Phase,
    ear: Ear,
    pace: Pace,
    transcript: Transcript,
    timers: TimerTable,
    actions: VecDeque<Action>,
    counters: Counters,
    shown: AgentState,
    next_turn: TurnId,
    /// The last attempt at the turn that is open or comes next.
    last_attempt: Attempt,
    last_pause: PauseId,
    last_run: ToolRunId,
    /// What the agent is to do as soon as it may.
    agenda: VecDeque<Agenda>,
    /// Tools at work for turns that are over, or that no turn waits for.
    errands: Vec<Errand>,
    /// Why the agent hangs up once its last words are heard.
    closing: Option<Closing>,
    /// Keys pressed since the last entry.
    digits: String,
    /// How often in a row nobody answered.
    idle_prompts: u32,
    /// Whether the agent's own voice was heard coming back: the caller uses a loudspeaker without echo cancellation.
    hears_itself: bool,
    /// What the agent said last, and when that was over.
    last_said: (String, Timestamp),
    /// How many of the oldest entries a summary was asked for.
    summarising: Option<usize>,
}

/// What the engine counts, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Results that came for an attempt, a pause or a sentence that is no longer current, and were dropped.
    pub stale_results: u64,
    /// Answers started ahead of the decision that were used.
    pub ahead_hits: u64,
    /// Answers started ahead of the decision that were thrown away.
    pub ahead_misses: u64,
    /// By how much the answers that were used began before the decision, in all.
    pub ahead_saved: Duration,
    /// Answers that the caller interrupted.
    pub interruptions: u64,
    /// Answers that were held and went on, since the caller did not take the floor.
    pub false_interruptions: u64,
    /// Speech that was the agent's own voice, coming back.
    pub echoes: u64,
}

impl Dialogue {
    /// A conversation that goes on from `history`, listening.
    pub fn new(policy: Policy, history: Transcript) -> Self {
        Self {
            policy,
            phase: Phase::Listening,
            ear: Ear::Silent,
            pace: Pace::default(),
            transcript: history,
            timers: TimerTable::default(),
            actions: VecDeque::new(),
            counters: Counters::default(),
            shown: AgentState::Listening,
            next_turn: TurnId(1),
            last_attempt: Attempt(0),
            last_pause: PauseId(0),
            last_run: ToolRunId(0),
            agenda: VecDeque::new(),
            errands: Vec::new(),
            closing: None,
            digits: String::new(),
            idle_prompts: 0,
            hears_itself: false,
            last_said: (String::new(), Timestamp::ZERO),
            summarising: None,
        }
    }

    /// Takes an event. Never fails and never waits; after the conversation is closed nothing has an effect.
    pub fn handle(&mut self, now: Timestamp, event: Event) {
        if self.is_closed() {
            return;
        }
        match event {
            Event::Connected => self.connected(now),
            Event::SpeechStarted { onset } => self.speech_started(onset),
            Event::SpeechGoesOn { spoken } => self.speech_goes_on(now, spoken),
            Event::SpeechPaused { ended } => self.speech_paused(now, ended),
            Event::Words { text, settled: None } => self.partial_words(now, &text),
            Event::Words { text, settled: Some(pause) } => self.settled_words(now, pause, &text),
            Event::WordsFailed => self.words_failed(now),
            Event::PauseScored { pause, completeness } => self.pause_scored(now, pause, completeness),
            Event::Typed { text } => self.typed(now, &text),
            Event::Digit(digit) => self.digit(now, digit),
            Event::Commit => self.commit(now),
            Event::Say(line) => self.plan(Agenda::Say(line)),
            Event::ToolReturned { run, output } => self.tool_returned(now, run, output),
            Event::Summarised(summary) => self.summarised(summary),
            Event::PolicyChanged(policy) => self.policy = *policy,
            Event::StopSpeaking => self.take_floor(now),
            Event::Reply { turn, attempt, event } => self.reply_event(now, turn, attempt, event),
            Event::Voice { sentence, event } => self.voice_event(now, sentence, event),
            Event::Playout(event) => self.playout_event(now, event),
            Event::Deadline(timer) => self.deadline(now, timer),
            Event::HangUp(reason) => self.hang_up(now, reason),
        }
        if self.is_closed() {
            return;
        }
        self.follow_agenda(now);
        self.watch_idle(now);
        self.show_state();
    }

    /// The next thing to do; drain it after each [`Self::handle`].
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// When [`Event::Deadline`] is due next, and why. May lie in the past: then it is due at once.
    pub fn next_deadline(&self) -> Option<(Timestamp, Timer)> {
        self.timers.next()
    }

    /// What was said and heard up to now.
    pub fn transcript(&self) -> &Transcript {
        &self.transcript
    }

    /// What was counted up to now.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// True once the conversation is over.
    pub fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed)
    }

    fn deadline(&mut self, now: Timestamp, timer: Timer) {
        if !self.timers.take_due(timer, now) {
            return;
        }
        match timer {
            Timer::Endpoint => self.weigh(now),
            Timer::Words => self.words_failed(now),
            Timer::Reply => self.reply_overdue(now),
            Timer::Flush => self.playout_event(now, PlayoutEvent::Flushed { cut: None }),
            Timer::Playout => self.take_floor(now),
            Timer::Overlap => self.overlap_undecided(now),
            Timer::Filler => self.fill(now),
            Timer::Tools => self.tools_overdue(now),
            Timer::Idle => self.idle(),
            Timer::Limit => self.limit_reached(now),
            Timer::Digits => self.digits_entered(now),
        }
    }

    fn hang_up(&mut self, now: Timestamp, reason: CloseReason) {
        self.agenda.clear();
        self.ear = Ear::Silent;
        match std::mem::replace(&mut self.phase, Phase::Closed) {
            Phase::Deciding { ahead } => self.drop_ahead(ahead),
            Phase::Thinking(reply) | Phase::Speaking(reply) | Phase::Holding(reply) | Phase::Yielding(reply) => {
                self.cut_short(now, reply);
            }
            Phase::Listening | Phase::Closed => {}
        }
        self.abandon_errands();
        self.timers.disarm_all();
        self.announce(Fact::Closed(reason));
        self.act(Action::Close(reason));
    }

    fn act(&mut self, action: Action) {
        self.actions.push_back(action);
    }

    fn announce(&mut self, fact: Fact) {
        self.act(Action::Announce(fact));
    }

    fn speak(&mut self, (sentence, text): (SentenceId, String)) {
        self.act(Action::Speak { sentence, text });
    }

    fn show_state(&mut self) {
        let state = match self.phase {
            Phase::Listening | Phase::Deciding { .. } | Phase::Holding(_) | Phase::Yielding(_) => AgentState::Listening,
            Phase::Thinking(_) => AgentState::Thinking,
            Phase::Speaking(_) => AgentState::Speaking,
            Phase::Closed => return,
        };
        if state != self.shown {
            self.shown = state;
            self.announce(Fact::StateChanged(state));
        }
    }
}
