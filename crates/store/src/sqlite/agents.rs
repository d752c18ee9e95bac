//! The table `agents`.

use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{FromRow, Row};

use super::rows::moment_text;
use crate::{AgentRecord, StoreError};

const WRITE: &str = "\
    INSERT INTO agents (name, profile, created_at, updated_at) VALUES (?, ?, ?, ?) \
    ON CONFLICT (name) DO UPDATE SET profile = excluded.profile, updated_at = excluded.updated_at";

const READ: &str = "SELECT name, profile, created_at, updated_at FROM agents ORDER BY name";

const DELETE: &str = "DELETE FROM agents WHERE name = ?";

/// Writes an agent; one that is there already keeps when it was made.
pub(super) async fn write(pool: &SqlitePool, agent: &AgentRecord) -> sqlx::Result<()> {
    sqlx::query(WRITE)
        .bind(&agent.name)
        .bind(&agent.profile)
        .bind(moment_text(agent.created_at))
        .bind(moment_text(agent.updated_at))
        .execute(pool)
        .await?;
    Ok(())
}

/// All agents by name.
pub(super) async fn read(pool: &SqlitePool) -> sqlx::Result<Vec<AgentRow>> {
    sqlx::query_as(READ).fetch_all(pool).await
}

/// Deletes an agent.
pub(super) async fn delete(pool: &SqlitePool, name: &str) -> sqlx::Result<()> {
    sqlx::query(DELETE).bind(name).execute(pool).await?;
    Ok(())
}

/// A row of `agents`.
pub(super) struct AgentRow {
    name: String,
    profile: String,
    created_at: String,
    updated_at: String,
}

impl FromRow<'_, SqliteRow> for AgentRow {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        Ok(Self {
            name: row.try_get("name")?,
            profile: row.try_get("profile")?,
            created_at: row.try_get("created_at")?,
            updated_at: row.try_get("updated_at")?,
        })
    }
}

impl AgentRow {
    pub(super) fn into_record(self) -> Result<AgentRecord, StoreError> {
        let corrupt = |column| StoreError::CorruptAgent { name: self.name.clone(), column };
        let created_at = self.created_at.parse().map_err(|_| corrupt("created_at"))?;
        let updated_at = self.updated_at.parse().map_err(|_| corrupt("updated_at"))?;
        Ok(AgentRecord { created_at, updated_at, name: self.name, profile: self.profile })
    }
}
