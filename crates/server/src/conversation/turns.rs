//! Facts in, turns as the store keeps them out: with wall-clock starts, whole latencies and the tools that were called.

use dialogue::{Fact, ToolCall, ToolRunId, TurnId, TurnRecord, TurnTimings};
use jiff::{SignedDuration, Timestamp};
use store::{Latency, ToolCallStatus, Turn, TurnStatus};

/// Follows the turns of one conversation.
#[derive(Debug)]
pub(super) struct TurnLog {
    /// The wall clock at the session's first moment.
    epoch: Timestamp,
    /// When the speech began of turns that are not open yet.
    starts: Vec<(TurnId, dialogue::Timestamp)>,
    /// Turns that are not over, and those whose tools are not.
    open: Vec<OpenTurn>,
    /// The turns that the conversation had before this session.
    before: u32,
}

/// A turn of which there is more to come.
#[derive(Debug)]
struct OpenTurn {
    id: TurnId,
    turn: Turn,
    /// The runs of the turn's tool calls, in their order.
    runs: Vec<ToolRunId>,
    /// The sentence that plays.
    sentence: String,
}

impl TurnLog {
    pub(super) fn new(epoch: Timestamp, before: u32) -> Self {
        Self { epoch, starts: Vec::new(), open: Vec::new(), before }
    }

    /// The wall clock at a moment of the session.
    pub(super) fn moment(&self, at: dialogue::Timestamp) -> Timestamp {
        let micros = i64::try_from(at.as_micros()).unwrap_or(i64::MAX);
        // A session lasts hours; the calendar ends in the year 9999.
        self.epoch.saturating_add(SignedDuration::from_micros(micros)).unwrap_or(self.epoch)
    }

    /// The turn as it stands, when this fact changed what is kept of it. A tool may return after its turn is over: then
    /// the turn comes once more.
    pub(super) fn note(&mut self, now: dialogue::Timestamp, fact: &Fact) -> Option<Turn> {
        match fact {
            Fact::SpeechStarted { turn, at } => {
                self.begin(*turn, *at);
                None
            }
            Fact::SpeechDiscarded { turn } => {
                self.starts.retain(|(begun, _)| begun != turn);
                None
            }
            Fact::TurnCommitted { turn, speech_ended, user_text } => {
                let open = self.open(*turn, *speech_ended);
                open.turn.user_text.clone_from(user_text);
                Some(open.turn.clone())
            }
            // What the agent says of its own accord begins with its answer.
            Fact::ReplyStarted { turn } => {
                self.open(*turn, now);
                None
            }
            Fact::ToolCalled { turn, run, call } => Some(self.tool_called(now, *turn, *run, call)),
            Fact::ToolReturned { turn, run, output, outcome, .. } => {
                let finished_at = Some(self.moment(now));
                self.tool_returned(*turn, *run, |call| {
                    call.status = (*outcome).into();
                    call.result = Some(output.clone());
                    call.finished_at = finished_at;
                })
            }
            Fact::TurnEnded(record) => Some(self.ended(now, record)),
            Fact::SentenceStarted { turn, text } => self.sentence_started(now, *turn, text),
            Fact::StateChanged(_)
            | Fact::PartialTranscript { .. }
            | Fact::ReplyHeld { .. }
            | Fact::ReplyResumed { .. }
            | Fact::Idle
            | Fact::Closed(_) => None,
        }
    }

    /// The first moment of a turn stands.
    fn begin(&mut self, turn: TurnId, at: dialogue::Timestamp) {
        if !self.starts.iter().any(|(begun, _)| *begun == turn) {
            self.starts.push((turn, at));
        }
    }

    /// The open turn of this id; one that is not open yet began with its speech, or else at `at`.
    fn open(&mut self, id: TurnId, at: dialogue::Timestamp) -> &mut OpenTurn {
        let place = match self.open.iter().position(|open| open.id == id) {
            Some(place) => place,
            None => {
                self.begin(id, at);
                let start = self.starts.extract_if(.., |(begun, _)| *begun == id).next().map_or(at, |(_, at)| at);
                let turn = blank(self.before + id.0, self.moment(start));
                self.open.push(OpenTurn { id, turn, runs: Vec::new(), sentence: String::new() });
                self.open.len() - 1
            }
        };
        &mut self.open[place]
    }

