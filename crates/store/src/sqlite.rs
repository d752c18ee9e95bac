//! Conversations in one SQLite file: write-ahead log, embedded migrations, embedded SQLite.
//!
//! `open` finds and prepares the file, `rows` turns columns into domain types and back.

mod open;
mod rows;

use async_trait::async_trait;
use dialogue::CloseReason;
use jiff::Timestamp;
use sqlx::SqlitePool;

use crate::{Conversation, NewConversation, Page, Store, StoreError, Turn, TurnStatus};
use rows::{SummaryRow, TurnRow, moment_text, reason_text, status_text};

pub use open::OpenError;

/// Conversations in one SQLite file.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    pool: SqlitePool,
}

const BEGIN: &str = "INSERT INTO conversations (id, created_at) VALUES (?, ?) \
    ON CONFLICT (id) DO UPDATE SET ended_at = NULL, end_reason = NULL";

const RECORD_TURN: &str = "\
    INSERT INTO turns (conversation_id, turn_index, status, started_at, user_text, agent_text, heard_text, \
        voice_to_voice_us, endpoint_us, stt_us, llm_first_token_us, first_clause_us, tts_us, playout_us, heard_ms) \
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
    ON CONFLICT (conversation_id, turn_index) DO UPDATE SET status = excluded.status, \
        user_text = excluded.user_text, agent_text = excluded.agent_text, heard_text = excluded.heard_text, \
        voice_to_voice_us = excluded.voice_to_voice_us, endpoint_us = excluded.endpoint_us, \
        stt_us = excluded.stt_us, llm_first_token_us = excluded.llm_first_token_us, \
        first_clause_us = excluded.first_clause_us, tts_us = excluded.tts_us, playout_us = excluded.playout_us, \
        heard_ms = excluded.heard_ms";

const END: &str = "UPDATE conversations SET ended_at = ?, end_reason = ? WHERE id = ? AND ended_at IS NULL";

const FAIL_OPEN_TURNS: &str = "UPDATE turns SET status = ? WHERE conversation_id = ? AND status = ?";

const FAIL_ALL_OPEN_TURNS: &str = "\
    UPDATE turns SET status = ? WHERE status = ? \
        AND conversation_id IN (SELECT id FROM conversations WHERE ended_at IS NULL)";

const END_ALL: &str = "UPDATE conversations SET ended_at = ?, end_reason = ? WHERE ended_at IS NULL";

/// The columns of a summary, for `WHERE` clauses to follow.
macro_rules! summaries {
    ($rest:literal) => {
        concat!(
            "SELECT id, created_at, ended_at, end_reason, ",
            "(SELECT count(*) FROM turns WHERE conversation_id = id) AS turn_count, ",
            "(SELECT user_text FROM turns WHERE conversation_id = id AND user_text <> '' ",
            "ORDER BY turn_index LIMIT 1) AS preview FROM conversations ",
            $rest
        )
    };
}

const LIST: &str = summaries!("WHERE ?1 IS NULL OR id < ?1 ORDER BY id DESC LIMIT ?2");

const GET: &str = summaries!("WHERE id = ?");

const TURNS: &str = "\
    SELECT turn_index, status, started_at, user_text, agent_text, heard_text, voice_to_voice_us, endpoint_us, stt_us, \
        llm_first_token_us, first_clause_us, tts_us, playout_us, heard_ms \
    FROM turns WHERE conversation_id = ? ORDER BY turn_index";

#[async_trait]
impl Store for SqliteStore {
    async fn begin(&self, conversation: &NewConversation) -> Result<(), StoreError> {
        sqlx::query(BEGIN)
            .bind(&conversation.id)
            .bind(moment_text(conversation.created_at))
            .execute(&self.pool)
            .await
            .map_err(doing("begin a conversation"))?;
        Ok(())
    }

    async fn record_turn(&self, conversation_id: &str, turn: &Turn) -> Result<(), StoreError> {
        let micros = rows::LatencyColumns::from(turn.latency);
        sqlx::query(RECORD_TURN)
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
            .bind(rows::heard_ms(turn.heard))
            .execute(&self.pool)
            .await
            .map_err(doing("record a turn"))?;
        Ok(())
    }

    async fn end(&self, conversation_id: &str, at: Timestamp, reason: CloseReason) -> Result<(), StoreError> {
        let failed = doing("end a conversation");
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        sqlx::query(FAIL_OPEN_TURNS)
            .bind(status_text(TurnStatus::Failed))
            .bind(conversation_id)
            .bind(status_text(TurnStatus::InProgress))
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        sqlx::query(END)
            .bind(moment_text(at))
            .bind(reason_text(reason))
            .bind(conversation_id)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        transaction.commit().await.map_err(failed)
    }

    async fn end_abandoned(&self, at: Timestamp) -> Result<u64, StoreError> {
        let failed = doing("end abandoned conversations");
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        sqlx::query(FAIL_ALL_OPEN_TURNS)
            .bind(status_text(TurnStatus::Failed))
            .bind(status_text(TurnStatus::InProgress))
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        let ended = sqlx::query(END_ALL)
            .bind(moment_text(at))
            .bind(reason_text(CloseReason::Shutdown))
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        Ok(ended.rows_affected())
    }

    async fn list(&self, limit: u32, before: Option<&str>) -> Result<Page, StoreError> {
        let one_more = i64::from(limit) + 1;
        let rows: Vec<SummaryRow> = sqlx::query_as(LIST)
            .bind(before)
            .bind(one_more)
            .fetch_all(&self.pool)
            .await
            .map_err(doing("list conversations"))?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = rows.len() > limit;
        let summaries = rows.into_iter().take(limit).map(SummaryRow::into_summary).collect::<Result<_, _>>()?;
        Ok(Page { summaries, has_more })
    }

    async fn get(&self, id: &str) -> Result<Option<Conversation>, StoreError> {
        let failed = doing("read a conversation");
        // One read transaction, so that the turns are those that the summary counts.
        let mut snapshot = self.pool.begin().await.map_err(failed)?;
        let row: Option<SummaryRow> =
            sqlx::query_as(GET).bind(id).fetch_optional(&mut *snapshot).await.map_err(failed)?;
        let Some(row) = row else { return Ok(None) };
        let turns: Vec<TurnRow> = sqlx::query_as(TURNS).bind(id).fetch_all(&mut *snapshot).await.map_err(failed)?;
        let turns = turns.into_iter().map(|turn| turn.into_turn(id)).collect::<Result<_, _>>()?;
        Ok(Some(Conversation { summary: row.into_summary()?, turns }))
    }

    async fn close(&self) {
        self.pool.close().await;
    }
}

fn doing(doing: &'static str) -> impl Fn(sqlx::Error) -> StoreError + Copy {
    move |source| StoreError::Database { doing, source }
}
