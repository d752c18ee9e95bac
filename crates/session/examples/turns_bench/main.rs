//! Turn-taking on real recorded speech, with the real voice activity detector, end-of-turn model and recogniser, in
//! virtual time: false cut-offs, missed ends, decision delay, interruptions, for each strategy.
//!
//! `cargo run --release -p session --example turns_bench -- MODELS_DIR [MORE_RECORDINGS_DIR…]`
//! `TURNS_BENCH_ONLY="semantic_vad auto, semantic_vad low"` plays these strategies, `TURNS_BENCH_CASE="dog or cat"` the cases so named;
//! `TURNS_BENCH_TURNS=1` leaves out what is said over the agent; `TURNS_BENCH_LIST=1` names the cases that went wrong.
// A benchmark may stop at the first surprise.
#![allow(clippy::unwrap_used, clippy::panic)]

mod corpus;
mod run;
mod table;
mod virtual_time;

use std::path::PathBuf;
use std::sync::Arc;

use providers::local::hibari::Hibari;
use providers::local::moonshine::Moonshine;
use providers::local::runtime::Runtime;
use providers::local::silero::Silero;
use providers::local::smart_turn::SmartTurn;
use providers::tts::{SpeechRequest, TextToSpeech, TtsEvent};
use session::{AgentConfig, Eagerness, Mode, TurnTaking};

use corpus::Recording;
use run::{Models, Recorded};

/// What people say to go along.
const ASSENTS: [&str; 8] = ["Uh-huh.", "Right.", "Okay.", "Yeah.", "Mm-hmm.", "Yes, sure.", "I see.", "Oh, really?"];

fn main() {
    let mut folders = std::env::args().skip(1).map(PathBuf::from);
    let models_dir = folders.next().expect("name the folder of the models");
    let runtime = Runtime::load(&models_dir.join(Runtime::FILE)).unwrap();
    let voice = Hibari::load(&runtime, &models_dir.join(Hibari::DIR)).unwrap();
    let vad = Arc::new(Silero::load(&runtime, &models_dir.join(Silero::FILE)).unwrap());
    let mut recordings = corpus::recordings(&models_dir.join("speech"), &*vad);
    for folder in folders {
        // The same recording must not be tuned on and reported.
        let new = corpus::recordings(&folder, &*vad).into_iter();
        let known: Vec<String> = recordings.iter().map(|known| known.name.clone()).collect();
        recordings.extend(new.filter(|new| !known.iter().any(|known| new.name.ends_with(known.as_str()))));
    }
    let assents: Vec<Recording> = ASSENTS.iter().map(|text| spoken(&voice, text)).collect();
    let agent_voice = say(&voice, run::SPOKEN);
    let cases = corpus::cases(&recordings, &assents);
    let models = Models {
        vad: Arc::new(virtual_time::Vad(vad)),
        turn: Arc::new(virtual_time::Turn {
            real: Arc::new(SmartTurn::load(&runtime, &models_dir.join(SmartTurn::FILE)).unwrap()),
            known: Arc::default(),
        }),
        stt: Arc::new(virtual_time::Stt {
            real: Arc::new(Moonshine::load(&runtime, &models_dir.join(Moonshine::DIR)).unwrap()),
            known: Arc::default(),
        }),
        tts: Arc::new(Recorded { samples: agent_voice.into(), rate_hz: voice.sample_rate_hz() }),
    };
    let named = std::env::var_os("TURNS_BENCH_CASE").map(|name| name.to_string_lossy().into_owned());
    let cases: Vec<_> =
        cases.into_iter().filter(|case| named.as_deref().is_none_or(|name| case.name.contains(name))).collect();
    let all = std::env::var_os("TURNS_BENCH_TURNS").is_none();
    let cases: Vec<_> = cases.into_iter().filter(|case| all || !run::over_agent(case.kind)).collect();
    println!("{} recordings, {} cases", recordings.len(), cases.len());
    let only = std::env::var_os("TURNS_BENCH_ONLY");
    let only = only.as_ref().map(|names| names.to_string_lossy());
    let wanted = |name: &str| only.as_deref().is_none_or(|names| names.split(", ").any(|one| one == name));
    for (name, agent) in strategies().into_iter().filter(|(name, _)| wanted(name)) {
        let began = std::time::Instant::now();
        let outcomes: Vec<_> = cases.iter().map(|case| (case, run::play(case, &agent, &models))).collect();
        table::print(name, &outcomes);
        eprintln!("  ({name}: {:.0} s)", began.elapsed().as_secs_f64());
    }
}

/// What is compared. Add a line to compare another one.
fn strategies() -> Vec<(&'static str, AgentConfig)> {
    let silence = |ms| TurnTaking { mode: Mode::ServerVad, silence_duration_ms: ms, ..TurnTaking::default() };
    let eager = |eagerness| TurnTaking { eagerness, ..TurnTaking::default() };
    let between = |min, max| TurnTaking {
        min_silence_ms: Some(min),
        max_silence_ms: Some(max),
        completeness_threshold: Some(0.9),
        ..TurnTaking::default()
    };
    [
        ("server_vad 300 ms", silence(300)),
        ("server_vad 500 ms", silence(500)),
        ("server_vad 740 ms", silence(740)),
        ("server_vad 800 ms", silence(800)),
        ("server_vad 940 ms", silence(940)),
        ("server_vad 1000 ms", silence(1_000)),
        ("server_vad 1200 ms", silence(1_200)),
        ("semantic_vad high", eager(Eagerness::High)),
        ("semantic_vad auto", eager(Eagerness::Auto)),
        ("semantic_vad 300-760 ms", between(300, 760)),
        ("semantic_vad 450-760 ms", between(450, 760)),
        ("semantic_vad low", eager(Eagerness::Low)),
        ("semantic_vad 700-960 ms", between(700, 960)),
        ("semantic_vad 1100-1160 ms", between(1_100, 1_160)),
        ("semantic_vad auto, not ahead", TurnTaking { start_ahead: false, ..TurnTaking::default() }),
    ]
    .into_iter()
    .map(|(name, turn_taking)| (name, AgentConfig { turn_taking, ..AgentConfig::default() }))
    .collect()
}

fn say(voice: &Hibari, text: &str) -> Vec<f32> {
    let mut events = voice.speak(SpeechRequest { text: text.to_owned(), voice: None, speed: 1.0 });
    let mut samples = Vec::new();
    while let Some(event) = events.blocking_recv() {
        match event {
            TtsEvent::Audio(more) => samples.extend(more.iter()),
            TtsEvent::Done => break,
            TtsEvent::Failed(failure) => panic!("{failure}"),
        }
    }
    samples
}

fn spoken(voice: &Hibari, text: &str) -> Recording {
    let samples = say(voice, text);
    let samples = audio::resample::resample(&samples, voice.sample_rate_hz(), corpus::RATE_HZ as u32);
    Recording { name: text.to_owned(), samples }
}
