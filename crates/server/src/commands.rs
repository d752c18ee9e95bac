//! One function for each sub-command.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;

use session::trace::ReplayError;
use tokio::signal::unix::{SignalKind, signal};

use crate::agent::{self, LoadError, VendorError, Vendors};
use crate::app::{Server, StartError};
use crate::call::CallError;
use crate::cli::{AgentKind, CallArgs, ConfigArgs, ModelsArgs, ReplayArgs, ServeArgs};
use crate::config::{self, ConfigError, Dirs, Role};
use crate::log;
use crate::models::ModelsError;
use crate::tasks::Shutdown;

/// `antiphon serve` failed.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The settings cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// It could not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The models could not be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The system does not tell when to stop.
    #[error("wait for signals: {0}")]
    Signals(std::io::Error),
}

/// Serves until SIGINT or SIGTERM.
///
/// # Errors
/// When the settings, a port, the store or a model is not usable.
pub async fn serve(args: ServeArgs) -> Result<(), ServeError> {
    run(Role::Both, args).await
}

/// The same for the media role alone.
///
/// # Errors
/// As [`serve`], and when the bus cannot be reached.
pub async fn media(config: ConfigArgs) -> Result<(), ServeError> {
    run(Role::Media, ServeArgs { config, agent: AgentKind::Echo }).await
}

/// The same for the orchestrator role alone.
///
/// # Errors
/// As [`serve`], and when the bus cannot be reached.
pub async fn orchestrator(args: ServeArgs) -> Result<(), ServeError> {
    run(Role::Orchestrator, args).await
}

async fn run(role: Role, args: ServeArgs) -> Result<(), ServeError> {
    let config = config::load(args.config.config.as_deref())?;
    log::start(&config.log);
    let mut stop = StopSignal::new().map_err(ServeError::Signals)?;
    let mut server = Server::start_role(role, config, &Dirs::from_env(), args.agent).await?;
    let stopped_early = tokio::select! {
        loaded = server.ready() => match loaded {
            Ok(()) => false,
            Err(error) => {
                server.stop().await;
                return Err(error.into());
            }
        },
        () = stop.received() => true,
    };
    if !stopped_early {
        greet(role, server.http_address());
        stop.received().await;
    }
    tracing::info!("stopping");
    // Who asks twice does not want to wait for calls to end.
    let hurry = async move { stop.received().await };
    if server.drain(hurry).await.stop().await == Shutdown::Aborted {
        tracing::warn!("some calls did not end within server.shutdown_grace and were cut");
    }
    Ok(())
}

/// The one line for people, on standard output: the log may be JSON.
fn greet(role: Role, address: SocketAddr) {
    let host = if address.ip().is_loopback() || address.ip().is_unspecified() {
        format!("localhost:{}", address.port())
    } else {
        address.to_string()
    };
    tracing::info!(%address, "ready for calls");
    let line = match role {
        Role::Both => format!("Antiphon is ready: open http://{host}"),
        Role::Media => format!("Antiphon media is ready: open http://{host}"),
        Role::Orchestrator => format!("Antiphon orchestrator is ready: http://{host}"),
    };
    // Nobody may read our output, and that is no reason to stop.
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// SIGINT and SIGTERM.
struct StopSignal {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl StopSignal {
    fn new() -> std::io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn received(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// `antiphon check` found something wrong.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The settings cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A model file is missing.
    #[error(transparent)]
    Models(#[from] LoadError),
    /// A vendor of models cannot be used as configured.
    #[error(transparent)]
    Vendors(#[from] VendorError),
}

/// Checks the settings, that every vendor has its key, and that the model files are there.
///
/// # Errors
/// When `serve` would refuse to start for one of them.
pub async fn check(args: ConfigArgs) -> Result<(), CheckError> {
    let config = config::load(args.config.as_deref())?;
    let dirs = Dirs::from_env();
    Vendors::open(&config)?;
    agent::find(AgentKind::Local, &config, &dirs).await?;
    println!("The configuration is right, and the model files are in {}.", config.models.dir(&dirs).display());
    Ok(())
}

/// `antiphon replay` failed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayFileError {
    /// The file cannot be read.
    #[error("read {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It does not play, or not as it was recorded.
    #[error(transparent)]
    Replay(#[from] ReplayError),
}

/// Plays a tape again.
///
/// # Errors
/// When the file is no tape, or the engine acts otherwise than it did.
pub fn replay(args: ReplayArgs) -> Result<(), ReplayFileError> {
    let path = args.file;
    let tape = std::fs::read_to_string(&path).map_err(|source| ReplayFileError::File { path, source })?;
    let played = session::trace::replay(&tape)?;
    println!("Played {} events; all {} actions are as they were recorded.", played.events, played.actions);
    Ok(())
}

/// Calls a server.
///
/// # Errors
/// When a file cannot be spoken, the server cannot be reached or does not answer.
pub async fn call(args: CallArgs) -> Result<(), CallError> {
    crate::call::run(args).await
}

/// Shows, fetches or checks the model files.
///
/// # Errors
/// When the settings are wrong, a pack cannot be fetched, or a file is damaged.
pub async fn models(args: ModelsArgs) -> Result<(), ModelsError> {
    crate::models::run(args).await
}
