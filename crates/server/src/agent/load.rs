//! Model files into models, while HTTP is served already.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use providers::local::hibari::Hibari;
use providers::local::llama::{self, Llama, LlamaConfig};
use providers::local::moonshine::Moonshine;
use providers::local::runtime::{self, Runtime};
use providers::local::silero::Silero;
use providers::local::smart_turn::SmartTurn;
use providers::packs::Problem;
use providers::resilience::ResilienceConfig;
use providers::tools::{DuplicateTool, Mcp, Toolbox, ToolsConfig, Webhooks, WebhooksError};
use session::AgentConfig;
use tokio::task::{JoinError, spawn_blocking};
use tokio::time::Instant;

use super::files::{Files, Needs};
use super::lineup::{Cast, Lineup, Local};
use super::shelf::ChoiceError;
use super::vendors::Vendors;

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
    /// The default agent chooses models that are neither here nor at a vendor.
    #[error("give the default agent its models: {0}")]
    Choice(#[from] ChoiceError),
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

/// Loads what was found, and puts it beside the models of vendors. Takes seconds.
///
/// # Errors
/// When a file cannot be loaded after all, such as for want of memory.
pub(crate) async fn load(
    files: Files,
    vendors: Vendors,
    tools: ToolsConfig,
    default: AgentConfig,
    figures: ResilienceConfig,
) -> Result<Cast, LoadError> {
    let local = match files {
        Files::Echo => return Ok(Cast::Echo),
        Files::Loaded(models) => Local::from(*models),
        Files::Models { dir, needs, llm, threads, .. } => load_local(dir, needs, llm, threads, tools).await?,
    };
    Ok(Cast::Models(Lineup::new(local, vendors, default, figures)?))
}

async fn load_local(
    dir: PathBuf,
    needs: Needs,
    llm: Option<PathBuf>,
    threads: Option<NonZeroU32>,
    tools: ToolsConfig,
) -> Result<Local, LoadError> {
    let began = Instant::now();
    let llama = spawn_blocking(move || llm.map(|path| load_llama(path, threads)).transpose());
    let voice = spawn_blocking(move || load_voice(&dir, needs));
    let tools = Arc::new(open_tools(&tools).await?);
    let (llama, voice) = (llama.await??, voice.await??);
    tracing::info!(elapsed_ms = began.elapsed().as_millis(), "models loaded");
    Ok(Local {
        vad: Arc::new(voice.vad),
        turn: Arc::new(voice.turn),
        stt: voice.stt.map(|model| Arc::new(model) as _),
        llm: llama.map(|model| Arc::new(model) as _),
        tts: voice.tts.map(|model| Arc::new(model) as _),
        tools,
    })
}

async fn open_tools(config: &ToolsConfig) -> Result<Toolbox, LoadError> {
    let webhooks = Webhooks::new(&config.webhook)?;
    let mcp = Mcp::connect(&config.mcp).await;
    Ok(Toolbox::new(vec![Arc::new(webhooks), Arc::new(mcp)])?)
}

struct Voice {
    vad: Silero,
    turn: SmartTurn,
    stt: Option<Moonshine>,
    tts: Option<Hibari>,
}

fn load_voice(dir: &Path, needs: Needs) -> Result<Voice, LoadError> {
    let runtime = Runtime::load(&dir.join(Runtime::FILE))?;
    Ok(Voice {
        vad: Silero::load(&runtime, &dir.join(Silero::FILE))?,
        turn: SmartTurn::load(&runtime, &dir.join(SmartTurn::FILE))?,
        stt: needs.stt.then(|| Moonshine::load(&runtime, &dir.join(Moonshine::DIR))).transpose()?,
        tts: needs.tts.then(|| Hibari::load(&runtime, &dir.join(Hibari::DIR))).transpose()?,
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
