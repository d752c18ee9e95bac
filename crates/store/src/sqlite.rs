//! Conversations in one SQLite file: write-ahead log, embedded migrations, embedded SQLite.
//!
//! `open` finds and prepares the file; `rows` turns the columns of conversations into domain types and back; `turns`,
//! `tool_calls` and `agents` write and read theirs.

mod agents;
mod open;
mod rows;
mod tool_calls;
mod turns;

use std::time::Duration;

use async_trait::async_trait;
use dialogue::CloseReason;
use jiff::Timestamp;
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnection;

use crate::{AgentRecord, Conversation, Held, NewConversation, Page, Store, StoreError, Turn, TurnStatus};
use rows::{SummaryRow, moment_text, reason_text, status_text};

pub use open::OpenError;

/// Conversations in one SQLite file.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    pool: SqlitePool,
    /// What the conversations are marked with that were begun here.
    holder: String,
}

/// The database's clock as moments are written, in SQL; with a modifier of SQLite's, if one is given.
macro_rules! now {
    ($($modifier:literal)?) => {
        concat!("strftime('%Y-%m-%dT%H:%M:%fZ', 'now'", $(", ", $modifier,)? ")")
    };
}

const BEGIN: &str = concat!(
    "INSERT INTO conversations (id, created_at, holder, alive_at) VALUES (?, ?, ?, ",
    now!(),
    ") ON CONFLICT (id) DO UPDATE SET ended_at = NULL, end_reason = NULL, holder = excluded.holder, \
    alive_at = excluded.alive_at"
);

const HOLDER: &str = "SELECT holder FROM conversations WHERE id = ?";

const KEEP_ALIVE: &str =
    concat!("UPDATE conversations SET alive_at = ", now!(), " WHERE holder = ? AND ended_at IS NULL");

const ABANDONED: &str = concat!(
    "SELECT id FROM conversations WHERE ended_at IS NULL AND (alive_at IS NULL OR alive_at <= ",
    now!("?"),
    ")"
);

const END: &str = "UPDATE conversations SET ended_at = ?, end_reason = ? WHERE id = ? AND ended_at IS NULL";

const FAIL_OPEN_TURNS: &str = "UPDATE turns SET status = ? WHERE conversation_id = ? AND status = ?";

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
            .bind(&self.holder)
            .execute(&self.pool)
            .await
            .map_err(doing("begin a conversation"))?;
        Ok(())
    }

    async fn record_turn(&self, conversation_id: &str, turn: &Turn) -> Result<Held, StoreError> {
        let failed = doing("record a turn");
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        if self.held(&mut transaction, conversation_id).await.map_err(failed)? == Held::Elsewhere {
            return Ok(Held::Elsewhere);
        }
        turns::write(&mut transaction, conversation_id, turn).await.map_err(failed)?;
        tool_calls::write(&mut transaction, conversation_id, turn).await.map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        Ok(Held::Here)
    }

    async fn end(&self, conversation_id: &str, at: Timestamp, reason: CloseReason) -> Result<Held, StoreError> {
        let failed = doing("end a conversation");
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        if self.held(&mut transaction, conversation_id).await.map_err(failed)? == Held::Elsewhere {
            return Ok(Held::Elsewhere);
        }
        end(&mut transaction, conversation_id, at, reason).await.map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        Ok(Held::Here)
    }

    async fn keep_alive(&self) -> Result<(), StoreError> {
        let said = sqlx::query(KEEP_ALIVE).bind(&self.holder).execute(&self.pool).await;
        said.map(drop).map_err(doing("say that conversations go on"))
    }

    async fn end_abandoned(&self, at: Timestamp, silent_for: Duration) -> Result<Vec<String>, StoreError> {
        let failed = doing("end abandoned conversations");
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        let since = format!("-{:.3} seconds", silent_for.as_secs_f64());
        let abandoned: Vec<String> =
            sqlx::query_scalar(ABANDONED).bind(since).fetch_all(&mut *transaction).await.map_err(failed)?;
        for id in &abandoned {
            end(&mut transaction, id, at, CloseReason::Shutdown).await.map_err(failed)?;
        }
        transaction.commit().await.map_err(failed)?;
        Ok(abandoned)
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

impl SqliteStore {
    /// Who holds a conversation; one that was never begun, or by an older version, counts as ours.
    async fn held(&self, database: &mut SqliteConnection, conversation_id: &str) -> sqlx::Result<Held> {
        let holder: Option<Option<String>> =
            sqlx::query_scalar(HOLDER).bind(conversation_id).fetch_optional(database).await?;
        let is_ours = holder.flatten().is_none_or(|holder| holder == self.holder);
        Ok(if is_ours { Held::Here } else { Held::Elsewhere })
    }
}

async fn end(
    database: &mut SqliteConnection,
    conversation_id: &str,
    at: Timestamp,
    reason: CloseReason,
) -> sqlx::Result<()> {
    sqlx::query(FAIL_OPEN_TURNS)
        .bind(status_text(TurnStatus::Failed))
        .bind(conversation_id)
        .bind(status_text(TurnStatus::InProgress))
        .execute(&mut *database)
        .await?;
    tool_calls::abandon_of(database, conversation_id).await?;
    let ended = sqlx::query(END).bind(moment_text(at)).bind(reason_text(reason)).bind(conversation_id);
    ended.execute(database).await.map(drop)
}

fn doing(doing: &'static str) -> impl Fn(sqlx::Error) -> StoreError + Copy {
    move |source| StoreError::Database { doing, source }
}
