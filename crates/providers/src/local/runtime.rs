//! ONNX Runtime: loaded from a shared library at run time, once per process.
//!
//! Every session gets one thread and never spins: a voice server runs many small models beside each other, and a
//! spinning thread would take the core that the next model needs. Refuses to guess a path: the caller names the file.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ort::environment::Environment;
use ort::logging::LogLevel;
use ort::session::Session;

/// The process's ONNX Runtime. Cheap to clone.
#[derive(Clone)]
pub struct Runtime {
    environment: Environment,
}

/// Why a model or the runtime could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file is not there.
    #[error("load {}: the file is missing; run `antiphon models pull`", .path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// A file is there but cannot be read as what it should be.
    #[error("load {}: {reason}; the file may be damaged: run `antiphon models verify`", .path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        reason: String,
    },
    /// The operating system refused a thread for the model.
    #[error("start the thread {name}: {source}")]
    Thread {
        /// The thread's name.
        name: &'static str,
        /// The cause.
        source: std::io::Error,
    },
}

impl LoadError {
    pub(crate) fn corrupt(path: &Path, reason: &dyn fmt::Display) -> Self {
        Self::Corrupt { path: path.to_owned(), reason: reason.to_string() }
    }
}

/// The one environment that ONNX Runtime allows in a process. It stays until the process ends, because unloading the
/// library while a session lives would be unsound.
static ENVIRONMENT: Mutex<Option<Environment>> = Mutex::new(None);

impl Runtime {
    /// Where the library lies under the models directory.
    pub const FILE: &'static str = "lib/libonnxruntime.so.1.32.0";

    /// Loads the shared library at `path`. Later calls return the runtime that the first one loaded.
    ///
    /// # Errors
    /// When the file is missing, is no ONNX Runtime library, or is older than this program needs. A later call may
    /// try again.
    pub fn load(path: &Path) -> Result<Self, LoadError> {
        let mut loaded = ENVIRONMENT.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(environment) = &*loaded {
            return Ok(Self { environment: environment.clone() });
        }
        require(path)?;
        let environment = ort::init_from(path)
            .map_err(|error| LoadError::corrupt(path, &error))?
            .with_name("antiphon")
            .with_telemetry(false)
            .build()
            .map_err(|error| LoadError::corrupt(path, &error))?;
        // Errors come back as values; the library need not print them as well.
        environment.set_log_level(LogLevel::Fatal);
        *loaded = Some(environment.clone());
        Ok(Self { environment })
    }

    /// Opens the model at `path` with one thread that sleeps while it has nothing to do.
    pub(crate) fn session(&self, path: &Path) -> Result<Session, LoadError> {
        require(path)?;
        let build = || -> Result<Session, String> {
            Session::builder(&self.environment)
                .map_err(|error| error.to_string())?
                .with_intra_threads(1)
                .map_err(|error| error.to_string())?
                .with_inter_threads(1)
                .map_err(|error| error.to_string())?
                .with_intra_op_spinning(false)
                .map_err(|error| error.to_string())?
                .commit_from_file(path)
                .map_err(|error| error.to_string())
        };
        build().map_err(|reason| LoadError::corrupt(path, &reason))
    }
}

/// Reads a whole file, with the errors of this module.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, LoadError> {
    require(path)?;
    std::fs::read(path).map_err(|error| LoadError::corrupt(path, &error))
}

fn require(path: &Path) -> Result<(), LoadError> {
    if path.is_file() { Ok(()) } else { Err(LoadError::Missing { path: path.to_owned() }) }
}
