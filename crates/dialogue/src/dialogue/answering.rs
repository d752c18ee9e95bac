//! The agent's side: writing, speaking, being heard, and yielding to the caller.

use super::Dialogue;
use crate::phase::{Ear, Phase};
use crate::reply::{Reply, Writing};
use crate::{
    Action, Attempt, Fact, PlayoutEvent, ReplyEvent, SentenceId, Speaker, Timer, Timestamp, TurnId, TurnRecord,
    TurnStatus, VoiceEvent,
};

impl Dialogue {
    pub(super) fn reply_event(&mut self, now: Timestamp, turn: TurnId, attempt: Attempt, event: ReplyEvent) {
        let Some(reply) = self.current(turn, attempt) else { return };
        // The writer has said its last word, or the answer is being cut: nothing more may be added.
        if reply.writing != Writing::Going {
            return;
        }
        match event {
            ReplyEvent::Text(text) => {
                let sentences = reply.write(now, &text);
                sentences.into_iter().for_each(|sentence| self.speak(sentence));
            }
            ReplyEvent::Done => {
                if let Some(sentence) = reply.finish_writing(now, Writing::Done) {
                    self.speak(sentence);
                }
                self.apologise_if_wordless(now);
            }
            ReplyEvent::FailedRetryable if self.may_retry(attempt) => self.retry(now),
            ReplyEvent::FailedRetryable | ReplyEvent::Failed => self.reply_failed(now),
        }
        self.finish_if_over(now);
    }

    pub(super) fn voice_event(&mut self, now: Timestamp, sentence: SentenceId, event: VoiceEvent) {
        let Some(reply) = self.current(sentence.turn, sentence.attempt) else { return };
        match event {
            VoiceEvent::FirstAudio => {
                reply.timings.first_audio.get_or_insert(now);
            }
            VoiceEvent::Done { duration_ms } => reply.voice_made(sentence, duration_ms),
            VoiceEvent::Failed => reply.voice_failed(sentence),
        }
        self.watch_playout(now);
        self.finish_if_over(now);
    }

    pub(super) fn playout_event(&mut self, now: Timestamp, event: PlayoutEvent) {
        match event {
            PlayoutEvent::Started(sentence) => self.sentence_started(now, sentence),
            PlayoutEvent::Reached { sentence, heard_ms } => {
                if let Some(reply) = self.current(sentence.turn, sentence.attempt) {
                    reply.heard_up_to(sentence, heard_ms);
                }
            }
            PlayoutEvent::Finished(sentence) => {
                if let Some(reply) = self.current(sentence.turn, sentence.attempt) {
                    reply.heard_all(sentence);
                }
            }
            PlayoutEvent::Flushed { cut } => return self.flushed(now, cut),
        }
        self.watch_playout(now);
        self.finish_if_over(now);
    }

    /// Stops the voice at once. The turn ends when it is known how much was heard.
    pub(super) fn yield_to_caller(&mut self, now: Timestamp) {
        match std::mem::replace(&mut self.phase, Phase::Listening) {
            Phase::Thinking(mut reply) | Phase::Speaking(mut reply) => {
                self.act(Action::CancelReply { turn: reply.turn, attempt: reply.attempt });
                self.act(Action::FlushPlayout);
                if reply.writing == Writing::Going {
                    reply.writing = Writing::Done;
                }
                self.disarm_answer_timers();
                self.timers.arm(Timer::Flush, now + self.policy.flush_deadline);
                self.phase = Phase::Yielding(reply);
            }
            other @ (Phase::Listening | Phase::Deciding(_) | Phase::Yielding(_) | Phase::Closed) => self.phase = other,
        }
    }

    /// No audio of the answer came in time: apologise if there is nothing to say, else give up.
    pub(super) fn reply_overdue(&mut self, now: Timestamp) {
        let Phase::Thinking(reply) = &mut self.phase else { return };
        if reply.has_sentences() {
            self.yield_to_caller(now);
        } else {
            self.apologise(now);
        }
    }

    /// Ends the open turn if all that could be said was heard.
    pub(super) fn finish_if_over(&mut self, now: Timestamp) {
        if let Phase::Thinking(reply) | Phase::Speaking(reply) = &self.phase
            && reply.is_over()
        {
            let status = match (reply.writing, reply.was_heard()) {
                (Writing::Failed, _) | (_, false) => TurnStatus::Failed,
                (Writing::Going | Writing::Done, true) => TurnStatus::Completed,
            };
            self.end_turn(now, status);
        }
    }

    /// Ends a turn because the conversation ends.
    pub(super) fn cut_short(&mut self, now: Timestamp, reply: Reply) {
        self.act(Action::CancelReply { turn: reply.turn, attempt: reply.attempt });
        self.record_turn(now, reply, TurnStatus::Interrupted);
    }

    fn sentence_started(&mut self, now: Timestamp, sentence: SentenceId) {
        let Some(reply) = self.current(sentence.turn, sentence.attempt) else { return };
        reply.timings.first_played.get_or_insert(now);
        reply.heard_up_to(sentence, 0);
        let text = reply.text_of(sentence).map(str::to_owned);
        if let Some(text) = text {
            self.announce(Fact::SentenceStarted { turn: sentence.turn, text });
        }
        self.timers.disarm(Timer::Reply);
        if let Phase::Thinking(_) = self.phase
            && let Phase::Thinking(reply) = std::mem::replace(&mut self.phase, Phase::Listening)
        {
            self.phase = Phase::Speaking(reply);
        }
    }

