//! Opening everything a server needs, in the order in which it may fail.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use media::Media;
use session::Providers;
use tokio::net::TcpListener;

use super::bus_ends::{self, Ends, JoinError};
use super::desk::Desk;
use super::{Server, http_listener};
use crate::agent::{self, Board, Files, LoadError, VendorError, Vendors};
use crate::cli::AgentKind;
use crate::config::{Config, Dirs, IceServerError, Role};
use crate::http::{self, Agents, HealthServices, IceServers, MediaServices, Orchestrators, Services};
use crate::metrics::Metrics;
use crate::readiness::{Readiness, Stage};
use crate::roster::RosterError;
use crate::switchboard::Switchboard;
use crate::tasks::Tasks;

/// The server could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The HTTP port cannot be had.
    #[error("listen on server.listen = {address}: {}", why(source, "server.listen", "ANTIPHON__SERVER__LISTEN"))]
    Http {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The UDP port cannot be had.
    #[error(transparent)]
    Media(#[from] media::StartError),
    /// A STUN or TURN server cannot be used as configured.
    #[error(transparent)]
    IceServers(#[from] IceServerError),
    /// The conversations cannot be kept.
    #[error("{source}; set store.url (or ANTIPHON__STORE__URL) to a file that can be written")]
    Store {
        /// Why.
        source: store::OpenError,
    },
    /// The conversations that a crash left open cannot be ended.
    #[error(transparent)]
    Mend(#[from] store::StoreError),
    /// The tapes cannot be kept.
    #[error("make the folder log.tape_dir = {}: {source}; set it to one that can be written", dir.display())]
    Tapes {
        /// The folder.
        dir: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The agents contradict each other, or cannot be read.
    #[error(transparent)]
    Agents(#[from] RosterError),
    /// A model file is missing or damaged.
    #[error(transparent)]
    Models(#[from] LoadError),
    /// A vendor of models cannot be used as configured.
    #[error(transparent)]
    Vendors(#[from] VendorError),
    /// Orchestrators cannot be asked over HTTP.
    #[error("prepare to ask orchestrators over HTTP: {0}")]
    Orchestrators(#[from] reqwest::Error),
    /// The roles cannot be joined.
    #[error(transparent)]
    Join(#[from] JoinError),
}

/// What the system said, and how to mend it.
fn why(source: &std::io::Error, key: &str, variable: &str) -> String {
    match source.kind() {
        std::io::ErrorKind::AddrInUse => {
            format!("another program uses this port; stop it, or set {key} (or {variable}) to a free one")
        }
        _ => format!("{source}; set {key} (or {variable}) to an address of this machine"),
    }
}

impl Server {
    /// Opens ports, store and media, serves HTTP, and begins to load the agent.
    ///
    /// # Errors
    /// When anything of that cannot be had. Nothing is left running then.
    pub async fn start(config: Config, dirs: &Dirs, kind: AgentKind) -> Result<Self, StartError> {
        Self::start_role(Role::Both, config, dirs, kind).await
    }

    /// The same for the parts that a role needs.
    ///
    /// # Errors
    /// As [`Self::start`], and when the bus cannot be reached.
    pub async fn start_role(role: Role, config: Config, dirs: &Dirs, kind: AgentKind) -> Result<Self, StartError> {
        let files = match role {
            Role::Media => None,
            Role::Both | Role::Orchestrator => Some(agent::find(kind, &config, dirs).await?),
        };
        Self::open(role, config, dirs, files).await
    }

    /// The same with models that are loaded already, whatever they are; they bring their tools with them.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_with(config: Config, dirs: &Dirs, models: Providers) -> Result<Self, StartError> {
        Self::start_role_with(Role::Both, config, dirs, models).await
    }

    /// The same for the parts that a role needs.
    ///
    /// # Errors
    /// As [`Self::start_role`].
    pub async fn start_role_with(
        role: Role,
        config: Config,
        dirs: &Dirs,
        models: Providers,
    ) -> Result<Self, StartError> {
        Self::open(role, config, dirs, Some(Files::Loaded(Box::new(models)))).await
    }

    async fn open(role: Role, config: Config, dirs: &Dirs, files: Option<Files>) -> Result<Self, StartError> {
        // What is missing is said before a port is bound.
        let models = match files {
            Some(files) => Some((Vendors::beside(&files, &config)?, files)),
            None => None,
        };
        let ice_servers = IceServers::open(&config.ice_servers)?;
        let address = config.server.address(role);
        let listener = TcpListener::bind(address).await.map_err(|source| StartError::Http { address, source })?;
        let http = listener.local_addr().map_err(|source| StartError::Http { address, source })?;
        let media = match role {
            Role::Both | Role::Media => Some(Media::start(&config.media)?),
            Role::Orchestrator => None,
        };
        let (drain, grace, max_calls) = (config.server.drain, config.server.shutdown_grace, config.bus.max_calls);
        let bus = config.bus.clone();
        let orchestrators = Orchestrators::at(&config.server.orchestrators)?;
        let desk = match models {
            Some((vendors, files)) => Some(Box::pin(Desk::open(role, config, dirs, vendors, files)).await?),
            None => None,
        };
        // The last that can fail: a node that has joined the bus is given calls.
        let Ends { announcer, new_calls, node } = Box::pin(bus_ends::join(role, &bus)).await?;

        let tasks = Tasks::default();
        let agents = desk.as_ref().map(Desk::services);
        let board = agents.as_ref().map_or_else(Board::default, |agents| agents.board.clone());
        let metrics = Metrics::new(board, node.as_ref().map(|node| node.stats.clone()), media.clone());
        let readiness = Readiness::over(node.as_ref().map(|node| node.watch.clone()));
        let node = node.map(|node| Arc::new(node.spawn(&tasks)));
        let switchboard = media
            .zip(announcer)
            .map(|(media, announcer)| Switchboard::new(media, announcer, readiness.clone(), tasks.clone()));
        let judge = agents.clone().map_or(Agents::Elsewhere(orchestrators), Agents::Here);
        let services = Services {
            media: switchboard.clone().map(|switchboard| MediaServices { switchboard, agents: judge, ice_servers }),
            agents,
            health: HealthServices { readiness: readiness.clone(), metrics: metrics.clone() },
        };
        tasks.spawn(http_listener::serve(listener, http::router(services), tasks.stopping()));
        let loading = match desk.zip(new_calls) {
            Some((desk, new_calls)) => {
                let (ready, node) = (readiness.clone(), node.clone());
                let open = move || {
                    if let Some(node) = node {
                        node.open(max_calls);
                    }
                    ready.reach(Stage::Ready);
                };
                Some(desk.take_calls(new_calls, &metrics, &tasks, open))
            }
            None => {
                readiness.reach(Stage::Ready);
                None
            }
        };
        Ok(Self { http, readiness, switchboard, node, metrics, tasks, drain, grace, loading })
    }
}
