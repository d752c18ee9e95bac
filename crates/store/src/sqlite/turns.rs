//! The table `turns`.

use std::time::Duration;

use dialogue::StageTimes;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{FromRow, Row};

use super::rows::{moment_text, parse_status, status_text};
use crate::{Latency, StoreError, ToolCall, Turn};

const WRITE: &str = "\
    INSERT INTO turns (conversation_id, turn_index, status, started_at, user_text, agent_text, heard_text, \
        voice_to_voice_us, endpoint_us, stt_us, llm_first_token_us, first_clause_us, tts_us, playout_us, heard_ms) \
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
    ON CONFLICT (conversation_id, turn_index) DO UPDATE SET status = excluded.status, \
        user_text = excluded.user_text, agent_text = excluded.agent_text, heard_text = excluded.heard_text, \
        voice_to_voice_us = excluded.voice_to_voice_us, endpoint_us = excluded.endpoint_us, \
        stt_us = excluded.stt_us, llm_first_token_us = excluded.llm_first_token_us, \
        first_clause_us = excluded.first_clause_us, tts_us = excluded.tts_us, playout_us = excluded.playout_us, \
        heard_ms = excluded.heard_ms";

const READ: &str = "\
    SELECT turn_index, status, started_at, user_text, agent_text, heard_text, voice_to_voice_us, endpoint_us, stt_us, \
        llm_first_token_us, first_clause_us, tts_us, playout_us, heard_ms \
    FROM turns WHERE conversation_id = ? ORDER BY turn_index";

/// Writes a turn as it stands.
pub(super) async fn write(database: &mut SqliteConnection, conversation_id: &str, turn: &Turn) -> sqlx::Result<()> {
    let micros = LatencyColumns::from(turn.latency);
    sqlx::query(WRITE)
        .bind(conversation_id)
        .bind(turn.index)
        .bind(status_text(turn.status))
        .bind(moment_text(turn.started_at))
        .bind(&turn.user_text)
        .bind(&turn.agent_text)
        .bind(&turn.heard_text)
        .bind(micros.voice_to_voice_us)
        .bind(micros.endpoint_us)
        .bind(micros.stt_us)
        .bind(micros.llm_first_token_us)
        .bind(micros.first_clause_us)
        .bind(micros.tts_us)
        .bind(micros.playout_us)
        .bind(heard_ms(turn.heard))
        .execute(database)
        .await?;
    Ok(())
}

/// The turns of a conversation, first to last.
pub(super) async fn read(database: &mut SqliteConnection, conversation_id: &str) -> sqlx::Result<Vec<TurnRow>> {
    sqlx::query_as(READ).bind(conversation_id).fetch_all(database).await
}

/// A row of `turns`; its tool calls are in a table of their own.
pub(super) struct TurnRow {
    pub(super) index: u32,
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
    pub(super) fn into_turn(self, conversation_id: &str, tool_calls: Vec<ToolCall>) -> Result<Turn, StoreError> {
        let corrupt = |column| StoreError::Corrupt { conversation_id: conversation_id.to_owned(), column };
        Ok(Turn {
            index: self.index,
            status: parse_status(&self.status).ok_or_else(|| corrupt("status"))?,
            started_at: self.started_at.parse().map_err(|_| corrupt("started_at"))?,
            user_text: self.user_text,
            agent_text: self.agent_text,
            heard_text: self.heard_text,
            latency: self.latency.into_latency(),
            tool_calls,
            heard: self.heard_ms.map(|ms| Duration::from_millis(u64::try_from(ms).unwrap_or(0))),
        })
    }
}

/// A latency in whole microseconds, all columns null when there is none.
#[derive(Default)]
struct LatencyColumns {
    voice_to_voice_us: Option<i64>,
    endpoint_us: Option<i64>,
    stt_us: Option<i64>,
    llm_first_token_us: Option<i64>,
    first_clause_us: Option<i64>,
    tts_us: Option<i64>,
    playout_us: Option<i64>,
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

fn heard_ms(heard: Option<Duration>) -> Option<i64> {
    heard.map(|heard| i64::try_from(heard.as_millis()).unwrap_or(i64::MAX))
}

fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

fn span(micros: i64) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}
