//! The lines of a tape, converted by hand: the engine's own types may change, a tape stays readable.

use std::time::Duration;

use dialogue::{
    AfterTool, Attempt, CloseReason, Entry, Event, Line, PauseId, PlayoutEvent, ReplyEvent, SentenceId, Speaker, Timer,
    Timestamp, ToolCall, ToolManner, ToolOutcome, ToolOutput, ToolRunId, TurnId, VoiceEvent,
};
use serde::{Deserialize, Serialize};

use crate::AgentConfig;

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "row", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Row {
    Began { version: u32, agent: Box<AgentConfig>, history: Vec<EntryRow> },
    Event { at_us: u64, event: EventRow },
    Agent { at_us: u64, agent: Box<AgentConfig> },
    Action { action: String },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum EntryRow {
    Caller(String),
    Agent(String),
    ToolCalled(CallRow),
    ToolReturned { id: String, name: String, output: String },
    ToolNews { name: String, output: String },
    Summary(String),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct CallRow {
    id: String,
    name: String,
    arguments: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum EventRow {
    Connected,
    SpeechStarted {
        onset_us: u64,
    },
    SpeechGoesOn {
        spoken_us: u64,
    },
    SpeechPaused {
        ended_us: u64,
    },
    Words {
        text: String,
        settled: Option<u32>,
    },
    WordsFailed,
    PauseScored {
        pause: u32,
        completeness: f32,
    },
    Typed {
        text: String,
    },
    Digit(char),
    Commit,
    Say {
        text: String,
        interruptible: bool,
    },
    ToolReturned {
        run: u32,
        text: String,
        hang_up: bool,
        #[serde(default)]
        outcome: OutcomeRow,
    },
    Summarised(Option<String>),
    StopSpeaking,
    Reply {
        turn: u32,
        attempt: u32,
        event: ReplyRow,
    },
    Voice {
        sentence: SentenceRow,
        event: VoiceRow,
    },
    Playout(PlayoutRow),
    Deadline(TimerRow),
    HangUp(ReasonRow),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ReplyRow {
    Text(String),
    ToolCall { call: CallRow, background: bool, cancel_on_interrupt: bool },
    Done,
    FailedRetryable,
    Failed,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum VoiceRow {
    FirstAudio,
    WordEnds(Vec<u32>),
    Done { duration_ms: u32 },
    BrokeOff { duration_ms: u32 },
    Failed,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum PlayoutRow {
    Started(SentenceRow),
    Reached { sentence: SentenceRow, heard_ms: u32 },
    Finished(SentenceRow),
    Held(Option<(SentenceRow, u32)>),
    Flushed(Option<(SentenceRow, u32)>),
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum OutcomeRow {
    #[default]
    Done,
    Failed,
    Overdue,
    Cancelled,
}

/// Turn, attempt, index.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct SentenceRow(u32, u32, u32);

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TimerRow {
    Endpoint,
    Words,
    Reply,
    Flush,
    Playout,
    Overlap,
    Filler,
    Tools,
    Idle,
    Limit,
    Digits,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ReasonRow {
    CallerHungUp,
    AgentHungUp,
    ConnectionLost,
    Shutdown,
    Failed,
}

impl EventRow {
    /// The row of an event; none for a change of policy, whose row is the agent.
    pub(super) fn of(event: &Event) -> Option<Self> {
        Some(match event {
            Event::Connected => Self::Connected,
            Event::SpeechStarted { onset } => Self::SpeechStarted { onset_us: onset.as_micros() },
            Event::SpeechGoesOn { spoken } => Self::SpeechGoesOn { spoken_us: micros(*spoken) },
            Event::SpeechPaused { ended } => Self::SpeechPaused { ended_us: ended.as_micros() },
            Event::Words { text, settled } => {
                Self::Words { text: text.clone(), settled: settled.map(|PauseId(pause)| pause) }
            }
            Event::WordsFailed => Self::WordsFailed,
            Event::PauseScored { pause: PauseId(pause), completeness } => {
                Self::PauseScored { pause: *pause, completeness: *completeness }
            }
            Event::Typed { text } => Self::Typed { text: text.clone() },
            Event::Digit(digit) => Self::Digit(*digit),
            Event::Commit => Self::Commit,
            Event::Say(Line { text, interruptible }) => Self::Say { text: text.clone(), interruptible: *interruptible },
            Event::ToolReturned { run: ToolRunId(run), output } => Self::ToolReturned {
                run: *run,
                text: output.text.clone(),
                hang_up: output.then == AfterTool::HangUp,
                outcome: output.outcome.into(),
            },
            Event::Summarised(summary) => Self::Summarised(summary.clone()),
            Event::PolicyChanged(_) => return None,
            Event::StopSpeaking => Self::StopSpeaking,
            Event::Reply { turn: TurnId(turn), attempt: Attempt(attempt), event } => {
                Self::Reply { turn: *turn, attempt: *attempt, event: event.into() }
            }
            Event::Voice { sentence, event } => Self::Voice { sentence: (*sentence).into(), event: event.into() },
            Event::Playout(event) => Self::Playout((*event).into()),
            Event::Deadline(timer) => Self::Deadline((*timer).into()),
            Event::HangUp(reason) => Self::HangUp((*reason).into()),
        })
    }
}

impl From<EventRow> for Event {
    fn from(row: EventRow) -> Self {
        match row {
            EventRow::Connected => Self::Connected,
            EventRow::SpeechStarted { onset_us } => Self::SpeechStarted { onset: Timestamp::from_micros(onset_us) },
            EventRow::SpeechGoesOn { spoken_us } => Self::SpeechGoesOn { spoken: Duration::from_micros(spoken_us) },
            EventRow::SpeechPaused { ended_us } => Self::SpeechPaused { ended: Timestamp::from_micros(ended_us) },
            EventRow::Words { text, settled } => Self::Words { text, settled: settled.map(PauseId) },
            EventRow::WordsFailed => Self::WordsFailed,
            EventRow::PauseScored { pause, completeness } => Self::PauseScored { pause: PauseId(pause), completeness },
            EventRow::Typed { text } => Self::Typed { text },
            EventRow::Digit(digit) => Self::Digit(digit),
            EventRow::Commit => Self::Commit,
            EventRow::Say { text, interruptible } => Self::Say(Line { text, interruptible }),
            EventRow::ToolReturned { run, text, hang_up, outcome } => {
                let then = if hang_up { AfterTool::HangUp } else { AfterTool::GoOn };
                Self::ToolReturned { run: ToolRunId(run), output: ToolOutput { text, outcome: outcome.into(), then } }
            }
            EventRow::Summarised(summary) => Self::Summarised(summary),
            EventRow::StopSpeaking => Self::StopSpeaking,
            EventRow::Reply { turn, attempt, event } => {
                Self::Reply { turn: TurnId(turn), attempt: Attempt(attempt), event: event.into() }
            }
            EventRow::Voice { sentence, event } => Self::Voice { sentence: sentence.into(), event: event.into() },
            EventRow::Playout(event) => Self::Playout(event.into()),
            EventRow::Deadline(timer) => Self::Deadline(timer.into()),
            EventRow::HangUp(reason) => Self::HangUp(reason.into()),
        }
    }
}

impl From<&ReplyEvent> for ReplyRow {
    fn from(event: &ReplyEvent) -> Self {
        match event {
            ReplyEvent::Text(text) => Self::Text(text.clone()),
            ReplyEvent::ToolCall { call, manner } => Self::ToolCall {
                call: call.into(),
                background: manner.background,
                cancel_on_interrupt: manner.cancel_on_interrupt,
            },
            ReplyEvent::Done => Self::Done,
            ReplyEvent::FailedRetryable => Self::FailedRetryable,
            ReplyEvent::Failed => Self::Failed,
        }
    }
}

impl From<ReplyRow> for ReplyEvent {
    fn from(row: ReplyRow) -> Self {
        match row {
            ReplyRow::Text(text) => Self::Text(text),
            ReplyRow::ToolCall { call, background, cancel_on_interrupt } => {
                Self::ToolCall { call: call.into(), manner: ToolManner { background, cancel_on_interrupt } }
            }
            ReplyRow::Done => Self::Done,
            ReplyRow::FailedRetryable => Self::FailedRetryable,
            ReplyRow::Failed => Self::Failed,
        }
    }
}

impl From<&VoiceEvent> for VoiceRow {
    fn from(event: &VoiceEvent) -> Self {
        match event {
            VoiceEvent::FirstAudio => Self::FirstAudio,
            VoiceEvent::WordEnds(ends) => Self::WordEnds(ends.clone()),
            VoiceEvent::Done { duration_ms } => Self::Done { duration_ms: *duration_ms },
            VoiceEvent::BrokeOff { duration_ms } => Self::BrokeOff { duration_ms: *duration_ms },
            VoiceEvent::Failed => Self::Failed,
        }
    }
}

impl From<VoiceRow> for VoiceEvent {
    fn from(row: VoiceRow) -> Self {
        match row {
            VoiceRow::FirstAudio => Self::FirstAudio,
            VoiceRow::WordEnds(ends) => Self::WordEnds(ends),
            VoiceRow::Done { duration_ms } => Self::Done { duration_ms },
            VoiceRow::BrokeOff { duration_ms } => Self::BrokeOff { duration_ms },
            VoiceRow::Failed => Self::Failed,
        }
    }
}

impl From<PlayoutEvent> for PlayoutRow {
    fn from(event: PlayoutEvent) -> Self {
        let place = |at: Option<(SentenceId, u32)>| at.map(|(sentence, ms)| (sentence.into(), ms));
        match event {
            PlayoutEvent::Started(sentence) => Self::Started(sentence.into()),
            PlayoutEvent::Reached { sentence, heard_ms } => Self::Reached { sentence: sentence.into(), heard_ms },
            PlayoutEvent::Finished(sentence) => Self::Finished(sentence.into()),
            PlayoutEvent::Held { at } => Self::Held(place(at)),
            PlayoutEvent::Flushed { cut } => Self::Flushed(place(cut)),
        }
    }
}

impl From<PlayoutRow> for PlayoutEvent {
    fn from(row: PlayoutRow) -> Self {
        let place = |at: Option<(SentenceRow, u32)>| at.map(|(sentence, ms)| (sentence.into(), ms));
        match row {
            PlayoutRow::Started(sentence) => Self::Started(sentence.into()),
            PlayoutRow::Reached { sentence, heard_ms } => Self::Reached { sentence: sentence.into(), heard_ms },
            PlayoutRow::Finished(sentence) => Self::Finished(sentence.into()),
            PlayoutRow::Held(at) => Self::Held { at: place(at) },
            PlayoutRow::Flushed(cut) => Self::Flushed { cut: place(cut) },
        }
    }
}

impl From<SentenceId> for SentenceRow {
    fn from(id: SentenceId) -> Self {
        Self(id.turn.0, id.attempt.0, id.index)
    }
}

impl From<SentenceRow> for SentenceId {
    fn from(SentenceRow(turn, attempt, index): SentenceRow) -> Self {
        Self { turn: TurnId(turn), attempt: Attempt(attempt), index }
    }
}

impl From<&ToolCall> for CallRow {
    fn from(call: &ToolCall) -> Self {
        Self { id: call.id.clone(), name: call.name.clone(), arguments: call.arguments.clone() }
    }
}

impl From<CallRow> for ToolCall {
    fn from(CallRow { id, name, arguments }: CallRow) -> Self {
        Self { id, name, arguments }
    }
}

impl From<&Entry> for EntryRow {
    fn from(entry: &Entry) -> Self {
        match entry {
            Entry::Said { speaker: Speaker::Caller, text } => Self::Caller(text.clone()),
            Entry::Said { speaker: Speaker::Agent, text } => Self::Agent(text.clone()),
            Entry::ToolCalled(call) => Self::ToolCalled(call.into()),
            Entry::ToolReturned { id, name, output } => {
                Self::ToolReturned { id: id.clone(), name: name.clone(), output: output.clone() }
            }
            Entry::ToolNews { name, output } => Self::ToolNews { name: name.clone(), output: output.clone() },
            Entry::Summary(text) => Self::Summary(text.clone()),
        }
    }
}

impl From<EntryRow> for Entry {
    fn from(row: EntryRow) -> Self {
        match row {
            EntryRow::Caller(text) => Self::Said { speaker: Speaker::Caller, text },
            EntryRow::Agent(text) => Self::Said { speaker: Speaker::Agent, text },
            EntryRow::ToolCalled(call) => Self::ToolCalled(call.into()),
            EntryRow::ToolReturned { id, name, output } => Self::ToolReturned { id, name, output },
            EntryRow::ToolNews { name, output } => Self::ToolNews { name, output },
            EntryRow::Summary(text) => Self::Summary(text),
        }
    }
}

/// Pairs of names that are the same on both sides.
macro_rules! same_names {
    ($domain:ident, $row:ident: $($name:ident),+) => {
        impl From<$domain> for $row {
            fn from(value: $domain) -> Self {
                match value { $($domain::$name => Self::$name),+ }
            }
        }
        impl From<$row> for $domain {
            fn from(row: $row) -> Self {
                match row { $($row::$name => Self::$name),+ }
            }
        }
    };
}

same_names!(Timer, TimerRow: Endpoint, Words, Reply, Flush, Playout, Overlap, Filler, Tools, Idle, Limit, Digits);
same_names!(ToolOutcome, OutcomeRow: Done, Failed, Overdue, Cancelled);
same_names!(CloseReason, ReasonRow: CallerHungUp, AgentHungUp, ConnectionLost, Shutdown, Failed);

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}
