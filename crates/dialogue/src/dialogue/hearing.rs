//! The caller's side: speech, pauses, words, and the decision that a turn is over.

use std::time::Duration;

use super::Dialogue;
use crate::phase::{Deciding, Ear, Phase};
use crate::reply::{Reply, Writing};
use crate::{Action, Attempt, Fact, PauseId, Timer, Timestamp, TurnId, TurnTimings};

impl Dialogue {
    pub(super) fn speech_started(&mut self, onset: Timestamp) {
        self.ear = Ear::Speaking;
        self.announce(Fact::SpeechStarted { turn: self.next_turn, at: onset });
        match std::mem::replace(&mut self.phase, Phase::Listening) {
            // The caller goes on after all: the pause decides nothing, and no trace of an early answer remains.
            Phase::Deciding(deciding) => {
                self.drop_ahead(deciding.ahead);
                self.timers.disarm(Timer::Endpoint);
                self.timers.disarm(Timer::Words);
            }
            other @ (Phase::Listening
            | Phase::Thinking(_)
            | Phase::Speaking(_)
            | Phase::Yielding(_)
            | Phase::Closed) => self.phase = other,
        }
    }

    /// Speech over the agent interrupts it once there is enough of it.
    pub(super) fn speech_goes_on(&mut self, now: Timestamp, spoken: Duration) {
        let busy = matches!(self.phase, Phase::Thinking(_) | Phase::Speaking(_));
        if busy && self.ear == Ear::Speaking && spoken >= self.policy.interrupt_after {
            self.counters.interruptions += 1;
            self.yield_to_caller(now);
        }
    }

    pub(super) fn speech_paused(&mut self, ended: Timestamp) {
        if self.ear != Ear::Speaking {
            return;
        }
        self.ear = Ear::Paused { ended };
        match self.phase {
            Phase::Listening => self.judge_pause(ended),
            // Too short to interrupt: a cough, or a word of assent.
            Phase::Thinking(_) | Phase::Speaking(_) => self.discard_speech(),
            Phase::Deciding(_) | Phase::Yielding(_) | Phase::Closed => {}
        }
    }

    /// Takes up a pause: asks whether the turn is complete, and waits at most the longest silence for the answer.
    pub(super) fn judge_pause(&mut self, ended: Timestamp) {
        self.last_pause = PauseId(self.last_pause.0 + 1);
        self.phase = Phase::Deciding(Deciding::new(self.last_pause, ended));
        self.timers.arm(Timer::Endpoint, ended + self.policy.max_silence);
        self.act(Action::JudgePause(self.last_pause));
    }

    pub(super) fn partial_words(&mut self, text: String) {
        if self.ear == Ear::Silent || text.trim().is_empty() {
            return;
        }
        if matches!(self.phase, Phase::Listening | Phase::Deciding(_)) {
            self.act(Action::Prepare { prompt: self.transcript.prompt_with(&text) });
        }
        self.announce(Fact::PartialTranscript { turn: self.next_turn, text });
    }

    pub(super) fn settled_words(&mut self, now: Timestamp, pause: PauseId, text: &str) {
        let text = text.trim();
        let Some(deciding) = self.deciding_on(pause) else { return };
        deciding.words = Some((text.to_owned(), now));
        if !text.is_empty() {
            self.announce(Fact::PartialTranscript { turn: self.next_turn, text: text.to_owned() });
        }
        self.weigh(now);
    }

    pub(super) fn pause_scored(&mut self, now: Timestamp, pause: PauseId, completeness: f32) {
        let (threshold, min, max) =
            (self.policy.completeness_threshold, self.policy.min_silence, self.policy.max_silence);
        let Some(deciding) = self.deciding_on(pause) else { return };
        deciding.completeness = Some(completeness);
        let silence = if completeness >= threshold { min } else { max };
        let at = deciding.speech_ended + silence;
        if deciding.decided.is_none() {
            self.timers.arm(Timer::Endpoint, at);
        }
        self.weigh(now);
    }

    pub(super) fn silence_ended_turn(&mut self, now: Timestamp) {
        let Phase::Deciding(deciding) = &mut self.phase else { return };
        deciding.decided = Some(now);
        if deciding.words.is_none() {
            self.timers.arm(Timer::Words, now + self.policy.words_deadline);
        }
        self.weigh(now);
    }

    pub(super) fn words_failed(&mut self) {
        if let Phase::Deciding(_) = self.phase
            && let Phase::Deciding(deciding) = std::mem::replace(&mut self.phase, Phase::Listening)
        {
            self.drop_ahead(deciding.ahead);
            self.discard_speech();
        }
    }

    pub(super) fn typed(&mut self, now: Timestamp, text: String) {
        if text.trim().is_empty() {
            return;
        }
        match self.phase {
            Phase::Thinking(_) | Phase::Speaking(_) | Phase::Yielding(_) => {
                self.typed = Some(text);
                self.yield_to_caller(now);
            }
            Phase::Listening | Phase::Deciding(_) | Phase::Closed => self.open_typed_turn(now, &text),
        }
    }

