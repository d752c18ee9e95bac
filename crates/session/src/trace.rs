//! A conversation on tape: every event that the engine took, with its time, and every action that it gave.
//!
//! The engine decides by its events alone, so a tape of a live call plays again as a test: a fault that a person met can be
//! met again, as often as it takes. [`Tape`] writes, [`replay`] plays; `wire` is the form of the lines. A tape holds what
//! people said.

mod wire;

use dialogue::{Action, Dialogue, Event, Timestamp, Transcript};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::AgentConfig;
use wire::{EntryRow, EventRow, Row};

/// The form of the lines; a tape of another one is refused.
const VERSION: u32 = 1;

/// Writes one conversation down, a JSON object a line. Whoever holds the other end of the channel keeps the lines.
#[derive(Debug)]
pub struct Tape {
    lines: Option<mpsc::Sender<String>>,
}

impl Tape {
    /// A tape whose lines go to `lines`. A line that does not fit ends the tape there: one with a hole plays otherwise.
    pub fn new(lines: mpsc::Sender<String>) -> Self {
        Self { lines: Some(lines) }
    }

    pub(crate) fn began(&mut self, agent: &AgentConfig, history: &Transcript) {
        let history = history.entries().iter().map(EntryRow::from).collect();
        self.write(&Row::Began { version: VERSION, agent: Box::new(agent.clone()), history });
    }

    pub(crate) fn event(&mut self, now: Timestamp, event: &Event) {
        // A policy cannot be written; the agent that it came from is, by `agent_changed`.
        if let Some(event) = EventRow::of(event) {
            self.write(&Row::Event { at_us: now.as_micros(), event });
        }
    }

    pub(crate) fn agent_changed(&mut self, now: Timestamp, agent: &AgentConfig) {
        self.write(&Row::Agent { at_us: now.as_micros(), agent: Box::new(agent.clone()) });
    }

    pub(crate) fn action(&mut self, action: &Action) {
        self.write(&Row::Action { action: format!("{action:?}") });
    }

    fn write(&mut self, row: &Row) {
        let Some(lines) = &self.lines else { return };
        let line = match serde_json::to_string(row) {
            Ok(line) => line,
            Err(cause) => {
                tracing::error!(%cause, "a line of the tape cannot be written; the tape ends here");
                self.lines = None;
                return;
            }
        };
        match lines.try_send(line) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Closed(_)) => {
                tracing::error!("the tape is not written as fast as the conversation goes; it ends here");
                self.lines = None;
            }
        }
    }
}

/// What came of playing a tape again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// Events that were played.
    pub events: usize,
    /// Actions that came out as they are on the tape.
    pub actions: usize,
}

/// A tape that does not play, or not as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// A line is not one of a tape.
    #[error("read line {line} of the tape: {cause}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        cause: String,
    },
    /// The tape does not begin with its agent.
    #[error("play the tape: its first line does not tell the agent")]
    NoBeginning,
    /// The tape is of another version.
    #[error("play the tape: it has version {0}, this program plays version {VERSION}")]
    Version(u32),
    /// The engine acts otherwise than on the tape.
    #[error("play the tape as it was recorded: at line {line} the engine did {did}, on the tape is {taped}")]
    Differs {
        /// Counted from 1.
        line: usize,
        /// What the engine did.
        did: String,
        /// What is on the tape.
        taped: String,
    },
}

