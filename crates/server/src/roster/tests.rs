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

#[tokio::test]
async fn an_agent_of_the_configuration_hands_over_to_one_that_is_made_later_and_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = store_with(&folder, &[]).await;
    let hand_off = |to: &str| AgentConfig { hand_off: vec![to.to_owned()], ..AgentConfig::default() };
    let open = || Roster::open(hand_off("desk"), BTreeMap::new(), None, Arc::clone(&store));
    let roster = open().await.expect("an agent that is not made yet keeps nothing from starting");
    roster.set_cast(Cast::Echo);
    let of_default = |roster: &Roster| roster.now().get("default").expect("it is always there").hand_off.clone();
    assert_eq!(of_default(&roster), Vec::<String>::new(), "nobody is offered who is not there");

    let begun_before = roster.now();
    roster.create("desk", hand_off("default")).await.expect("it is made");
    assert_eq!(of_default(&roster), ["desk"]);
    assert_eq!(roster.now().get("desk").expect("it is made").hand_off, ["default"]);
    assert!(begun_before.get("desk").is_none(), "a call under way keeps what it began with");

    let again = open().await.expect("the same after a new start");
    assert_eq!(of_default(&again), ["desk"]);
    let refused = roster.delete("desk").await;
    assert!(matches!(&refused, Err(ChangeError::InUse { by, .. }) if by == "default"), "{refused:?}");
}