    pub(super) fn open_typed_turn(&mut self, now: Timestamp, text: &str) {
        if let Phase::Deciding(deciding) = std::mem::replace(&mut self.phase, Phase::Listening) {
            self.drop_ahead(deciding.ahead);
        }
        self.discard_speech();
        let timings =
            TurnTimings { speech_ended: Some(now), decided: Some(now), words: Some(now), ..TurnTimings::default() };
        self.open_turn(now, text.trim().to_owned(), timings, None);
    }

    pub(super) fn drop_ahead(&mut self, ahead: Option<Reply>) {
        if let Some(reply) = ahead {
            self.counters.ahead_misses += 1;
            self.act(Action::CancelReply { turn: reply.turn, attempt: reply.attempt });
        }
    }

    /// Moves on as far as what is known of the pause allows: opens the turn, or starts an answer ahead of it.
    fn weigh(&mut self, now: Timestamp) {
        let Phase::Deciding(deciding) = &mut self.phase else { return };
        let Some((words, settled_at)) = deciding.words.clone() else { return };
        if let Some(decided) = deciding.decided {
            let (speech_ended, ahead) = (deciding.speech_ended, deciding.ahead.take());
            self.end_turn_of_caller(
                now,
                words,
                TurnTimings {
                    speech_ended: Some(speech_ended),
                    decided: Some(decided),
                    words: Some(settled_at),
                    ..TurnTimings::default()
                },
                ahead,
            );
            return;
        }
        let sounds_complete = deciding.completeness.is_some_and(|c| c >= self.policy.completeness_threshold);
        if sounds_complete && !words.is_empty() && deciding.ahead.is_none() {
            let ahead = self.start_reply(self.next_turn, words, TurnTimings::default());
            if let Phase::Deciding(deciding) = &mut self.phase {
                deciding.ahead = Some(ahead);
            }
        }
    }

    fn end_turn_of_caller(&mut self, now: Timestamp, words: String, timings: TurnTimings, ahead: Option<Reply>) {
        self.phase = Phase::Listening;
        if words.is_empty() {
            self.drop_ahead(ahead);
            self.discard_speech();
            return;
        }
        self.act(Action::EndUtterance);
        self.ear = Ear::Silent;
        self.open_turn(now, words, timings, ahead);
    }

    /// Opens a turn with its words, and answers it: with what was started ahead if that fits, else anew.
    fn open_turn(&mut self, now: Timestamp, words: String, timings: TurnTimings, ahead: Option<Reply>) {
        let turn = self.next_turn;
        self.timers.disarm(Timer::Endpoint);
        self.timers.disarm(Timer::Words);
        let speech_ended = timings.speech_ended.unwrap_or(now);
        self.announce(Fact::TurnCommitted { turn, speech_ended, user_text: words.clone() });
        self.announce(Fact::ReplyStarted { turn });
        let reply = match ahead {
            Some(mut early) if early.user_text == words && early.writing != Writing::Failed => {
                self.counters.ahead_hits += 1;
                early.timings = TurnTimings {
                    first_text: early.timings.first_text,
                    first_clause: early.timings.first_clause,
                    first_audio: early.timings.first_audio,
                    ..timings
                };
                early
            }
            other => {
                self.drop_ahead(other);
                self.start_reply(turn, words, timings)
            }
        };
        self.next_turn = TurnId(turn.0 + 1);
        self.last_attempt = Attempt(0);
        self.act(Action::Release { turn, attempt: reply.attempt });
        self.timers.arm(Timer::Reply, now + self.policy.reply_deadline);
        self.phase = Phase::Thinking(reply);
        self.apologise_if_wordless(now);
        self.finish_if_over(now);
    }

    fn start_reply(&mut self, turn: TurnId, words: String, timings: TurnTimings) -> Reply {
        self.last_attempt = Attempt(self.last_attempt.0 + 1);
        let attempt = self.last_attempt;
        let prompt = self.transcript.prompt_with(&words);
        self.act(Action::StartReply { turn, attempt, prompt });
        Reply::new(turn, attempt, words, timings)
    }

    fn deciding_on(&mut self, pause: PauseId) -> Option<&mut Deciding> {
        match &mut self.phase {
            Phase::Deciding(deciding) if deciding.pause == pause => Some(deciding),
            Phase::Deciding(_)
            | Phase::Listening
            | Phase::Thinking(_)
            | Phase::Speaking(_)
            | Phase::Yielding(_)
            | Phase::Closed => {
                self.counters.stale_results += 1;
                None
            }
        }
    }

    fn discard_speech(&mut self) {
        if self.ear != Ear::Silent {
            self.ear = Ear::Silent;
            self.act(Action::DiscardUtterance);
            self.announce(Fact::SpeechDiscarded { turn: self.next_turn });
        }
        self.timers.disarm(Timer::Endpoint);
        self.timers.disarm(Timer::Words);
    }
}
