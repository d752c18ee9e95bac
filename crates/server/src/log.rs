//! What the server says about itself, on standard error. Never what people say.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::config::{LogConfig, LogFormat};

/// Crates whose own news drown ours; the level of the configuration still overrides these.
const QUIET: &str = "str0m=warn,dimpl=warn,sqlx=warn,ort=warn,hyper=warn,reqwest=warn";

/// Starts logging for this process. A second call changes nothing.
pub(crate) fn start(config: &LogConfig) {
    let filter = EnvFilter::new(format!("{QUIET},{}", config.level));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let started = match config.format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
    if started.is_err() {
        tracing::debug!("logging was started before");
    }
}
