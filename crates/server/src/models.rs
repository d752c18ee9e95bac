//! `antiphon models`: see, fetch and check the model files.

use std::path::Path;

use providers::packs::{self, Bars, FileState, FileStatus, Manifest, Pack, Profile, PullError, VerifyError};
use tokio::task::{JoinError, spawn_blocking};

use crate::agent::{Machine, choose};
use crate::cli::{ModelsArgs, ModelsCommand, PullProfile};
use crate::config::{self, ConfigError, Dirs};

/// The model files cannot be seen to. Each message follows "failed to".
#[derive(Debug, thiserror::Error)]
pub enum ModelsError {
    /// The settings cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Not everything could be fetched.
    #[error(transparent)]
    Pull(#[from] PullError),
    /// Something is missing or damaged.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// The check is broken.
    #[error("verify models: {0}")]
    Panicked(#[from] JoinError),
}

/// Does what the command says.
///
/// # Errors
/// When the settings are wrong, a pack cannot be fetched, or a file is missing or damaged.
pub(crate) async fn run(args: ModelsArgs) -> Result<(), ModelsError> {
    let config = config::load(args.config.config.as_deref())?;
    let dir = config.models.dir(&Dirs::from_env());
    let profile = choose(config.models.profile, Machine::here());
    let manifest = Manifest::builtin();
    match args.command {
        ModelsCommand::List => {
            list(&manifest, &dir, profile);
            Ok(())
        }
        ModelsCommand::Pull { packs, profile: named } => {
            let wanted = wanted(&manifest, &packs, named, profile);
            Ok(packs::pull(&manifest, &dir, &wanted, &Bars::progress()).await?)
        }
        ModelsCommand::Verify => {
            let checked = verify(manifest, dir.clone(), profile).await?;
            println!("{checked} packs in {} are right.", dir.display());
            Ok(())
        }
    }
}

/// The named packs and those of the named profile; without any, those of the configured one.
fn wanted<'a>(
    manifest: &'a Manifest,
    packs: &'a [String],
    named: Option<PullProfile>,
    configured: Profile,
) -> Vec<&'a str> {
    let profile = match named {
        Some(PullProfile::Fast) => Some(Profile::Fast),
        Some(PullProfile::Good) => Some(Profile::Good),
        None => packs.is_empty().then_some(configured),
    };
    let of_profile = profile.map(|profile| manifest.packs_of(profile)).unwrap_or_default();
    of_profile.into_iter().map(|pack| pack.name.as_str()).chain(packs.iter().map(String::as_str)).collect()
}

/// Reads every pack that serving needs, and those that are here beside them.
async fn verify(manifest: Manifest, dir: std::path::PathBuf, profile: Profile) -> Result<usize, ModelsError> {
    spawn_blocking(move || {
        let status = packs::status(&manifest, &dir);
        let is_wanted =
            |pack: &&Pack| pack.profiles.contains(&profile) || Presence::of(pack, &status) != Presence::Missing;
        let names: Vec<&str> = manifest.packs().iter().filter(is_wanted).map(|pack| pack.name.as_str()).collect();
        packs::verify(&manifest, &dir, &names)?;
        Ok(names.len())
    })
    .await?
}

fn list(manifest: &Manifest, dir: &Path, profile: Profile) {
    let status = packs::status(manifest, dir);
    println!("Models in {}; this machine serves with profile {}.\n", dir.display(), profile_name(profile));
    let licence_width = manifest.packs().iter().map(|pack| pack.licence.len()).max().unwrap_or(0) + 2;
    println!("{:<14}{:<12}{:>10}  {:<12}{:<licence_width$}WHAT", "PACK", "HERE", "SIZE", "PROFILES", "LICENCE");
    for pack in manifest.packs() {
        let profiles: Vec<&str> = pack.profiles.iter().map(|profile| profile_name(*profile)).collect();
        println!(
            "{:<14}{:<12}{:>7} MB  {:<12}{:<licence_width$}{}",
            pack.name,
            Presence::of(pack, &status).name(),
            pack.size_bytes().div_ceil(1_000_000),
            profiles.join(", "),
            pack.licence,
            pack.description
        );
    }
}

fn profile_name(profile: Profile) -> &'static str {
    match profile {
        Profile::Fast => "fast",
        Profile::Good => "good",
    }
}

/// How much of a pack is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presence {
    Missing,
    Incomplete,
    Damaged,
    Here,
}

impl Presence {
    fn of(pack: &Pack, status: &[FileStatus]) -> Self {
        let files = || status.iter().filter(|file| file.pack == pack.name);
        let missing = files().filter(|file| file.state == FileState::Missing).count();
        if files().any(|file| file.state == FileState::WrongSize) {
            Self::Damaged
        } else if missing == 0 {
            Self::Here
        } else if missing == files().count() {
            Self::Missing
        } else {
            Self::Incomplete
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Incomplete => "incomplete",
            Self::Damaged => "damaged",
            Self::Here => "here",
        }
    }
}

#[cfg(test)]
mod tests {
    use providers::packs::{Kind, Manifest, Profile};

    use super::{Presence, wanted};
    use crate::cli::PullProfile;

    #[test]
    fn named_packs_are_fetched_alone_or_beside_a_profile() {
        let manifest = Manifest::builtin();
        let named = ["speech-tests".to_owned()];
        assert_eq!(wanted(&manifest, &named, None, Profile::Good), ["speech-tests"]);
        let both = wanted(&manifest, &named, Some(PullProfile::Fast), Profile::Good);
        assert!(both.contains(&"speech-tests") && both.len() > 1);
        let configured = wanted(&manifest, &[], None, Profile::Fast);
        let llms = manifest.packs().iter().filter(|pack| pack.kind == Kind::Llm);
        assert_eq!(llms.filter(|llm| configured.contains(&llm.name.as_str())).count(), 1);
    }

    #[test]
    fn an_empty_folder_has_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let manifest = Manifest::builtin();
        let status = providers::packs::status(&manifest, folder.path());
        assert!(manifest.packs().iter().all(|pack| Presence::of(pack, &status) == Presence::Missing));
    }
}
