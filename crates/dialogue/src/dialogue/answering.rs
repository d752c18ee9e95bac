//! The agent's side: writing, speaking, being heard, and leaving the floor to the caller.

use super::Dialogue;
use crate::phase::{Ear, Phase};
use crate::reply::{Reply, Writing};
use crate::{
    Action, Attempt, Fact, PlayoutEvent, ReplyEvent, SentenceId, Timer, Timestamp, TurnId, TurnRecord, TurnStatus,
    VoiceEvent,
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
            ReplyEvent::ToolCall { call, manner } => self.tool_called(now, call, manner),
            ReplyEvent::Done => {
                let outcome = if reply.has_unfolded_runs() { Writing::AwaitsTools } else { Writing::Done };
                let sentences = reply.finish_writing(now, outcome);
                sentences.into_iter().for_each(|sentence| self.speak(sentence));
                self.start_tools(now);
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
            VoiceEvent::WordEnds(ends_ms) => reply.word_ends(sentence, ends_ms),
            VoiceEvent::Done { duration_ms } => reply.voice_made(sentence, duration_ms),
            VoiceEvent::BrokeOff { duration_ms } => reply.voice_broke_off(sentence, duration_ms),
            VoiceEvent::Failed => reply.voice_failed(sentence),
        }
        self.watch_playout(now);
        self.finish_if_over(now);
    }

    pub(super) fn playout_event(&mut self, now: Timestamp, event: PlayoutEvent) {
        match event {
            PlayoutEvent::Started(sentence) => self.sentence_started(now, sentence),
            PlayoutEvent::Reached { sentence, heard_ms } | PlayoutEvent::Held { at: Some((sentence, heard_ms)) } => {
                if let Some(reply) = self.current(sentence.turn, sentence.attempt) {
                    reply.heard_up_to(now, sentence, heard_ms);
                }
            }
            PlayoutEvent::Finished(sentence) => {
                if let Some(reply) = self.current(sentence.turn, sentence.attempt) {
                    reply.heard_all(now, sentence);
                }
            }
            PlayoutEvent::Held { at: None } => {}
            PlayoutEvent::Flushed { cut } => return self.flushed(now, cut),
        }
        self.watch_playout(now);
        self.finish_if_over(now);
    }

    /// Stops the voice at once and for good. The turn ends when it is known how much was heard.
    pub(super) fn take_floor(&mut self, now: Timestamp) {
        match std::mem::replace(&mut self.phase, Phase::Listening) {
            Phase::Thinking(mut reply) | Phase::Speaking(mut reply) | Phase::Holding(mut reply) => {
                self.act(Action::CancelReply { turn: reply.turn, attempt: reply.attempt });
                self.act(Action::FlushPlayout);
                self.interrupt_tools(&mut reply);
                if reply.writing != Writing::Failed {
                    reply.writing = Writing::Done;
                }
                self.closing.take_if(|closing| !closing.stubborn);
                self.disarm_answer_timers();
                self.disarm_tool_timers();
                self.timers.arm(Timer::Flush, now + self.policy.flush_deadline);
                self.phase = Phase::Yielding(reply);
            }
            other @ (Phase::Listening | Phase::Deciding { .. } | Phase::Yielding(_) | Phase::Closed) => {
                self.phase = other;
            }
        }
    }

    /// Lets an answer go on that was held.
    pub(super) fn go_on(&mut self, now: Timestamp, reply: Reply) {
        if reply.was_heard() {
            self.phase = Phase::Speaking(reply);
            self.watch_playout(now);
        } else {
            self.phase = Phase::Thinking(reply);
            self.timers.arm(Timer::Reply, now + self.policy.reply_deadline);
        }
        self.start_tools(now);
        self.apologise_if_wordless(now);
        self.finish_if_over(now);
    }

    /// Ends the open turn if all that could be said was heard.
    pub(super) fn finish_if_over(&mut self, now: Timestamp) {
        if self.is_unheard() {
            return self.apologise(now);
        }
        if let Some(reply) = self.phase.standing()
            && reply.is_over()
        {
            let acted = reply.was_heard() || !reply.runs.is_empty();
            let status =
                if reply.writing == Writing::Done && acted { TurnStatus::Completed } else { TurnStatus::Failed };
            self.end_turn(now, status);
        }
    }

    /// Ends a turn because the conversation ends.
    pub(super) fn cut_short(&mut self, now: Timestamp, mut reply: Reply) {
        self.act(Action::CancelReply { turn: reply.turn, attempt: reply.attempt });
        self.abandon_tools(&mut reply);
        self.record_turn(now, reply, TurnStatus::Interrupted);
    }

    fn sentence_started(&mut self, now: Timestamp, sentence: SentenceId) {
        let Some(reply) = self.current(sentence.turn, sentence.attempt) else { return };
        reply.timings.first_played.get_or_insert(now);
        reply.heard_up_to(now, sentence, 0);
        let text = reply.text_of(sentence).map(str::to_owned);
        if let Some(text) = text {
            self.announce(Fact::SentenceStarted { turn: sentence.turn, text });
        }
        self.timers.disarm(Timer::Reply);
        match std::mem::replace(&mut self.phase, Phase::Listening) {
            Phase::Thinking(reply) => {
                self.pace.turn_ended_well();
                self.phase = Phase::Speaking(reply);
            }
            other => self.phase = other,
        }
    }

    fn flushed(&mut self, now: Timestamp, cut: Option<(SentenceId, u32)>) {
        let Phase::Yielding(reply) = &mut self.phase else { return };
        if let Some((sentence, heard_ms)) = cut
            && (sentence.turn, sentence.attempt) == (reply.turn, reply.attempt)
        {
            reply.heard_up_to(now, sentence, heard_ms);
        }
        self.end_turn(now, TurnStatus::Interrupted);
    }

    fn end_turn(&mut self, now: Timestamp, status: TurnStatus) {
        let held = matches!(self.phase, Phase::Holding(_));
        match std::mem::replace(&mut self.phase, Phase::Listening) {
            Phase::Thinking(reply) | Phase::Speaking(reply) | Phase::Holding(reply) | Phase::Yielding(reply) => {
                self.record_turn(now, reply, status);
            }
            Phase::Listening | Phase::Deciding { .. } | Phase::Closed => {}
        }
        if held {
            self.act(Action::ResumePlayout);
        }
        self.disarm_answer_timers();
        self.disarm_tool_timers();
        self.timers.disarm(Timer::Flush);
        if let Some(closing) = self.closing {
            return self.hang_up(now, closing.reason);
        }
        self.remember_in_short();
        // What the caller said while the agent was busy comes next.
        if matches!(self.ear, Ear::Paused(_)) {
            self.phase = Phase::Deciding { ahead: None };
            self.weigh(now);
        }
    }

    fn record_turn(&mut self, now: Timestamp, mut reply: Reply, status: TurnStatus) {
        reply.timings.ended = Some(now);
        for entry in reply.heard_entries() {
            self.transcript.note(entry);
        }
        self.send_on_errands(&reply);
        self.last_said = (reply.played_text(), now);
        self.announce(Fact::TurnEnded(TurnRecord {
            turn: reply.turn,
            status,
            agent_text: reply.written_text(),
            heard_text: reply.heard_text(),
            heard_ms: reply.heard_ms(),
            tools: reply.tool_places(),
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

    /// While the agent speaks, the next mark must come before everything known has long been played. While it waits
    /// for tools there is nothing to play, and the tools have their own deadline.
    pub(super) fn watch_playout(&mut self, now: Timestamp) {
        let Phase::Speaking(reply) = &self.phase else { return };
        if reply.writing == Writing::AwaitsTools && reply.is_silent() {
            self.timers.disarm(Timer::Playout);
        } else {
            let unplayed = std::time::Duration::from_millis(reply.unplayed_ms());
            self.timers.arm(Timer::Playout, now + unplayed + self.policy.reply_deadline);
        }
    }

    pub(super) fn disarm_answer_timers(&mut self) {
        self.timers.disarm(Timer::Reply);
        self.timers.disarm(Timer::Playout);
        self.timers.disarm(Timer::Overlap);
    }
}
