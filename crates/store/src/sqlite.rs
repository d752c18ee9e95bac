//! Conversations in one SQLite file: write-ahead log, embedded migrations, embedded SQLite.
//!
//! `open` finds and prepares the file; `rows` turns the columns of conversations into domain types and back; `turns`,
//! `tool_calls` and `agents` write and read theirs.

mod agents;
mod open;
mod rows;
mod tool_calls;
mod turns;

use async_trait::async_trait;
use dialogue::CloseReason;
use jiff::Timestamp;
use sqlx::SqlitePool;

use crate::{AgentRecord, Conversation, NewConversation, Page, Store, StoreError, Turn, TurnStatus};
use rows::{SummaryRow, moment_text, reason_text, status_text};

pub use open::OpenError;

/// Conversations in one SQLite file.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    pool: SqlitePool,
}

const BEGIN: &str = "INSERT INTO conversations (id, created_at) VALUES (?, ?) \
    ON CONFLICT (id) DO UPDATE SET ended_at = NULL, end_reason = NULL";

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
        let failed = doing("record a turn");
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        turns::write(&mut transaction, conversation_id, turn).await.map_err(failed)?;
        tool_calls::write(&mut transaction, conversation_id, turn).await.map_err(failed)?;
        transaction.commit().await.map_err(failed)
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
        tool_calls::abandon_of(&mut transaction, conversation_id).await.map_err(failed)?;
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
        tool_calls::abandon_all(&mut transaction).await.map_err(failed)?;
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
        let turns = turns::read(&mut snapshot, id).await.map_err(failed)?;
        let mut calls = tool_calls::read(&mut snapshot, id).await.map_err(failed)?;
        let turns = turns.into_iter().map(|turn| {
            let calls = calls.remove(&turn.index).unwrap_or_default();
            let calls = calls.into_iter().map(|call| call.into_call(id)).collect::<Result<_, _>>()?;
            turn.into_turn(id, calls)
        });
        let turns = turns.collect::<Result<_, _>>()?;
        Ok(Some(Conversation { summary: row.into_summary()?, turns }))
    }

    async fn put_agent(&self, agent: &AgentRecord) -> Result<(), StoreError> {
        agents::write(&self.pool, agent).await.map_err(doing("keep an agent"))
    }

    async fn agents(&self) -> Result<Vec<AgentRecord>, StoreError> {
        let rows = agents::read(&self.pool).await.map_err(doing("read the agents"))?;
        rows.into_iter().map(agents::AgentRow::into_record).collect()
    }

    async fn delete_agent(&self, name: &str) -> Result<(), StoreError> {
        agents::delete(&self.pool, name).await.map_err(doing("delete an agent"))
    }

    async fn close(&self) {
        self.pool.close().await;
    }
}

fn doing(doing: &'static str) -> impl Fn(sqlx::Error) -> StoreError + Copy {
    move |source| StoreError::Database { doing, source }
}
