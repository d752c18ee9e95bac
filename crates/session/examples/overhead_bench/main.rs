//! What orchestration adds to a turn, beside its models: first reply audio out − end of speech − the silence that is
//! waited for − the time that the scripted models took. Many sessions in one process, in real time, over channels, Opus
//! both ways.
//!
//! The end of speech is told twice: as the session's detector saw it (its windows of 32 ms are a property of the model,
//! not of orchestration), and as the caller knows it (the last frame of speech went in), which has that window in it.
//! Over Kafka the first has one way over the bus in it, the answer's; the caller knows of both.
//!
//! `cargo run --release -p session --example overhead_bench -- [--kafka HOST:PORT] 1 10 100`
// A benchmark may stop at the first surprise.
#![allow(clippy::unwrap_used, clippy::panic)]

mod ends;
mod models;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use audio::leg::{FRAME_MS, FromCaller, OpusFrame, PlayoutMark, ToCaller};
use audio::opus::{Encoder, EncoderConfig};
use bytes::Bytes;
use dialogue::{Fact, Timestamp, Transcript};
use providers::tools::Toolbox;
use session::{AgentConfig, Agents, Link, Mode, Providers, Report, Session, TurnTaking};
use testkit::scripted::tone;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use ends::Ends;
use models::{Injected, Instantly, Laconic, Voice};

/// The silence that ends a turn.
const SILENCE_MS: u64 = 300;
const TURNS: usize = 6;
const SPEECH_FRAMES: usize = 40;
const SILENT_FRAMES: usize = 75;
const RATE_HZ: u32 = 16_000;

/// The overhead of one turn, in milliseconds.
struct Overhead {
    /// From the end of speech as the detector saw it.
    detected_ms: f64,
    /// From the last frame of speech as the caller sent it.
    sent_ms: f64,
}

fn main() {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let broker = (arguments.first().map(String::as_str) == Some("--kafka")).then(|| arguments.drain(..2).next_back());
    let broker = broker.flatten();
    let sessions: Vec<usize> = arguments.iter().map(|n| n.parse().expect("numbers of sessions")).collect();
    println!("          overhead in ms          |  with the detector's window  |");
    println!("sessions  turns    p50    p99    max |    p50    p99              | CPU ms per s and session");
    for sessions in if sessions.is_empty() { vec![1, 10, 100] } else { sessions } {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(2).build().unwrap();
        let (calls, nodes) = match &broker {
            None => (ends::by_channels(sessions), None),
            Some(broker) => {
                let (calls, nodes) = runtime.block_on(ends::over_kafka(broker, sessions));
                (calls, Some(nodes))
            }
        };
        let (began, cpu) = (Instant::now(), cpu_seconds());
        let overheads = runtime.block_on(all(calls));
        let load = (cpu_seconds() - cpu) / began.elapsed().as_secs_f64() / sessions as f64;
        let detected = Quantiles::of(overheads.iter().map(|turn| turn.detected_ms));
        let sent = Quantiles::of(overheads.iter().map(|turn| turn.sent_ms));
        println!(
            "{sessions:>8} {:>6} {:>6.2} {:>6.2} {:>6.2} | {:>6.2} {:>6.2}              | {:.1}",
            overheads.len(),
            detected.at(0.5),
            detected.at(0.99),
            detected.at(1.0),
            sent.at(0.5),
            sent.at(0.99),
            load * 1_000.0
        );
        if let Some(nodes) = nodes {
            runtime.block_on(nodes.stop());
        }
    }
}

struct Quantiles(Vec<f64>);

impl Quantiles {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        Self(values)
    }

    fn at(&self, quantile: f64) -> f64 {
        self.0[((self.0.len() - 1) as f64 * quantile).round() as usize]
    }
}

#[allow(clippy::disallowed_methods)] // All tasks are awaited.
async fn all(calls: Vec<Ends>) -> Vec<Overhead> {
    let sessions = calls.len() as u64;
    let tasks: Vec<_> = (0..)
        .zip(calls)
        .map(|(index, ends)| {
            tokio::spawn(async move {
                // Callers do not speak in step.
                sleep(Duration::from_millis(index * 1_000 / sessions)).await;
                one(ends).await
            })
        })
        .collect();
    let mut overheads = Vec::new();
    for task in tasks {
        overheads.extend(task.await.unwrap());
    }
    overheads
}

