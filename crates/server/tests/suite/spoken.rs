//! Whole spoken calls by the shipped commands alone: `antiphon serve` with a configuration file whose vendors are emulated,
//! and `antiphon call` with a recording of a person. Voice activity and the end of the turn are the real models.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use providers::packs::speech_tests;
use serde_json::{Value, json};
use testkit::emulator::{Emulator, Route, Script, tone};
use testkit::installed;
use tokio::task::spawn_blocking;

use crate::support::{Served, antiphon};

/// What the emulated recognisers understand: recordings hold no tones.
const QUESTION: &str = "What did the lady say about the house?";

/// A recording of one sentence, three seconds long.
pub(crate) fn recording() -> PathBuf {
    let samples = speech_tests(&installed::models());
    let sample = samples.iter().find(|sample| sample.path.ends_with("austen-0880.wav")).expect("the manifest has it");
    assert!(sample.path.exists(), "{} is missing; run `antiphon models pull speech-tests`", sample.path.display());
    sample.path.clone()
}

/// Calls an agent whose configuration is this; gives what `antiphon call` printed, and the words of the reply that it saved.
fn call(configuration: &str) -> (Value, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("vendors.toml");
    std::fs::write(&file, configuration).expect("write");
    let mut serve = antiphon(folder.path());
    serve.arg("serve").arg("--config").arg(&file).env("ANTIPHON__MODELS__DIR", installed::models());
    let served = Served::start(serve);
    let mut caller = antiphon(folder.path());
    let output = caller.arg("call").arg(recording()).args(["--url", &served.url, "--json"]).output().expect("it runs");
    let served = served.terminate();
    let log = String::from_utf8_lossy(&served.stderr).into_owned();
    assert!(output.status.success(), "{}\n{log}", String::from_utf8_lossy(&output.stderr));
    let printed = serde_json::from_slice(&output.stdout).expect("one JSON object");
    (printed, reply(&folder.path().join("reply.wav")))
}

fn reply(path: &Path) -> String {
    let wav = audio::wav::read(&std::fs::read(path).expect("it was saved")).expect("a WAV file");
    let mut reader = tone::Reader::new(wav.rate_hz);
    let words: Vec<String> = reader.read(&wav.samples).into_iter().map(|word| word.text).collect();
    words.join(" ")
}

async fn emulator() -> Emulator {
    // One for each pause at which a recogniser is asked.
    let script = Script { transcripts: vec![QUESTION.to_owned(); 8], ..Script::default() };
    Emulator::start(script).await.expect("it starts")
}

async fn answers_aloud(configuration: String) {
    let (printed, heard) = spawn_blocking(move || call(&configuration)).await.expect("the call is held");
    let turns = printed["turns"].as_array().expect("turns");
    let last = turns.last().expect("a turn");
    // A recogniser that hears two utterances in the sentence understands it twice.
    let understood = last["user_text"].as_str().expect("words");
    assert!(understood.starts_with(QUESTION), "{printed}");
    let answer = format!("You said: {understood}");
    assert_eq!((&last["agent_text"], &last["heard_text"]), (&json!(answer), &json!(answer)), "{printed}");
    assert!(last["voice_to_voice_ms"].as_u64().is_some(), "{printed}");
    assert_eq!(heard, answer, "{printed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spoken_call_over_googles_chain() {
    let emulator = emulator().await;
    answers_aloud(format!(
        "[providers.google]\nkind = \"google\"\napi_key_file = \"{key}\"\nproject = \"p\"\nbase_url = \"{url}/v1beta\"\n\
         grpc_url = \"{grpc}\"\n[agent]\nstt = \"google\"\nllm = [\"google\"]\ntts = \"google\"\n",
        key = key().display(),
        url = emulator.url(),
        grpc = emulator.grpc_url(),
    ))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spoken_call_over_openais_interface() {
    let emulator = emulator().await;
    answers_aloud(format!(
        "[providers.lan]\nkind = \"openai\"\napi_key_file = \"{key}\"\nbase_url = \"{url}\"\nllm.model = \"gpt-5-mini\"\n\
         [agent]\nstt = \"lan\"\nllm = \"lan\"\ntts = \"lan\"\n",
        key = key().display(),
        url = emulator.openai_url(),
    ))
    .await;
}

/// The vendor's speech-native model heard and answered; nobody wrote or recognised for it.
fn answered_itself(emulator: &Emulator, live: Route, others: &[Route]) {
    let log = emulator.log();
    let asked = |route: Route| log.iter().filter(|record| record.route == route).count();
    assert!(asked(live) >= 1, "{log:?}");
    assert!(others.iter().all(|other| asked(*other) == 0), "{log:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spoken_call_with_openais_speech_native_model() {
    let emulator = emulator().await;
    answers_aloud(format!(
        "[providers.voice]\nkind = \"openai\"\napi_key_file = \"{key}\"\nbase_url = \"{url}\"\nllm.model = \"gpt-5-mini\"\n\
         [agent]\nlive = \"voice\"\nvoice = \"cedar\"\nstt = \"voice\"\nllm = \"voice\"\ntts = \"voice\"\n",
        key = key().display(),
        url = emulator.openai_url(),
    ))
    .await;
    answered_itself(&emulator, Route::OpenAiRealtime, &[Route::OpenAiChat]);
    let settings =
        emulator.log().into_iter().find(|record| record.route == Route::OpenAiRealtime).expect("it is there");
    assert_eq!(settings.request["session"]["audio"]["output"]["voice"], "cedar");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spoken_call_with_googles_speech_native_model() {
    let emulator = emulator().await;
    answers_aloud(format!(
        "[providers.google]\nkind = \"google\"\napi_key_file = \"{key}\"\nbase_url = \"{url}/v1beta\"\n\
         [providers.lan]\nkind = \"openai\"\napi_key_file = \"{key}\"\nbase_url = \"{lan}\"\n\
         [agent]\nlive = \"google\"\nstt = \"lan\"\nllm = \"google\"\ntts = \"lan\"\n",
        key = key().display(),
        url = emulator.url(),
        lan = emulator.openai_url(),
    ))
    .await;
    answered_itself(&emulator, Route::GeminiLive, &[Route::GeminiStream]);
}

/// The emulator lets in whoever shows a key.
pub(crate) fn key() -> PathBuf {
    static FILE: LazyLock<tempfile::NamedTempFile> = LazyLock::new(|| {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "open-sesame").expect("write");
        file
    });
    FILE.path().to_owned()
}
