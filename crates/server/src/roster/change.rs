//! Changing the roster: check, write to the store, show.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use session::AgentConfig;
use store::{AgentRecord, StoreError};

use super::{Made, Roster, Shown, checks};

/// Agents that may be made over HTTP: far more than a switchboard has, and few enough to be copied at each change.
const MAX_MADE: usize = 1_000;

/// A change that is not made. Each message is for whoever asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChangeError {
    /// Models and tools are not open yet, so nobody can tell which an agent may be given.
    #[error("the server is still starting; try again in a few seconds")]
    NotReady,
    /// There is no such agent.
    #[error("there is no agent `{0}`; known are: {1}")]
    Unknown(String, String),
    /// It belongs to the configuration.
    #[error("agent `{0}` is set in the configuration; change its section `{1}` there, and start the server anew")]
    Configured(String, String),
    /// The name is taken.
    #[error("there is an agent `{0}` already; change it with PUT /v1/agents/{0}")]
    Exists(String),
    /// Others hand over to it.
    #[error("agent `{name}` cannot go while others may hand over to it: {by}")]
    InUse {
        /// The agent.
        name: String,
        /// Who hands over.
        by: String,
    },
    /// There are too many.
    #[error("there are {MAX_MADE} agents already; delete some first")]
    TooMany,
    /// The profile cannot be used.
    #[error("{0}")]
    Unusable(#[from] checks::Unusable),
    /// It cannot be kept.
    #[error("the agent cannot be kept; see the server's log")]
    Store(#[from] StoreError),
}

impl Roster {
    /// Makes an agent.
    ///
    /// # Errors
    /// When the name is taken or no name, the profile cannot be used, or it cannot be kept.
    pub(crate) async fn create(&self, name: &str, profile: AgentConfig) -> Result<Made, ChangeError> {
        let _one_at_a_time = self.inner.changing.lock().await;
        checks::name(name)?;
        self.refuse_configured(name)?;
        let made = self.shown().made;
        if made.contains_key(name) {
            return Err(ChangeError::Exists(name.to_owned()));
        }
        if made.len() >= MAX_MADE {
            return Err(ChangeError::TooMany);
        }
        let now = Timestamp::now();
        self.keep(name, Made { profile, created_at: now, updated_at: now }).await
    }

    /// Gives an agent another profile. Calls under way go on with the one they have.
    ///
    /// # Errors
    /// When there is none of this name, the profile cannot be used, or it cannot be kept.
    pub(crate) async fn replace(&self, name: &str, profile: AgentConfig) -> Result<Made, ChangeError> {
        let _one_at_a_time = self.inner.changing.lock().await;
        self.refuse_configured(name)?;
        let created_at = self.shown().made.get(name).ok_or_else(|| self.unknown(name))?.created_at;
        self.keep(name, Made { profile, created_at, updated_at: Timestamp::now() }).await
    }

    /// Deletes an agent. Calls under way go on with it.
    ///
    /// # Errors
    /// When there is none of this name, others may hand over to it, or the store fails.
    pub(crate) async fn delete(&self, name: &str) -> Result<(), ChangeError> {
        let _one_at_a_time = self.inner.changing.lock().await;
        self.refuse_configured(name)?;
        let Shown { agents, made } = self.shown();
        if !made.contains_key(name) {
            return Err(self.unknown(name));
        }
        let hands_over =
            |(other, agent): &(&str, &AgentConfig)| *other != name && agent.hand_off.iter().any(|to| to == name);
        let by: Vec<&str> = agents.iter().filter(hands_over).map(|(other, _)| other).collect();
        if !by.is_empty() {
            return Err(ChangeError::InUse { name: name.to_owned(), by: by.join(", ") });
        }
        let mut left = BTreeMap::clone(&made);
        left.remove(name);
        let shown = self.with(left)?;
        self.inner.store.delete_agent(name).await?;
        self.show(shown);
        Ok(())
    }

    /// Checks an agent, writes it down and shows it.
    async fn keep(&self, name: &str, agent: Made) -> Result<Made, ChangeError> {
        let cast = self.inner.cast.get().ok_or(ChangeError::NotReady)?;
        checks::profile(&agent.profile, cast)?;
        let mut made = BTreeMap::clone(&self.shown().made);
        made.insert(name.to_owned(), agent.clone());
        let shown = self.with(made)?;
        let profile =
            serde_json::to_string(&agent.profile).map_err(|cause| checks::Unusable::new(cause.to_string()))?;
        let Made { created_at, updated_at, .. } = agent;
        self.inner.store.put_agent(&AgentRecord { name: name.to_owned(), profile, created_at, updated_at }).await?;
        self.show(shown);
        Ok(agent)
    }

    fn with(&self, made: BTreeMap<String, Made>) -> Result<Shown, ChangeError> {
        self.inner
            .configured
            .with(made)
            .map_err(|contradiction| checks::Unusable::new(contradiction.to_string()).into())
    }

    fn refuse_configured(&self, name: &str) -> Result<(), ChangeError> {
        if !self.inner.configured.has(name) {
            return Ok(());
        }
        let section = if name == session::DEFAULT_AGENT { "[agent]".to_owned() } else { format!("[agents.{name}]") };
        Err(ChangeError::Configured(name.to_owned(), section))
    }

    /// There is no agent of this name, but others.
    pub(crate) fn unknown(&self, name: &str) -> ChangeError {
        let agents: Arc<session::Agents> = self.now();
        let known: Vec<&str> = agents.iter().map(|(name, _)| name).collect();
        ChangeError::Unknown(name.to_owned(), known.join(", "))
    }
}
