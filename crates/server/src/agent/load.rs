//! Model files into models: found and checked before a port is bound, loaded while HTTP is served already.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use providers::local::hibari::Hibari;
use providers::local::llama::{self, Llama, LlamaConfig};
use providers::local::moonshine::Moonshine;
use providers::local::runtime::{self, Runtime};
use providers::local::silero::Silero;
use providers::local::smart_turn::SmartTurn;
use providers::packs::{FileState, Kind, Manifest, Pack, Problem, Profile, VerifyError};
use providers::tools::{DuplicateTool, Mcp, Toolbox, ToolsConfig, Webhooks, WebhooksError};
use session::Providers;
use tokio::task::{JoinError, spawn_blocking};
use tokio::time::Instant;

use super::profile::{Machine, choose, other};
use crate::cli::AgentKind;
use crate::config::{Dirs, ModelsConfig};
use crate::orchestrator::Agent;

/// The models cannot be used. Each message follows "failed to".
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Files are missing or damaged.
    #[error("use the models in {}: {}; fetch what is missing with `antiphon models pull`, or set models.dir", dir.display(), summary(problems))]
    Files {
        /// The folder.
        dir: PathBuf,
        /// What is wrong.
        problems: Vec<Problem>,
    },
    /// One of the voice models.
    #[error(transparent)]
    Onnx(#[from] runtime::LoadError),
    /// The language model.
    #[error(transparent)]
    Llama(#[from] llama::LoadError),
    /// A webhook is configured wrongly.
    #[error(transparent)]
    Webhooks(#[from] WebhooksError),
    /// Two tools have one name.
    #[error("open the tools: {0}")]
    Tools(#[from] DuplicateTool),
    /// A loader is broken.
    #[error("load the models: {0}")]
    Panicked(#[from] JoinError),
}

/// One problem stands for many, so that the sentence stays one.
fn summary(problems: &[Problem]) -> String {
    match problems {
        [] => "the manifest lacks a pack".to_owned(),
        [problem] => problem.to_string(),
        [first, rest @ ..] => format!("{first}, and {} more files are missing or damaged", rest.len()),
    }
}

/// What an agent is loaded from.
pub(crate) enum Files {
    /// Echo needs nothing.
    Echo,
    /// All models.
    Models {
        /// The folder of all model files.
        dir: PathBuf,
        /// The language model's file.
        llm: PathBuf,
        /// Threads of the language model.
        threads: Option<NonZeroU32>,
        /// The system prompt that suits it.
        instructions: Option<String>,
    },
    /// The models are there already.
    Loaded(Box<Providers>),
}

impl Files {
    /// The system prompt that suits the language model, for who configures none.
    pub(crate) fn instructions(&self) -> Option<String> {
        match self {
            Self::Echo | Self::Loaded(_) => None,
            Self::Models { instructions, .. } => instructions.clone(),
        }
    }
}

/// Finds the files that an agent needs, and makes sure that they are the right ones. Files that changed since the last
/// time are read, which takes a second for each gigabyte.
///
/// # Errors
/// When some are missing or damaged.
pub(crate) async fn find(kind: AgentKind, config: &ModelsConfig, dirs: &Dirs) -> Result<Files, LoadError> {
    match kind {
        AgentKind::Echo => Ok(Files::Echo),
        AgentKind::Local => {
            let (config, dir) = (config.clone(), config.dir(dirs));
            spawn_blocking(move || find_models(&config, dir)).await?
        }
    }
}

/// Loads what was found. Takes seconds.
///
/// # Errors
/// When a file cannot be loaded after all, such as for want of memory.
pub(crate) async fn load(files: Files, tools: ToolsConfig) -> Result<Agent, LoadError> {
    let (dir, llm, threads) = match files {
        Files::Echo => return Ok(Agent::Echo),
        Files::Loaded(models) => return Ok(Agent::Models(*models)),
        Files::Models { dir, llm, threads, .. } => (dir, llm, threads),
    };
    let began = Instant::now();
    let llama = spawn_blocking(move || load_llama(llm, threads));
    let voice = spawn_blocking(move || load_voice(&dir));
    let tools = Arc::new(open_tools(&tools).await?);
    let (llama, voice) = (llama.await??, voice.await??);
    tracing::info!(elapsed_ms = began.elapsed().as_millis(), "models loaded");
    Ok(Agent::Models(Providers {
        vad: Arc::new(voice.vad),
        turn: Arc::new(voice.turn),
        stt: Arc::new(voice.stt),
        llm: Arc::new(llama),
        tts: Arc::new(voice.tts),
        tools,
        live: None,
    }))
}

async fn open_tools(config: &ToolsConfig) -> Result<Toolbox, LoadError> {
    let webhooks = Webhooks::new(&config.webhook)?;
    let mcp = Mcp::connect(&config.mcp).await;
    Ok(Toolbox::new(vec![Arc::new(webhooks), Arc::new(mcp)])?)
}

fn find_models(config: &ModelsConfig, dir: PathBuf) -> Result<Files, LoadError> {
    let manifest = Manifest::builtin();
    let machine = Machine::here();
    let profile = present_profile(&manifest, &dir, choose(config.profile, machine));
    let packs = manifest.packs_of(profile);
    let names: Vec<&str> = packs.iter().map(|pack| pack.name.as_str()).collect();
    match providers::packs::check(&manifest, &dir, &names) {
        Ok(()) => {}
        Err(VerifyError::Bad(problems)) => return Err(LoadError::Files { dir, problems }),
        Err(VerifyError::UnknownPack(_)) => return Err(LoadError::Files { dir, problems: Vec::new() }),
    }
    let missing = || LoadError::Files { dir: dir.clone(), problems: Vec::new() };
    let llm = llm_of(&packs).ok_or_else(missing)?;
    tracing::info!(
        asked = ?config.profile,
        chosen = ?profile,
        model = llm.name,
        cores = machine.cores,
        memory_mib = machine.memory_bytes / 1024 / 1024,
        "language model chosen"
    );
    let instructions = llm.instructions.clone();
    let llm = dir.join(&llm.files.first().ok_or_else(missing)?.path);
    Ok(Files::Models { llm, threads: config.threads.and_then(NonZeroU32::new), dir, instructions })
}

/// The wished profile, or the other one when only its language model is here.
fn present_profile(manifest: &Manifest, dir: &Path, wished: Profile) -> Profile {
    let status = providers::packs::status(manifest, dir);
    let is_here = |profile| {
        llm_of(&manifest.packs_of(profile)).is_some_and(|llm| {
            status.iter().filter(|file| file.pack == llm.name).all(|file| file.state != FileState::Missing)
        })
    };
    let other = other(wished);
    if is_here(wished) || !is_here(other) {
        return wished;
    }
    tracing::warn!(?wished, instead = ?other, "the language model of the profile is missing; the other one is used");
    other
}

fn llm_of<'a>(packs: &[&'a Pack]) -> Option<&'a Pack> {
    packs.iter().copied().find(|pack| pack.kind == Kind::Llm)
}

struct Voice {
    vad: Silero,
    turn: SmartTurn,
    stt: Moonshine,
    tts: Hibari,
}

fn load_voice(dir: &Path) -> Result<Voice, LoadError> {
    let runtime = Runtime::load(&dir.join(Runtime::FILE))?;
    Ok(Voice {
        vad: Silero::load(&runtime, &dir.join(Silero::FILE))?,
        turn: SmartTurn::load(&runtime, &dir.join(SmartTurn::FILE))?,
        stt: Moonshine::load(&runtime, &dir.join(Moonshine::DIR))?,
        tts: Hibari::load(&runtime, &dir.join(Hibari::DIR))?,
    })
}

fn load_llama(path: PathBuf, threads: Option<NonZeroU32>) -> Result<Llama, LoadError> {
    let mut config = LlamaConfig::new(path);
    if let Some(threads) = threads {
        config.threads = threads;
        config.threads_batch = threads;
    }
    Ok(Llama::load(&config)?)
}
