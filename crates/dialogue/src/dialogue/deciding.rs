//! The end of the caller's turn: weighs what is known of a pause, starts answers ahead of the decision, opens turns.

use std::time::Duration;

use super::Dialogue;
use crate::barge_in::Claim;
use crate::phase::{Ear, Pause, Phase, Relation};
use crate::reply::{Reply, Writing};
use crate::{Action, Attempt, Fact, Timer, Timestamp, TurnId, TurnTimings};

/// How long after its end the agent's voice may begin to come back: network, jitter buffer and room.
const ECHO_TAIL: Duration = Duration::from_millis(700);

/// What a pause asks for.
enum Verdict {
    /// No silence ends this turn.
    Never,
    /// Until then it may go on.
    WaitUntil(Timestamp),
    /// It is over, but its words are not known yet.
    AwaitWords,
    /// It is over.
    Over,
}

impl Dialogue {
    /// Moves on as far as what is known of the pause allows. Asked again whenever something becomes known.
    pub(super) fn weigh(&mut self, now: Timestamp) {
        let (Phase::Deciding { .. }, Ear::Paused(pause)) = (&self.phase, &self.ear) else { return };
        match self.verdict(now, pause) {
            Verdict::Never => self.timers.disarm(Timer::Endpoint),
            Verdict::WaitUntil(at) => {
                self.timers.arm(Timer::Endpoint, at);
                self.timers.disarm(Timer::Words);
                self.set_decided(None);
                self.start_ahead(now);
            }
            Verdict::AwaitWords => {
                self.timers.disarm(Timer::Endpoint);
                self.set_decided(Some(now));
                if !self.timers.is_armed(Timer::Words) {
                    self.timers.arm(Timer::Words, now + self.policy.words_deadline);
                }
            }
            Verdict::Over => {
                self.set_decided(Some(now));
                self.end_turn_of_caller(now);
            }
        }
    }

    fn verdict(&self, now: Timestamp, pause: &Pause) -> Verdict {
        let needed = match pause.relation {
            Relation::Committed => Some(Duration::ZERO),
            Relation::OwnFloor | Relation::OverAgent => {
                self.policy.endpointing.silence_needed(pause.evidence(&self.pace))
            }
        };
        match (needed.map(|silence| pause.ended + silence), &pause.words) {
            (None, _) => Verdict::Never,
            (Some(at), _) if now < at => Verdict::WaitUntil(at),
            (Some(_), None) => Verdict::AwaitWords,
            (Some(_), Some(_)) => Verdict::Over,
        }
    }

    /// Notes since when the turn counts as over.
    fn set_decided(&mut self, decided: Option<Timestamp>) {
        if let Ear::Paused(pause) = &mut self.ear {
            pause.decided = decided.map(|now| pause.decided.unwrap_or(now));
        }
    }

    /// Starts an answer before the turn is decided, if it is likely enough that the caller has finished.
    fn start_ahead(&mut self, now: Timestamp) {
        let (Phase::Deciding { ahead: None }, Ear::Paused(pause)) = (&self.phase, &self.ear) else { return };
        let likely = self.policy.endpointing.looks_complete(pause.evidence(&self.pace));
        if !self.policy.start_ahead || !likely || self.is_no_turn(pause) {
            return;
        }
        if let Some((words, _)) = pause.words.clone().filter(|(words, _)| !words.is_empty()) {
            let ahead = self.start_reply(now, self.next_turn, words, TurnTimings::default());
            self.phase = Phase::Deciding { ahead: Some(ahead) };
        }
    }

    pub(super) fn drop_ahead(&mut self, ahead: Option<Reply>) {
        if let Some(reply) = ahead {
            self.counters.ahead_misses += 1;
            self.act(Action::CancelReply { turn: reply.turn, attempt: reply.attempt });
        }
    }

