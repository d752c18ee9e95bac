//! What every store must do, and what is particular to SQLite.

use std::time::Duration;

use dialogue::{CloseReason, StageTimes};
use jiff::{SignedDuration, Timestamp};
use store::{
    AgentRecord, Held, Latency, NewConversation, OpenError, SqliteStore, Store, ToolCall, ToolCallStatus, Turn,
    TurnStatus,
};

const FIRST: &str = "01930000-0000-7000-8000-000000000001";
const SECOND: &str = "01930000-0000-7000-8000-000000000002";
const THIRD: &str = "01930000-0000-7000-8000-000000000003";

/// The suite: give it an empty store.
async fn contract(store: &dyn Store) {
    an_unknown_conversation_is_none(store).await;
    a_turn_needs_its_conversation(store).await;
    a_turn_is_kept_as_it_happens(store).await;
    tool_calls_are_kept_in_order_as_they_come_back(store).await;
    the_first_ending_stands(store).await;
    lists_newest_first_in_pages(store).await;
    a_crash_leaves_nothing_active(store).await;
    an_ended_conversation_goes_on(store).await;
    agents_are_kept_by_name(store).await;
}

async fn an_unknown_conversation_is_none(store: &dyn Store) {
    assert_eq!(store.get(FIRST).await.expect("read"), None);
    assert_eq!(store.list(10, None).await.expect("list"), store::Page::default());
}

async fn a_turn_needs_its_conversation(store: &dyn Store) {
    store.record_turn(FIRST, &turn(1, TurnStatus::InProgress)).await.expect_err("nothing was begun");
}

async fn a_turn_is_kept_as_it_happens(store: &dyn Store) {
    begin(store, FIRST).await;
    begin(store, FIRST).await;
    let begun = turn(1, TurnStatus::InProgress);
    store.record_turn(FIRST, &begun).await.expect("record");
    let active = store.get(FIRST).await.expect("read").expect("begun");
    assert_eq!((active.summary.ending, active.summary.turn_count), (None, 1));
    assert_eq!(active.turns, std::slice::from_ref(&begun));

    let ended = Turn {
        status: TurnStatus::Interrupted,
        started_at: begun.started_at + SignedDuration::from_secs(9),
        agent_text: "A dog. Or a cat.".to_owned(),
        heard_text: "A dog.".to_owned(),
        latency: Some(latency()),
        heard: Some(Duration::from_millis(1_240)),
        ..begun.clone()
    };
    store.record_turn(FIRST, &ended).await.expect("record");
    let active = store.get(FIRST).await.expect("read").expect("begun");
    assert_eq!(active.turns, [Turn { started_at: begun.started_at, ..ended }]);
    assert_eq!(active.summary.preview.as_deref(), Some("should I get a dog, or a \"cat\"? ünïcode"));
}

async fn tool_calls_are_kept_in_order_as_they_come_back(store: &dyn Store) {
    let mut asked = store.get(FIRST).await.expect("read").expect("begun").turns.remove(0);
    // Two calls of one model may well have the same id: their order tells them apart.
    asked.tool_calls = vec![running("call_1"), running("call_1")];
    store.record_turn(FIRST, &asked).await.expect("record");
    assert_eq!(store.get(FIRST).await.expect("read").expect("begun").turns, std::slice::from_ref(&asked));

    let mut later = asked.clone();
    later.tool_calls[1] = ToolCall {
        status: ToolCallStatus::Completed,
        result: Some("21 °C".to_owned()),
        heard_before: 6,
        started_at: moment(77),
        finished_at: Some(moment(5)),
        ..running("call_1")
    };
    later.tool_calls.push(running("call_2"));
    store.record_turn(FIRST, &later).await.expect("record");
    later.tool_calls[1].started_at = asked.tool_calls[1].started_at;
    assert_eq!(store.get(FIRST).await.expect("read").expect("begun").turns, [later], "all but the start is replaced");
}

