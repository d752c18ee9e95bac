//! The table `tool_calls`.

use std::collections::HashMap;

use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{FromRow, Row};

use super::rows::moment_text;
use crate::{StoreError, ToolCall, ToolCallStatus, Turn};

const WRITE: &str = "\
    INSERT INTO tool_calls (conversation_id, turn_index, call_index, call_id, name, arguments, status, result, \
        heard_before, started_at, finished_at) \
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
    ON CONFLICT (conversation_id, turn_index, call_index) DO UPDATE SET call_id = excluded.call_id, \
        name = excluded.name, arguments = excluded.arguments, status = excluded.status, result = excluded.result, \
        heard_before = excluded.heard_before, finished_at = excluded.finished_at";

const READ: &str = "\
    SELECT turn_index, call_id, name, arguments, status, result, heard_before, started_at, finished_at \
    FROM tool_calls WHERE conversation_id = ? ORDER BY turn_index, call_index";

const ABANDON_OF: &str = "UPDATE tool_calls SET status = ? WHERE conversation_id = ? AND status = ?";

/// Writes the calls of a turn as they stand.
pub(super) async fn write(database: &mut SqliteConnection, conversation_id: &str, turn: &Turn) -> sqlx::Result<()> {
    for (index, call) in (1_i64..).zip(&turn.tool_calls) {
        sqlx::query(WRITE)
            .bind(conversation_id)
            .bind(turn.index)
            .bind(index)
            .bind(&call.id)
            .bind(&call.name)
            .bind(&call.arguments)
            .bind(status_text(call.status))
            .bind(&call.result)
            .bind(call.heard_before)
            .bind(moment_text(call.started_at))
            .bind(call.finished_at.map(moment_text))
            .execute(&mut *database)
            .await?;
    }
    Ok(())
}

/// The calls of a conversation by their turn, in order.
pub(super) async fn read(
    database: &mut SqliteConnection,
    conversation_id: &str,
) -> sqlx::Result<HashMap<u32, Vec<CallRow>>> {
    let rows: Vec<CallRow> = sqlx::query_as(READ).bind(conversation_id).fetch_all(database).await?;
    let mut by_turn = HashMap::<u32, Vec<CallRow>>::new();
    for row in rows {
        by_turn.entry(row.turn_index).or_default().push(row);
    }
    Ok(by_turn)
}

/// Nothing more comes of the calls of this conversation that still run.
pub(super) async fn abandon_of(database: &mut SqliteConnection, conversation_id: &str) -> sqlx::Result<()> {
    sqlx::query(ABANDON_OF)
        .bind(status_text(ToolCallStatus::Incomplete))
        .bind(conversation_id)
        .bind(status_text(ToolCallStatus::InProgress))
        .execute(database)
        .await?;
    Ok(())
}

/// A row of `tool_calls`.
pub(super) struct CallRow {
    turn_index: u32,
    call_id: String,
    name: String,
    arguments: String,
    status: String,
    result: Option<String>,
    heard_before: u32,
    started_at: String,
    finished_at: Option<String>,
}

impl FromRow<'_, SqliteRow> for CallRow {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        Ok(Self {
            turn_index: row.try_get("turn_index")?,
            call_id: row.try_get("call_id")?,
            name: row.try_get("name")?,
            arguments: row.try_get("arguments")?,
            status: row.try_get("status")?,
            result: row.try_get("result")?,
            heard_before: row.try_get("heard_before")?,
            started_at: row.try_get("started_at")?,
            finished_at: row.try_get("finished_at")?,
        })
    }
}

impl CallRow {
    pub(super) fn into_call(self, conversation_id: &str) -> Result<ToolCall, StoreError> {
        let corrupt = |column| StoreError::Corrupt { conversation_id: conversation_id.to_owned(), column };
        let finished_at = self.finished_at.map(|moment| moment.parse()).transpose();
        Ok(ToolCall {
            id: self.call_id,
            name: self.name,
            arguments: self.arguments,
            status: parse_status(&self.status).ok_or_else(|| corrupt("tool_calls.status"))?,
            result: self.result,
            heard_before: self.heard_before,
            started_at: self.started_at.parse().map_err(|_| corrupt("tool_calls.started_at"))?,
            finished_at: finished_at.map_err(|_| corrupt("tool_calls.finished_at"))?,
        })
    }
}

fn status_text(status: ToolCallStatus) -> &'static str {
    match status {
        ToolCallStatus::InProgress => "in_progress",
        ToolCallStatus::Completed => "completed",
        ToolCallStatus::Incomplete => "incomplete",
    }
}

fn parse_status(text: &str) -> Option<ToolCallStatus> {
    [ToolCallStatus::InProgress, ToolCallStatus::Completed, ToolCallStatus::Incomplete]
        .into_iter()
        .find(|status| status_text(*status) == text)
}
