//! Keeps the tapes of conversations as files, one a call, for finding faults: `antiphon replay FILE` plays one again.

use std::path::{Path, PathBuf};

use session::trace::Tape;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc;

use crate::tasks::Tasks;

/// Lines that wait for the disk: minutes of a conversation. When it is full the tape ends there.
const LINES_CAPACITY: usize = 16_384;

/// The folder of the tapes.
#[derive(Debug, Clone)]
pub(crate) struct Tapes {
    dir: PathBuf,
}

impl Tapes {
    /// Makes the folder.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) async fn open(dir: &Path) -> std::io::Result<Self> {
        tokio::fs::create_dir_all(dir).await?;
        Ok(Self { dir: dir.to_owned() })
    }

    /// A tape for a call, written as the conversation goes.
    pub(crate) fn tape(&self, call: &str, tasks: &Tasks) -> Tape {
        let (lines, received) = mpsc::channel(LINES_CAPACITY);
        let path = self.dir.join(format!("{call}.jsonl"));
        tasks.spawn(async move {
            if let Err(cause) = write(&path, received).await {
                tracing::error!(path = %path.display(), %cause, "a tape could not be written");
            }
        });
        Tape::new(lines)
    }
}

async fn write(path: &Path, mut lines: mpsc::Receiver<String>) -> std::io::Result<()> {
    let mut options = tokio::fs::OpenOptions::new();
    // What people say is for its owner alone.
    let file = options.create(true).append(true).mode(0o600).open(path).await?;
    let mut file = tokio::io::BufWriter::new(file);
    while let Some(line) = lines.recv().await {
        file.write_all(line.as_bytes()).await?;
        file.write_all(b"\n").await?;
    }
    file.flush().await
}
