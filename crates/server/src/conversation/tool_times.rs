//! How long each tool took and how it came out, for the metrics.

use std::time::Duration;

use dialogue::{Fact, Timestamp, ToolOutcome, ToolRunId};

/// Follows the tools of one conversation that are at work.
#[derive(Debug, Default)]
pub(super) struct ToolTimes {
    at_work: Vec<AtWork>,
}

#[derive(Debug)]
struct AtWork {
    run: ToolRunId,
    name: String,
    since: Timestamp,
}

/// A tool that came back or was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Measured {
    pub(super) name: String,
    pub(super) outcome: ToolOutcome,
    pub(super) took: Duration,
}

impl ToolTimes {
    /// Takes a fact into account; gives the tool that it ended.
    pub(super) fn note(&mut self, now: Timestamp, fact: &Fact) -> Option<Measured> {
        match fact {
            Fact::ToolCalled { run, call, .. } => {
                self.at_work.push(AtWork { run: *run, name: call.name.clone(), since: now });
                None
            }
            Fact::ToolReturned { run, outcome, .. } => {
                let place = self.at_work.iter().position(|tool| tool.run == *run)?;
                let AtWork { name, since, .. } = self.at_work.swap_remove(place);
                Some(Measured { name, outcome: *outcome, took: now.since(since) })
            }
            Fact::StateChanged(_)
            | Fact::SpeechStarted { .. }
            | Fact::PartialTranscript { .. }
            | Fact::TurnCommitted { .. }
            | Fact::SpeechDiscarded { .. }
            | Fact::ReplyStarted { .. }
            | Fact::SentenceStarted { .. }
            | Fact::ReplyHeld { .. }
            | Fact::ReplyResumed { .. }
            | Fact::Idle
            | Fact::TurnEnded(_)
            | Fact::Closed(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use dialogue::{Fact, Timestamp, ToolCall, ToolOutcome, ToolRunId, TurnId};

    use super::{Measured, ToolTimes};

    #[test]
    fn each_tool_is_measured_by_its_own_call() {
        let mut times = ToolTimes::default();
        let at = Timestamp::from_millis;
        for (run, name) in [(1, "weather"), (2, "taxi")] {
            let call = ToolCall { id: "call".to_owned(), name: name.to_owned(), arguments: "{}".to_owned() };
            let called = Fact::ToolCalled { turn: TurnId(1), run: ToolRunId(run), call };
            assert_eq!(times.note(at(u64::from(run) * 1_000), &called), None);
        }
        let returned = |run, outcome| Fact::ToolReturned {
            turn: TurnId(1),
            run: ToolRunId(run),
            call_id: "call".to_owned(),
            output: String::new(),
            outcome,
        };
        let measured = |name: &str, outcome, ms| {
            Some(Measured { name: name.to_owned(), outcome, took: Duration::from_millis(ms) })
        };
        let taxi = times.note(at(9_000), &returned(2, ToolOutcome::Overdue));
        assert_eq!(taxi, measured("taxi", ToolOutcome::Overdue, 7_000));
        let weather = times.note(at(9_500), &returned(1, ToolOutcome::Done));
        assert_eq!(weather, measured("weather", ToolOutcome::Done, 8_500));
        assert_eq!(times.note(at(9_600), &returned(1, ToolOutcome::Done)), None);
    }
}
