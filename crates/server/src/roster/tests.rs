//! What an older configuration or version left in the store does not keep the server from starting.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use session::AgentConfig;
use store::{AgentRecord, SqliteStore, Store};
use tempfile::TempDir;

use crate::agent::Cast;

use super::{ChangeError, Entry, Roster};

async fn store_with(folder: &TempDir, agents: &[(&str, &str)]) -> Arc<dyn Store> {
    let url = format!("sqlite://{}", folder.path().join("antiphon.db").display());
    let store = SqliteStore::open(&url).await.expect("the store opens");
    for (name, profile) in agents {
        let record = AgentRecord {
            name: (*name).to_owned(),
            profile: (*profile).to_owned(),
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
        };
        store.put_agent(&record).await.expect("kept");
    }
    Arc::new(store)
}

async fn open(store: &Arc<dyn Store>, configured: &[&str]) -> Roster {
    let named: BTreeMap<String, AgentConfig> =
        configured.iter().map(|name| ((*name).to_owned(), AgentConfig::default())).collect();
    let instructions = Some("Be brief.".to_owned());
    Roster::open(AgentConfig::default(), named, instructions, Arc::clone(store)).await.expect("the agents fit")
}

#[tokio::test]
async fn what_no_longer_fits_is_left_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let agents = [
        ("billing", r#"{"greeting": "The stored one."}"#),
        ("desk", r#"{"hand_off": ["billing", "gone"]}"#),
        ("newer", r#"{"mood": "good"}"#),
    ];
    let store = store_with(&folder, &agents).await;
    let roster = open(&store, &["billing"]).await;
    let names: Vec<String> = roster.entries().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["billing", "default", "desk"]);
    assert!(matches!(roster.entry("billing"), Some(Entry::Configured(agent)) if agent.greeting.is_none()));
    assert!(matches!(roster.entry("desk"), Some(Entry::Made(made)) if made.profile.hand_off == ["billing"]));
    let desk = roster.now().get("desk").cloned().expect("it can be called");
    assert_eq!(desk.instructions.as_deref(), Some("Be brief."), "as for agents of the configuration");

    let roster = open(&store, &[]).await;
    assert!(matches!(roster.entry("billing"), Some(Entry::Made(made)) if made.profile.greeting.is_some()), "it rested");
}

#[tokio::test]
async fn nothing_changes_before_the_tools_are_known() {
    let folder = tempfile::tempdir().expect("a folder");
    let roster = open(&store_with(&folder, &[]).await, &[]).await;
    let early = roster.create("desk", AgentConfig::default()).await;
    assert!(matches!(early, Err(ChangeError::NotReady)), "{early:?}");
    roster.set_cast(Cast::Echo);
    roster.create("desk", AgentConfig::default()).await.expect("now it is made");
}
