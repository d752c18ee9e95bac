//! Speech over the agent: the voice is held at once, and the words decide who has the floor.

use super::Dialogue;
use crate::barge_in::Claim;
use crate::phase::{Ear, Phase, Relation};
use crate::{Action, Fact, Timer, Timestamp};

impl Dialogue {
    /// Falls silent without losing anything.
    pub(super) fn hold(&mut self, now: Timestamp) {
        match std::mem::replace(&mut self.phase, Phase::Listening) {
            Phase::Thinking(reply) | Phase::Speaking(reply) => {
                self.act(Action::HoldPlayout);
                self.announce(Fact::ReplyHeld { turn: reply.turn });
                self.disarm_answer_timers();
                let longest = self.policy.barge_in.max_overlap + self.policy.barge_in.words_deadline;
                self.timers.arm(Timer::Overlap, now + longest);
                self.phase = Phase::Holding(reply);
            }
            other @ (Phase::Listening
            | Phase::Deciding { .. }
            | Phase::Holding(_)
            | Phase::Yielding(_)
            | Phase::Closed) => self.phase = other,
        }
    }

    /// Running words may take the floor before the caller pauses; they never give it back.
    pub(super) fn weigh_overlap(&mut self, now: Timestamp, words: &str) {
        if let Some(own) = self.contested()
            && self.policy.barge_in.running_claim(words, &own) == Claim::Takes
        {
            self.interrupt(now);
        }
    }

    /// All words up to a pause over the agent are known: they decide.
    pub(super) fn overlap_settled(&mut self, now: Timestamp) {
        let (Some(own), Ear::Paused(pause)) = (self.contested(), &self.ear) else { return };
        let words = pause.words.as_ref().map_or("", |(words, _)| words.as_str());
        match (self.policy.barge_in.claim(words, pause.spoken(), &own), pause.relation) {
            (Claim::Takes, _) | (Claim::Leaves | Claim::Echo, Relation::Committed) => self.interrupt(now),
            (Claim::Echo, Relation::OwnFloor | Relation::OverAgent) => {
                self.heard_itself();
                self.resume(now);
            }
            // The answer to what the agent is just finishing: both are kept.
            (Claim::Leaves, Relation::OwnFloor) if !words.is_empty() => self.resume(now),
            (Claim::Leaves, Relation::OwnFloor | Relation::OverAgent) => {
                self.discard_speech();
                self.resume(now);
            }
        }
    }

    /// What the agent is saying, while words decide whether it goes on.
    fn contested(&self) -> Option<String> {
        match &self.phase {
            Phase::Holding(reply) => Some(reply.played_text()),
            Phase::Thinking(reply) | Phase::Speaking(reply) if self.hears_itself && self.may_be_interrupted(reply) => {
                Some(reply.played_text())
            }
            Phase::Thinking(_)
            | Phase::Speaking(_)
            | Phase::Listening
            | Phase::Deciding { .. }
            | Phase::Yielding(_)
            | Phase::Closed => None,
        }
    }

    /// From now on sound alone does not silence the agent.
    pub(super) fn heard_itself(&mut self) {
        self.counters.echoes += 1;
        self.hears_itself = true;
        self.discard_speech();
    }

    /// No words came in time: who still speaks has the floor, else nobody wanted it.
    pub(super) fn overlap_undecided(&mut self, now: Timestamp) {
        if matches!(self.ear, Ear::Speaking { .. }) {
            self.interrupt(now);
        } else {
            self.discard_speech();
            self.resume(now);
        }
    }

    /// Goes on where the hold began, as if nothing had happened.
    pub(super) fn resume(&mut self, now: Timestamp) {
        if !matches!(self.phase, Phase::Holding(_)) {
            return;
        }
        if let Phase::Holding(reply) = std::mem::replace(&mut self.phase, Phase::Listening) {
            self.counters.false_interruptions += 1;
            self.timers.disarm(Timer::Overlap);
            self.act(Action::ResumePlayout);
            self.announce(Fact::ReplyResumed { turn: reply.turn });
            self.go_on(now, reply);
        }
    }

    /// The caller takes the floor.
    pub(super) fn interrupt(&mut self, now: Timestamp) {
        self.counters.interruptions += 1;
        // Speech so soon after a turn that nothing of its answer was heard: the turn was cut off too early.
        if let (Some(reply), Ear::Speaking { onset, .. }) = (self.phase.standing(), &self.ear)
            && !reply.was_heard()
            && let Some(ended) = reply.timings.speech_ended
        {
            self.pace.went_on_after(onset.since(ended));
        }
        self.take_floor(now);
    }
}
