//! The caller's side: speech that starts, goes on and pauses, running words, typed words and pressed keys.

use std::time::Duration;

use super::Dialogue;
use super::initiative::Agenda;
use crate::phase::{Ear, Pause, Phase, Relation};
use crate::reply::Reply;
use crate::{Action, Fact, PauseId, Timer, Timestamp};

/// The last words of an answer are often spoken over by its answer: with less than this left to play, a "yes" is one.
const ANSWER_WINDOW_MS: u64 = 1_000;
/// More keys than this in one entry are noise.
const MAX_DIGITS: usize = 64;

impl Dialogue {
    pub(super) fn speech_started(&mut self, onset: Timestamp) {
        if let Ear::Paused(pause) = &self.ear {
            self.pace.went_on_after(onset.since(pause.ended));
        }
        self.ear = Ear::Speaking { onset, spoken: Duration::ZERO };
        self.idle_prompts = 0;
        self.announce(Fact::SpeechStarted { turn: self.next_turn, at: onset });
        match std::mem::replace(&mut self.phase, Phase::Listening) {
            // The caller goes on after all: the pause decides nothing, and no trace of an early answer remains.
            Phase::Deciding { ahead } => self.drop_ahead(ahead),
            other @ (Phase::Listening
            | Phase::Thinking(_)
            | Phase::Speaking(_)
            | Phase::Holding(_)
            | Phase::Yielding(_)
            | Phase::Closed) => self.phase = other,
        }
        self.timers.disarm(Timer::Endpoint);
        self.timers.disarm(Timer::Words);
    }

    pub(super) fn speech_goes_on(&mut self, now: Timestamp, spoken: Duration) {
        let Ear::Speaking { spoken: known, .. } = &mut self.ear else { return };
        *known = spoken;
        match &self.phase {
            Phase::Thinking(reply) | Phase::Speaking(reply) => {
                // Where the agent hears itself, sound says nothing: only words do.
                if spoken >= self.policy.barge_in.min_speech && self.may_be_interrupted(reply) && !self.hears_itself {
                    self.hold(now);
                }
            }
            Phase::Holding(_) => {
                if spoken >= self.policy.barge_in.max_overlap {
                    self.interrupt(now);
                }
            }
            Phase::Listening | Phase::Deciding { .. } | Phase::Yielding(_) | Phase::Closed => {}
        }
    }

    pub(super) fn speech_paused(&mut self, now: Timestamp, ended: Timestamp) {
        let Ear::Speaking { onset, spoken } = self.ear else { return };
        let relation = match &self.phase {
            // Too short to be anything: a cough.
            Phase::Thinking(_) | Phase::Speaking(_) if spoken < self.policy.barge_in.min_speech => {
                return self.discard_speech();
            }
            Phase::Thinking(reply) | Phase::Speaking(reply) | Phase::Holding(reply) => relation_to(reply),
            Phase::Listening | Phase::Deciding { .. } | Phase::Yielding(_) | Phase::Closed => Relation::OwnFloor,
        };
        self.pause(now, (onset, ended), relation);
    }

    /// The client says that the caller is done: no silence is waited for.
    pub(super) fn commit(&mut self, now: Timestamp) {
        match &mut self.ear {
            Ear::Silent => return,
            Ear::Speaking { onset, .. } => {
                let onset = *onset;
                self.pause(now, (onset, now), Relation::Committed);
            }
            Ear::Paused(pause) => pause.relation = Relation::Committed,
        }
        self.take_floor(now);
        self.weigh(now);
    }

    /// Takes up a pause: asks for all words and whether the turn is complete.
    fn pause(&mut self, now: Timestamp, (onset, ended): (Timestamp, Timestamp), relation: Relation) {
        self.last_pause = PauseId(self.last_pause.0 + 1);
        self.ear = Ear::Paused(Pause::new(self.last_pause, onset, ended, relation));
        self.act(Action::JudgePause(self.last_pause));
        if matches!(self.phase, Phase::Listening) {
            self.phase = Phase::Deciding { ahead: None };
        }
        self.weigh(now);
    }

