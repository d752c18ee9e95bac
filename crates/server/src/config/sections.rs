//! The sections that belong to the server itself.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::{Dirs, Role};

/// The `[server]` section.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    /// Where HTTP is served; none is port 8080 of this machine (an orchestrator alone: 8001). Callers are not
    /// authenticated yet, so the default is this machine alone.
    pub listen: Option<SocketAddr>,
    /// How long calls may go on when the server is told to stop. Then they are hung up, or handed over.
    #[serde(with = "humantime_serde")]
    pub drain: Duration,
    /// Where a media server alone finds orchestrators' HTTP interfaces, the first that answers: for its page, and to check
    /// what callers ask for.
    pub orchestrators: Vec<String>,
    /// How long calls may take to end once they are hung up.
    #[serde(with = "humantime_serde")]
    pub shutdown_grace: Duration,
}

impl ServerConfig {
    /// Where HTTP is served.
    pub fn address(&self, role: Role) -> SocketAddr {
        let port = match role {
            Role::Both | Role::Media => 8080,
            Role::Orchestrator => 8001,
        };
        self.listen.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
    }
}

impl Default for ServerConfig {
    fn default() -> Self {
        let orchestrators = vec!["http://127.0.0.1:8001".to_owned()];
        Self { listen: None, drain: Duration::ZERO, shutdown_grace: Duration::from_secs(5), orchestrators }
    }
}

/// The `[store]` section.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreConfig {
    /// `sqlite://path`; none is a file in the user's data folder.
    pub url: Option<String>,
    /// An active conversation whose orchestrator has not been heard of for so long is over. Longer than callers wait for
    /// another orchestrator.
    #[serde(with = "humantime_serde")]
    pub abandoned_after: Duration,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self { url: None, abandoned_after: Duration::from_secs(90) }
    }
}

impl StoreConfig {
    /// The URL to open.
    pub fn url(&self, dirs: &Dirs) -> String {
        self.url.clone().unwrap_or_else(|| dirs.store_url())
    }
}

/// The `[models]` section.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelsConfig {
    /// Where the files of local models are; none is the user's cache folder.
    pub dir: Option<PathBuf>,
    /// Which language model answers.
    pub profile: Profile,
    /// Threads of the language model; none decides by the machine.
    pub threads: Option<u32>,
}

impl ModelsConfig {
    /// The folder to read.
    pub fn dir(&self, dirs: &Dirs) -> PathBuf {
        self.dir.clone().unwrap_or_else(|| dirs.models())
    }
}

/// Which language model answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// Decide by the machine.
    #[default]
    Auto,
    /// The small one, for weak machines.
    Fast,
    /// The better one.
    Good,
}

/// The `[log]` section.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// `error`, `warn`, `info`, `debug` or `trace`, also by target: `info,media=debug`.
    pub level: String,
    /// For people or for programs.
    pub format: LogFormat,
    /// Where the tape of each conversation is kept; none keeps none. A tape holds what people said.
    pub tape_dir: Option<PathBuf>,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { level: "info".to_owned(), format: LogFormat::default(), tape_dir: None }
    }
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}
