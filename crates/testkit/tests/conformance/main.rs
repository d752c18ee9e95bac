//! The vendors' own clients against the emulator: what they use of an API, they must find in it, and its faults must look
//! to them as the vendor's do. Each script is a client in Python; it stops at the first thing that is not as it should
//! be. `google_rust` holds Google's clients in Rust.
//!
//! Wants the Python packages that `scripts/setup test` installs; without them a test fails and says so.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, its helpers too")]

mod google_rust;

use std::time::Duration;

use testkit::emulator::{Emulator, Limits, Script};
use testkit::installed;
use tokio::process::Command;

async fn run(script: &str, settings: Script) {
    let emulator = Emulator::start(settings).await.expect("it starts");
    let folder = tempfile::tempdir().expect("a folder");
    let authority = folder.path().join("ca.pem");
    std::fs::write(&authority, emulator.authority_pem()).expect("a file");
    let descriptors = folder.path().join("descriptors.bin");
    std::fs::write(&descriptors, google_apis::DESCRIPTORS).expect("a file");
    let output = Command::new(installed::python())
        .arg(format!("{}/tests/conformance/{script}", env!("CARGO_MANIFEST_DIR")))
        .env("EMULATOR_URL", emulator.url())
        .env("EMULATOR_TLS_URL", emulator.tls_url())
        .env("SSL_CERT_FILE", &authority)
        .env("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", &authority)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("DESCRIPTORS", &descriptors)
        .kill_on_drop(true)
        .output()
        .await
        .expect("the interpreter starts");
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn openai_chats() {
    run("openai_chat.py", Script::default()).await;
}

#[tokio::test]
async fn openai_speaks_and_hears() {
    run("openai_audio.py", Script::default()).await;
}

#[tokio::test]
async fn openai_converses() {
    run("openai_realtime.py", Script::default()).await;
}

#[tokio::test]
async fn gemini_converses() {
    run("gemini_live.py", Script::default()).await;
}

#[tokio::test]
async fn gemini_answers() {
    run("gemini.py", Script::default()).await;
}

#[tokio::test]
async fn google_hears() {
    run("google_speech.py", Script::default()).await;
}

#[tokio::test]
async fn google_speaks() {
    let limits = Limits { synthesis_idle: Duration::from_millis(500), syntheses: 3, ..Limits::default() };
    run("google_voices.py", Script { limits, ..Script::default() }).await;
}

#[tokio::test]
async fn the_protos_are_those_of_googles_clients() {
    run("google_protos.py", Script::default()).await;
}
