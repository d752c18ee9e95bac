//! Who can be called: the agents of the configuration, and those that were made over HTTP and are kept in the store.
//!
//! A call takes the list as it stands when it begins ([`Roster::now`]) and keeps it to its end, so that no change reaches
//! a conversation under way. Changes are checked as the configuration is (`checks`), written to the store, and only
//! then shown. `profile` reads what a client sends.

mod change;
mod checks;
mod profile;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use jiff::Timestamp;
use session::{AgentConfig, Agents, AgentsError, DEFAULT_AGENT};
use store::{AgentRecord, Store, StoreError};
use tokio::sync::Mutex;

use crate::agent::Cast;

pub(crate) use change::ChangeError;
pub(crate) use profile::{ProfileError, read as read_profile};

/// All agents, shared by HTTP and the calls.
#[derive(Clone)]
pub(crate) struct Roster {
    inner: Arc<Inner>,
}

struct Inner {
    configured: Configured,
    store: Arc<dyn Store>,
    shown: RwLock<Shown>,
    /// What agents may be given: models and tools. Not known before they are open.
    cast: OnceLock<Cast>,
    /// One change at a time.
    changing: Mutex<()>,
}

/// The agents that only the configuration changes.
struct Configured {
    default: AgentConfig,
    named: BTreeMap<String, AgentConfig>,
    /// The system prompt of those that have none.
    instructions: Option<String>,
}

/// The agents as they stand.
#[derive(Clone)]
struct Shown {
    /// As calls use them.
    agents: Arc<Agents>,
    /// Those that were made over HTTP.
    made: Arc<BTreeMap<String, Made>>,
}

/// An agent that was made over HTTP.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Made {
    /// Its profile, as it was sent.
    pub profile: AgentConfig,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// An agent and where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Entry {
    /// From the configuration.
    Configured(AgentConfig),
    /// Made over HTTP.
    Made(Made),
}

/// The agents cannot be put together. Each message follows "failed to".
#[derive(Debug, thiserror::Error)]
pub enum RosterError {
    /// Those of the configuration contradict each other.
    #[error(transparent)]
    Configured(#[from] AgentsError),
    /// Those in the store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Roster {
    /// The agents of the configuration and of the store. One in the store that this version cannot read, or whose name
    /// the configuration took meanwhile, is left out and logged: it must not keep the server from starting.
    ///
    /// # Errors
    /// When those of the configuration contradict each other, or the store cannot be read.
    pub(crate) async fn open(
        default: AgentConfig,
        named: BTreeMap<String, AgentConfig>,
        instructions: Option<String>,
        store: Arc<dyn Store>,
    ) -> Result<Self, RosterError> {
        let configured = Configured { default, named, instructions };
        let mut made: BTreeMap<String, Made> =
            store.agents().await?.into_iter().filter_map(|record| configured.admit(record)).collect();
        configured.drop_lost_hand_offs(&mut made);
        configured.log_missing(&made);
        let shown = RwLock::new(configured.with(made)?);
        let inner = Inner { configured, store, shown, cast: OnceLock::new(), changing: Mutex::default() };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// All agents as a call that begins now uses them.
    pub(crate) fn now(&self) -> Arc<Agents> {
        self.shown().agents
    }

    /// From here on agents can be changed: these are the models and tools that they may be given. An agent that names
    /// another one stays, since a server that offers a tool may only be late, and is logged.
    pub(crate) fn set_cast(&self, cast: Cast) {
        for (name, agent) in self.now().iter() {
            if let Err(cause) = checks::given(agent, &cast) {
                tracing::warn!(agent = name, %cause, "an agent names what nobody offers");
            }
        }
        drop(self.inner.cast.set(cast));
    }

    /// All agents with their names.
    pub(crate) fn entries(&self) -> Vec<(String, Entry)> {
        let Shown { agents, made } = self.shown();
        agents
            .iter()
            .map(|(name, agent)| {
                let made = made.get(name).cloned().map(Entry::Made);
                (name.to_owned(), made.unwrap_or_else(|| Entry::Configured(agent.clone())))
            })
            .collect()
    }

    /// The agent of this name.
    pub(crate) fn entry(&self, name: &str) -> Option<Entry> {
        let Shown { agents, made } = self.shown();
        match made.get(name) {
            Some(made) => Some(Entry::Made(made.clone())),
            None => agents.get(name).cloned().map(Entry::Configured),
        }
    }

    fn shown(&self) -> Shown {
        self.inner.shown.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn show(&self, shown: Shown) {
        *self.inner.shown.write().unwrap_or_else(PoisonError::into_inner) = shown;
    }
}

impl Configured {
    fn has(&self, name: &str) -> bool {
        name == DEFAULT_AGENT || self.named.contains_key(name)
    }

    /// All agents together.
    fn with(&self, made: BTreeMap<String, Made>) -> Result<Shown, AgentsError> {
        // An agent of the configuration may name one that is not made yet: it is offered from when it is.
        let offered = |agent: &AgentConfig| {
            let mut agent = agent.clone();
            agent.hand_off.retain(|to| self.has(to) || made.contains_key(to));
            agent
        };
        let mut named: BTreeMap<_, _> = self.named.iter().map(|(name, agent)| (name.clone(), offered(agent))).collect();
        named.extend(made.iter().map(|(name, made)| (name.clone(), made.profile.clone())));
        let mut agents = Agents::new(offered(&self.default), named)?;
        if let Some(instructions) = &self.instructions {
            agents.set_missing_instructions(instructions);
        }
        Ok(Shown { agents: Arc::new(agents), made: Arc::new(made) })
    }

    /// Says to whom agents of the configuration may hand over once somebody makes it; it may also be misspelt.
    fn log_missing(&self, made: &BTreeMap<String, Made>) {
        let default = (DEFAULT_AGENT, &self.default);
        let named = self.named.iter().map(|(name, agent)| (name.as_str(), agent));
        for (name, agent) in named.chain([default]) {
            for to in agent.hand_off.iter().filter(|to| !self.has(to) && !made.contains_key(*to)) {
                tracing::warn!(
                    agent = name,
                    to,
                    "an agent may hand over to one that does not exist; it can once it is made"
                );
            }
        }
    }

    /// An agent of the store, if it can be called.
    fn admit(&self, record: AgentRecord) -> Option<(String, Made)> {
        let AgentRecord { name, profile, created_at, updated_at } = record;
        if self.has(&name) {
            tracing::warn!(agent = name, "the configuration has an agent of this name; the one in the store rests");
            return None;
        }
        match serde_json::from_str(&profile) {
            Ok(profile) => Some((name, Made { profile, created_at, updated_at })),
            Err(cause) => {
                tracing::error!(agent = name, %cause, "an agent in the store cannot be read and is left out");
                None
            }
        }
    }

    /// Agents of the store may hand over to one that is no longer configured.
    fn drop_lost_hand_offs(&self, made: &mut BTreeMap<String, Made>) {
        let known: Vec<String> = made.keys().cloned().collect();
        for (name, agent) in made {
            agent.profile.hand_off.retain(|to| {
                let is_there = self.has(to) || known.contains(to);
                if !is_there {
                    tracing::warn!(agent = name, to, "an agent may hand over to one that is gone; it no longer does");
                }
                is_there
            });
        }
    }
}

#[cfg(test)]
mod tests;
