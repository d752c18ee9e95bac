//! The vendor's own address, resumable.

use std::path::Path;

use reqwest::header::{CONTENT_RANGE, RANGE};
use reqwest::{Client, Response, StatusCode};

use crate::packs::manifest::ModelFile;
use crate::packs::part_file::PartFile;
use crate::packs::pull::{Progress, Step};

pub(super) async fn fetch(
    url: &str,
    dir: &Path,
    file: &ModelFile,
    client: &Client,
    progress: &Progress,
) -> Result<(), String> {
    let (model, place) = (file.clone(), dir.to_owned());
    let resumed = tokio::task::spawn_blocking(move || PartFile::resume(&place, &model)).await;
    let mut part = resumed.map_err(|error| error.to_string())?.map_err(|error| format!("cannot write: {error}"))?;
    if part.written() < file.size_bytes {
        let response = ask(url, part.written(), client).await?;
        if !goes_on(&response, part.written()) {
            part = PartFile::create(dir, file).map_err(|error| format!("cannot write: {error}"))?;
        }
        receive(response, &mut part, progress).await?;
    }
    part.finish()
}

async fn ask(url: &str, from: u64, client: &Client) -> Result<Response, String> {
    let mut request = client.get(url);
    if from > 0 {
        request = request.header(RANGE, format!("bytes={from}-"));
    }
    let mut response = request.send().await.map_err(|error| reason(&error))?;
    if response.status() == StatusCode::RANGE_NOT_SATISFIABLE {
        // What is here is of no use to this server.
        response = client.get(url).send().await.map_err(|error| reason(&error))?;
    }
    if response.status().is_success() { Ok(response) } else { Err(format!("the answer was {}", response.status())) }
}

/// Whether the answer begins where the part file ends; otherwise it begins at the beginning.
fn goes_on(response: &Response, from: u64) -> bool {
    let range = response.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok()).unwrap_or_default();
    let is_partial = response.status() == StatusCode::PARTIAL_CONTENT;
    from == 0 || (is_partial && range.starts_with(&format!("bytes {from}-")))
}

async fn receive(mut response: Response, part: &mut PartFile, progress: &Progress) -> Result<(), String> {
    while let Some(bytes) = response.chunk().await.map_err(|error| reason(&error))? {
        if let Err(error) = part.write(&bytes) {
            return Err(format!("cannot write: {error}"));
        }
        progress(&Step::Bytes { done: part.written() });
    }
    Ok(())
}

/// The innermost cause, which is the one that helps.
fn reason(error: &reqwest::Error) -> String {
    let is_timeout = error.is_timeout();
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    if is_timeout { "no answer in time".to_owned() } else { cause.to_string() }
}
