//! Reading the settings, and saying clearly what is wrong with them.

use std::path::{Path, PathBuf};

use figment::Figment;
use figment::error::Kind;
use figment::providers::{Env, Format, Toml};
use session::AgentConfig;

use super::{Config, IceServerConfig, IceServerError};

/// Read when no file is named, and there is one.
const DEFAULT_FILE: &str = "antiphon.toml";
/// What a variable begins with: `ANTIPHON__SERVER__LISTEN` is `server.listen`.
const ENV_PREFIX: &str = "ANTIPHON__";

/// The settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The named file is not there or cannot be read.
    #[error("read the configuration {}: {source}; name another file with --config", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A key that does not exist.
    #[error("read the configuration: {origin} sets the unknown key {key}; allowed here: {allowed}")]
    UnknownKey {
        /// The key with its section.
        key: String,
        /// The file or the variable.
        origin: String,
        /// The keys that exist beside it.
        allowed: String,
    },
    /// A value of the wrong kind, or a file that is not TOML.
    #[error("read the configuration: {origin}: {reason}")]
    Invalid {
        /// The file or the variable, with the key if it is known.
        origin: String,
        /// What is wrong.
        reason: String,
    },
    /// The agents contradict each other.
    #[error("use the agents: {0}")]
    Agents(#[from] session::AgentsError),
    /// A webhook that cannot be used.
    #[error("use the tools: {0}")]
    Tools(#[from] providers::tools::WebhooksError),
    /// A STUN or TURN server that cannot be used.
    #[error(transparent)]
    IceServers(#[from] IceServerError),
    /// A value that is well formed and cannot be used.
    #[error("use the setting {key} = \"{value}\": {reason}")]
    Unusable {
        /// The key with its section.
        key: &'static str,
        /// Its value.
        value: String,
        /// What would do.
        reason: String,
    },
}

/// Reads the defaults, then `file` (or `antiphon.toml` if there is one), then the environment, and checks the result.
///
/// # Errors
/// When the file is missing though it was named, a key is unknown, or a value cannot be used.
pub fn load(file: Option<&Path>) -> Result<Config, ConfigError> {
    from_sources(file, Env::prefixed(ENV_PREFIX).split("__"))
}

fn from_sources(file: Option<&Path>, env: Env) -> Result<Config, ConfigError> {
    let mut figment = Figment::new();
    if let Some(path) = file {
        std::fs::File::open(path).map_err(|source| ConfigError::File { path: path.to_owned(), source })?;
        figment = figment.merge(Toml::file_exact(path));
    } else if Path::new(DEFAULT_FILE).exists() {
        figment = figment.merge(Toml::file_exact(DEFAULT_FILE));
    }
    let figment = figment.merge(env);
    let config = figment.extract().map_err(|error| explain(&figment, error))?;
    check(&config)?;
    Ok(config)
}

fn check_agents(config: &Config) -> Result<(), ConfigError> {
    // To whom they hand over may be an agent that is made over HTTP: the roster knows.
    session::Agents::check_names(&config.agents)?;
    providers::tools::Webhooks::new(&config.tools.webhook)?;
    config.agents.values().chain([&config.agent]).try_for_each(check_agent)
}

/// Whether an agent can be used, others apart.
///
/// # Errors
/// When one of its settings cannot be used.
pub(crate) fn check_agent(agent: &AgentConfig) -> Result<(), ConfigError> {
    match agent.turn_taking.completeness_threshold {
        Some(threshold) if !(threshold > 0.0 && threshold < 1.0) => Err(ConfigError::Unusable {
            key: "agent.turn_taking.completeness_threshold",
            value: threshold.to_string(),
            reason: "a probability between 0 and 1 is needed, such as 0.5".to_owned(),
        }),
        Some(_) | None => Ok(()),
    }
}

fn check(config: &Config) -> Result<(), ConfigError> {
    check_agents(config)?;
    config.ice_servers.iter().try_for_each(IceServerConfig::check)?;
    if let Some(reason) = config.bus.complaint() {
        return Err(ConfigError::Unusable { key: "bus.url", value: config.bus.url.clone(), reason: reason.to_owned() });
    }
    if let Err(cause) = tracing_subscriber::EnvFilter::try_new(&config.log.level) {
        return Err(ConfigError::Unusable {
            key: "log.level",
            value: config.log.level.clone(),
            reason: format!("{cause}; write error, warn, info, debug or trace"),
        });
    }
    if let Some(url) = config.store.url.as_ref().filter(|url| !url.starts_with("sqlite://")) {
        return Err(ConfigError::Unusable {
            key: "store.url",
            value: url.clone(),
            reason: "write the path of a file, such as \"sqlite:///var/lib/antiphon/antiphon.db\"".to_owned(),
        });
    }
    for url in &config.server.orchestrators {
        if let Err(cause) = check_address(url) {
            let reason = format!("{cause}; write something like \"http://orchestrator:8001\"");
            return Err(ConfigError::Unusable { key: "server.orchestrators", value: url.clone(), reason });
        }
    }
    if config.models.threads == Some(0) {
        return Err(ConfigError::Unusable {
            key: "models.threads",
            value: "0".to_owned(),
            reason: "write 1 or more, or leave it out to decide by the machine".to_owned(),
        });
    }
    Ok(())
}

fn check_address(url: &str) -> Result<(), String> {
    let parsed: reqwest::Url = url.parse().map_err(|cause| format!("{cause}"))?;
    let is_bare = matches!(parsed.scheme(), "http" | "https") && parsed.path() == "/" && parsed.query().is_none();
    if is_bare { Ok(()) } else { Err("a scheme, a host and a port are needed, and nothing else".to_owned()) }
}

fn explain(figment: &Figment, error: figment::Error) -> ConfigError {
    let mut path = error.path;
    if let Kind::UnknownField(field, allowed) = &error.kind {
        // The path leads to the key itself, or only to its section when that is all that is wrong there.
        if path.last() != Some(field) {
            path.push(field.clone());
        }
        let key = path.join(".");
        return ConfigError::UnknownKey { origin: origin(figment, &key), allowed: allowed.join(", "), key };
    }
    let key = path.join(".");
    let origin = match key.as_str() {
        "" => error.metadata.as_ref().map_or_else(|| "a file".to_owned(), describe),
        key => format!("{key} in {}", origin(figment, key)),
    };
    ConfigError::Invalid { origin, reason: one_line(&error.kind.to_string()) }
}

/// Where a key was set: the file's name, or the variable's.
fn origin(figment: &Figment, key: &str) -> String {
    match figment.find_metadata(key) {
        Some(metadata) if metadata.source.is_none() => {
            format!("the environment variable {ENV_PREFIX}{}", key.replace('.', "__").to_uppercase())
        }
        Some(metadata) => describe(metadata),
        None => "the configuration".to_owned(),
    }
}

fn describe(metadata: &figment::Metadata) -> String {
    metadata.source.as_ref().map_or_else(|| "the environment".to_owned(), |source| format!("the file {source}"))
}

/// A TOML error shows the line with a caret below; here only its first and last line say something.
fn one_line(message: &str) -> String {
    let mut lines = message.lines().map(str::trim).filter(|line| !line.is_empty());
    match (lines.next(), lines.next_back()) {
        (Some(first), Some(last)) => format!("{first}: {last}"),
        (Some(only), None) => only.to_owned(),
        (None, _) => "it cannot be read".to_owned(),
    }
}

#[cfg(test)]
pub(super) fn load_only(toml: &str) -> Result<Config, ConfigError> {
    let figment = Figment::from(Toml::string(toml));
    let config = figment.extract().map_err(|error| explain(&figment, error))?;
    check(&config)?;
    Ok(config)
}
