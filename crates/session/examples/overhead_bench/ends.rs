//! The two ends of each call: joined by channels in one process, or over Kafka by a node of each role, both in this process
//! too, so that one clock measures.

use audio::leg::{FromCaller, ToCaller};
use bus::kafka::{Details, KafkaConfig, Load, Notice, agent_node, media_node};
use bus::local::{NewCall, link};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Partitions of the topics: more than there are nodes.
const PARTITIONS: i32 = 4;

/// A call.
pub(crate) struct Ends {
    pub(crate) to_agent: mpsc::Sender<FromCaller>,
    pub(crate) from_agent: mpsc::Receiver<ToCaller>,
    pub(crate) from_caller: mpsc::Receiver<FromCaller>,
    pub(crate) to_caller: mpsc::Sender<ToCaller>,
}

struct Nothing;

impl Details for Nothing {
    fn to_bytes(&self) -> Vec<u8> {
        Vec::new()
    }

    fn from_bytes(_: &[u8]) -> Option<Self> {
        Some(Self)
    }
}

/// What carries calls over Kafka.
pub(crate) struct Nodes {
    running: JoinSet<()>,
    stop: CancellationToken,
}

impl Nodes {
    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        while self.running.join_next().await.is_some() {}
    }
}

/// Calls within the process.
pub(crate) fn by_channels(sessions: usize) -> Vec<Ends> {
    let ends = |_| {
        let ((to_agent, from_caller), (to_caller, from_agent)) = (mpsc::channel(512), mpsc::channel(512));
        Ends { to_agent, from_agent, from_caller, to_caller }
    };
    (0..sessions).map(ends).collect()
}

/// Calls over the broker.
pub(crate) async fn over_kafka(broker: &str, sessions: usize) -> (Vec<Ends>, Nodes) {
    // Calls that were taken a moment ago may count twice for that moment: none is to be refused for it here.
    let capacity = 2 * u32::try_from(sessions).unwrap();
    let mut config = KafkaConfig::new(broker);
    config.topic_prefix = format!("overhead-{}-{sessions}.", std::process::id());
    config.partitions = PARTITIONS;
    let (load, loads) = watch::channel(Load { capacity, busy_permille: 0, draining: false });
    let (mut new_calls, agents) = agent_node::<Nothing>(&config, loads).await.unwrap();
    let (announcer, media) = media_node::<Nothing>(&config, Notice::default()).await.unwrap();
    let (mut room, stop) = (media.watch_room(), CancellationToken::new());
    let mut running = JoinSet::new();
    running.spawn(agents.run(stop.clone()));
    running.spawn(media.run(stop.clone()));
    room.wait_for(|room| *room >= capacity).await.unwrap();
    let mut all = Vec::new();
    for number in 0..sessions {
        let (media, agent) = link();
        let id = format!("session-{number}");
        announcer.announce(NewCall { id, details: Nothing, handed_over: None, link: agent }).unwrap();
        let agent = new_calls.recv().await.unwrap().link;
        all.push(Ends {
            to_agent: media.to_agent,
            from_agent: media.from_agent,
            from_caller: agent.from_caller,
            to_caller: agent.to_caller,
        });
    }
    drop(load);
    (all, Nodes { running, stop })
}
