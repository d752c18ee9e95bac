//! A pull's progress on a terminal: one bar for the file at hand, one line for each file that is done.

use std::sync::{Arc, Mutex, PoisonError};

use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

use super::pull::{Progress, Step};

/// Bars on standard error; on anything but a terminal only the lines are shown.
#[derive(Debug, Default)]
pub struct Bars {
    current: Mutex<Option<(String, ProgressBar)>>,
}

impl Bars {
    /// A progress to hand to [`super::pull`].
    #[must_use]
    pub fn progress() -> Progress {
        let bars = Self::default();
        Arc::new(move |step| bars.show(step))
    }

    fn show(&self, step: &Step) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        match step {
            Step::Plan { files: 0, .. } => eprintln!("all models are here"),
            Step::Plan { files, bytes } => eprintln!("fetching {files} files, {}", HumanBytes(*bytes)),
            Step::File { path, size_bytes } => *current = Some((path.clone(), bar(path, *size_bytes))),
            Step::Bytes { done } => {
                if let Some((_, bar)) = &*current {
                    bar.set_position(*done);
                }
            }
            Step::Part { number, of } => {
                if let Some((_, bar)) = current.as_ref().filter(|_| *of > 1) {
                    bar.set_message(format!("package {number} of {of}"));
                    bar.tick();
                }
            }
            Step::SourceFailed { source, reason } => {
                if let Some((_, bar)) = &*current {
                    bar.suspend(|| eprintln!("  {source}: {reason}"));
                }
            }
            Step::Done => {
                if let Some((path, bar)) = current.take() {
                    bar.finish_and_clear();
                    eprintln!("  {path}");
                }
            }
        }
    }
}

fn bar(path: &str, size_bytes: u64) -> ProgressBar {
    let bar = ProgressBar::new(size_bytes).with_prefix(path.to_owned());
    let template = "  {prefix} [{bar:24}] {bytes}/{total_bytes} {bytes_per_sec} {msg}";
    bar.set_style(ProgressStyle::with_template(template).expect("the template is well formed"));
    bar
}
