//! Links of either bus, full of packets both ways.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use audio::leg::{Clip, FromCaller, OpusFrame, ToCaller};
use bus::kafka::{Details, KafkaConfig, Load, Notice, agent_node, media_node};
use bus::local::{AgentEnd, Announcer, MediaEnd, NewCall, NewCalls, hub, link};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::meter::{MEASURED, PACKET, Processors, Row, WARM_UP, packet, sent_us};

/// Long enough for the last packets to arrive.
const TAIL: Duration = Duration::from_secs(1);
/// A call that nobody takes would hang the benchmark.
const TAKEN_WITHIN: Duration = Duration::from_secs(10);
const CLIP: Clip = Clip { turn: 1, attempt: 1, sentence: 0 };

struct Nothing;

impl Details for Nothing {
    fn to_bytes(&self) -> Vec<u8> {
        Vec::new()
    }

    fn from_bytes(_: &[u8]) -> Option<Self> {
        Some(Self)
    }
}

/// The bus within a process.
pub(crate) fn local(sessions: u32) -> Row {
    runtime().block_on(async {
        let (announcer, new_calls) = hub();
        measure("local", sessions, &announcer, new_calls, None).await
    })
}

/// The bus over Kafka.
pub(crate) fn kafka(config: &KafkaConfig, broker: u32, sessions: u32) -> Row {
    runtime().block_on(async {
        // Calls that were taken a moment ago may count twice for that moment: none is to be refused for it here.
        let (_load, loads) = watch::channel(Load { capacity: 2 * sessions, busy_permille: 0, draining: false });
        let (new_calls, agents) = agent_node(config, loads).await.unwrap();
        let (announcer, media) = media_node::<Nothing>(config, Notice::default()).await.unwrap();
        let (mut room, stop) = (media.watch_room(), CancellationToken::new());
        let mut nodes = JoinSet::new();
        nodes.spawn(agents.run(stop.clone()));
        nodes.spawn(media.run(stop.clone()));
        room.wait_for(|room| *room >= sessions).await.unwrap();
        let row = measure("kafka", sessions, &announcer, new_calls, Some(broker)).await;
        stop.cancel();
        nodes.join_all().await;
        row
    })
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// What all sessions share.
#[derive(Clone)]
struct Run {
    measuring: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    until: Instant,
}

async fn measure(
    bus: &'static str,
    sessions: u32,
    announcer: &Announcer<Nothing>,
    mut new_calls: NewCalls<Nothing>,
    broker: Option<u32>,
) -> Row {
    let until = Instant::now() + WARM_UP + MEASURED;
    let run = Run { measuring: Arc::default(), sent: Arc::default(), until };
    let mut readers = Vec::new();
    for number in 0..sessions {
        let (media, agent) = link();
        let call = NewCall { id: format!("session-{number}"), details: Nothing, handed_over: None, link: agent };
        announcer.announce(call).unwrap();
        let agent = tokio::time::timeout(TAKEN_WITHIN, new_calls.recv()).await.unwrap().unwrap().link;
        // Spread over the 20 ms, as callers are.
        let phase = PACKET * number / sessions;
        readers.extend(converse(&run, phase, media, agent));
    }
    tokio::time::sleep_until(until - MEASURED).await;
    run.measuring.store(true, Ordering::Relaxed);
    let processors = Processors::start(broker);
    tokio::time::sleep_until(until).await;
    let (own_percent, broker_percent) = processors.percent();
    let mut latencies_us = Vec::new();
    for reader in readers {
        latencies_us.extend(reader.await.unwrap());
    }
    let expected = run.sent.load(Ordering::Relaxed);
    Row { bus, sessions, latencies_us, expected, own_percent, broker_percent }
}

/// Two writers and two readers; the readers end with all latencies.
fn converse(run: &Run, phase: Duration, media: MediaEnd, agent: AgentEnd) -> Vec<JoinHandle<Vec<u64>>> {
    let MediaEnd { to_agent, mut from_agent } = media;
    let AgentEnd { mut from_caller, to_caller } = agent;
    let (speaking, answering) = (run.clone(), run.clone());
    let start = Instant::now() + phase;
    spawn(async move {
        let mut sequence = 0;
        speaking
            .each_packet(start, |payload| {
                sequence += 1;
                let frame = OpusFrame { sequence, rtp_time: 0, payload: payload.into() };
                to_agent.try_send(FromCaller::Frame(frame)).is_ok()
            })
            .await;
        tokio::time::sleep(TAIL).await;
    });
    spawn(async move {
        let say =
            |payload: Vec<u8>| to_caller.try_send(ToCaller::Voice { clip: CLIP, payload: payload.into() }).is_ok();
        answering.each_packet(start + PACKET / 2, say).await;
        tokio::time::sleep(TAIL).await;
    });
    let (heard, answered) = (run.clone(), run.clone());
    let agent_reads = spawn(async move {
        let mut latencies = Vec::new();
        while let Some(event) = heard.next(from_caller.recv()).await {
            if let FromCaller::Frame(frame) = event {
                heard.note(&frame.payload, &mut latencies);
            }
        }
        latencies
    });
    let media_reads = spawn(async move {
        let mut latencies = Vec::new();
        while let Some(said) = answered.next(from_agent.recv()).await {
            if let ToCaller::Voice { payload, .. } = said {
                answered.note(&payload, &mut latencies);
            }
        }
        latencies
    });
    vec![agent_reads, media_reads]
}

impl Run {
    async fn each_packet(&self, start: Instant, mut send: impl FnMut(Vec<u8>) -> bool) {
        let mut packets = tokio::time::interval_at(start, PACKET);
        packets.set_missed_tick_behavior(MissedTickBehavior::Burst);
        while packets.tick().await < self.until {
            let counts = self.measuring.load(Ordering::Relaxed);
            send(packet());
            self.sent.fetch_add(u64::from(counts), Ordering::Relaxed);
        }
    }

    async fn next<T>(&self, next: impl Future<Output = Option<T>>) -> Option<T> {
        tokio::time::timeout_at(self.until + TAIL, next).await.ok().flatten()
    }

    /// Counts a packet that was sent while it was measured.
    fn note(&self, payload: &[u8], latencies: &mut Vec<u64>) {
        if self.measuring.load(Ordering::Relaxed) {
            latencies.push(crate::meter::now_us().saturating_sub(sent_us(payload)));
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "a benchmark ends with its process")]
fn spawn<F: Future<Output: Send> + Send + 'static>(task: F) -> JoinHandle<F::Output> {
    tokio::spawn(task)
}
