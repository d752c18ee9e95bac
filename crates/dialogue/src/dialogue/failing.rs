//! Answers that do not come: tried again while nothing was heard, apologised for when nothing helps.

use super::Dialogue;
use crate::phase::Phase;
use crate::reply::{Reply, Writing};
use crate::{Action, Attempt, Timer, Timestamp, TurnId};

impl Dialogue {
    /// An answer may be tried again as long as nothing of it was heard.
    pub(super) fn may_retry(&self, attempt: Attempt) -> bool {
        matches!(self.phase, Phase::Thinking(_)) && attempt.0 < self.policy.max_attempts
    }

    pub(super) fn retry(&mut self, now: Timestamp) {
        let Some((turn, attempt)) = self.replace_attempt(now) else { return };
        if let Phase::Thinking(reply) = &self.phase {
            let prompt = self.prompt_for(reply);
            self.act(Action::StartReply { turn, attempt, prompt });
            self.act(Action::Release { turn, attempt });
        }
    }

    pub(super) fn reply_failed(&mut self, now: Timestamp) {
        match &mut self.phase {
            // Nobody waits for it yet: forget it, and answer anew once the turn is decided.
            Phase::Deciding { ahead } => {
                let ahead = ahead.take();
                self.drop_ahead(ahead);
            }
            Phase::Thinking(reply) | Phase::Speaking(reply) | Phase::Holding(reply) => {
                reply.forget_unfolded_runs();
                let rest = reply.finish_writing(now, Writing::Failed);
                rest.into_iter().for_each(|sentence| self.speak(sentence));
                self.apologise_if_wordless(now);
            }
            Phase::Listening | Phase::Yielding(_) | Phase::Closed => {}
        }
    }

    /// No audio of the answer came in time: apologise if there is nothing to say, else give up.
    pub(super) fn reply_overdue(&mut self, now: Timestamp) {
        let Phase::Thinking(reply) = &mut self.phase else { return };
        if reply.has_sentences() {
            self.take_floor(now);
        } else {
            self.apologise(now);
        }
    }

    /// An answer that ended without a word is answered for; one that only hung up needs none.
    pub(super) fn apologise_if_wordless(&mut self, now: Timestamp) {
        if let Phase::Thinking(reply) = &self.phase
            && matches!(reply.writing, Writing::Done | Writing::Failed)
            && !reply.has_sentences()
            && self.closing.is_none()
        {
            self.apologise(now);
        }
    }

    /// Whether an answer came to its end without a sound, because no voice could speak it. Whoever asked is told so, once:
    /// the apology itself may fare no better.
    pub(super) fn is_unheard(&self) -> bool {
        matches!(&self.phase, Phase::Thinking(reply) if reply.is_over()
            && reply.has_sentences()
            && !reply.was_heard()
            && !reply.is_apology
            && !reply.user_text.is_empty())
            && self.closing.is_none()
    }

    /// Says that no answer can be had, as an attempt of its own.
    pub(super) fn apologise(&mut self, now: Timestamp) {
        let Some((turn, attempt)) = self.replace_attempt(now) else { return };
        self.act(Action::Release { turn, attempt });
        let apology = self.policy.apology.clone();
        if let Phase::Thinking(reply) = &mut self.phase {
            reply.writing = Writing::Failed;
            reply.is_apology = true;
            let sentence = reply.add(now, &apology);
            self.speak(sentence);
        }
    }

    /// Gives up the attempt that is under way and puts a new one in its place. What tools gave back is kept: none is
    /// run twice.
    fn replace_attempt(&mut self, now: Timestamp) -> Option<(TurnId, Attempt)> {
        let Phase::Thinking(old) = &mut self.phase else { return None };
        let (turn, spent) = (old.turn, old.attempt);
        let attempt = Attempt(spent.0 + 1);
        let spoke = old.has_sentences();
        let mut timings = old.timings;
        (timings.first_text, timings.first_clause, timings.first_audio) = (None, None, None);
        let mut new = Reply::new(now, turn, attempt, std::mem::take(&mut old.user_text), timings);
        new.inherit_runs(old);
        *old = new;
        self.act(Action::CancelReply { turn, attempt: spent });
        if spoke {
            self.act(Action::FlushPlayout);
        }
        self.timers.arm(Timer::Reply, now + self.policy.reply_deadline);
        Some((turn, attempt))
    }
}