    /// The sentence before was heard to its end: kept at once, in case this process is killed before the turn is over.
    fn sentence_started(&mut self, now: dialogue::Timestamp, turn: TurnId, text: &str) -> Option<Turn> {
        let open = self.open(turn, now);
        let before = std::mem::replace(&mut open.sentence, text.to_owned());
        if before.is_empty() {
            return None;
        }
        let heard = &mut open.turn.heard_text;
        if !heard.is_empty() && !heard.ends_with(char::is_whitespace) {
            heard.push(' ');
        }
        heard.push_str(before.trim());
        Some(open.turn.clone())
    }

    fn tool_called(&mut self, now: dialogue::Timestamp, turn: TurnId, run: ToolRunId, call: &ToolCall) -> Turn {
        let started_at = self.moment(now);
        let open = self.open(turn, now);
        open.runs.push(run);
        open.turn.tool_calls.push(store::ToolCall {
            id: call.id.clone(),
            name: call.name.clone(),
            arguments: call.arguments.clone(),
            status: ToolCallStatus::InProgress,
            result: None,
            // Where it stands is known when the turn is over.
            heard_before: 0,
            started_at,
            finished_at: None,
        });
        open.turn.clone()
    }

    fn tool_returned(
        &mut self,
        turn: TurnId,
        run: ToolRunId,
        finish: impl FnOnce(&mut store::ToolCall),
    ) -> Option<Turn> {
        let open = self.open.iter_mut().find(|open| open.id == turn)?;
        finish(open.call(run)?);
        let turn = open.turn.clone();
        self.let_go_of_complete();
        Some(turn)
    }

    fn ended(&mut self, now: dialogue::Timestamp, record: &TurnRecord) -> Turn {
        let open = self.open(record.turn, now);
        open.turn = Turn {
            status: record.status.into(),
            user_text: record.user_text.clone(),
            agent_text: record.agent_text.clone(),
            heard_text: record.heard_text.clone(),
            latency: latency(&record.timings),
            heard: record.timings.heard(),
            ..open.turn.clone()
        };
        for place in &record.tools {
            if let Some(call) = open.call(place.run) {
                call.heard_before = u32::try_from(place.heard_before).unwrap_or(u32::MAX);
            }
        }
        let turn = open.turn.clone();
        self.let_go_of_complete();
        turn
    }

    fn let_go_of_complete(&mut self) {
        self.open.retain(|open| open.has_more_to_come());
    }
}

impl OpenTurn {
    fn call(&mut self, run: ToolRunId) -> Option<&mut store::ToolCall> {
        let place = self.runs.iter().position(|known| *known == run)?;
        self.turn.tool_calls.get_mut(place)
    }

    fn has_more_to_come(&self) -> bool {
        let runs = |call: &store::ToolCall| call.status == ToolCallStatus::InProgress;
        self.turn.status == TurnStatus::InProgress || self.turn.tool_calls.iter().any(runs)
    }
}

pub(super) fn blank(index: u32, started_at: Timestamp) -> Turn {
    Turn {
        index,
        status: TurnStatus::InProgress,
        started_at,
        user_text: String::new(),
        agent_text: String::new(),
        heard_text: String::new(),
        latency: None,
        heard: None,
        tool_calls: Vec::new(),
    }
}

