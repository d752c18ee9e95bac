//! The one typed tree of settings: defaults, then `antiphon.toml`, then the environment.
//!
//! Each section belongs to the crate it configures; `sections` holds those of this one. `load` reads and checks all of
//! it before anything else happens, and alone reads the environment.

mod accounts;
mod bus;
mod dirs;
mod ice_servers;
mod load;
mod sections;

use std::collections::BTreeMap;

use serde::Deserialize;

pub(crate) use accounts::{AccountError, account};
pub use bus::{Acks, BusConfig};
pub use dirs::Dirs;
pub use ice_servers::{IceServerConfig, IceServerError};
pub(crate) use load::check_agent;
pub use load::{ConfigError, load};
pub use sections::{LogConfig, LogFormat, ModelsConfig, Profile, ServerConfig, StoreConfig};

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Both, joined within the process.
    Both,
    /// It holds callers' transports.
    Media,
    /// It holds conversations.
    Orchestrator,
}

/// All settings.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The HTTP interface.
    pub server: ServerConfig,
    /// The WebRTC side.
    pub media: media::MediaConfig,
    /// Where conversations are kept.
    pub store: StoreConfig,
    /// The local models.
    pub models: ModelsConfig,
    /// Who answers when no other agent is asked for.
    pub agent: session::AgentConfig,
    /// Other agents, by name: called with `?agent=`, or handed a call by another agent.
    pub agents: BTreeMap<String, session::AgentConfig>,
    /// Vendors of models, by the names that agents choose them by.
    pub providers: BTreeMap<String, providers::vendors::ProviderConfig>,
    /// When a provider counts as failing, and the next one takes over.
    pub resilience: providers::resilience::ResilienceConfig,
    /// What agents may use beside the built-in tools.
    pub tools: providers::tools::ToolsConfig,
    /// How the roles reach each other.
    pub bus: BusConfig,
    /// What is logged.
    pub log: LogConfig,
    /// STUN and TURN servers that callers are told of.
    pub ice_servers: Vec<IceServerConfig>,
}

#[cfg(test)]
mod tests;
