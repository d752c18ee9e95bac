//! Columns and what they mean.

use std::time::Duration;

use dialogue::{CloseReason, StageTimes};
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row};

use crate::{Ending, Latency, StoreError, Summary, Turn, TurnStatus};

pub(super) fn moment_text(moment: Timestamp) -> String {
    format!("{moment:.3}")
}

pub(super) fn status_text(status: TurnStatus) -> &'static str {
    match status {
        TurnStatus::InProgress => "in_progress",
        TurnStatus::Completed => "completed",
        TurnStatus::Interrupted => "interrupted",
        TurnStatus::Failed => "failed",
    }
}

pub(super) fn reason_text(reason: CloseReason) -> &'static str {
    match reason {
        CloseReason::CallerHungUp => "hangup",
        CloseReason::AgentHungUp => "agent_hangup",
        CloseReason::ConnectionLost => "connection_lost",
        CloseReason::Shutdown => "server_stopped",
        CloseReason::Failed => "failed",
    }
}

fn parse_status(text: &str) -> Option<TurnStatus> {
    [TurnStatus::InProgress, TurnStatus::Completed, TurnStatus::Interrupted, TurnStatus::Failed]
        .into_iter()
        .find(|status| status_text(*status) == text)
}

fn parse_reason(text: &str) -> Option<CloseReason> {
    [
        CloseReason::CallerHungUp,
        CloseReason::AgentHungUp,
        CloseReason::ConnectionLost,
        CloseReason::Shutdown,
        CloseReason::Failed,
    ]
    .into_iter()
    .find(|reason| reason_text(*reason) == text)
}

/// A row of `conversations` with what is derived from its turns.
pub(super) struct SummaryRow {
    id: String,
    created_at: String,
    ended_at: Option<String>,
    end_reason: Option<String>,
    turn_count: u32,
    preview: Option<String>,
}

impl FromRow<'_, SqliteRow> for SummaryRow {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            created_at: row.try_get("created_at")?,
            ended_at: row.try_get("ended_at")?,
            end_reason: row.try_get("end_reason")?,
            turn_count: row.try_get("turn_count")?,
            preview: row.try_get("preview")?,
        })
    }
}

impl SummaryRow {
    pub(super) fn into_summary(self) -> Result<Summary, StoreError> {
        let corrupt = |column| StoreError::Corrupt { conversation_id: self.id.clone(), column };
        let created_at = self.created_at.parse().map_err(|_| corrupt("created_at"))?;
        let ending = match (&self.ended_at, &self.end_reason) {
            (Some(at), Some(reason)) => Some(Ending {
                at: at.parse().map_err(|_| corrupt("ended_at"))?,
                reason: parse_reason(reason).ok_or_else(|| corrupt("end_reason"))?,
            }),
            _ => None,
        };
        Ok(Summary { created_at, ending, id: self.id, turn_count: self.turn_count, preview: self.preview })
    }
}

/// A row of `turns`.
pub(super) struct TurnRow {
    index: u32,
    status: String,
    started_at: String,
    user_text: String,
    agent_text: String,
    heard_text: String,
    latency: LatencyColumns,
    heard_ms: Option<i64>,
}

impl FromRow<'_, SqliteRow> for TurnRow {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        Ok(Self {
            index: row.try_get("turn_index")?,
            status: row.try_get("status")?,
            started_at: row.try_get("started_at")?,
            user_text: row.try_get("user_text")?,
            agent_text: row.try_get("agent_text")?,
            heard_text: row.try_get("heard_text")?,
            latency: LatencyColumns::from_row(row)?,
            heard_ms: row.try_get("heard_ms")?,
        })
    }
}

impl TurnRow {
    pub(super) fn into_turn(self, conversation_id: &str) -> Result<Turn, StoreError> {
        let corrupt = |column| StoreError::Corrupt { conversation_id: conversation_id.to_owned(), column };
        Ok(Turn {
            index: self.index,
            status: parse_status(&self.status).ok_or_else(|| corrupt("status"))?,
            started_at: self.started_at.parse().map_err(|_| corrupt("started_at"))?,
            user_text: self.user_text,
            agent_text: self.agent_text,
            heard_text: self.heard_text,
            latency: self.latency.into_latency(),
            heard: self.heard_ms.map(|ms| Duration::from_millis(u64::try_from(ms).unwrap_or(0))),
        })
    }
}

/// A latency in whole microseconds, all columns null when there is none.
#[derive(Default)]
pub(super) struct LatencyColumns {
    pub(super) voice_to_voice_us: Option<i64>,
    pub(super) endpoint_us: Option<i64>,
    pub(super) stt_us: Option<i64>,
    pub(super) llm_first_token_us: Option<i64>,
    pub(super) first_clause_us: Option<i64>,
    pub(super) tts_us: Option<i64>,
    pub(super) playout_us: Option<i64>,
}

impl FromRow<'_, SqliteRow> for LatencyColumns {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        Ok(Self {
            voice_to_voice_us: row.try_get("voice_to_voice_us")?,
            endpoint_us: row.try_get("endpoint_us")?,
            stt_us: row.try_get("stt_us")?,
            llm_first_token_us: row.try_get("llm_first_token_us")?,
            first_clause_us: row.try_get("first_clause_us")?,
            tts_us: row.try_get("tts_us")?,
            playout_us: row.try_get("playout_us")?,
        })
    }
}

impl From<Option<Latency>> for LatencyColumns {
    fn from(latency: Option<Latency>) -> Self {
        let Some(Latency { voice_to_voice, stages }) = latency else { return Self::default() };
        Self {
            voice_to_voice_us: Some(micros(voice_to_voice)),
            endpoint_us: Some(micros(stages.endpoint)),
            stt_us: Some(micros(stages.stt)),
            llm_first_token_us: Some(micros(stages.llm_first_token)),
            first_clause_us: Some(micros(stages.first_clause)),
            tts_us: Some(micros(stages.tts)),
            playout_us: Some(micros(stages.playout)),
        }
    }
}

impl LatencyColumns {
    fn into_latency(self) -> Option<Latency> {
        Some(Latency {
            voice_to_voice: span(self.voice_to_voice_us?),
            stages: StageTimes {
                endpoint: span(self.endpoint_us.unwrap_or(0)),
                stt: span(self.stt_us.unwrap_or(0)),
                llm_first_token: span(self.llm_first_token_us.unwrap_or(0)),
                first_clause: span(self.first_clause_us.unwrap_or(0)),
                tts: span(self.tts_us.unwrap_or(0)),
                playout: span(self.playout_us.unwrap_or(0)),
            },
        })
    }
}

pub(super) fn heard_ms(heard: Option<Duration>) -> Option<i64> {
    heard.map(|heard| i64::try_from(heard.as_millis()).unwrap_or(i64::MAX))
}

fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

fn span(micros: i64) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}
