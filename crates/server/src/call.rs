//! `antiphon call`: a real caller. Speaks WAV files to a server in real time, measures how long each answer takes to
//! arrive, and saves the answers.
//!
//! `speech` is what is said, `line` the connection, `ear` what is heard, `talk` one turn after the other, `report`
//! what is printed. Everything is measured at the caller's own clock, beside what the server says of itself.

mod ear;
mod line;
mod record;
mod report;
mod speech;
mod talk;

use std::path::{Path, PathBuf};

use crate::cli::CallArgs;
use crate::tasks::Tasks;
use line::Line;
use report::Report;
use speech::Utterance;

pub(crate) use line::LineError;
pub(crate) use speech::SpeechError;
pub(crate) use talk::TalkError;

/// `antiphon call` failed. Each message follows "failed to".
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// A file cannot be spoken.
    #[error("read {}: {source}", path.display())]
    Speech {
        /// The file.
        path: PathBuf,
        /// Why.
        source: SpeechError,
    },
    /// The server cannot be called.
    #[error(transparent)]
    Line(#[from] LineError),
    /// The conversation went wrong.
    #[error(transparent)]
    Talk(#[from] TalkError),
    /// The reply cannot be saved.
    #[error("save the reply to {}: {reason}; choose another file with --out", path.display())]
    Save {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// Calls, speaks, listens, hangs up, prints.
///
/// # Errors
/// At the first thing that goes wrong; what was said up to then is not printed.
pub(crate) async fn run(args: CallArgs) -> Result<(), CallError> {
    let utterances = args.files.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
    let tasks = Tasks::default();
    let mut line = Line::open(&args.url, args.token.as_ref(), args.two_way).await?;
    let held = talk::hold(&mut line, &tasks, &utterances, args.repeat).await;
    // The line is closed also after a failure, so that the server need not wait for its own timeout.
    line.hang_up().await;
    let _ = tasks.finish(std::time::Duration::ZERO).await;
    let conversation = held?;
    save(&args.out, &conversation.reply)?;
    let report = Report { conversation: &conversation, reply_wav: &args.out };
    if args.json {
        report.print_json()
    } else {
        report.print_text()
    }
    Ok(())
}

fn read(path: &Path) -> Result<Utterance, CallError> {
    Utterance::read(path).map_err(|source| CallError::Speech { path: path.to_owned(), source })
}

fn save(path: &Path, reply: &[f32]) -> Result<(), CallError> {
    let failed = |reason: String| CallError::Save { path: path.to_owned(), reason };
    let wav = audio::wav::write(reply, ear::RATE_HZ).map_err(|cause| failed(cause.to_string()))?;
    std::fs::write(path, wav).map_err(|cause| failed(cause.to_string()))
}
