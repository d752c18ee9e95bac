//! The columns of conversations and what they mean, and the texts that all tables share.

use dialogue::CloseReason;
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row};

use crate::{Ending, StoreError, Summary, TurnStatus};

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

pub(super) fn parse_status(text: &str) -> Option<TurnStatus> {
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
