//! Facts in, turns as the store keeps them out: with wall-clock starts and whole latencies.

use dialogue::{Fact, TurnId, TurnRecord, TurnTimings};
use jiff::{SignedDuration, Timestamp};
use store::{Latency, Turn, TurnStatus};

/// Follows the turns of one conversation.
#[derive(Debug)]
pub(super) struct TurnLog {
    /// The wall clock at the session's first moment.
    epoch: Timestamp,
    /// When the latest turns began; a turn leaves when it ends.
    starts: Vec<(TurnId, dialogue::Timestamp)>,
    /// The turns that the conversation had before this session.
    before: u32,
}

impl TurnLog {
    pub(super) fn new(epoch: Timestamp, before: u32) -> Self {
        Self { epoch, starts: Vec::new(), before }
    }

    /// The wall clock at a moment of the session.
    pub(super) fn moment(&self, at: dialogue::Timestamp) -> Timestamp {
        let micros = i64::try_from(at.as_micros()).unwrap_or(i64::MAX);
        // A session lasts hours; the calendar ends in the year 9999.
        self.epoch.saturating_add(SignedDuration::from_micros(micros)).unwrap_or(self.epoch)
    }

    /// The turn as it stands, when this fact began or ended it.
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
                self.begin(*turn, *speech_ended);
                Some(self.committed(*turn, user_text))
            }
            // What the agent says of its own accord begins with its answer.
            Fact::ReplyStarted { turn } => {
                self.begin(*turn, now);
                None
            }
            Fact::TurnEnded(record) => {
                let turn = self.ended(record);
                self.starts.retain(|(begun, _)| *begun != record.turn);
                Some(turn)
            }
            Fact::StateChanged(_)
            | Fact::PartialTranscript { .. }
            | Fact::SentenceStarted { .. }
            | Fact::ReplyHeld { .. }
            | Fact::ReplyResumed { .. }
            | Fact::ToolCalled { .. }
            | Fact::ToolReturned { .. }
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

    fn started_at(&self, turn: TurnId) -> Timestamp {
        let start = self.starts.iter().find(|(begun, _)| *begun == turn).map(|(_, at)| *at);
        self.moment(start.unwrap_or_default())
    }

    fn committed(&self, turn: TurnId, user_text: &str) -> Turn {
        Turn {
            index: self.before + turn.0,
            status: TurnStatus::InProgress,
            started_at: self.started_at(turn),
            user_text: user_text.to_owned(),
            agent_text: String::new(),
            heard_text: String::new(),
            latency: None,
            heard: None,
        }
    }

    fn ended(&self, record: &TurnRecord) -> Turn {
        Turn {
            index: self.before + record.turn.0,
            status: record.status.into(),
            started_at: self.started_at(record.turn),
            user_text: record.user_text.clone(),
            agent_text: record.agent_text.clone(),
            heard_text: record.heard_text.clone(),
            latency: latency(&record.timings),
            heard: record.timings.heard(),
        }
    }
}

fn latency(timings: &TurnTimings) -> Option<Latency> {
    Some(Latency { voice_to_voice: timings.voice_to_voice()?, stages: timings.stages()? })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use dialogue::{Fact, TurnId, TurnRecord, TurnTimings};
    use store::TurnStatus;

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
        };
        let ended = log.note(at(0), &Fact::TurnEnded(record)).expect("it ended");
        assert_eq!((ended.status, ended.started_at), (TurnStatus::Completed, begun.started_at));
        assert_eq!(ended.latency.map(|latency| latency.voice_to_voice), Some(Duration::from_millis(700)));
        assert_eq!(ended.heard, Some(Duration::from_millis(400)));
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