    /// Words that are no turn: an assent over the agent, or the end of the agent's own voice coming back.
    fn is_no_turn(&self, pause: &Pause) -> bool {
        let words = pause.words.as_ref().map_or("", |(words, _)| words.as_str());
        let (own, ended) = &self.last_said;
        match self.policy.barge_in.claim(words, pause.spoken(), own) {
            Claim::Takes => false,
            Claim::Leaves => pause.relation == Relation::OverAgent,
            // Words are dropped only where the agent is known to hear itself.
            Claim::Echo => {
                self.hears_itself && pause.relation != Relation::Committed && pause.onset <= *ended + ECHO_TAIL
            }
        }
    }

    fn end_turn_of_caller(&mut self, now: Timestamp) {
        let (Phase::Deciding { .. }, Ear::Paused(pause)) = (&self.phase, &self.ear) else { return };
        let no_turn = self.is_no_turn(pause);
        let timings = TurnTimings {
            speech_ended: Some(pause.ended),
            decided: pause.decided,
            words: pause.words.as_ref().map(|(_, at)| *at),
            ..TurnTimings::default()
        };
        let words = pause.words.as_ref().map(|(words, _)| words.clone()).unwrap_or_default();
        let Phase::Deciding { ahead } = std::mem::replace(&mut self.phase, Phase::Listening) else { return };
        if words.is_empty() || no_turn {
            self.drop_ahead(ahead);
            self.discard_speech();
            return;
        }
        self.act(Action::EndUtterance);
        self.ear = Ear::Silent;
        self.open_turn(now, words, timings, ahead);
    }

    pub(super) fn open_typed_turn(&mut self, now: Timestamp, text: String) {
        if let Phase::Deciding { ahead } = std::mem::replace(&mut self.phase, Phase::Listening) {
            self.drop_ahead(ahead);
        }
        self.discard_speech();
        let timings =
            TurnTimings { speech_ended: Some(now), decided: Some(now), words: Some(now), ..TurnTimings::default() };
        self.open_turn(now, text, timings, None);
    }

    /// Opens a turn with its words, and answers it: with what was started ahead if that fits, else anew.
    fn open_turn(&mut self, now: Timestamp, words: String, timings: TurnTimings, ahead: Option<Reply>) {
        let turn = self.next_turn;
        self.idle_prompts = 0;
        self.timers.disarm(Timer::Endpoint);
        self.timers.disarm(Timer::Words);
        let speech_ended = timings.speech_ended.unwrap_or(now);
        self.announce(Fact::TurnCommitted { turn, speech_ended, user_text: words.clone() });
        let reply = match ahead {
            Some(early) if early.user_text == words && early.writing != Writing::Failed => {
                self.counters.ahead_hits += 1;
                self.counters.ahead_saved += now.since(early.started);
                adopt(early, timings)
            }
            other => {
                self.drop_ahead(other);
                self.start_reply(now, turn, words, timings)
            }
        };
        self.give_floor(now, reply);
    }

    /// The answer has the floor: its voice may be heard and its tools may run.
    pub(super) fn give_floor(&mut self, now: Timestamp, reply: Reply) {
        let (turn, attempt) = (reply.turn, reply.attempt);
        self.announce(Fact::ReplyStarted { turn });
        self.next_turn = TurnId(turn.0 + 1);
        self.last_attempt = Attempt(0);
        self.act(Action::Release { turn, attempt });
        self.timers.arm(Timer::Reply, now + self.policy.reply_deadline);
        self.phase = Phase::Thinking(reply);
        self.start_tools(now);
        self.apologise_if_wordless(now);
        self.finish_if_over(now);
    }

    pub(super) fn start_reply(&mut self, now: Timestamp, turn: TurnId, words: String, timings: TurnTimings) -> Reply {
        self.last_attempt = Attempt(self.last_attempt.0 + 1);
        let attempt = self.last_attempt;
        let prompt = self.transcript.prompt_with(&words);
        self.act(Action::StartReply { turn, attempt, prompt });
        Reply::new(now, turn, attempt, words, timings)
    }
}

/// Gives an answer that was started ahead the times of the turn it turned out to be.
fn adopt(mut early: Reply, timings: TurnTimings) -> Reply {
    early.timings = TurnTimings {
        first_text: early.timings.first_text,
        first_clause: early.timings.first_clause,
        first_audio: early.timings.first_audio,
        ..timings
    };
    early
}
