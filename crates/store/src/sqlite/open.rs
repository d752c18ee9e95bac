//! Finding, creating and migrating the file.

use std::hash::{BuildHasher as _, RandomState};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::SqlSafeStr;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use super::SqliteStore;

/// How long a writer waits for another one. Writes here take well under a millisecond, so that even a slow disk under
/// a hundred calls stays far below.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// One writer at a time is SQLite's nature; the others read.
const MAX_CONNECTIONS: u32 = 4;

/// The database could not be opened. Each message follows "failed to".
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL is not one of a SQLite file.
    #[error("open the store: {url} is not a path like sqlite:///var/lib/antiphon/antiphon.db")]
    NotAPath {
        /// What was given.
        url: String,
    },
    /// The folder of the file could not be made.
    #[error("create the store's folder {}: {source}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file could not be opened or made.
    #[error("open the store {} for writing: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: sqlx::Error,
    },
    /// The file's tables could not be brought up to date.
    #[error("bring the tables of {} up to date: {source}", path.display())]
    Migrate {
        /// The file.
        path: PathBuf,
        /// Why.
        source: MigrateError,
    },
}

impl SqliteStore {
    /// Opens the file of a `sqlite://path` URL, relative or absolute, and brings its tables up to date. Creates the
    /// file and its folders when they are missing.
    ///
    /// # Errors
    /// When the URL holds no path, the file cannot be written, or it was made by a newer version.
    pub async fn open(url: &str) -> Result<Self, OpenError> {
        let path = path_of(url)?;
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)
                .map_err(|source| OpenError::Folder { folder: folder.to_owned(), source })?;
        }
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // With the write-ahead log this may lose the last turns in a power cut, and never corrupts.
            .synchronous(SqliteSynchronous::Normal)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let pool = SqlitePoolOptions::new()
            .max_connections(MAX_CONNECTIONS)
            .connect_with(options)
            .await
            .map_err(|source| OpenError::File { path: path.clone(), source })?;
        migrator().run(&pool).await.map_err(|source| OpenError::Migrate { path, source })?;
        Ok(Self { pool, holder: holder() })
    }
}

/// Tells this store from those of other processes.
fn holder() -> String {
    // Keyed by the system's randomness.
    format!("{:016x}", RandomState::new().hash_one(std::process::id()))
}

fn migrator() -> Migrator {
    Migrator::with_migrations(vec![
        migration(1, "conversations", include_str!("../../migrations/sqlite/0001_conversations.sql")),
        migration(2, "heard and tool calls", include_str!("../../migrations/sqlite/0002_heard_and_tool_calls.sql")),
        migration(3, "agents", include_str!("../../migrations/sqlite/0003_agents.sql")),
        migration(4, "holders", include_str!("../../migrations/sqlite/0004_holders.sql")),
    ])
}

fn migration(version: i64, what: &'static str, sql: &'static str) -> Migration {
    Migration::new(version, what.into(), MigrationType::Simple, sql.into_sql_str(), false)
}

fn path_of(url: &str) -> Result<PathBuf, OpenError> {
    match url.strip_prefix("sqlite://") {
        Some(path) if !path.is_empty() && !path.starts_with(':') && !path.contains('?') => {
            Ok(Path::new(path).to_owned())
        }
        _ => Err(OpenError::NotAPath { url: url.to_owned() }),
    }
}
