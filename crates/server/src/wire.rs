//! The JSON of a conversation, as `docs/protocol.md` fixes it. Converted from the store's types by hand.

mod tool_call;

use std::time::Duration;

use dialogue::{CloseReason, StageTimes};
use serde::{Deserialize, Serialize};

use tool_call::ToolCall;

/// A conversation; the list leaves the turns out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Conversation {
    /// UUIDv7.
    pub id: String,
    /// Always `conversation`.
    pub object: String,
    /// Whether it goes on.
    pub status: ConversationStatus,
    /// Why it ended.
    pub end_reason: Option<EndReason>,
    /// RFC 3339, UTC, milliseconds.
    pub created_at: String,
    /// RFC 3339, UTC, milliseconds.
    pub ended_at: Option<String>,
    /// How many turns it has.
    pub turn_count: u32,
    /// The caller's first words.
    pub preview: Option<String>,
    /// First to last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turns: Option<Vec<Turn>>,
}

/// Whether a conversation goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ConversationStatus {
    /// It goes on.
    Active,
    /// It is over.
    Ended,
}

/// Why a conversation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EndReason {
    /// The caller hung up.
    Hangup,
    /// The agent hung up.
    AgentHangup,
    /// The connection was lost.
    ConnectionLost,
    /// The server stopped.
    ServerStopped,
    /// The agent could not go on.
    Failed,
}

/// One turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Turn {
    /// Counted from 1.
    pub index: u32,
    /// How far it came.
    pub status: TurnStatus,
    /// When the caller began to speak: RFC 3339, UTC, milliseconds.
    pub started_at: String,
    /// What the caller said.
    pub user_text: String,
    /// All that the agent wrote.
    pub agent_text: String,
    /// What the caller heard of it.
    pub heard_text: String,
    /// From the end of speech to the first frame of the answer.
    pub voice_to_voice_ms: Option<u64>,
    /// Its parts.
    pub stages_ms: Option<StagesMs>,
    /// From the first frame of the answer to the last moment it was heard, pauses within it included.
    pub heard_ms: Option<u64>,
    /// The tools that were called for it, in order.
    #[serde(default)]
    pub tool_calls: Vec<ToolCall>,
}

/// How far a turn came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TurnStatus {
    /// The answer is under way.
    InProgress,
    /// The answer was heard to its end.
    Completed,
    /// The caller interrupted, or hung up.
    Interrupted,
    /// There was no answer.
    Failed,
}

/// The parts of a turn's voice-to-voice time, in the order they pass. They add up to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StagesMs {
    /// End of speech to the decision that the turn is over.
    pub endpoint: u64,
    /// Decision to the final transcript.
    pub stt: u64,
    /// Final transcript to the model's first text.
    pub llm_first_token: u64,
    /// First text to the first clause.
    pub first_clause: u64,
    /// First clause to its first audio.
    pub tts: u64,
    /// First audio to the first frame out.
    pub playout: u64,
}

impl StagesMs {
    /// Name and milliseconds of each stage, in order.
    pub(crate) fn named(&self) -> [(&'static str, u64); 6] {
        [
            ("endpoint", self.endpoint),
            ("stt", self.stt),
            ("llm_first_token", self.llm_first_token),
            ("first_clause", self.first_clause),
            ("tts", self.tts),
            ("playout", self.playout),
        ]
    }
}

/// A page of conversations, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ConversationList {
    /// Always `list`.
    pub object: String,
    /// The conversations, without turns.
    pub data: Vec<Conversation>,
    /// Whether older ones follow.
    pub has_more: bool,
}

impl From<store::Page> for ConversationList {
    fn from(page: store::Page) -> Self {
        Self {
            object: "list".to_owned(),
            data: page.summaries.into_iter().map(Conversation::from).collect(),
            has_more: page.has_more,
        }
    }
}

impl From<store::Summary> for Conversation {
    fn from(summary: store::Summary) -> Self {
        Self {
            object: "conversation".to_owned(),
            status: match summary.ending {
                None => ConversationStatus::Active,
                Some(_) => ConversationStatus::Ended,
            },
            end_reason: summary.ending.map(|ending| ending.reason.into()),
            created_at: moment(summary.created_at),
            ended_at: summary.ending.map(|ending| moment(ending.at)),
            turn_count: summary.turn_count,
            preview: summary.preview,
            turns: None,
            id: summary.id,
        }
    }
}

impl From<store::Conversation> for Conversation {
    fn from(conversation: store::Conversation) -> Self {
        let turns = conversation.turns.into_iter().map(Turn::from).collect();
        Self { turns: Some(turns), ..conversation.summary.into() }
    }
}

impl From<CloseReason> for EndReason {
    fn from(reason: CloseReason) -> Self {
        match reason {
            CloseReason::CallerHungUp => Self::Hangup,
            CloseReason::AgentHungUp => Self::AgentHangup,
            CloseReason::ConnectionLost => Self::ConnectionLost,
            CloseReason::Shutdown => Self::ServerStopped,
            CloseReason::Failed => Self::Failed,
        }
    }
}

impl From<store::Turn> for Turn {
    fn from(turn: store::Turn) -> Self {
        Self {
            index: turn.index,
            status: turn.status.into(),
            started_at: moment(turn.started_at),
            user_text: turn.user_text,
            agent_text: turn.agent_text,
            heard_text: turn.heard_text,
            voice_to_voice_ms: turn.latency.map(|latency| whole_ms(latency.voice_to_voice)),
            stages_ms: turn.latency.map(|latency| latency.stages.into()),
            heard_ms: turn.heard.map(whole_ms),
            tool_calls: turn.tool_calls.into_iter().map(ToolCall::from).collect(),
        }
    }
}

