//! What the agent does of its own accord: greets, asks whether somebody is there, tells news, says goodbye; and what
//! waits until it may speak. Also keeps the memory short.

use super::Dialogue;
use crate::phase::{Ear, Phase};
use crate::reply::{Reply, Writing};
use crate::{Action, Attempt, CloseReason, Fact, Line, Timer, Timestamp, TurnTimings};

/// What waits to be done at once; more is dropped, oldest first. Nobody listens to sixteen announcements.
const MAX_AGENDA: usize = 16;
/// After its time is up, a conversation is ended without a farewell if none could be said by then.
const FAREWELL_GRACE: std::time::Duration = std::time::Duration::from_secs(15);

/// Something that the agent is to do as soon as it may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Agenda {
    /// Answer what the caller typed.
    Typed(String),
    /// Say this.
    Say(Line),
    /// Tell what a tool gave back.
    TellNews,
    /// Say this, then hang up.
    Farewell { text: String, stubborn: bool },
}

/// The agent is about to hang up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Closing {
    pub(super) reason: CloseReason,
    /// Whether it hangs up even if the caller interrupts the farewell.
    pub(super) stubborn: bool,
}

impl Dialogue {
    pub(super) fn connected(&mut self, now: Timestamp) {
        if let Some(limit) = &self.policy.initiative.limit {
            self.timers.arm(Timer::Limit, now + limit.after);
        }
        // Who comes back into a conversation was greeted already.
        let is_new = self.transcript.entries().is_empty();
        let initiative = &self.policy.initiative;
        let opening = if is_new { &initiative.greeting } else { &initiative.welcome_back };
        if let Some(line) = opening.clone() {
            self.plan(Agenda::Say(line));
        }
    }

    pub(super) fn plan(&mut self, item: Agenda) {
        if self.agenda.len() == MAX_AGENDA {
            self.agenda.pop_front();
        }
        self.agenda.push_back(item);
    }

    /// Does what is planned as far as the floor is free. Typed words come before anything else, and over speech too.
    pub(super) fn follow_agenda(&mut self, now: Timestamp) {
        let typed = self.agenda.iter().position(|item| matches!(item, Agenda::Typed(_)));
        let free = match (&self.phase, typed) {
            (Phase::Listening | Phase::Deciding { .. }, Some(_)) => true,
            (Phase::Listening, None) => self.ear == Ear::Silent,
            (Phase::Deciding { .. }, None) => false,
            (Phase::Thinking(_) | Phase::Speaking(_) | Phase::Holding(_) | Phase::Yielding(_) | Phase::Closed, _) => {
                false
            }
        };
        if !free {
            return;
        }
        match self.agenda.remove(typed.unwrap_or(0)) {
            Some(Agenda::Typed(text)) => self.open_typed_turn(now, text),
            Some(Agenda::Say(line)) => self.say(now, &line),
            Some(Agenda::TellNews) => self.tell_news(now),
            Some(Agenda::Farewell { text, stubborn }) => {
                if text.is_empty() {
                    self.hang_up(now, CloseReason::AgentHungUp);
                } else {
                    self.closing = Some(Closing { reason: CloseReason::AgentHungUp, stubborn });
                    self.say(now, &Line { text, interruptible: true });
                }
            }
            None => {}
        }
    }

    /// Says words that no model wrote, as a turn of its own.
    fn say(&mut self, now: Timestamp, line: &Line) {
        self.last_attempt = Attempt(self.last_attempt.0 + 1);
        let mut reply = Reply::new(now, self.next_turn, self.last_attempt, String::new(), TurnTimings::default());
        reply.interruptible = line.interruptible;
        for sentence in reply.write(now, &line.text) {
            self.speak(sentence);
        }
        let rest = reply.finish_writing(now, Writing::Done);
        rest.into_iter().for_each(|sentence| self.speak(sentence));
        if reply.has_sentences() {
            self.give_floor(now, reply);
        }
    }

    /// Lets the model tell what a tool gave back.
    fn tell_news(&mut self, now: Timestamp) {
        let reply = self.start_reply(now, self.next_turn, String::new(), TurnTimings::default());
        self.give_floor(now, reply);
    }

    /// Counts the time in which nobody speaks and nothing is due.
    pub(super) fn watch_idle(&mut self, now: Timestamp) {
        let quiet = matches!(self.phase, Phase::Listening) && self.ear == Ear::Silent && self.agenda.is_empty();
        match &self.policy.initiative.idle {
            Some(idle) if quiet => {
                if !self.timers.is_armed(Timer::Idle) {
                    self.timers.arm(Timer::Idle, now + idle.after);
                }
            }
            Some(_) | None => self.timers.disarm(Timer::Idle),
        }
    }

    pub(super) fn idle(&mut self) {
        let Some(idle) = self.policy.initiative.idle.clone() else { return };
        self.announce(Fact::Idle);
        self.idle_prompts += 1;
        if self.idle_prompts > idle.times {
            self.plan(Agenda::Farewell { text: idle.farewell, stubborn: false });
        } else {
            self.plan(Agenda::Say(Line { text: idle.text, interruptible: true }));
        }
    }

    /// The conversation has lasted long enough: says goodbye when the floor is free, or ends without a word.
    pub(super) fn limit_reached(&mut self, now: Timestamp) {
        let said_already = self.closing.is_some_and(|closing| closing.stubborn)
            || self.agenda.iter().any(|item| matches!(item, Agenda::Farewell { stubborn: true, .. }));
        match self.policy.initiative.limit.clone() {
            Some(limit) if !said_already => {
                self.agenda.clear();
                self.plan(Agenda::Farewell { text: limit.farewell, stubborn: true });
                self.timers.arm(Timer::Limit, now + FAREWELL_GRACE);
            }
            Some(_) | None => self.hang_up(now, CloseReason::AgentHungUp),
        }
    }

    /// Asks for a summary of the oldest part of a long transcript. The conversation goes on meanwhile.
    pub(super) fn remember_in_short(&mut self) {
        if self.summarising.is_some() || self.transcript.chars() <= self.policy.memory_chars {
            return;
        }
        let entries = self.transcript.oldest_half().to_vec();
        if entries.len() > 1 {
            self.summarising = Some(entries.len());
            self.act(Action::Summarise { entries });
        }
    }

    pub(super) fn summarised(&mut self, summary: Option<String>) {
        if let (Some(count), Some(summary)) = (self.summarising.take(), summary) {
            self.transcript.fold(count, summary);
        }
    }
}