fn latency(timings: &TurnTimings) -> Option<Latency> {
    Some(Latency { voice_to_voice: timings.voice_to_voice()?, stages: timings.stages()? })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use dialogue::{Fact, ToolCall, ToolOutcome, ToolPlace, ToolRunId, TurnId, TurnRecord, TurnTimings};
    use store::{ToolCallStatus, TurnStatus};

    use super::TurnLog;

    fn at(ms: u64) -> dialogue::Timestamp {
        dialogue::Timestamp::from_millis(ms)
    }

    fn committed(turn: u32, ended_ms: u64) -> Fact {
        Fact::TurnCommitted { turn: TurnId(turn), speech_ended: at(ended_ms), user_text: "A dog?".to_owned() }
    }

    #[test]
    fn a_turn_starts_when_its_first_words_do() {
        let epoch: jiff::Timestamp = "2026-11-22T19:44:10Z".parse().expect("a moment");
        let mut log = TurnLog::new(epoch, 0);
        assert_eq!(log.note(at(0), &Fact::SpeechStarted { turn: TurnId(1), at: at(1_500) }), None);
        assert_eq!(log.note(at(0), &Fact::SpeechStarted { turn: TurnId(1), at: at(2_500) }), None);
        let begun = log.note(at(0), &committed(1, 4_000)).expect("it began");
        assert_eq!(
            (begun.status, begun.started_at.to_string()),
            (TurnStatus::InProgress, "2026-11-22T19:44:11.5Z".to_owned())
        );

        let timings = TurnTimings {
            speech_ended: Some(at(4_000)),
            first_played: Some(at(4_700)),
            last_heard: Some(at(5_100)),
            ..TurnTimings::default()
        };
        let record = TurnRecord {
            turn: TurnId(1),
            status: dialogue::TurnStatus::Completed,
            user_text: "A dog?".to_owned(),
            agent_text: "Yes.".to_owned(),
            heard_text: "Yes.".to_owned(),
            heard_ms: 400,
            timings,
            tools: Vec::new(),
        };
        let ended = log.note(at(0), &Fact::TurnEnded(record)).expect("it ended");
        assert_eq!((ended.status, ended.started_at), (TurnStatus::Completed, begun.started_at));
        assert_eq!(ended.latency.map(|latency| latency.voice_to_voice), Some(Duration::from_millis(700)));
        assert_eq!(ended.heard, Some(Duration::from_millis(400)));
    }

    fn called(run: u32) -> Fact {
        let call = ToolCall { id: "call".to_owned(), name: "taxi".to_owned(), arguments: "{}".to_owned() };
        Fact::ToolCalled { turn: TurnId(1), run: ToolRunId(run), call }
    }

    fn returned(run: u32, outcome: ToolOutcome) -> Fact {
        let (call_id, output) = ("call".to_owned(), "At eight.".to_owned());
        Fact::ToolReturned { turn: TurnId(1), run: ToolRunId(run), call_id, output, outcome }
    }

    #[test]
    fn a_turn_is_kept_until_its_last_tool_is_back() {
        let mut log = TurnLog::new(jiff::Timestamp::UNIX_EPOCH, 3);
        log.note(at(900), &Fact::ReplyStarted { turn: TurnId(1) });
        log.note(at(1_000), &called(1));
        let both = log.note(at(1_000), &called(2)).expect("it was called");
        assert_eq!((both.index, both.started_at.as_millisecond(), both.tool_calls.len()), (4, 900, 2));
        let one = log.note(at(2_000), &returned(2, ToolOutcome::Cancelled)).expect("it changed");
        assert_eq!(one.tool_calls[1].status, ToolCallStatus::Incomplete);
        let ended = TurnRecord {
            turn: TurnId(1),
            status: dialogue::TurnStatus::Completed,
            user_text: String::new(),
            agent_text: "One moment. I am on it.".to_owned(),
            heard_text: "One moment. I am on it.".to_owned(),
            heard_ms: 900,
            timings: TurnTimings::default(),
            tools: [1, 2].map(|run| ToolPlace { run: ToolRunId(run), heard_before: 11 }).to_vec(),
        };
        let ended = log.note(at(3_000), &Fact::TurnEnded(ended)).expect("it ended");
        assert_eq!(ended.tool_calls[0].status, ToolCallStatus::InProgress, "its turn did not wait for it");
        let late = log.note(at(9_000), &returned(1, ToolOutcome::Done)).expect("a result is never lost");
        assert_eq!((&late.heard_text, late.tool_calls[0].heard_before), (&ended.heard_text, 11));
        assert_eq!(late.tool_calls[0].result.as_deref(), Some("At eight."));
        assert_eq!(late.tool_calls[0].finished_at.map(jiff::Timestamp::as_millisecond), Some(9_000));
        assert_eq!(log.note(at(9_500), &returned(1, ToolOutcome::Done)), None, "now all is known");
    }

    #[test]
    fn sentences_are_kept_as_they_are_heard() {
        let mut log = TurnLog::new(jiff::Timestamp::UNIX_EPOCH, 0);
        log.note(at(0), &committed(1, 500));
        let mut starts =
            |text: &str| log.note(at(900), &Fact::SentenceStarted { turn: TurnId(1), text: text.to_owned() });
        assert_eq!(starts("Yes."), None);
        let kept = starts("It is warm.").expect("the first was heard");
        assert_eq!((kept.heard_text.as_str(), kept.status), ("Yes.", TurnStatus::InProgress));
        assert_eq!(starts("Take a hat.").expect("the second as well").heard_text, "Yes. It is warm.");
    }

    #[test]
    fn discarded_speech_does_not_date_the_next_turn() {
        let mut log = TurnLog::new(jiff::Timestamp::UNIX_EPOCH, 0);
        log.note(at(0), &Fact::SpeechStarted { turn: TurnId(1), at: at(1_000) });
        log.note(at(0), &Fact::SpeechDiscarded { turn: TurnId(1) });
        let typed = log.note(at(0), &committed(1, 9_000)).expect("it began");
        assert_eq!(typed.started_at.as_millisecond(), 9_000);
    }
}