/// Holds one conversation; gives the overhead of each turn.
#[allow(clippy::disallowed_methods)] // The session and the listener are awaited.
async fn one(ends: Ends) -> Vec<Overhead> {
    let Ends { to_agent, from_agent, from_caller, to_caller } = ends;
    let (_requests, asked) = mpsc::channel(8);
    let (told, mut reports) = mpsc::channel(4_096);
    let injected = Injected::default();
    let turn_taking = TurnTaking { mode: Mode::ServerVad, silence_duration_ms: SILENCE_MS, ..TurnTaking::default() };
    let agent = AgentConfig { turn_taking, ..AgentConfig::default() };
    let session = Session {
        id: "bench".to_owned(),
        link: Link { from_caller, to_caller },
        requests: asked,
        reports: told,
        agents: Arc::new(Agents::new(agent.clone(), BTreeMap::new()).unwrap()),
        agent,
        history: Transcript::default(),
        turns_before: 0,
        providers: models(&injected),
        tape: None,
    };
    let started = Instant::now();
    let held = tokio::spawn(async move { session.run().await.unwrap() });
    let first_voice = Arc::new(Mutex::new(None));
    let listener = tokio::spawn(listen(from_agent, to_agent.clone(), Arc::clone(&first_voice)));
    let mut caller = Caller::new(to_agent);
    let mut overheads = Vec::new();
    for _ in 0..TURNS {
        let last_speech = caller.speak_and_wait().await;
        let heard = first_voice.lock().unwrap().take();
        let took = Duration::from_millis(SILENCE_MS) + injected.take();
        if let (Some(first), Some(ended)) = (heard, speech_ended(&mut reports)) {
            let ended = started + ended.since(Timestamp::ZERO);
            let beyond = |from: Instant| ((first - from).as_secs_f64() - took.as_secs_f64()) * 1_000.0;
            overheads.push(Overhead { detected_ms: beyond(ended), sent_ms: beyond(last_speech) });
        }
    }
    caller.hang_up().await;
    held.await.unwrap();
    listener.await.unwrap();
    overheads
}

/// Notes when the first voice of an answer comes. Everything counts as heard the moment it is sent: the answer is over
/// before the next question.
async fn listen(
    mut from_agent: mpsc::Receiver<ToCaller>,
    to_agent: mpsc::Sender<FromCaller>,
    first_voice: Arc<Mutex<Option<Instant>>>,
) {
    while let Some(message) = from_agent.recv().await {
        let mark = match message {
            ToCaller::Voice { .. } => {
                first_voice.lock().unwrap().get_or_insert_with(Instant::now);
                continue;
            }
            ToCaller::EndOfClip(clip) => PlayoutMark::Finished(clip),
            ToCaller::Flush => PlayoutMark::Flushed { cut: None },
            ToCaller::Hold => PlayoutMark::Held { at: None },
            ToCaller::Resume | ToCaller::Message(_) | ToCaller::Hangup | ToCaller::Keep(_) => continue,
        };
        if to_agent.send(FromCaller::Playout(mark)).await.is_err() {
            return;
        }
    }
}

/// Sends a packet every 20 ms.
struct Caller {
    to_agent: mpsc::Sender<FromCaller>,
    ticks: tokio::time::Interval,
    sequence: u64,
    speech: Vec<Bytes>,
    silence: Vec<Bytes>,
}

impl Caller {
    fn new(to_agent: mpsc::Sender<FromCaller>) -> Self {
        let mut ticks = interval(Duration::from_millis(u64::from(FRAME_MS)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { to_agent, ticks, sequence: 0, speech: frames(0.5), silence: frames(0.0) }
    }

    /// Asks, and is silent for as long as the answer takes; gives the moment of the last frame of speech.
    async fn speak_and_wait(&mut self) -> Instant {
        let mut last_speech = Instant::now();
        for frame in 0..SPEECH_FRAMES + SILENT_FRAMES {
            self.ticks.tick().await;
            let speaks = frame < SPEECH_FRAMES;
            let payloads = if speaks { &self.speech } else { &self.silence };
            let payload = payloads[frame % payloads.len()].clone();
            self.sequence += 1;
            let packet = OpusFrame { sequence: self.sequence, rtp_time: self.sequence * 960, payload };
            if speaks {
                last_speech = Instant::now();
            }
            drop(self.to_agent.send(FromCaller::Frame(packet)).await);
        }
        last_speech
    }

    async fn hang_up(self) {
        drop(self.to_agent.send(FromCaller::Ended(audio::leg::EndReason::Hangup)).await);
    }
}

/// When the last turn's speech ended.
fn speech_ended(reports: &mut mpsc::Receiver<Report>) -> Option<Timestamp> {
    let mut last = None;
    while let Ok(report) = reports.try_recv() {
        if let Report::Fact { fact: Fact::TurnCommitted { speech_ended, .. }, .. } = report {
            last = Some(speech_ended);
        }
    }
    last
}

fn frames(amplitude: f32) -> Vec<Bytes> {
    let mut encoder = Encoder::new(&EncoderConfig { rate_hz: RATE_HZ, ..EncoderConfig::default() }).unwrap();
    let samples: Vec<f32> = tone(RATE_HZ, FRAME_MS).iter().map(|sample| sample * amplitude * 2.0).collect();
    (0..10).map(|_| encoder.encode(&samples).unwrap()).collect()
}

fn models(injected: &Injected) -> Providers {
    Providers {
        vad: Arc::new(Instantly),
        turn: Arc::new(Instantly),
        stt: Arc::new(Instantly),
        llm: Arc::new(Laconic(injected.clone())),
        tts: Arc::new(Voice(injected.clone())),
        tools: Arc::new(Toolbox::default()),
        live: None,
    }
}

/// User and system time of this process, from Linux' /proc (proc(5)).
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}
