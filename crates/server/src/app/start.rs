//! Opening everything a server needs, in the order in which it may fail.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use media::Media;
use session::Providers;
use store::{SqliteStore, Store};
use tokio::net::TcpListener;

use super::{Server, http_listener};
use crate::agent::{self, Files, LoadError, VendorError, Vendors};
use crate::cli::AgentKind;
use crate::config::{Config, Dirs};
use crate::http::{self, Services};
use crate::metrics::Metrics;
use crate::orchestrator::Orchestrator;
use crate::readiness::{Readiness, Stage};
use crate::recorder::recorder;
use crate::roster::{Roster, RosterError};
use crate::switchboard::Switchboard;
use crate::tapes::Tapes;
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
        let files = agent::find(kind, &config, dirs).await?;
        Self::open(config, dirs, files).await
    }

    /// The same with models that are loaded already, whatever they are; they bring their tools with them.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_with(config: Config, dirs: &Dirs, models: Providers) -> Result<Self, StartError> {
        Self::open(config, dirs, Files::Loaded(Box::new(models))).await
    }

    async fn open(config: Config, dirs: &Dirs, files: Files) -> Result<Self, StartError> {
        let vendors = match files {
            Files::Echo => Vendors::none(config.resilience.breaker.clone()),
            Files::Models { .. } | Files::Loaded(_) => Vendors::open(&config)?,
        };
        let address = config.server.listen;
        let listener = TcpListener::bind(address).await.map_err(|source| StartError::Http { address, source })?;
        let http = listener.local_addr().map_err(|source| StartError::Http { address, source })?;
        let media = Media::start(&config.media)?;
        let store = open_store(&config.store.url(dirs)).await?;
        let tapes = open_tapes(config.log.tape_dir.as_deref()).await?;
        let roster =
            Roster::open(config.agent.clone(), config.agents, files.instructions(), Arc::clone(&store)).await?;

        let tasks = Tasks::default();
        let readiness = Readiness::default();
        let (announcer, new_calls) = bus::local::hub();
        let switchboard = Switchboard::new(media, announcer, readiness.clone(), tasks.clone());
        let (recorder, writer) = recorder();
        tasks.spawn(writer.run(Arc::clone(&store)));

        let board = vendors.board();
        let metrics = Metrics::new(board.clone());
        let services = Services {
            switchboard: switchboard.clone(),
            store: Arc::clone(&store),
            readiness: readiness.clone(),
            roster: roster.clone(),
            metrics: metrics.clone(),
            board,
        };
        tasks.spawn(http_listener::serve(listener, http::router(services), tasks.stopping()));

        let loading = tasks.spawn({
            let (tasks, readiness) = (tasks.clone(), readiness.clone());
            let (tools, default, figures) = (config.tools, config.agent, config.resilience);
            async move {
                let cast = agent::load(files, vendors, tools, default, figures).await?;
                roster.set_cast(cast.clone());
                tasks.spawn(agent::warm_up(cast.clone(), roster.now()));
                let orchestrator = Orchestrator { cast, roster, store, metrics, recorder, tapes, tasks: tasks.clone() };
                tasks.spawn(orchestrator.run(new_calls));
                readiness.reach(Stage::Ready);
                Ok(())
            }
        });
        let grace = config.server.shutdown_grace;
        Ok(Self { http, readiness, switchboard, tasks, grace, loading: Some(loading) })
    }
}

async fn open_tapes(dir: Option<&Path>) -> Result<Option<Tapes>, StartError> {
    let Some(dir) = dir else { return Ok(None) };
    let tapes = Tapes::open(dir).await;
    tapes.map(Some).map_err(|source| StartError::Tapes { dir: dir.to_owned(), source })
}

async fn open_store(url: &str) -> Result<Arc<dyn Store>, StartError> {
    let store = SqliteStore::open(url).await.map_err(|source| StartError::Store { source })?;
    let abandoned = store.end_abandoned(Timestamp::now()).await?;
    if abandoned > 0 {
        tracing::warn!(conversations = abandoned, "ended conversations that the last run left open");
    }
    Ok(Arc::new(store))
}
