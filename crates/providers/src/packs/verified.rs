//! Which files are there, and which of them are known to be right.
//!
//! Hashing a gigabyte takes seconds, so a file that was found right is remembered by its size and time of change in
//! `.verified.json`; a start then only looks at those. [`verify`] forgets what it knows and reads everything anew.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use super::manifest::{Manifest, ModelFile};
use super::part_file::hash_file;

const STAMPS_FILE: &str = ".verified.json";

/// What is known of one file.
#[derive(Debug, Clone)]
pub struct FileStatus {
    /// The pack that it belongs to.
    pub pack: String,
    /// Where it lies under the models directory.
    pub path: String,
    /// The size that it should have.
    pub size_bytes: u64,
    /// Whether it is there and right.
    pub state: FileState,
}

/// Whether a file is there and right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileState {
    /// Not there.
    Missing,
    /// There with the right size; its content has not been looked at since it changed.
    Unchecked,
    /// There, and its content was found right.
    Verified,
    /// There with a wrong size.
    WrongSize,
}

/// The files of some packs that are not as they should be.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// There is no pack of this name.
    #[error("verify models: there is no pack named {0}")]
    UnknownPack(String),
    /// Some files are missing or wrong.
    #[error("{}", Problem::list(.0))]
    Bad(Vec<Problem>),
}

/// One file that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it, and how to mend it.
    pub reason: String,
}

impl Problem {
    fn list(problems: &[Self]) -> String {
        let mut text = "verify models:".to_owned();
        for problem in problems {
            text.push_str(&format!(" {problem};"));
        }
        text.push_str(" run `antiphon models pull`");
        text
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.path.display(), self.reason)
    }
}

/// What is known of every file, without reading any.
#[must_use]
pub fn status(manifest: &Manifest, dir: &Path) -> Vec<FileStatus> {
    let stamps = Stamps::read(dir);
    let files = manifest.packs().iter().flat_map(|pack| pack.files.iter().map(move |file| (pack, file)));
    files
        .map(|(pack, file)| FileStatus {
            pack: pack.name.clone(),
            path: file.path.clone(),
            size_bytes: file.size_bytes,
            state: stamps.state(dir, file),
        })
        .collect()
}

/// Makes sure that the files of the named packs are right, reading only those that changed since they were last read.
/// Blocks: a second for each gigabyte read.
///
/// # Errors
/// Names every file that is missing or wrong.
pub fn check(manifest: &Manifest, dir: &Path, packs: &[&str]) -> Result<(), VerifyError> {
    check_with(manifest, dir, packs, Stamps::read(dir))
}

/// Reads every file of the named packs anew. Blocks as [`check`] does.
///
/// # Errors
/// Names every file that is missing or wrong.
pub fn verify(manifest: &Manifest, dir: &Path, packs: &[&str]) -> Result<(), VerifyError> {
    let mut stamps = Stamps::read(dir);
    for file in manifest.files_of(packs).map_err(VerifyError::UnknownPack)? {
        stamps.0.remove(&file.path);
    }
    check_with(manifest, dir, packs, stamps)
}

fn check_with(manifest: &Manifest, dir: &Path, packs: &[&str], mut stamps: Stamps) -> Result<(), VerifyError> {
    let files = manifest.files_of(packs).map_err(VerifyError::UnknownPack)?;
    let problems: Vec<Problem> = files
        .into_iter()
        .filter_map(|file| {
            let reason = stamps.check(dir, file).err()?;
            Some(Problem { path: dir.join(&file.path), reason })
        })
        .collect();
    stamps.write(dir);
    if problems.is_empty() { Ok(()) } else { Err(VerifyError::Bad(problems)) }
}

/// What was found right, by path under the models directory.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Stamps(BTreeMap<String, Stamp>);

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    sha256: String,
    size_bytes: u64,
    changed_ns: u64,
}

impl Stamp {
    fn of(file: &ModelFile, metadata: &Metadata) -> Option<Self> {
        let changed = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        let changed_ns = u64::try_from(changed.as_nanos()).ok()?;
        Some(Self { sha256: file.sha256.clone(), size_bytes: metadata.len(), changed_ns })
    }
}

impl Stamps {
    /// Nothing is known when the file is missing or unreadable: everything is then read anew.
    pub(super) fn read(dir: &Path) -> Self {
        let bytes = std::fs::read(dir.join(STAMPS_FILE)).unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    /// Best effort: without the file, the next start reads everything again.
    pub(super) fn write(&self, dir: &Path) {
        let Ok(text) = serde_json::to_string_pretty(self) else { return };
        let temporary = dir.join(format!("{STAMPS_FILE}.part"));
        let written =
            std::fs::write(&temporary, text).and_then(|()| std::fs::rename(&temporary, dir.join(STAMPS_FILE)));
        if let Err(error) = written {
            tracing::debug!(%error, "cannot remember which model files are right");
        }
    }

    pub(super) fn state(&self, dir: &Path, file: &ModelFile) -> FileState {
        let Ok(metadata) = std::fs::metadata(dir.join(&file.path)) else { return FileState::Missing };
        if metadata.len() != file.size_bytes {
            return FileState::WrongSize;
        }
        let known = self.0.get(&file.path).is_some_and(|stamp| Stamp::of(file, &metadata).as_ref() == Some(stamp));
        if known { FileState::Verified } else { FileState::Unchecked }
    }

    /// Reads the file unless it is known to be right, and remembers the outcome.
    pub(super) fn check(&mut self, dir: &Path, file: &ModelFile) -> Result<(), String> {
        match self.state(dir, file) {
            FileState::Verified => return Ok(()),
            FileState::Missing => return Err("is missing".to_owned()),
            FileState::WrongSize => return Err(format!("is damaged: its size is not {} bytes", file.size_bytes)),
            FileState::Unchecked => {}
        }
        let path = dir.join(&file.path);
        let found = hash_file(&path).map_err(|error| format!("cannot be read: {error}"))?;
        if found != file.sha256 {
            self.0.remove(&file.path);
            return Err(format!("is damaged: its SHA-256 is {found} and should be {}", file.sha256));
        }
        self.trust(dir, file);
        Ok(())
    }

    /// Remembers that the file, as it is now, is right.
    pub(super) fn trust(&mut self, dir: &Path, file: &ModelFile) {
        let metadata = std::fs::metadata(dir.join(&file.path)).ok();
        if let Some(stamp) = metadata.and_then(|metadata| Stamp::of(file, &metadata)) {
            self.0.insert(file.path.clone(), stamp);
        }
    }
}
