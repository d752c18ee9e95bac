//! The language model that runs on this machine, through llama.cpp.
//!
//! One thread owns the model and one cache that all conversations share (`engine`); everything else sends it
//! commands. Answers of several conversations advance together, a token each per step, and prompts are read in
//! chunks between them (`schedule`). A conversation keeps its part of the cache from turn to turn (`slots`), so only
//! new words are read, and `prepare` reads even those before they are needed. `chat` writes messages
//! and tools as the model knows them, `prompt` turns them into tokens, `answer` tokens into events, among which
//! `calls` finds calls of tools. Files are checked (`gguf`) before llama.cpp sees them.

mod answer;
mod calls;
mod chat;
mod command;
mod engine;
pub mod gguf;
mod load;
mod prompt;
mod schedule;
mod slots;
mod text;
mod work;

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::thread::JoinHandle;

use tokio::sync::mpsc::{self, error::TrySendError};

use crate::llm::{LanguageModel, LlmEvent, LlmRequest};
use crate::{Failure, Remedy};

pub use load::LoadError;

use command::{Command, Reply};

/// The name in metrics and spans.
const NAME: &str = "local.llama";
/// Commands on their way to the engine, which takes them between two steps. A reply that finds the queue full
/// fails, a preparation is forgone; it never fills in a working server.
const MAX_COMMANDS: usize = 256;

/// More threads than this bring little for models small enough to run beside a voice on one machine.
const MOST_THREADS: NonZeroU32 = NonZeroU32::new(4).expect("not zero");

/// What to load and how much of the machine it may use. Read once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LlamaConfig {
    /// The GGUF file.
    pub path: PathBuf,
    /// Threads that write a single answer.
    pub threads: NonZeroU32,
    /// Threads that read prompts and write several answers at once.
    pub threads_batch: NonZeroU32,
    /// Tokens a conversation may hold, prompt and answer together. Its oldest turns are dropped beyond.
    pub context_tokens: NonZeroU32,
    /// Conversations kept in the cache, and the most that are answered at the same time. Others wait their turn.
    /// The cache takes 12 kB (0.5B) or 28 kB (1.5B) per token of context, so 96 or 224 MB with the defaults.
    pub max_conversations: NonZeroU32,
    /// Makes sampling repeatable; none draws a seed for each request.
    pub seed: Option<u32>,
}

impl LlamaConfig {
    /// The defaults for a model file.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            threads: default_threads(),
            threads_batch: default_threads(),
            context_tokens: const { NonZeroU32::new(2048).expect("not zero") },
            max_conversations: const { NonZeroU32::new(4).expect("not zero") },
            seed: None,
        }
    }
}

/// One for each core, as far as four. The threads are OpenMP threads; the program should run with a short
/// `GOMP_SPINCOUNT`, for ones that spin long collapse as soon as anything else needs a core.
fn default_threads() -> NonZeroU32 {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    u32::try_from(cores).ok().and_then(NonZeroU32::new).map_or(NonZeroU32::MIN, |cores| cores.min(MOST_THREADS))
}

/// A loaded model. Dropping it ends its thread, and with it all answers.
#[derive(Debug)]
pub struct Llama {
    /// Taken out only when dropping, which is what ends the thread.
    commands: Option<mpsc::Sender<Command>>,
    engine: Option<JoinHandle<()>>,
}

impl Llama {
    /// Loads a model and warms it up; takes seconds, so call it off the async threads.
    ///
    /// # Errors
    /// The file is missing, damaged or no chat model, or the machine cannot hold it. Each error says what to do.
    pub fn load(config: &LlamaConfig) -> Result<Self, LoadError> {
        let (commands, receiver) = mpsc::channel(MAX_COMMANDS);
        let engine = load::start(config.clone(), receiver)?;
        Ok(Self { commands: Some(commands), engine: Some(engine) })
    }

    fn send(&self, command: Command) -> Result<(), TrySendError<Command>> {
        match &self.commands {
            Some(commands) => commands.try_send(command),
            None => Err(TrySendError::Closed(command)),
        }
    }
}

impl LanguageModel for Llama {
    fn name(&self) -> &'static str {
        NAME
    }

    fn reply(&self, request: LlmRequest) -> mpsc::Receiver<LlmEvent> {
        let (reply, events) = Reply::new(request);
        match self.send(Command::Reply(reply)) {
            Ok(()) => {}
            Err(TrySendError::Full(command)) => command.refuse("too many requests are waiting"),
            Err(TrySendError::Closed(command)) => command.refuse("the engine has stopped"),
        }
        events
    }

    fn prepare(&self, request: LlmRequest) {
        if self.send(Command::Prepare(request)).is_err() {
            tracing::debug!("preparation forgone, the command queue is full");
        }
    }

    fn release(&self, conversation: &str) {
        // When this is lost, the slot is taken back as the one unused for longest.
        if self.send(Command::Release(conversation.to_owned())).is_err() {
            tracing::debug!("release forgone, the command queue is full");
        }
    }
}

impl Drop for Llama {
    fn drop(&mut self) {
        self.commands = None;
        if let Some(engine) = self.engine.take()
            && engine.join().is_err()
        {
            tracing::warn!("language model thread had panicked");
        }
    }
}

/// A failure that another provider must make good.
fn replace(message: impl Into<String>) -> Failure {
    Failure::new(NAME, Remedy::Replace, message)
}
