//! Loads a model on its own thread and says plainly when that cannot be.

use std::fs::File;
use std::io::{self, BufReader};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::context::params::LlamaContextParams;
use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::model::params::LlamaModelParams;
use llama_cpp_2::{LogOptions, send_logs_to_tracing};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::LlamaConfig;
use super::command::Command;
use super::engine::Engine;
use super::gguf::{Header, HeaderError, read_header};
use super::schedule::READ_ALONE;

/// Architectures whose cache can be cut, copied and shifted, and whose template llama.cpp renders.
const ARCHITECTURES: [&str; 10] =
    ["gemma", "gemma2", "gemma3", "granite", "llama", "olmo2", "phi3", "qwen2", "qwen3", "smollm3"];
/// Conversations one cache can hold; llama.cpp's own limit is 256.
const MAX_CONVERSATIONS: u32 = 64;
/// Below this not even the instructions and one turn fit.
const MIN_CONTEXT_TOKENS: u32 = 128;

/// Why a model cannot be used, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// There is no such file.
    #[error("find the language model {path}: run `antiphon models pull` to fetch it")]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The file exists but cannot be opened.
    #[error("open the language model {path} ({source}): check that the server may read it")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not in GGUF format, or damaged.
    #[error("read {path} as a GGUF model ({source}): fetch it again with `antiphon models pull`")]
    NotGguf {
        /// The file.
        path: PathBuf,
        /// Why.
        source: HeaderError,
    },
    /// The architecture is not known to work.
    #[error("use {path}: its architecture `{found}` is not supported, choose a chat model of {}", ARCHITECTURES.join(", "))]
    Architecture {
        /// The file.
        path: PathBuf,
        /// What the file names.
        found: String,
    },
    /// A base model, which continues text but does not answer.
    #[error("use {path}: it is a base model without a chat template, choose its `instruct` or `chat` version")]
    NoChatTemplate {
        /// The file.
        path: PathBuf,
    },
    /// llama.cpp cannot render the chat template.
    #[error("use {path}: its chat template is not supported ({reason}), choose another model")]
    Template {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// llama.cpp does not load the file.
    #[error(
        "load {path}: it is damaged or too large for this machine's memory; check it with `antiphon models verify`, \
         and set the log level of `llama-cpp-2` to debug to see the reason"
    )]
    Refused {
        /// The file.
        path: PathBuf,
    },
    /// The cache cannot be had.
    #[error("allocate the language model's cache: lower `context_tokens` or `max_conversations`")]
    Cache,
    /// A setting is out of range.
    #[error("start the language model: `{setting}` must be between {least} and {most}")]
    Setting {
        /// The setting.
        setting: &'static str,
        /// Its least value.
        least: u32,
        /// Its greatest value.
        most: u32,
    },
    /// The model loads but does not work.
    #[error("warm up the language model: {0}")]
    WarmUp(String),
    /// The engine's thread did not start or ended early.
    #[error("start the language model's thread: {0}")]
    Thread(String),
}

/// Checks the file, then loads it on a thread of its own, which serves the commands from then on.
pub(super) fn start(config: LlamaConfig, commands: mpsc::Receiver<Command>) -> Result<JoinHandle<()>, LoadError> {
    check_settings(&config)?;
    let header = check_file(&config.path)?;
    let (ready, result) = sync_channel(1);
    let engine = std::thread::Builder::new()
        .name("llama".to_owned())
        .spawn(move || {
            let failed = ready.clone();
            if let Err(error) = serve(&config, &header, commands, &ready) {
                // Nobody listens only if the starting thread has died.
                let _ = failed.send(Err(error));
            }
        })
        .map_err(|error| LoadError::Thread(error.to_string()))?;
    result.recv().unwrap_or_else(|_| Err(LoadError::Thread("it ended early".to_owned())))?;
    Ok(engine)
}

fn check_settings(config: &LlamaConfig) -> Result<(), LoadError> {
    let within = |setting, value: NonZeroU32, least, most| {
        if (least..=most).contains(&value.get()) { Ok(()) } else { Err(LoadError::Setting { setting, least, most }) }
    };
    within("threads", config.threads, 1, 256)?;
    within("threads_batch", config.threads_batch, 1, 256)?;
    within("context_tokens", config.context_tokens, MIN_CONTEXT_TOKENS, 131_072)?;
    within("max_conversations", config.max_conversations, 1, MAX_CONVERSATIONS)
}