async fn the_first_ending_stands(store: &dyn Store) {
    store.record_turn(FIRST, &turn(2, TurnStatus::InProgress)).await.expect("record");
    store.end(FIRST, moment(60), CloseReason::CallerHungUp).await.expect("end");
    store.end(FIRST, moment(99), CloseReason::Failed).await.expect("end again");
    let ended = store.get(FIRST).await.expect("read").expect("begun");
    let ending = ended.summary.ending.expect("ended");
    assert_eq!((ending.at, ending.reason), (moment(60), CloseReason::CallerHungUp));
    assert_eq!(ended.turns[1].status, TurnStatus::Failed, "a turn cannot outlive its conversation");
    assert_eq!(ended.turns[0].status, TurnStatus::Interrupted);
    let status: Vec<ToolCallStatus> = ended.turns[0].tool_calls.iter().map(|call| call.status).collect();
    let expected = [ToolCallStatus::Incomplete, ToolCallStatus::Completed, ToolCallStatus::Incomplete];
    assert_eq!(status, expected, "nor can a tool call");
}

async fn lists_newest_first_in_pages(store: &dyn Store) {
    begin(store, SECOND).await;
    begin(store, THIRD).await;
    let page = store.list(2, None).await.expect("list");
    assert_eq!(ids(&page), [THIRD, SECOND]);
    assert!(page.has_more);
    let page = store.list(2, Some(SECOND)).await.expect("list");
    assert_eq!(ids(&page), [FIRST]);
    assert!(!page.has_more);
    assert_eq!(page.summaries[0].turn_count, 2);
}

async fn a_crash_leaves_nothing_active(store: &dyn Store) {
    let asked = Turn { tool_calls: vec![running("call_1")], ..turn(1, TurnStatus::InProgress) };
    store.record_turn(THIRD, &asked).await.expect("record");
    let day = Duration::from_secs(86_400);
    assert!(store.end_abandoned(moment(110), day).await.expect("end abandoned").is_empty(), "its holder was heard of");
    assert_eq!(store.end_abandoned(moment(120), Duration::ZERO).await.expect("end abandoned"), [SECOND, THIRD]);
    assert!(store.end_abandoned(moment(130), Duration::ZERO).await.expect("end abandoned").is_empty());
    let third = store.get(THIRD).await.expect("read").expect("begun");
    assert_eq!(third.summary.ending.map(|ending| ending.reason), Some(CloseReason::Shutdown));
    assert_eq!(third.turns[0].status, TurnStatus::Failed);
    assert_eq!(third.turns[0].tool_calls[0].status, ToolCallStatus::Incomplete);
    let first = store.get(FIRST).await.expect("read").expect("begun");
    assert_eq!(first.summary.ending.map(|ending| ending.reason), Some(CloseReason::CallerHungUp));
}

async fn an_ended_conversation_goes_on(store: &dyn Store) {
    begin(store, FIRST).await;
    let again = store.get(FIRST).await.expect("read").expect("kept");
    assert_eq!((again.summary.ending, again.turns.len()), (None, 2), "it is open again, with all its turns");
    store.end(FIRST, moment(200), CloseReason::AgentHungUp).await.expect("end");
    let ended = store.get(FIRST).await.expect("read").expect("kept");
    assert_eq!(ended.summary.ending.map(|ending| ending.at), Some(moment(200)));
}

async fn agents_are_kept_by_name(store: &dyn Store) {
    assert_eq!(store.agents().await.expect("read"), []);
    let agent = |name: &str, profile: &str, second| AgentRecord {
        name: name.to_owned(),
        profile: profile.to_owned(),
        created_at: moment(second),
        updated_at: moment(second),
    };
    for record in [agent("sales", "{\"greeting\":\"Grüß Gott\"}", 1), agent("billing", "{}", 2)] {
        store.put_agent(&record).await.expect("keep");
    }
    store.put_agent(&agent("sales", "{}", 9)).await.expect("replace");
    let changed = AgentRecord { created_at: moment(1), ..agent("sales", "{}", 9) };
    assert_eq!(store.agents().await.expect("read"), [agent("billing", "{}", 2), changed.clone()]);
    store.delete_agent("billing").await.expect("delete");
    store.delete_agent("billing").await.expect("it is gone already");
    assert_eq!(store.agents().await.expect("read"), [changed]);
}

