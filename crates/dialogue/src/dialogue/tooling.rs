//! Tools within a turn: run once the model has written its calls and the turn is decided, folded into the answer when
//! all that it waits for have returned.
//!
//! A tool may have effects, so none is run for an answer that may yet vanish, and none is run twice. A result is never
//! lost: when its turn is over it is remembered as news.

use super::Dialogue;
use super::initiative::{Agenda, Closing};
use crate::phase::Phase;
use crate::reply::{Reply, RunState, Writing};
use crate::{
    Action, AfterTool, CloseReason, Entry, Fact, Timer, Timestamp, ToolCall, ToolManner, ToolOutcome, ToolOutput,
    ToolRunId, TurnId,
};

/// What the model is told of a tool that nobody waits for.
const STARTED: &str = "Started. The result will follow; go on without it.";
const INTERRUPTED: &str = "Cancelled, since the caller interrupted.";
const CALL_ENDED: &str = "Cancelled, since the call ended.";
const OVERDUE: &str = "The tool did not answer in time.";
/// A second filler comes after this many times the wait for the first.
const FILLER_BACKOFF: u32 = 6;

/// A tool at work that no turn waits for.
#[derive(Debug)]
pub(super) struct Errand {
    pub(super) run: ToolRunId,
    turn: TurnId,
    call: ToolCall,
    /// Whether the agent speaks up when the result is there.
    speak_up: bool,
}

impl Dialogue {
    pub(super) fn tool_called(&mut self, now: Timestamp, call: ToolCall, manner: ToolManner) {
        let max_rounds = self.policy.tools.max_rounds;
        let Some(reply) = self.phase.reply_mut() else { return };
        // What was written before the call is said before it, and remembered there.
        let before = reply.pause_writing(now);
        if reply.rounds < max_rounds {
            self.last_run = ToolRunId(self.last_run.0 + 1);
            reply.call(self.last_run, call, manner);
        }
        before.into_iter().for_each(|sentence| self.speak(sentence));
    }

    /// Starts the tools of an answer that has the floor and has written all its calls.
    pub(super) fn start_tools(&mut self, now: Timestamp) {
        let (Phase::Thinking(reply) | Phase::Speaking(reply)) = &mut self.phase else { return };
        if reply.writing != Writing::AwaitsTools {
            return;
        }
        let turn = reply.turn;
        let waiting = reply.runs.iter_mut().filter(|run| run.state == RunState::Waiting);
        let started: Vec<_> = waiting
            .map(|run| {
                run.state =
                    if run.manner.background { RunState::Returned(STARTED.to_owned()) } else { RunState::Running };
                (run.id, run.call.clone(), run.manner.background)
            })
            .collect();
        for (run, call, background) in started {
            if background {
                self.errands.push(Errand { run, turn, call: call.clone(), speak_up: true });
            }
            self.act(Action::RunTool { run, turn, call: call.clone() });
            self.announce(Fact::ToolCalled { turn, run, call });
        }
        self.timers.disarm(Timer::Reply);
        self.timers.arm(Timer::Tools, now + self.policy.tools.deadline);
        self.timers.arm(Timer::Filler, now + self.policy.tools.filler_after);
        self.watch_playout(now);
        self.go_on_after_tools(now);
    }

    pub(super) fn tool_returned(&mut self, now: Timestamp, id: ToolRunId, output: ToolOutput) {
        if let Some(reply) = self.phase.reply_mut()
            && let Some(run) = reply.runs.iter_mut().find(|run| run.id == id && run.state == RunState::Running)
        {
            run.state = RunState::Returned(output.text.clone());
            let (turn, call_id) = (reply.turn, run.call.id.clone());
            let ToolOutput { text, outcome, then } = output;
            self.announce(Fact::ToolReturned { turn, run: id, call_id, output: text, outcome });
            if then == AfterTool::HangUp {
                self.closing = Some(Closing { reason: CloseReason::AgentHungUp, stubborn: false });
            }
            self.go_on_after_tools(now);
        } else if let Some(index) = self.errands.iter().position(|errand| errand.run == id) {
            let errand = self.errands.swap_remove(index);
            self.errand_done(errand, output.text, output.outcome);
        } else {
            self.counters.stale_results += 1;
        }
    }

    /// No turn waited for this result: it is news.
    fn errand_done(&mut self, errand: Errand, output: String, outcome: ToolOutcome) {
        let Errand { run, turn, call, speak_up } = errand;
        self.announce(Fact::ToolReturned { turn, run, call_id: call.id, output: output.clone(), outcome });
        self.transcript.note(Entry::ToolNews { name: call.name, output });
        if speak_up {
            self.plan(Agenda::TellNews);
        }
    }

