//! Recorded speech through a bad network, the real media server and a session with the real recogniser.

use std::collections::BTreeMap;
use std::path::Path as FilePath;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use audio::leg::{FRAME_MS, ticks_to_ms};
use audio::opus::{Dtx, Encoder, EncoderConfig, Fec};
use dialogue::{Fact, Transcript};
use media::caller::{Caller, CallerEvent, CallerKind};
use media::{Door, Media, MediaConfig};
use providers::llm::{LanguageModel, LlmEvent, LlmRequest};
use providers::local::moonshine::Moonshine;
use providers::local::runtime::Runtime;
use providers::local::silero::Silero;
use providers::packs::speech_tests;
use providers::stt::SpeechToText;
use providers::tools::Toolbox;
use providers::vad::VoiceActivity;
use session::{AgentConfig, Agents, Link, Mode, Providers, Report, Session, TurnTaking};
use testkit::network::proxy::{Proxy, perfect};
use testkit::network::{Impairment, Path};
use testkit::scripted::{Completeness, Murmur};
use testkit::words;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

const RATE_HZ: u32 = 16_000;
/// Longer than any pause within the recordings, so that each is one turn.
const SILENCE_MS: u64 = 1_500;
const LEAD_IN_MS: u32 = 500;
/// How long an ear may take for a recording after its end. One that needs it has failed.
const PATIENCE_MS: u32 = 30_000;

/// The models that hear, the media server, and what is to be heard.
pub(crate) struct Stage {
    media: Media,
    vad: Arc<dyn VoiceActivity>,
    stt: Arc<dyn SpeechToText>,
    recordings: Vec<Recording>,
}

struct Recording {
    samples: Vec<f32>,
    words: Vec<String>,
}

/// How the sender speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sender {
    /// Whether silence is left out.
    pub(crate) dtx: Dtx,
    /// How the voice is guarded against loss.
    pub(crate) guard: Guard,
}

/// What a packet carries beside its own frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guard {
    /// Nothing.
    None,
    /// A coarse copy of the frame before (in-band FEC), for a receiver that reports 10 % of loss.
    Fec,
    /// The same, and the frame before as a whole (RED), as Chromium sends.
    FecAndRed,
}

/// What came of some recordings.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Understood {
    pub(crate) words: usize,
    pub(crate) errors: usize,
    pub(crate) packets: u64,
    pub(crate) lost: u64,
    /// Milliseconds that came as a copy, as a coarse copy, and that were made up.
    pub(crate) concealed_ms: [u64; 3],
}

impl Understood {
    pub(crate) fn error_rate(&self) -> f64 {
        self.errors as f64 / self.words as f64
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.words += other.words;
        self.errors += other.errors;
        self.packets += other.packets;
        self.lost += other.lost;
        for (all, one) in self.concealed_ms.iter_mut().zip(other.concealed_ms) {
            *all += one;
        }
    }
}

impl Stage {
    pub(crate) fn new(models: &FilePath) -> Self {
        let runtime = Runtime::load(&models.join(Runtime::FILE)).expect("the models of `make test`");
        let recordings = speech_tests(models).into_iter().map(|sample| Recording {
            samples: sample.samples().expect("`antiphon models pull speech-tests`"),
            words: words::of(&sample.transcript),
        });
        let loopback = MediaConfig { udp_listen: ([127, 0, 0, 1], 0).into(), ..MediaConfig::default() };
        Self {
            media: Media::start(&loopback).expect("loopback is free"),
            vad: Arc::new(Silero::load(&runtime, &models.join(Silero::FILE)).expect("the detector")),
            stt: Arc::new(Moonshine::load(&runtime, &models.join(Moonshine::DIR)).expect("the recogniser")),
            recordings: recordings.collect(),
        }
    }

    /// Speaks the first `count` recordings at once, each in a call and over a network of its own.
    #[allow(clippy::disallowed_methods, reason = "all tasks are awaited")]
    pub(crate) async fn speak(
        self: &Arc<Self>,
        count: usize,
        sender: Sender,
        impairment: Impairment,
        seed: u64,
    ) -> Understood {
        let calls = (0..count.min(self.recordings.len())).map(|index| {
            let stage = Arc::clone(self);
            // Far apart, so that no two calls share a stretch of the same series.
            let seed = seed.wrapping_mul(1_000).wrapping_add(index as u64).wrapping_mul(0x5851_f42d_4c95_7f2d);
            tokio::spawn(async move { stage.call(index, sender, impairment, seed).await })
        });
        let mut all = Understood::default();
        for call in calls.collect::<Vec<_>>() {
            all.add(call.await.expect("the call is held"));
        }
        all
    }