#[tokio::test]
async fn sqlite_keeps_the_contract() {
    let folder = tempfile::tempdir().expect("a folder");
    contract(&open(&folder, "deep/er/antiphon.db").await).await;
}

/// As two orchestrators do.
#[tokio::test]
async fn a_conversation_is_written_by_whoever_began_it_last() {
    let folder = tempfile::tempdir().expect("a folder");
    let (dead, heir) = (open(&folder, "antiphon.db").await, open(&folder, "antiphon.db").await);
    begin(&dead, FIRST).await;
    assert_eq!(dead.record_turn(FIRST, &turn(1, TurnStatus::InProgress)).await.expect("record"), Held::Here);
    begin(&heir, FIRST).await;
    let amended = Turn { heard_text: "A dog.".to_owned(), ..turn(1, TurnStatus::Interrupted) };
    assert_eq!(heir.record_turn(FIRST, &amended).await.expect("record"), Held::Here);
    // It was not dead, only slow, and has not heard of the other yet.
    assert_eq!(dead.record_turn(FIRST, &turn(1, TurnStatus::Failed)).await.expect("record"), Held::Elsewhere);
    assert_eq!(dead.end(FIRST, moment(60), CloseReason::ConnectionLost).await.expect("end"), Held::Elsewhere);
    let kept = heir.get(FIRST).await.expect("read").expect("begun");
    assert_eq!((kept.turns, kept.summary.ending), (vec![amended], None));
    assert_eq!(heir.end(FIRST, moment(70), CloseReason::CallerHungUp).await.expect("end"), Held::Here);
}

#[tokio::test]
async fn what_is_kept_alive_is_not_abandoned() {
    let folder = tempfile::tempdir().expect("a folder");
    let (dead, alive) = (open(&folder, "antiphon.db").await, open(&folder, "antiphon.db").await);
    begin(&dead, FIRST).await;
    begin(&alive, SECOND).await;
    // An hour passes.
    let url = format!("sqlite://{}", folder.path().join("antiphon.db").display());
    let database = sqlx::SqlitePool::connect(&url).await.expect("the same file");
    let earlier = "UPDATE conversations SET alive_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-3600 seconds')";
    assert_eq!(sqlx::query(earlier).execute(&database).await.expect("changed").rows_affected(), 2);
    alive.keep_alive().await.expect("it lives");
    let minute = Duration::from_secs(60);
    assert_eq!(alive.end_abandoned(moment(120), minute).await.expect("end abandoned"), [FIRST]);
    assert_eq!(alive.get(SECOND).await.expect("read").expect("begun").summary.ending, None);
}

#[tokio::test]
async fn conversations_survive_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(&folder, "antiphon.db").await;
    begin(&store, FIRST).await;
    store.record_turn(FIRST, &turn(1, TurnStatus::Completed)).await.expect("record");
    store.close().await;
    let store = open(&folder, "antiphon.db").await;
    assert_eq!(store.get(FIRST).await.expect("read").expect("kept").turns.len(), 1);
}

#[tokio::test]
async fn no_turn_and_no_tool_call_outlives_its_conversation() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(&folder, "antiphon.db").await;
    begin(&store, FIRST).await;
    let asked = Turn { tool_calls: vec![running("call_1")], ..turn(1, TurnStatus::Completed) };
    store.record_turn(FIRST, &asked).await.expect("record");
    let url = format!("sqlite://{}", folder.path().join("antiphon.db").display());
    let database = sqlx::SqlitePool::connect(&url).await.expect("the same file");
    sqlx::query("DELETE FROM conversations").execute(&database).await.expect("deleted");
    let left = "SELECT (SELECT count(*) FROM turns) + (SELECT count(*) FROM tool_calls)";
    assert_eq!(sqlx::query_scalar::<_, i64>(left).fetch_one(&database).await.expect("a count"), 0);
}

