//! What orchestration adds to a turn, beside its models: first reply audio out − end of speech − the silence that is waited
//! for − the time the scripted models take. Many sessions in one process, in real time, over channels. The end of speech
//! is the detector's: its window of 32 ms is a property of the model, not of the orchestration.
//!
//! `cargo run --release -p session --example overhead_bench -- 1 10 100`
// A benchmark may stop at the first surprise.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use audio::leg::{FRAME_MS, FromCaller, OpusFrame, ToCaller};
use audio::opus::{Encoder, EncoderConfig};
use bytes::Bytes;
use dialogue::{Fact, Timestamp, Transcript};
use providers::Failure;
use providers::stt::{SpeechToText, SttEvent, SttInput, SttOptions, SttStream};
use providers::tools::Toolbox;
use providers::turn::TurnDetector;
use providers::vad::{VadStream, VoiceActivity, WINDOW_SAMPLES};
use session::{AgentConfig, Agents, Link, Mode, Providers, Report, Session, TurnTaking};
use testkit::scripted::{Tone, tone};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

/// The silence that ends a turn, and what the scripted models of `testkit` take for the first audio of an answer.
const SILENCE_MS: u64 = 300;
const FIRST_TOKEN_MS: u64 = 20;
const FIRST_AUDIO_MS: u64 = 30;
const TURNS: usize = 6;
const SPEECH_FRAMES: usize = 40;
const SILENT_FRAMES: usize = 75;
const RATE_HZ: u32 = 16_000;

fn main() {
    let sessions: Vec<usize> = std::env::args().skip(1).map(|n| n.parse().expect("numbers of sessions")).collect();
    println!("sessions   turns   overhead p50   p99   max (ms)   CPU ms per s and session");
    for sessions in if sessions.is_empty() { vec![1, 10, 100] } else { sessions } {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().worker_threads(2).build().unwrap();
        let (began, cpu) = (Instant::now(), cpu_seconds());
        let mut overheads = runtime.block_on(all(sessions));
        let load = (cpu_seconds() - cpu) / began.elapsed().as_secs_f64() / sessions as f64;
        overheads.sort_by(f64::total_cmp);
        let quantile = |q: f64| overheads[((overheads.len() - 1) as f64 * q).round() as usize];
        println!(
            "{sessions:>8} {:>7} {:>14.2} {:>5.2} {:>10.2} {:>15.1}",
            overheads.len(),
            quantile(0.5),
            quantile(0.99),
            quantile(1.0),
            load * 1_000.0
        );
    }
}

#[allow(clippy::disallowed_methods)] // All tasks are awaited.
async fn all(sessions: usize) -> Vec<f64> {
    let tasks: Vec<_> = (0..sessions)
        .map(|index| {
            tokio::spawn(async move {
                // Callers do not speak in step.
                sleep(Duration::from_millis(index as u64 * 1_000 / sessions as u64)).await;
                one().await
            })
        })
        .collect();
    let mut overheads = Vec::new();
    for task in tasks {
        overheads.extend(task.await.unwrap());
    }
    overheads
}