impl From<store::TurnStatus> for TurnStatus {
    fn from(status: store::TurnStatus) -> Self {
        match status {
            store::TurnStatus::InProgress => Self::InProgress,
            store::TurnStatus::Completed => Self::Completed,
            store::TurnStatus::Interrupted => Self::Interrupted,
            store::TurnStatus::Failed => Self::Failed,
        }
    }
}

impl From<StageTimes> for StagesMs {
    /// Rounds the running total instead of each part, so that the parts still add up to the rounded whole.
    fn from(stages: StageTimes) -> Self {
        let mut passed = Duration::ZERO;
        let mut pass = |stage: Duration| {
            let before = whole_ms(passed);
            passed += stage;
            whole_ms(passed) - before
        };
        Self {
            endpoint: pass(stages.endpoint),
            stt: pass(stages.stt),
            llm_first_token: pass(stages.llm_first_token),
            first_clause: pass(stages.first_clause),
            tts: pass(stages.tts),
            playout: pass(stages.playout),
        }
    }
}

/// RFC 3339, UTC, milliseconds.
pub(crate) fn moment(moment: jiff::Timestamp) -> String {
    format!("{moment:.3}")
}

/// To the nearest millisecond.
fn whole_ms(span: Duration) -> u64 {
    u64::try_from((span.as_micros() + 500) / 1_000).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use dialogue::{CloseReason, StageTimes};
    use serde_json::json;
    use store::{Ending, Latency, Summary};

    use super::{Conversation, StagesMs};

    fn conversation() -> store::Conversation {
        let us = Duration::from_micros;
        let stages = StageTimes {
            endpoint: us(260_400),
            stt: us(40_400),
            llm_first_token: us(210_400),
            first_clause: us(120_400),
            tts: us(60_400),
            playout: us(20_400),
        };
        let created_at: jiff::Timestamp = "2026-11-22T19:44:09.123Z".parse().expect("a moment");
        store::Conversation {
            summary: Summary {
                id: "0199".to_owned(),
                created_at,
                ending: Some(Ending { at: created_at, reason: CloseReason::CallerHungUp }),
                turn_count: 1,
                preview: Some("Should I get a dog or a cat?".to_owned()),
            },
            turns: vec![store::Turn {
                index: 1,
                status: store::TurnStatus::Completed,
                started_at: "2026-11-22T19:44:12Z".parse().expect("a moment"),
                user_text: "Should I get a dog or a cat?".to_owned(),
                agent_text: "A cat.".to_owned(),
                heard_text: "A cat.".to_owned(),
                latency: Some(Latency { voice_to_voice: us(712_400), stages }),
                heard: Some(us(1_240_000)),
                tool_calls: vec![store::ToolCall {
                    id: "call_1".to_owned(),
                    name: "pets".to_owned(),
                    arguments: "{\"quiet\": true}".to_owned(),
                    status: store::ToolCallStatus::Completed,
                    result: Some("cat".to_owned()),
                    heard_before: 0,
                    started_at: created_at,
                    finished_at: None,
                }],
            }],
        }
    }

    #[test]
    fn a_conversation_reads_as_documented() {
        let json = serde_json::to_value(Conversation::from(conversation())).expect("plain data");
        assert_eq!(
            json,
            json!({
                "id": "0199", "object": "conversation", "status": "ended", "end_reason": "hangup",
                "created_at": "2026-11-22T19:44:09.123Z", "ended_at": "2026-11-22T19:44:09.123Z", "turn_count": 1,
                "preview": "Should I get a dog or a cat?",
                "turns": [{
                    "index": 1, "status": "completed", "started_at": "2026-11-22T19:44:12.000Z",
                    "user_text": "Should I get a dog or a cat?", "agent_text": "A cat.", "heard_text": "A cat.",
                    "voice_to_voice_ms": 712,
                    "stages_ms": {
                        "endpoint": 260, "stt": 41, "llm_first_token": 210, "first_clause": 121, "tts": 60, "playout": 20
                    },
                    "heard_ms": 1240,
                    "tool_calls": [{
                        "id": "call_1", "name": "pets", "arguments": "{\"quiet\": true}", "status": "completed",
                        "result": "cat", "started_at": "2026-11-22T19:44:09.123Z", "finished_at": null
                    }]
                }]
            })
        );
    }

    #[test]
    fn rounded_stages_add_up_to_the_rounded_whole() {
        let turn = super::Turn::from(conversation().turns.remove(0));
        let stages: StagesMs = turn.stages_ms.expect("it was answered");
        let sum: u64 = stages.named().iter().map(|(_, ms)| ms).sum();
        assert_eq!(Some(sum), turn.voice_to_voice_ms);
    }

    #[test]
    fn the_list_leaves_turns_out_and_shows_what_is_open() {
        let summary = Summary { ending: None, ..conversation().summary };
        let json = serde_json::to_value(Conversation::from(summary)).expect("plain data");
        assert!(json.get("turns").is_none());
        assert_eq!(
            (&json["status"], &json["ended_at"], &json["end_reason"]),
            (&json!("active"), &json!(null), &json!(null))
        );
    }
}
