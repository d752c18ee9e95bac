//! A bus of either kind, ready for calls; and nodes that can be killed, for the one between machines.

use std::sync::Arc;
use std::time::Duration;

use bus::kafka::{BusState, BusStats, Details, KafkaConfig, Load, Notice, agent_node, media_node};
use bus::local::{Announcer, MediaEnd, NewCall, NewCalls, NotTaken, hub, link};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::broker::{Broker, own_prefix};

/// Longer than anything takes that is not broken.
pub(crate) const LONG: Duration = Duration::from_secs(50);
/// How often something is looked at that tells nobody when it changes.
const LOOK: Duration = Duration::from_millis(20);

/// What the roles agree on about a call, in these tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wishes(pub(crate) String);

impl Details for Wishes {
    fn to_bytes(&self) -> Vec<u8> {
        self.0.clone().into_bytes()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        String::from_utf8(bytes.to_vec()).ok().map(Self)
    }
}

/// A bus with one node of each role.
pub(crate) struct Rig {
    announcer: Announcer<Wishes>,
    new_calls: NewCalls<Wishes>,
    _nodes: Option<(Process, Process, Arc<Broker>)>,
}

impl Rig {
    pub(crate) fn local() -> Self {
        let (announcer, new_calls) = hub();
        Self { announcer, new_calls, _nodes: None }
    }

    pub(crate) async fn kafka(broker: &Arc<Broker>) -> Self {
        let config = config_for(broker);
        let agents = Agents::join(&config, 1_000).await;
        let media = Media::join(&config).await;
        media.sees_room().await;
        let nodes = Some((agents.process, media.process, Arc::clone(broker)));
        Self { announcer: media.announcer, new_calls: agents.new_calls, _nodes: nodes }
    }

    /// A call, and its agent.
    pub(crate) async fn call(&mut self, id: &str) -> (MediaEnd, NewCall<Wishes>) {
        let media = call(&self.announcer, id).unwrap();
        (media, within(self.new_calls.recv()).await.unwrap())
    }
}

/// Calls.
pub(crate) fn call(announcer: &Announcer<Wishes>, id: &str) -> Result<MediaEnd, NotTaken> {
    let (media, link) = link();
    let details = Wishes(format!("wishes of {id}"));
    announcer.announce(NewCall { id: id.to_owned(), details, handed_over: None, link })?;
    Ok(media)
}

/// Stands for a process: a runtime of its own, which is killed when this is dropped: no last word, no flush.
pub(crate) struct Process(Option<Runtime>);

impl Process {
    fn new() -> Self {
        Self(tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().ok())
    }

    pub(crate) fn spawn<F: Future<Output: Send> + Send + 'static>(&self, task: F) -> JoinHandle<F::Output> {
        self.0.as_ref().unwrap().spawn(task)
    }

    pub(crate) fn kill(self) {
        drop(self);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.0.take().unwrap().shutdown_background();
    }
}

/// An orchestrator on the bus between machines.
pub(crate) struct Agents {
    pub(crate) new_calls: NewCalls<Wishes>,
    pub(crate) load: watch::Sender<Load>,
    pub(crate) stop: CancellationToken,
    pub(crate) stats: BusStats,
    pub(crate) process: Process,
}

impl Agents {
    pub(crate) async fn join(config: &KafkaConfig, capacity: u32) -> Self {
        let (load, loads) = watch::channel(Load { capacity, busy_permille: 0, draining: false });
        let (config, process, stop) = (config.clone(), Process::new(), CancellationToken::new());
        let joining = process.spawn(async move { agent_node(&config, loads).await.unwrap() });
        let (new_calls, node) = within(joining).await.unwrap();
        let stats = node.stats();
        process.spawn(node.run(stop.clone()));
        Self { new_calls, load, stop, stats, process }
    }

    pub(crate) async fn next(&mut self) -> NewCall<Wishes> {
        within(self.new_calls.recv()).await.unwrap()
    }
}

/// A media node on the bus between machines.
pub(crate) struct Media {
    pub(crate) announcer: Announcer<Wishes>,
    pub(crate) stop: CancellationToken,
    pub(crate) stats: BusStats,
    pub(crate) state: watch::Receiver<BusState>,
    pub(crate) room: watch::Receiver<u32>,
    pub(crate) process: Process,
}

impl Media {
    pub(crate) async fn join(config: &KafkaConfig) -> Self {
        Self::join_with(config, Notice::default()).await
    }

    pub(crate) async fn join_with(config: &KafkaConfig, notice: Notice) -> Self {
        let (config, process, stop) = (config.clone(), Process::new(), CancellationToken::new());
        let joining = process.spawn(async move { media_node(&config, notice).await.unwrap() });
        let (announcer, node) = within(joining).await.unwrap();
        let (stats, state, room) = (node.stats(), node.watch_state(), node.watch_room());
        process.spawn(node.run(stop.clone()));
        Self { announcer, stop, stats, state, room, process }
    }

    /// Waits until there is room for calls.
    pub(crate) async fn sees_room(&self) {
        self.sees_room_for(1).await;
    }

    /// Waits until there is room for so many calls at least.
    pub(crate) async fn sees_room_for(&self, calls: u32) {
        within(self.room.clone().wait_for(|room| *room >= calls)).await.unwrap();
    }

    pub(crate) async fn sees_bus(&self, wanted: BusState) {
        within(self.state.clone().wait_for(|state| *state == wanted)).await.unwrap();
    }
}

/// Settings with topics of their own.
pub(crate) fn config_for(broker: &Broker) -> KafkaConfig {
    let mut config = KafkaConfig::new(broker.address());
    config.topic_prefix = own_prefix();
    config.partitions = 8;
    config
}

/// Fails when it takes longer than anything that is not broken.
#[track_caller]
pub(crate) fn within<F: Future>(work: F) -> impl Future<Output = F::Output> {
    let place = std::panic::Location::caller();
    async move { tokio::time::timeout(LONG, work).await.unwrap_or_else(|_| panic!("this takes too long: {place}")) }
}

/// Waits until it is so.
pub(crate) async fn until(mut is_so: impl FnMut() -> bool) {
    let mut looks = tokio::time::interval(LOOK);
    within(async {
        while !is_so() {
            looks.tick().await;
        }
    })
    .await;
}
