//! Files that an older version made are opened by this one, and keep what they hold.

use dialogue::CloseReason;
use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use store::{SqliteStore, Store, TurnStatus};

const FIRST_TABLES: &str = include_str!("../migrations/sqlite/0001_conversations.sql");
const FIRST_ROWS: &str = "\
    INSERT INTO conversations VALUES ('0193', '2026-11-22T19:44:09.123Z', '2026-11-22T19:45:09.123Z', 'hangup'); \
    INSERT INTO turns VALUES ('0193', 1, 'completed', '2026-11-22T19:44:12.000Z', 'Dog or cat?', 'A cat.', 'A cat.', \
        700000, 260000, 40000, 210000, 110000, 60000, 20000)";

#[tokio::test]
async fn a_file_of_the_first_version_keeps_its_rows() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("antiphon.db");
    let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let pool = SqlitePool::connect_with(options).await.expect("a file");
    let first = Migration::new(1, "conversations".into(), MigrationType::Simple, FIRST_TABLES.into_sql_str(), false);
    Migrator::with_migrations(vec![first]).run(&pool).await.expect("the first tables");
    sqlx::raw_sql(FIRST_ROWS).execute(&pool).await.expect("rows that fit");
    pool.close().await;

    let store = SqliteStore::open(&format!("sqlite://{}", path.display())).await.expect("the file opens");
    let kept = store.get("0193").await.expect("read").expect("it is there");
    assert_eq!(kept.summary.ending.map(|ending| ending.reason), Some(CloseReason::CallerHungUp));
    let [turn] = kept.turns.as_slice() else { panic!("one turn: {:?}", kept.turns) };
    assert_eq!((turn.status, turn.heard_text.as_str()), (TurnStatus::Completed, "A cat."));
    assert_eq!(turn.latency.map(|latency| latency.voice_to_voice.as_millis()), Some(700));
    assert_eq!(turn.heard, None, "the first version did not measure it");

    let mut heard = turn.clone();
    heard.heard = Some(std::time::Duration::from_millis(1_240));
    store.record_turn("0193", &heard).await.expect("the new column takes values");
    assert_eq!(store.get("0193").await.expect("read").expect("it is there").turns, [heard]);
}
