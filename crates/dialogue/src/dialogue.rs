//! The engine itself: one `match` meets every event; `hearing` holds the caller's side, `answering` the agent's.

mod answering;
mod hearing;

use std::collections::VecDeque;

use crate::phase::{Ear, Phase};
use crate::timer::TimerTable;
use crate::{
    Action, AgentState, Attempt, CloseReason, Event, Fact, PauseId, PlayoutEvent, Policy, SentenceId, Timer, Timestamp,
    Transcript, TurnId,
};

/// One conversation's turn-taking. Drain [`Self::poll_action`] after each [`Self::handle`], and send
/// [`Event::Deadline`] when [`Self::next_deadline`] has passed.
#[derive(Debug)]
pub struct Dialogue {
    policy: Policy,
    phase: Phase,
    ear: Ear,
    transcript: Transcript,
    timers: TimerTable,
    actions: VecDeque<Action>,
    counters: Counters,
    shown: AgentState,
    next_turn: TurnId,
    /// The last attempt at the turn that is open or comes next.
    last_attempt: Attempt,
    last_pause: PauseId,
    /// Typed words that wait for the agent to fall silent.
    typed: Option<String>,
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
    /// Answers that the caller interrupted.
    pub interruptions: u64,
}

impl Dialogue {
    /// A conversation that goes on from `history`, listening.
    pub fn new(policy: Policy, history: Transcript) -> Self {
        Self {
            policy,
            phase: Phase::Listening,
            ear: Ear::Silent,
            transcript: history,
            timers: TimerTable::default(),
            actions: VecDeque::new(),
            counters: Counters::default(),
            shown: AgentState::Listening,
            next_turn: TurnId(1),
            last_attempt: Attempt(0),
            last_pause: PauseId(0),
            typed: None,
        }
    }

    /// Takes an event. Never fails and never waits; after the conversation is closed nothing has an effect.
    pub fn handle(&mut self, now: Timestamp, event: Event) {
        if matches!(self.phase, Phase::Closed) {
            return;
        }
        match event {
            Event::SpeechStarted { onset } => self.speech_started(onset),
            Event::SpeechGoesOn { spoken } => self.speech_goes_on(now, spoken),
            Event::SpeechPaused { ended } => self.speech_paused(ended),
            Event::Words { text, settled: None } => self.partial_words(text),
            Event::Words { text, settled: Some(pause) } => self.settled_words(now, pause, &text),
            Event::WordsFailed => self.words_failed(),
            Event::PauseScored { pause, completeness } => self.pause_scored(now, pause, completeness),
            Event::Typed { text } => self.typed(now, text),
            Event::StopSpeaking => self.yield_to_caller(now),
            Event::Reply { turn, attempt, event } => self.reply_event(now, turn, attempt, event),
            Event::Voice { sentence, event } => self.voice_event(now, sentence, event),
            Event::Playout(event) => self.playout_event(now, event),
            Event::Deadline(timer) => self.deadline(now, timer),
            Event::HangUp(reason) => self.hang_up(now, reason),
        }
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
            Timer::Endpoint => self.silence_ended_turn(now),
            Timer::Words => self.words_failed(),
            Timer::Reply => self.reply_overdue(now),
            Timer::Flush => self.playout_event(now, PlayoutEvent::Flushed { cut: None }),
            Timer::Playout => self.yield_to_caller(now),
        }
    }

    fn hang_up(&mut self, now: Timestamp, reason: CloseReason) {
        self.typed = None;
        self.ear = Ear::Silent;
        match std::mem::replace(&mut self.phase, Phase::Listening) {
            Phase::Deciding(deciding) => self.drop_ahead(deciding.ahead),
            Phase::Thinking(reply) | Phase::Speaking(reply) | Phase::Yielding(reply) => {
                self.cut_short(now, reply);
            }
            Phase::Listening | Phase::Closed => {}
        }
        self.phase = Phase::Closed;
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
            Phase::Listening | Phase::Deciding(_) | Phase::Yielding(_) => AgentState::Listening,
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
