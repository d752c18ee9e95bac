//! The agents that may answer, by name, and the checks of what they say about each other.

use std::collections::BTreeMap;

use crate::AgentConfig;

/// The agent that answers when no other is asked for.
pub const DEFAULT_AGENT: &str = "default";

/// All configured agents.
#[derive(Debug, Clone, PartialEq)]
pub struct Agents {
    by_name: BTreeMap<String, AgentConfig>,
}

/// The configured agents contradict each other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AgentsError {
    /// The name of the default agent is taken.
    #[error("`[agents.{DEFAULT_AGENT}]` cannot be configured: `[agent]` is that agent; choose another name")]
    NameTaken,
    /// An agent may hand over to one that does not exist.
    #[error("agent `{from}` may not hand over to `{to}`: there is no such agent; known are: {known}")]
    UnknownAgent {
        /// Who hands over.
        from: String,
        /// To whom.
        to: String,
        /// All names.
        known: String,
    },
}

impl Agents {
    /// The default agent and the named ones.
    ///
    /// # Errors
    /// When a name is taken, or an agent may hand over to one that does not exist.
    pub fn new(default: AgentConfig, named: BTreeMap<String, AgentConfig>) -> Result<Self, AgentsError> {
        Self::check_names(&named)?;
        let mut by_name = named;
        by_name.insert(DEFAULT_AGENT.to_owned(), default);
        for (from, agent) in &by_name {
            if let Some(to) = agent.hand_off.iter().find(|to| !by_name.contains_key(*to)) {
                let known = by_name.keys().cloned().collect::<Vec<_>>().join(", ");
                return Err(AgentsError::UnknownAgent { from: from.clone(), to: to.clone(), known });
            }
        }
        Ok(Self { by_name })
    }

    /// Whether all these names are free for agents beside the default one.
    ///
    /// # Errors
    /// When the name is taken.
    pub fn check_names(named: &BTreeMap<String, AgentConfig>) -> Result<(), AgentsError> {
        if named.contains_key(DEFAULT_AGENT) { Err(AgentsError::NameTaken) } else { Ok(()) }
    }

    /// The agent of this name.
    pub fn get(&self, name: &str) -> Option<&AgentConfig> {
        self.by_name.get(name)
    }

    /// All agents with their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &AgentConfig)> {
        self.by_name.iter().map(|(name, agent)| (name.as_str(), agent))
    }

    /// Gives every agent that has no instructions these, which suit the language model of this machine. Others keep
    /// what suits any.
    pub fn set_missing_instructions(&mut self, instructions: &str) {
        for agent in self.by_name.values_mut().filter(|agent| agent.llm.has_local() && agent.live.is_none()) {
            agent.instructions.get_or_insert_with(|| instructions.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Agents, AgentsError};
    use crate::AgentConfig;

    #[test]
    fn a_hand_over_to_nobody_is_found_before_any_call() {
        let default = AgentConfig { hand_off: vec!["billing".to_owned()], ..AgentConfig::default() };
        let error = Agents::new(default.clone(), BTreeMap::new()).expect_err("there is no such agent");
        assert!(matches!(&error, AgentsError::UnknownAgent { to, .. } if to == "billing"), "{error}");
        let named = BTreeMap::from([("billing".to_owned(), AgentConfig::default())]);
        assert!(Agents::new(default, named).is_ok());
    }
}
