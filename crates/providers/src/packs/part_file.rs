//! A file in the making: hashed while it is written, renamed into place only when it is right.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::manifest::ModelFile;

const BUFFER_BYTES: usize = 64 * 1024;

/// Writes one model file beside its place.
pub(super) struct PartFile {
    path: PathBuf,
    target: PathBuf,
    file: File,
    hash: Sha256,
    written: u64,
    wanted: Wanted,
}

struct Wanted {
    sha256: String,
    size_bytes: u64,
}

impl PartFile {
    /// Starts anew.
    pub(super) fn create(dir: &Path, model: &ModelFile) -> io::Result<Self> {
        let (path, target) = Self::paths(dir, model)?;
        let file = File::create(&path)?;
        Ok(Self::with(path, target, file, model))
    }

    /// Goes on where an earlier run was cut off; reads what it left.
    pub(super) fn resume(dir: &Path, model: &ModelFile) -> io::Result<Self> {
        let (path, target) = Self::paths(dir, model)?;
        let file = OpenOptions::new().create(true).read(true).append(true).open(&path)?;
        if file.metadata()?.len() > model.size_bytes {
            file.set_len(0)?;
        }
        let mut part = Self::with(path, target, file, model);
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            match part.file.read(&mut buffer)? {
                0 => return Ok(part),
                count => {
                    part.hash.update(&buffer[..count]);
                    part.written += count as u64;
                }
            }
        }
    }

    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// Appends; refuses more bytes than the file should have.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.written + bytes.len() as u64 > self.wanted.size_bytes {
            return Err(io::Error::other(format!("more than the expected {} bytes came", self.wanted.size_bytes)));
        }
        self.file.write_all(bytes)?;
        self.hash.update(bytes);
        self.written += bytes.len() as u64;
        Ok(())
    }

    /// Appends all that `reader` gives, telling `progress` how far the file is.
    pub(super) fn write_all_of(&mut self, reader: &mut dyn Read, progress: &dyn Fn(u64)) -> io::Result<()> {
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            match reader.read(&mut buffer)? {
                0 => return Ok(()),
                count => {
                    self.write(&buffer[..count])?;
                    progress(self.written);
                }
            }
        }
    }

    /// Puts the file in its place if it is right, and removes it if it is wrong. A short file stays to be resumed.
    pub(super) fn finish(self) -> Result<(), String> {
        if self.written < self.wanted.size_bytes {
            return Err(format!("only {} of {} bytes came", self.written, self.wanted.size_bytes));
        }
        let found = hex(&self.hash.finalize());
        if found != self.wanted.sha256 {
            std::fs::remove_file(&self.path).ok();
            return Err(format!("other bytes came than expected: their SHA-256 is {found}"));
        }
        let placed = self.file.sync_all().and_then(|()| std::fs::rename(&self.path, &self.target));
        placed.map_err(|error| format!("cannot put the file in its place: {error}"))
    }

    /// Throws away what was written.
    pub(super) fn discard(self) {
        std::fs::remove_file(&self.path).ok();
    }

    fn paths(dir: &Path, model: &ModelFile) -> io::Result<(PathBuf, PathBuf)> {
        let target = dir.join(&model.path);
        if let Some(parent) = target.parent() {
            std::fs::create_dir_all(parent)?;
        }
        Ok((dir.join(format!("{}.part", model.path)), target))
    }

    fn with(path: PathBuf, target: PathBuf, file: File, model: &ModelFile) -> Self {
        let wanted = Wanted { sha256: model.sha256.clone(), size_bytes: model.size_bytes };
        Self { path, target, file, hash: Sha256::new(), written: 0, wanted }
    }
}

/// The SHA-256 of a file, in lower-case hexadecimal.
pub(super) fn hash_file(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1024 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&hash.finalize())),
            count => hash.update(&buffer[..count]),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