#[tokio::test]
async fn many_calls_record_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(&folder, "antiphon.db").await;
    let mut calls = tokio::task::JoinSet::new();
    for call in 0..32 {
        let store = store.clone();
        calls.spawn(async move {
            let id = format!("01930000-0000-7000-8000-{call:012}");
            begin(&store, &id).await;
            for index in 1..=8 {
                store.record_turn(&id, &turn(index, TurnStatus::Completed)).await.expect("record");
            }
            store.end(&id, moment(60), CloseReason::CallerHungUp).await.expect("end");
        });
    }
    while let Some(call) = calls.join_next().await {
        call.expect("a call records");
    }
    let page = store.list(100, None).await.expect("list");
    assert!(page.summaries.iter().all(|summary| summary.turn_count == 8 && summary.ending.is_some()));
    assert_eq!(page.summaries.len(), 32);
}

#[tokio::test]
async fn what_cannot_be_opened_says_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let blocked = folder.path().join("file");
    std::fs::write(&blocked, "not a folder").expect("write");
    let error = SqliteStore::open(&format!("sqlite://{}/antiphon.db", blocked.display())).await;
    assert!(matches!(error, Err(OpenError::Folder { .. })), "{error:?}");

    let garbage = folder.path().join("garbage.db");
    std::fs::write(&garbage, "this is not a database".repeat(100)).expect("write");
    let error = SqliteStore::open(&format!("sqlite://{}", garbage.display())).await;
    assert!(matches!(error, Err(OpenError::File { .. })), "{error:?}");

    for url in ["sqlite://", "sqlite://:memory:", "antiphon.db", "postgres://host/db"] {
        let error = SqliteStore::open(url).await;
        assert!(matches!(error, Err(OpenError::NotAPath { .. })), "{url}: {error:?}");
    }
}

async fn open(folder: &tempfile::TempDir, name: &str) -> SqliteStore {
    SqliteStore::open(&format!("sqlite://{}", folder.path().join(name).display())).await.expect("the store opens")
}

async fn begin(store: &dyn Store, id: &str) {
    store.begin(&NewConversation { id: id.to_owned(), created_at: moment(0) }).await.expect("begin");
}

fn turn(index: u32, status: TurnStatus) -> Turn {
    Turn {
        index,
        status,
        started_at: moment(index.into()),
        user_text: "should I get a dog, or a \"cat\"? ünïcode".to_owned(),
        agent_text: String::new(),
        heard_text: String::new(),
        latency: None,
        heard: None,
        tool_calls: Vec::new(),
    }
}

fn running(id: &str) -> ToolCall {
    ToolCall {
        id: id.to_owned(),
        name: "weather".to_owned(),
        arguments: "{\"city\": \"Köln\"}".to_owned(),
        status: ToolCallStatus::InProgress,
        result: None,
        heard_before: 0,
        started_at: moment(3),
        finished_at: None,
    }
}

fn latency() -> Latency {
    let ms = Duration::from_millis;
    Latency {
        voice_to_voice: ms(700) + Duration::from_micros(7),
        stages: StageTimes {
            endpoint: ms(260),
            stt: ms(40),
            llm_first_token: ms(210),
            first_clause: ms(110),
            tts: ms(60),
            playout: ms(20) + Duration::from_micros(7),
        },
    }
}

fn moment(second: i64) -> Timestamp {
    Timestamp::new(1_795_000_000 + second, 123_000_000).expect("in range")
}

fn ids(page: &store::Page) -> Vec<&str> {
    page.summaries.iter().map(|summary| summary.id.as_str()).collect()
}
