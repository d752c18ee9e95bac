//! Joins the roles: through channels when both are here, through the broker when one is.

use bus::kafka::{AgentNode, BusStats, ConnectError, Load, MediaNode, agent_node, media_node};
use bus::local::{Announcer, NewCalls, hub};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::config::{BusConfig, Role};
use crate::load;
use crate::notice::{NoticeError, notice};
use crate::readiness::BusWatch;
use crate::switchboard::CallDetails;
use crate::tasks::Tasks;

/// The roles cannot be joined.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// Both roles in one process need no bus between machines.
    #[error(
        "serve with bus.url = {0}: serve joins both roles within one process; run `antiphon media` and \
         `antiphon orchestrator`, or set bus.url to \"local:\""
    )]
    OneProcess(String),
    /// One role alone needs one.
    #[error("run one role alone with bus.url = {0}: it needs a broker; set bus.url to \"kafka://host:9092\"")]
    Alone(String),
    /// The broker cannot be used.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The notice cannot be used.
    #[error(transparent)]
    Notice(#[from] NoticeError),
}

/// The ends of the bus that this process has.
pub(super) struct Ends {
    /// Where media announces calls.
    pub(super) announcer: Option<Announcer<CallDetails>>,
    /// Where the orchestrator takes them.
    pub(super) new_calls: Option<NewCalls<CallDetails>>,
    /// The node, where the other role is elsewhere.
    pub(super) node: Option<Node>,
}

/// A node of the bus between machines.
pub(super) struct Node {
    /// What tells of the bus.
    pub(super) watch: BusWatch,
    /// What it counts.
    pub(super) stats: BusStats,
    /// How much the orchestrator takes.
    pub(super) load: Option<watch::Sender<Load>>,
    /// Stops it.
    pub(super) stop: CancellationToken,
    run: Run,
}

enum Run {
    Media(Box<MediaNode<CallDetails>>),
    Agents(Box<AgentNode<CallDetails>>),
}

/// Joins the roles. Nothing runs before [`Node::spawn`].
pub(super) async fn join(role: Role, config: &BusConfig) -> Result<Ends, JoinError> {
    let kafka = || config.kafka().ok_or_else(|| JoinError::Alone(config.url.clone()));
    match role {
        Role::Both if config.is_local() => {
            let (announcer, new_calls) = hub();
            Ok(Ends { announcer: Some(announcer), new_calls: Some(new_calls), node: None })
        }
        Role::Both => Err(JoinError::OneProcess(config.url.clone())),
        Role::Media => {
            let notice = notice(config.notice.as_deref())?;
            let (announcer, node) = Box::pin(media_node(&kafka()?, notice)).await?;
            let watch = BusWatch { state: node.watch_state(), room: Some(node.watch_room()) };
            let (stats, run, stop) = (node.stats(), Run::Media(Box::new(node)), CancellationToken::new());
            let node = Node { watch, stats, load: None, stop, run };
            Ok(Ends { announcer: Some(announcer), new_calls: None, node: Some(node) })
        }
        Role::Orchestrator => {
            // No room until the models are there.
            let (load, loads) = watch::channel(Load { capacity: 0, busy_permille: 0, draining: false });
            let (new_calls, node) = Box::pin(agent_node(&kafka()?, loads)).await?;
            let watch = BusWatch { state: node.watch_state(), room: None };
            let (stats, run, stop) = (node.stats(), Run::Agents(Box::new(node)), CancellationToken::new());
            let node = Node { watch, stats, load: Some(load), stop, run };
            Ok(Ends { announcer: None, new_calls: Some(new_calls), node: Some(node) })
        }
    }
}

impl Node {
    /// Lets it run until it is stopped.
    pub(super) fn spawn(self, tasks: &Tasks) -> Running {
        let Self { stop, load, run, .. } = self;
        if let Some(load) = load.clone() {
            tasks.spawn(load::measure(load, stop.clone()));
        }
        match run {
            Run::Media(node) => tasks.spawn(node.run(stop.clone())),
            Run::Agents(node) => tasks.spawn(node.run(stop.clone())),
        };
        Running { load, stop }
    }
}

/// A node that runs.
pub(super) struct Running {
    load: Option<watch::Sender<Load>>,
    stop: CancellationToken,
}

impl Running {
    /// Takes so many calls at once.
    pub(super) fn open(&self, capacity: u32) {
        if let Some(load) = &self.load {
            load.send_modify(|load| load.capacity = capacity);
        }
    }

    /// Takes no more calls.
    pub(super) fn drain(&self) {
        if let Some(load) = &self.load {
            load.send_modify(|load| load.draining = true);
        }
    }

    /// Stops it: media lets go of its calls, an orchestrator hands them over.
    pub(super) fn stop(&self) {
        self.stop.cancel();
    }
}