fn check_file(path: &Path) -> Result<Header, LoadError> {
    let file = File::open(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => LoadError::Missing { path: path.to_owned() },
        _ => LoadError::Unreadable { path: path.to_owned(), source },
    })?;
    let header = read_header(BufReader::with_capacity(1 << 16, file))
        .map_err(|source| LoadError::NotGguf { path: path.to_owned(), source })?;
    let found = header.architecture.as_deref().unwrap_or("unknown");
    if !ARCHITECTURES.contains(&found) {
        return Err(LoadError::Architecture { path: path.to_owned(), found: found.to_owned() });
    }
    if !header.has_chat_template {
        return Err(LoadError::NoChatTemplate { path: path.to_owned() });
    }
    Ok(header)
}

fn serve(
    config: &LlamaConfig,
    header: &Header,
    commands: mpsc::Receiver<Command>,
    ready: &SyncSender<Result<(), LoadError>>,
) -> Result<(), LoadError> {
    let started = Instant::now();
    let backend = backend()?;
    let refused = || LoadError::Refused { path: config.path.clone() };
    let model =
        LlamaModel::load_from_file(backend, &config.path, &LlamaModelParams::default()).map_err(|_| refused())?;
    let mut context = model.new_context(backend, context_params(config)).map_err(|_| LoadError::Cache)?;
    warm_up(&model, &mut context)?;
    let engine = Engine::new(&model, context, config)
        .map_err(|error| LoadError::Template { path: config.path.clone(), reason: error.to_string() })?;
    tracing::info!(
        model = header.name.as_deref().unwrap_or("unnamed"),
        architecture = header.architecture.as_deref().unwrap_or("unknown"),
        threads = config.threads,
        threads_batch = config.threads_batch,
        context_tokens = config.context_tokens,
        max_conversations = config.max_conversations,
        load_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        "language model loaded"
    );
    // Nobody listens only if the starting thread has died; the engine then ends for want of senders.
    let _ = ready.send(Ok(()));
    engine.run(commands);
    Ok(())
}

/// llama.cpp is set up once per process. Its log is verbose even at level info, so it is passed on only when
/// somebody asks for its details.
fn backend() -> Result<&'static LlamaBackend, LoadError> {
    static BACKEND: OnceLock<Option<LlamaBackend>> = OnceLock::new();
    let backend = BACKEND.get_or_init(|| {
        let wanted = tracing::enabled!(target: "llama-cpp-2", tracing::Level::DEBUG);
        send_logs_to_tracing(LogOptions::default().with_logs_enabled(wanted));
        LlamaBackend::init().ok()
    });
    backend.as_ref().ok_or_else(|| LoadError::Thread("another part of the process already runs llama.cpp".to_owned()))
}

/// One buffer for all sequences, so that a beginning can be shared without copying. It has room for every
/// conversation at its longest.
fn context_params(config: &LlamaConfig) -> LlamaContextParams {
    let conversations = config.max_conversations.get();
    let batch = u32::try_from(READ_ALONE).unwrap_or(u32::MAX).saturating_add(conversations);
    let threads = |count: NonZeroU32| i32::try_from(count.get()).unwrap_or(i32::MAX);
    LlamaContextParams::default()
        .with_n_ctx(Some(config.context_tokens.saturating_mul(config.max_conversations)))
        .with_n_seq_max(conversations)
        .with_kv_unified(true)
        .with_n_batch(batch)
        .with_n_ubatch(batch)
        .with_n_threads(threads(config.threads))
        .with_n_threads_batch(threads(config.threads_batch))
        .with_no_perf(true)
}

/// Evaluates one token and forgets it: the weights are then in memory and the compute buffers allocated.
fn warm_up(model: &LlamaModel, context: &mut LlamaContext<'_>) -> Result<(), LoadError> {
    let token = model.vocab().eos();
    let mut batch = LlamaBatch::new(1, 1);
    batch.add(token, 0, &[0], true).map_err(|error| LoadError::WarmUp(error.to_string()))?;
    context.decode(&mut batch).map_err(|error| LoadError::WarmUp(error.to_string()))?;
    context.clear_kv_cache();
    Ok(())
}
