//! The local models, each loaded once for all tests.

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use providers::local::hibari::Hibari;
use providers::local::llama::{Llama, LlamaConfig};
use providers::local::moonshine::Moonshine;
use providers::local::runtime::{LoadError, Runtime};
use providers::packs::speech_tests;
use testkit::installed;

const LANGUAGE_MODEL: &str = "llm/qwen2.5-coder-0.5b-instruct-q4_k_m.gguf";
const ADVICE: &str = "for tests: `antiphon models pull --profile fast speech-tests`";

static DIR: LazyLock<PathBuf> = LazyLock::new(installed::models);
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| ready(Runtime::load(&DIR.join(Runtime::FILE))));
static MOONSHINE: LazyLock<Arc<Moonshine>> =
    LazyLock::new(|| Arc::new(ready(Moonshine::load(&RUNTIME, &DIR.join(Moonshine::DIR)))));
static HIBARI: LazyLock<Arc<Hibari>> =
    LazyLock::new(|| Arc::new(ready(Hibari::load(&RUNTIME, &DIR.join(Hibari::DIR)))));
static LLAMA: LazyLock<Arc<Llama>> = LazyLock::new(|| {
    let config = LlamaConfig {
        max_conversations: const { std::num::NonZeroU32::new(8).expect("not zero") },
        ..LlamaConfig::new(DIR.join(LANGUAGE_MODEL))
    };
    Arc::new(Llama::load(&config).unwrap_or_else(|error| panic!("{error} ({ADVICE})")))
});

fn ready<T>(loaded: Result<T, LoadError>) -> T {
    loaded.unwrap_or_else(|error| panic!("{error} ({ADVICE})"))
}

pub(crate) fn moonshine() -> Arc<Moonshine> {
    Arc::clone(&MOONSHINE)
}

pub(crate) fn hibari() -> Arc<Hibari> {
    Arc::clone(&HIBARI)
}

pub(crate) fn llama() -> Arc<Llama> {
    Arc::clone(&LLAMA)
}

/// A recording of a person, at 16 kHz, and what they said.
pub(crate) fn recording(name: &str) -> (Vec<f32>, String) {
    let sample =
        speech_tests(&DIR).into_iter().find(|sample| sample.path.ends_with(name)).expect("the manifest has it");
    let samples = sample.samples().unwrap_or_else(|error| panic!("{error} ({ADVICE})"));
    (samples, sample.transcript)
}