    #[allow(clippy::disallowed_methods, reason = "the session is awaited")]
    async fn call(&self, index: usize, sender: Sender, impairment: Impairment, seed: u64) -> Understood {
        let offered = match sender.guard {
            Guard::None | Guard::Fec => Caller::offer(CallerKind::Publish),
            Guard::FecAndRed => Caller::offer_redundant(CallerKind::Publish),
        };
        let (pending, offer) = offered.expect("an offer");
        let (to_agent, from_caller) = mpsc::channel(1_024);
        let opened = self.media.open_call(Door::Whip, format!("{seed}"), &offer, to_agent).expect("a good offer");
        let to_server = Path::new(impairment, seed);
        let proxy = Proxy::start(self.media.udp_address(), to_server, perfect()).await.expect("a proxy");
        let mut caller = pending.connect(&proxy.answer(&opened.answer.sdp)).expect("a good answer");
        while !matches!(caller.events.recv().await.expect("it connects"), CallerEvent::Connected) {}
        let (to_caller, mut voice) = mpsc::channel(1_024);
        let (told, mut reports) = mpsc::channel(4_096);
        let (_requests, asked) = mpsc::channel(1);
        let agent = AgentConfig {
            turn_taking: TurnTaking { mode: Mode::ServerVad, silence_duration_ms: SILENCE_MS, ..TurnTaking::default() },
            ..AgentConfig::default()
        };
        let session = Session {
            id: format!("{seed}"),
            link: Link { from_caller, to_caller },
            requests: asked,
            reports: told,
            agents: Arc::new(Agents::new(agent.clone(), BTreeMap::new()).expect("one agent")),
            agent,
            history: Transcript::default(),
            turns_before: 0,
            providers: self.models(),
            tape: None,
        };
        let held = tokio::spawn(session.run());
        // The agent never says anything, so there is nothing to play and to mark.
        let deaf = tokio::spawn(async move { while voice.recv().await.is_some() {} });
        let recording = &self.recordings[index];
        let heard = speak_and_listen(&caller, &recording.samples, sender, &mut reports).await;
        let toll = proxy.tolls().0;
        caller.close();
        held.await.expect("it does not panic").expect("it runs");
        deaf.await.expect("it does not panic");
        drop(opened.voice);
        let mut concealed_ms = [0; 3];
        while let Some(report) = reports.recv().await {
            // The last one is what counts.
            if let Report::Transport { transport, mended } = report {
                let ticks = [mended.fec_ticks, mended.plc_ticks].map(ticks_to_ms);
                concealed_ms = [transport.microphone.recovered_ms, ticks[0], ticks[1]];
            }
        }
        Understood {
            words: recording.words.len(),
            errors: words::errors(&recording.words, &words::of(&heard)),
            packets: toll.sent,
            lost: toll.lost,
            concealed_ms,
        }
    }

    fn models(&self) -> Providers {
        Providers {
            vad: Arc::clone(&self.vad),
            turn: Arc::new(Completeness(1.0)),
            stt: Arc::clone(&self.stt),
            llm: Arc::new(Mute::default()),
            tts: Arc::new(Murmur),
            tools: Arc::new(Toolbox::default()),
            live: None,
        }
    }
}

/// Speaks in real time, then is silent until the words are understood.
async fn speak_and_listen(
    caller: &Caller,
    samples: &[f32],
    sender: Sender,
    reports: &mut mpsc::Receiver<Report>,
) -> String {
    let config = EncoderConfig {
        rate_hz: RATE_HZ,
        dtx: sender.dtx,
        fec: if sender.guard == Guard::None { Fec::Off } else { Fec::On },
        expected_loss_percent: 10,
        ..EncoderConfig::default()
    };
    let mut encoder = Encoder::new(&config).expect("16 kHz is valid");
    let mut ticks = interval(Duration::from_millis(u64::from(FRAME_MS)));
    // What a busy machine held up is made good, as a sound card does.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let silence = |ms: u32| std::iter::repeat_n(0.0, (RATE_HZ / 1_000 * ms) as usize);
    let all: Vec<f32> = silence(LEAD_IN_MS).chain(samples.iter().copied()).chain(silence(PATIENCE_MS)).collect();
    for frame in all.chunks_exact(encoder.frame_samples()) {
        ticks.tick().await;
        let packet = encoder.encode(frame).expect("20 ms");
        // One or two bytes say that nothing need be sent (libopus).
        if sender.dtx == Dtx::On && packet.len() <= 2 {
            caller.skip_opus()
        } else {
            caller.send_opus(packet)
        }
        while let Ok(report) = reports.try_recv() {
            if let Report::Fact { fact: Fact::TurnCommitted { user_text, .. }, .. } = report {
                return user_text;
            }
        }
    }
    String::new()
}

/// Never answers.
#[derive(Default)]
struct Mute {
    asked: Mutex<Vec<mpsc::Sender<LlmEvent>>>,
}

impl LanguageModel for Mute {
    fn name(&self) -> &'static str {
        "scripted.mute"
    }

    fn reply(&self, _request: LlmRequest) -> mpsc::Receiver<LlmEvent> {
        let (sender, events) = mpsc::channel(1);
        self.asked.lock().expect("nobody panicked").push(sender);
        events
    }

    fn prepare(&self, _request: LlmRequest) {}
    fn release(&self, _conversation: &str) {}
}