    /// Lets the model go on once every tool it waits for has returned.
    fn go_on_after_tools(&mut self, now: Timestamp) {
        let (Phase::Thinking(reply) | Phase::Speaking(reply)) = &mut self.phase else { return };
        if reply.writing != Writing::AwaitsTools || reply.runs.iter().any(|run| run.is_awaited()) {
            return;
        }
        reply.fold_runs();
        let (turn, attempt) = (reply.turn, reply.attempt);
        self.disarm_tool_timers();
        let over = self.closing.is_some();
        if let Some(reply) = self.phase.reply_mut() {
            reply.writing = if over { Writing::Done } else { Writing::Going };
        }
        if matches!(self.phase, Phase::Thinking(_)) {
            self.timers.arm(Timer::Reply, now + self.policy.reply_deadline);
        }
        self.watch_playout(now);
        if over {
            // All that is to be said was said: only the hearing is left.
            return self.finish_if_over(now);
        }
        if let Some(reply) = self.phase.standing() {
            let prompt = self.prompt_for(reply);
            self.act(Action::StartReply { turn, attempt, prompt });
        }
    }

    pub(super) fn tools_overdue(&mut self, now: Timestamp) {
        let Some(reply) = self.phase.reply_mut() else { return };
        let overdue: Vec<ToolRunId> = reply.runs.iter().filter(|run| run.is_awaited()).map(|run| run.id).collect();
        for run in overdue {
            self.act(Action::CancelTool(run));
            let text = OVERDUE.to_owned();
            let output = ToolOutput { text, outcome: ToolOutcome::Overdue, then: AfterTool::GoOn };
            self.tool_returned(now, run, output);
        }
    }

    /// Says that the agent is at it, if nothing is heard while tools run.
    pub(super) fn fill(&mut self, now: Timestamp) {
        let (Phase::Thinking(reply) | Phase::Speaking(reply)) = &mut self.phase else { return };
        if reply.writing != Writing::AwaitsTools {
            return;
        }
        let wait = self.policy.tools.filler_after;
        if !reply.is_silent() {
            self.timers.arm(Timer::Filler, now + wait);
        } else if let Some(filler) = self.policy.tools.fillers.get(reply.fillers) {
            let sentence = reply.add_filler(now, filler);
            self.speak(sentence);
            self.timers.arm(Timer::Filler, now + wait * FILLER_BACKOFF);
            self.timers.arm(Timer::Reply, now + self.policy.reply_deadline);
            self.watch_playout(now);
        }
    }

    /// The caller interrupts: what was not started never is, and what may be cancelled is.
    pub(super) fn interrupt_tools(&mut self, reply: &mut Reply) {
        reply.forget_waiting_runs();
        self.cancel_runs(reply, INTERRUPTED, |manner| manner.cancel_on_interrupt);
    }

    /// The conversation ends: nothing runs on.
    pub(super) fn abandon_tools(&mut self, reply: &mut Reply) {
        reply.forget_waiting_runs();
        self.cancel_runs(reply, CALL_ENDED, |_| true);
    }

    /// The conversation ends: nor does what no turn waited for.
    pub(super) fn abandon_errands(&mut self) {
        for Errand { run, turn, call, .. } in std::mem::take(&mut self.errands) {
            self.give_up(turn, run, call.id, CALL_ENDED);
        }
    }

    fn cancel_runs(&mut self, reply: &mut Reply, why: &str, which: impl Fn(ToolManner) -> bool) {
        let turn = reply.turn;
        for run in reply.runs.iter_mut().filter(|run| run.state == RunState::Running && which(run.manner)) {
            run.state = RunState::Returned(why.to_owned());
            self.give_up(turn, run.id, run.call.id.clone(), why);
        }
    }

    fn give_up(&mut self, turn: TurnId, run: ToolRunId, call_id: String, why: &str) {
        self.act(Action::CancelTool(run));
        let (output, outcome) = (why.to_owned(), ToolOutcome::Cancelled);
        self.announce(Fact::ToolReturned { turn, run, call_id, output, outcome });
    }

    /// The turn is over, but some of its tools are not: their results are remembered when they come.
    pub(super) fn send_on_errands(&mut self, reply: &Reply) {
        for run in reply.runs.iter().filter(|run| run.state == RunState::Running) {
            self.errands.push(Errand { run: run.id, turn: reply.turn, call: run.call.clone(), speak_up: false });
        }
    }

    /// What the model goes on from: the transcript and all of this turn so far.
    pub(super) fn prompt_for(&self, reply: &Reply) -> Vec<Entry> {
        let mut prompt = self.transcript.clone();
        for entry in reply.written_entries() {
            prompt.note(entry);
        }
        prompt.entries().to_vec()
    }

    pub(super) fn disarm_tool_timers(&mut self) {
        self.timers.disarm(Timer::Tools);
        self.timers.disarm(Timer::Filler);
    }
}
