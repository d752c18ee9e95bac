//! The orchestrator role's side: what conversations are held with.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bus::kafka::EventLog;
use bus::local::NewCalls;
use jiff::Timestamp;
use providers::resilience::ResilienceConfig;
use providers::tools::ToolsConfig;
use session::AgentConfig;
use store::{SqliteStore, Store};
use tokio::task::JoinHandle;

use super::bus_ends::JoinError;
use super::start::StartError;
use super::watch;
use crate::agent::{self, Files, LoadError, Vendors};
use crate::config::{Config, Dirs, Role};
use crate::http::AgentServices;
use crate::metrics::Metrics;
use crate::notice::Notices;
use crate::orchestrator::Orchestrator;
use crate::recorder::recorder;
use crate::roster::Roster;
use crate::switchboard::CallDetails;
use crate::tapes::Tapes;
use crate::tasks::Tasks;

/// What conversations are held with, before the models are there.
pub(super) struct Desk {
    files: Files,
    vendors: Vendors,
    tools: ToolsConfig,
    /// The default agent.
    default: AgentConfig,
    figures: ResilienceConfig,
    store: Arc<dyn Store>,
    tapes: Option<Tapes>,
    roster: Roster,
    recovery: Option<String>,
    notices: Option<Notices>,
    /// The stream of facts, between machines.
    facts: Option<EventLog>,
    /// Where others share the store: how long one of them may be silent.
    abandoned_after: Option<Duration>,
}

impl Desk {
    /// Opens the store and reads who can be called.
    pub(super) async fn open(
        role: Role,
        config: Config,
        dirs: &Dirs,
        vendors: Vendors,
        files: Files,
    ) -> Result<Self, StartError> {
        let store = open_store(role, &config.store.url(dirs)).await?;
        let tapes = open_tapes(config.log.tape_dir.as_deref()).await?;
        let roster =
            Roster::open(config.agent.clone(), config.agents, files.instructions(), Arc::clone(&store)).await?;
        let kafka = config.bus.kafka();
        let recovery = Some(config.bus.recovery).filter(|text| !text.is_empty());
        let is_spoken = kafka.is_some() && config.bus.notice.is_none() && !config.bus.outage.is_empty();
        let notices = is_spoken.then(|| Notices::of(&config.bus.outage));
        let abandoned_after = (role == Role::Orchestrator).then_some(config.store.abandoned_after);
        let facts = match (role, kafka) {
            (Role::Orchestrator, Some(kafka)) => Some(EventLog::open(&kafka).map_err(JoinError::from)?),
            (Role::Both | Role::Media | Role::Orchestrator, _) => None,
        };
        let (tools, default, figures) = (config.tools, config.agent, config.resilience);
        Ok(Self {
            files,
            vendors,
            tools,
            default,
            figures,
            store,
            tapes,
            roster,
            recovery,
            notices,
            facts,
            abandoned_after,
        })
    }

    /// What its routes are served from.
    pub(super) fn services(&self) -> AgentServices {
        AgentServices { store: Arc::clone(&self.store), roster: self.roster.clone(), board: self.vendors.board() }
    }

    /// Loads the models, then takes calls; `open` tells others that it does.
    pub(super) fn take_calls(
        self,
        new_calls: NewCalls<CallDetails>,
        metrics: &Metrics,
        tasks: &Tasks,
        open: impl FnOnce() + Send + 'static,
    ) -> JoinHandle<Option<Result<(), LoadError>>> {
        let Self { files, vendors, tools, default, figures, store, tapes, roster, recovery, notices, .. } = self;
        let (facts, abandoned_after) = (self.facts, self.abandoned_after);
        let (recorder, writer) = recorder();
        if let Some(after) = abandoned_after {
            tasks.spawn(watch::keep(Arc::clone(&store), after, tasks.stopping()));
        }
        tasks.spawn(writer.run(Arc::clone(&store), facts));
        let (metrics, owner) = (metrics.clone(), tasks.clone());
        tasks.spawn(async move {
            let cast = agent::load(files, vendors, tools, default, figures).await?;
            roster.set_cast(cast.clone());
            owner.spawn(agent::warm_up(cast.clone(), roster.now(), notices.clone()));
            let tasks = owner.clone();
            let orchestrator = Orchestrator { cast, roster, store, metrics, recorder, tapes, recovery, notices, tasks };
            owner.spawn(orchestrator.run(new_calls));
            open();
            Ok(())
        })
    }
}

async fn open_tapes(dir: Option<&Path>) -> Result<Option<Tapes>, StartError> {
    let Some(dir) = dir else { return Ok(None) };
    let tapes = Tapes::open(dir).await;
    tapes.map(Some).map_err(|source| StartError::Tapes { dir: dir.to_owned(), source })
}

async fn open_store(role: Role, url: &str) -> Result<Arc<dyn Store>, StartError> {
    let store = SqliteStore::open(url).await.map_err(|source| StartError::Store { source })?;
    // Beside other orchestrators, a conversation that is open may be one of theirs.
    if role != Role::Both {
        return Ok(Arc::new(store));
    }
    let abandoned = store.end_abandoned(Timestamp::now(), Duration::ZERO).await?;
    if !abandoned.is_empty() {
        tracing::warn!(conversations = abandoned.len(), "ended conversations that the last run left open");
    }
    Ok(Arc::new(store))
}
