//! Which model files are needed, and whether they are here: found and checked before a port is bound.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use providers::packs::{FileState, Kind, Manifest, Pack, Profile, VerifyError};
use session::{Choice, Providers};
use tokio::task::spawn_blocking;

use super::load::LoadError;
use super::profile::{Machine, choose, other};
use super::vendors::agents;
use crate::cli::AgentKind;
use crate::config::{Config, Dirs, ModelsConfig};

/// What an agent is loaded from.
pub(crate) enum Files {
    /// Echo needs nothing.
    Echo,
    /// Models of this machine.
    Models {
        /// The folder of all model files.
        dir: PathBuf,
        /// Which of them some agent needs.
        needs: Needs,
        /// The language model's file, if it is needed.
        llm: Option<PathBuf>,
        /// Threads of the language model.
        threads: Option<NonZeroU32>,
        /// The system prompt that suits it.
        instructions: Option<String>,
    },
    /// The models are there already.
    Loaded(Box<Providers>),
}

/// Which models of this machine some agent chooses. Voice activity and the end of a turn are always found here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Needs {
    pub(super) stt: bool,
    pub(super) llm: bool,
    pub(super) tts: bool,
}

impl Needs {
    fn of(config: &Config) -> Self {
        let any =
            |choice: fn(&session::AgentConfig) -> &Choice| agents(config).any(|(_, agent)| choice(agent).has_local());
        Self { stt: any(|agent| &agent.stt), llm: any(|agent| &agent.llm), tts: any(|agent| &agent.tts) }
    }

    fn includes(self, kind: Kind) -> bool {
        match kind {
            Kind::Stt => self.stt,
            Kind::Llm => self.llm,
            Kind::Tts => self.tts,
            Kind::Runtime | Kind::Vad | Kind::Turn | Kind::Speech => true,
        }
    }
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

/// Finds the files that the agents need, and makes sure that they are the right ones. Files that changed since the last
/// time are read, which takes a second for each gigabyte.
///
/// # Errors
/// When some are missing or damaged.
pub(crate) async fn find(kind: AgentKind, config: &Config, dirs: &Dirs) -> Result<Files, LoadError> {
    match kind {
        AgentKind::Echo => Ok(Files::Echo),
        AgentKind::Local => {
            let (needs, models, dir) = (Needs::of(config), config.models.clone(), config.models.dir(dirs));
            spawn_blocking(move || find_models(&models, needs, dir)).await?
        }
    }
}

fn find_models(config: &ModelsConfig, needs: Needs, dir: PathBuf) -> Result<Files, LoadError> {
    let manifest = Manifest::builtin();
    let machine = Machine::here();
    let profile = present_profile(&manifest, &dir, choose(config.profile, machine));
    let packs: Vec<&Pack> = manifest.packs_of(profile).into_iter().filter(|pack| needs.includes(pack.kind)).collect();
    let names: Vec<&str> = packs.iter().map(|pack| pack.name.as_str()).collect();
    match providers::packs::check(&manifest, &dir, &names) {
        Ok(()) => {}
        Err(VerifyError::Bad(problems)) => return Err(LoadError::Files { dir, problems }),
        Err(VerifyError::UnknownPack(_)) => return Err(LoadError::Files { dir, problems: Vec::new() }),
    }
    let threads = config.threads.and_then(NonZeroU32::new);
    if !needs.llm {
        return Ok(Files::Models { dir, needs, llm: None, threads, instructions: None });
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
    let llm = Some(dir.join(&llm.files.first().ok_or_else(missing)?.path));
    Ok(Files::Models { llm, needs, threads, dir, instructions })
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