    pub(super) fn partial_words(&mut self, now: Timestamp, text: &str) {
        if self.ear == Ear::Silent || text.trim().is_empty() {
            return;
        }
        if matches!(self.phase, Phase::Listening | Phase::Deciding { .. }) {
            self.act(Action::Prepare { prompt: self.transcript.prompt_with(text) });
        }
        self.announce(Fact::PartialTranscript { turn: self.next_turn, text: text.to_owned() });
        self.weigh_overlap(now, text);
    }

    pub(super) fn settled_words(&mut self, now: Timestamp, id: PauseId, text: &str) {
        let text = text.trim();
        let Some(pause) = self.pause_of(id) else { return };
        pause.words = Some((text.to_owned(), now));
        if !text.is_empty() {
            self.announce(Fact::PartialTranscript { turn: self.next_turn, text: text.to_owned() });
        }
        self.overlap_settled(now);
        self.weigh(now);
    }

    pub(super) fn pause_scored(&mut self, now: Timestamp, id: PauseId, completeness: f32) {
        let Some(pause) = self.pause_of(id) else { return };
        // A model that gives no number has given no verdict.
        pause.completeness = Some(completeness.clamp(0.0, 1.0)).filter(|c| !c.is_nan());
        self.weigh(now);
    }

    pub(super) fn words_failed(&mut self, now: Timestamp) {
        if !matches!(self.ear, Ear::Paused(_)) {
            return;
        }
        match std::mem::replace(&mut self.phase, Phase::Listening) {
            Phase::Deciding { ahead } => self.drop_ahead(ahead),
            other => self.phase = other,
        }
        self.discard_speech();
        self.resume(now);
    }

    pub(super) fn typed(&mut self, now: Timestamp, text: &str) {
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        self.plan(Agenda::Typed(text.to_owned()));
        self.take_floor(now);
    }

    pub(super) fn digit(&mut self, now: Timestamp, digit: char) {
        self.idle_prompts = 0;
        match digit {
            '#' => self.digits_entered(now),
            '0'..='9' | '*' | 'A'..='D' if self.digits.len() < MAX_DIGITS => {
                self.digits.push(digit);
                self.timers.arm(Timer::Digits, now + self.policy.digits_deadline);
            }
            _ => {}
        }
    }

    pub(super) fn digits_entered(&mut self, now: Timestamp) {
        self.timers.disarm(Timer::Digits);
        let digits: Vec<String> = std::mem::take(&mut self.digits).chars().map(String::from).collect();
        if !digits.is_empty() {
            self.typed(now, &format!("[keys pressed: {}]", digits.join(" ")));
        }
    }

    /// What was heard is no turn, and leaves no trace.
    pub(super) fn discard_speech(&mut self) {
        if self.ear != Ear::Silent {
            self.ear = Ear::Silent;
            self.act(Action::DiscardUtterance);
            self.announce(Fact::SpeechDiscarded { turn: self.next_turn });
        }
        self.timers.disarm(Timer::Endpoint);
        self.timers.disarm(Timer::Words);
    }

    pub(super) fn may_be_interrupted(&self, reply: &Reply) -> bool {
        self.policy.barge_in.enabled && reply.interruptible
    }

    /// The pause that a result belongs to; none, and counted, if the result is stale.
    fn pause_of(&mut self, id: PauseId) -> Option<&mut Pause> {
        match &mut self.ear {
            Ear::Paused(pause) if pause.id == id => Some(pause),
            Ear::Paused(_) | Ear::Silent | Ear::Speaking { .. } => {
                self.counters.stale_results += 1;
                None
            }
        }
    }
}

/// Speech over an answer that is nearly over is the caller's next turn, however short.
fn relation_to(reply: &Reply) -> Relation {
    let nearly_over = reply.was_heard() && reply.is_written() && reply.unplayed_ms() <= ANSWER_WINDOW_MS;
    if nearly_over { Relation::OwnFloor } else { Relation::OverAgent }
}