    fn flushed(&mut self, now: Timestamp, cut: Option<(SentenceId, u32)>) {
        let Phase::Yielding(reply) = &mut self.phase else { return };
        if let Some((sentence, heard_ms)) = cut
            && (sentence.turn, sentence.attempt) == (reply.turn, reply.attempt)
        {
            reply.heard_up_to(sentence, heard_ms);
        }
        self.end_turn(now, TurnStatus::Interrupted);
    }

    fn end_turn(&mut self, now: Timestamp, status: TurnStatus) {
        let phase = std::mem::replace(&mut self.phase, Phase::Listening);
        if let Phase::Thinking(reply) | Phase::Speaking(reply) | Phase::Yielding(reply) = phase {
            self.record_turn(now, reply, status);
        }
        self.disarm_answer_timers();
        self.timers.disarm(Timer::Flush);
        // What happened while the agent was busy comes next.
        match (self.typed.take(), self.ear) {
            (Some(text), _) => self.open_typed_turn(now, &text),
            (None, Ear::Paused { ended }) => self.judge_pause(ended),
            (None, Ear::Silent | Ear::Speaking) => {}
        }
    }

    fn record_turn(&mut self, now: Timestamp, mut reply: Reply, status: TurnStatus) {
        reply.timings.ended = Some(now);
        let heard_text = reply.heard_text();
        self.transcript.push(Speaker::Caller, &reply.user_text);
        self.transcript.push(Speaker::Agent, &heard_text);
        self.announce(Fact::TurnEnded(TurnRecord {
            turn: reply.turn,
            status,
            agent_text: reply.written_text(),
            heard_text,
            heard_ms: reply.heard_ms(),
            user_text: reply.user_text,
            timings: reply.timings,
        }));
    }

    /// The answer that a result belongs to; none, and counted, if the result is stale.
    fn current(&mut self, turn: TurnId, attempt: Attempt) -> Option<&mut Reply> {
        match self.phase.reply_mut() {
            Some(reply) if (reply.turn, reply.attempt) == (turn, attempt) => Some(reply),
            Some(_) | None => {
                self.counters.stale_results += 1;
                None
            }
        }
    }

    /// An answer may be tried again as long as nothing of it was heard.
    fn may_retry(&self, attempt: Attempt) -> bool {
        matches!(self.phase, Phase::Thinking(_)) && attempt.0 < self.policy.max_attempts
    }

    fn retry(&mut self, now: Timestamp) {
        let Some((turn, attempt)) = self.replace_attempt(now) else { return };
        if let Phase::Thinking(reply) = &self.phase {
            let prompt = self.transcript.prompt_with(&reply.user_text);
            self.act(Action::StartReply { turn, attempt, prompt });
            self.act(Action::Release { turn, attempt });
        }
    }

    fn reply_failed(&mut self, now: Timestamp) {
        match &mut self.phase {
            // Nobody waits for it yet: forget it, and answer anew once the turn is decided.
            Phase::Deciding(deciding) => {
                let ahead = deciding.ahead.take();
                self.drop_ahead(ahead);
            }
            Phase::Thinking(reply) | Phase::Speaking(reply) => {
                if let Some(sentence) = reply.finish_writing(now, Writing::Failed) {
                    self.speak(sentence);
                }
                self.apologise_if_wordless(now);
            }
            Phase::Listening | Phase::Yielding(_) | Phase::Closed => {}
        }
    }

    /// An answer that ended without a word is answered for.
    pub(super) fn apologise_if_wordless(&mut self, now: Timestamp) {
        if let Phase::Thinking(reply) = &self.phase
            && reply.writing != Writing::Going
            && !reply.has_sentences()
        {
            self.apologise(now);
        }
    }

    /// Says that no answer can be had, as an attempt of its own.
    fn apologise(&mut self, now: Timestamp) {
        let Some((turn, attempt)) = self.replace_attempt(now) else { return };
        self.act(Action::Release { turn, attempt });
        let apology = self.policy.apology.clone();
        if let Phase::Thinking(reply) = &mut self.phase {
            reply.writing = Writing::Failed;
            let sentence = reply.add(now, apology);
            self.speak(sentence);
        }
    }

    /// Gives up the attempt that is under way and puts a new one in its place.
    fn replace_attempt(&mut self, now: Timestamp) -> Option<(TurnId, Attempt)> {
        let Phase::Thinking(old) = &mut self.phase else { return None };
        let (turn, spent) = (old.turn, old.attempt);
        let attempt = Attempt(spent.0 + 1);
        let spoke = old.has_sentences();
        let mut timings = old.timings;
        (timings.first_text, timings.first_clause, timings.first_audio) = (None, None, None);
        *old = Reply::new(turn, attempt, std::mem::take(&mut old.user_text), timings);
        self.act(Action::CancelReply { turn, attempt: spent });
        if spoke {
            self.act(Action::FlushPlayout);
        }
        self.timers.arm(Timer::Reply, now + self.policy.reply_deadline);
        Some((turn, attempt))
    }

    /// While the agent speaks, the next mark must come before everything known has long been played.
    fn watch_playout(&mut self, now: Timestamp) {
        if let Phase::Speaking(reply) = &self.phase {
            let unplayed = std::time::Duration::from_millis(reply.unplayed_ms());
            self.timers.arm(Timer::Playout, now + unplayed + self.policy.reply_deadline);
        }
    }

    fn disarm_answer_timers(&mut self) {
        self.timers.disarm(Timer::Reply);
        self.timers.disarm(Timer::Playout);
    }
}