/// Plays the lines of a tape through an engine, and compares every action.
///
/// # Errors
/// When a line cannot be read, or the engine acts otherwise than it did.
pub fn replay(tape: &str) -> Result<Replay, ReplayError> {
    let mut rows = tape.lines().enumerate().map(|(index, line)| (index + 1, line));
    let (line, first) = rows.next().ok_or(ReplayError::NoBeginning)?;
    let Row::Began { version, agent, history } = parse(line, first)? else { return Err(ReplayError::NoBeginning) };
    if version != VERSION {
        return Err(ReplayError::Version(version));
    }
    let mut transcript = Transcript::default();
    history.into_iter().for_each(|entry| transcript.note(entry.into()));
    let mut dialogue = Dialogue::new(agent.policy(), transcript);
    let mut played = Replay { events: 0, actions: 0 };
    for (line, text) in rows {
        let (at_us, event) = match parse(line, text)? {
            Row::Began { .. } => {
                return Err(ReplayError::Line { line, cause: "a tape begins once".to_owned() });
            }
            Row::Action { action: taped } => {
                let did = dialogue.poll_action().map_or_else(|| "nothing".to_owned(), |action| format!("{action:?}"));
                if did != taped {
                    return Err(ReplayError::Differs { line, did, taped });
                }
                played.actions += 1;
                continue;
            }
            Row::Agent { at_us, agent } => (at_us, Event::PolicyChanged(Box::new(agent.policy()))),
            Row::Event { at_us, event } => (at_us, event.into()),
        };
        all_compared(&mut dialogue, line)?;
        dialogue.handle(Timestamp::from_micros(at_us), event);
        played.events += 1;
    }
    all_compared(&mut dialogue, tape.lines().count())?;
    Ok(played)
}

fn all_compared(dialogue: &mut Dialogue, line: usize) -> Result<(), ReplayError> {
    match dialogue.poll_action() {
        None => Ok(()),
        Some(action) => Err(ReplayError::Differs { line, did: format!("{action:?}"), taped: "nothing".to_owned() }),
    }
}

fn parse(line: usize, text: &str) -> Result<Row, ReplayError> {
    serde_json::from_str(text).map_err(|cause| ReplayError::Line { line, cause: cause.to_string() })
}

#[cfg(test)]
mod tests {
    use dialogue::{CloseReason, Dialogue, Event, Timestamp, Transcript};
    use tokio::sync::mpsc;

    use super::{ReplayError, Tape, replay};
    use crate::AgentConfig;

    fn tape() -> String {
        let (sender, mut lines) = mpsc::channel(64);
        let (mut tape, agent) = (Tape::new(sender), AgentConfig::default());
        let mut dialogue = Dialogue::new(agent.policy(), Transcript::default());
        tape.began(&agent, &Transcript::default());
        for (ms, event) in
            [(1_000, Event::Typed { text: "Hello.".to_owned() }), (2_000, Event::HangUp(CloseReason::CallerHungUp))]
        {
            let now = Timestamp::from_millis(ms);
            tape.event(now, &event);
            dialogue.handle(now, event);
            while let Some(action) = dialogue.poll_action() {
                tape.action(&action);
            }
        }
        std::iter::from_fn(|| lines.try_recv().ok()).map(|line| line + "\n").collect()
    }

    #[test]
    fn a_tape_plays_as_it_was_recorded() {
        let played = replay(&tape()).expect("it plays");
        assert_eq!(played.events, 2);
        assert!(played.actions >= 6, "{played:?}");
    }

    #[test]
    fn another_action_and_a_missing_one_are_found() {
        let tape = tape();
        let changed = tape.replacen("Hello.", "Hallo.", 1);
        assert!(matches!(replay(&changed), Err(ReplayError::Differs { .. })), "an event was changed");
        let without_last: String =
            tape.lines().take(tape.lines().count() - 1).map(|line| format!("{line}\n")).collect();
        assert!(matches!(replay(&without_last), Err(ReplayError::Differs { .. })), "an action is missing");
    }

    #[test]
    fn what_is_no_tape_is_refused() {
        assert_eq!(replay(""), Err(ReplayError::NoBeginning));
        assert!(matches!(replay("{}"), Err(ReplayError::Line { line: 1, .. })));
        let other = tape().replacen("\"version\":1", "\"version\":9", 1);
        assert_eq!(replay(&other), Err(ReplayError::Version(9)));
    }
}