/// Holds one conversation; gives the overhead of each turn in milliseconds.
#[allow(clippy::disallowed_methods)] // The session is awaited.
async fn one() -> Vec<f64> {
    let (to_agent, from_caller) = mpsc::channel(512);
    let (to_caller, mut from_agent) = mpsc::channel(512);
    let (_requests, asked) = mpsc::channel(8);
    let (told, mut reports) = mpsc::channel(4_096);
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
        providers: models(),
    };
    let started = Instant::now();
    let held = tokio::spawn(async move { session.run().await.unwrap() });
    let (speech, silence) = (frames(0.5), frames(0.0));
    let mut overheads = Vec::new();
    let mut ticks = interval(Duration::from_millis(u64::from(FRAME_MS)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut sequence = 0;
    for _ in 0..TURNS {
        let mut first_voice = None;
        for frame in 0..SPEECH_FRAMES + SILENT_FRAMES {
            ticks.tick().await;
            let payload = if frame < SPEECH_FRAMES { &speech } else { &silence };
            sequence += 1;
            let packet =
                OpusFrame { sequence, rtp_time: sequence * 960, payload: payload[frame % payload.len()].clone() };
            drop(to_agent.send(FromCaller::Frame(packet)).await);
            // Between two frames, hears what comes at the moment it comes.
            let until = Instant::now() + Duration::from_millis(17);
            while let Ok(Some(message)) = tokio::time::timeout_at(until, from_agent.recv()).await {
                if let ToCaller::Voice { .. } = message
                    && first_voice.is_none()
                {
                    first_voice = Some(Instant::now());
                }
                marks(&to_agent, &message).await;
            }
        }
        let ended = speech_ended(&mut reports);
        if let (Some(first), Some(ended)) = (first_voice, ended) {
            let ended = started + ended.since(Timestamp::ZERO);
            let waited = SILENCE_MS + FIRST_TOKEN_MS + FIRST_AUDIO_MS;
            overheads.push((first - ended).as_secs_f64() * 1_000.0 - waited as f64);
        }
    }
    drop(to_agent.send(FromCaller::Ended(audio::leg::EndReason::Hangup)).await);
    held.await.unwrap();
    overheads
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

/// Everything counts as heard the moment it is sent: the answer is over before the next question.
async fn marks(to_agent: &mpsc::Sender<FromCaller>, message: &ToCaller) {
    use audio::leg::PlayoutMark;
    let mark = match message {
        ToCaller::EndOfClip(clip) => PlayoutMark::Finished(*clip),
        ToCaller::Flush => PlayoutMark::Flushed { cut: None },
        ToCaller::Hold => PlayoutMark::Held { at: None },
        ToCaller::Voice { .. } | ToCaller::Resume | ToCaller::Message(_) | ToCaller::Hangup => return,
    };
    drop(to_agent.send(FromCaller::Playout(mark)).await);
}

fn frames(amplitude: f32) -> Vec<Bytes> {
    let mut encoder = Encoder::new(&EncoderConfig { rate_hz: RATE_HZ, ..EncoderConfig::default() }).unwrap();
    let samples: Vec<f32> = tone(RATE_HZ, FRAME_MS).iter().map(|sample| sample * amplitude * 2.0).collect();
    (0..10).map(|_| encoder.encode(&samples).unwrap()).collect()
}

fn models() -> Providers {
    let answers: Vec<Option<&str>> = vec![Some("Yes."); TURNS + 2];
    Providers {
        vad: Arc::new(Instantly),
        turn: Arc::new(Instantly),
        stt: Arc::new(Instantly),
        llm: testkit::scripted::Speaker::new(&answers),
        tts: Arc::new(Tone),
        tools: Arc::new(Toolbox::default()),
    }
}

/// Models that take no time of their own.
struct Instantly;

impl VoiceActivity for Instantly {
    fn open(&self) -> VadStream {
        let (windows, mut received) = mpsc::channel::<Box<[f32; WINDOW_SAMPLES]>>(64);
        let (sender, probabilities) = mpsc::channel(64);
        run(async move {
            while let Some(window) = received.recv().await {
                let loud = audio::energy::rms(&*window) > 0.02;
                if sender.send(if loud { 0.95 } else { 0.05 }).await.is_err() {
                    return;
                }
            }
        });
        VadStream { windows, probabilities }
    }
}

#[async_trait]
impl TurnDetector for Instantly {
    async fn score(&self, _utterance: Vec<f32>) -> Result<f32, Failure> {
        // Sounds unfinished: nothing is started ahead, so the whole path is in the figure.
        Ok(0.1)
    }
}

impl SpeechToText for Instantly {
    fn name(&self) -> &'static str {
        "scripted.instantly"
    }

    fn open(&self, _options: SttOptions) -> SttStream {
        let (input, mut received) = mpsc::channel(512);
        let (sender, events) = mpsc::channel(64);
        run(async move {
            while let Some(input) = received.recv().await {
                let text = "Is it so?".to_owned();
                let event = match input {
                    SttInput::Pause(mark) => SttEvent::Partial { text, settled: Some(mark) },
                    SttInput::Commit => SttEvent::Final { text },
                    SttInput::Audio(_) | SttInput::Reset => continue,
                };
                if sender.send(event).await.is_err() {
                    return;
                }
            }
        });
        SttStream { input, events }
    }
}

#[allow(clippy::disallowed_methods)] // The tasks end with their streams.
fn run(task: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(task);
}

/// User and system time of this process, from Linux' /proc (proc(5)).
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}
