//! Packs against a server on this machine: resuming, wrong bytes, falling back, remembering what is right.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, its helpers too")]
#![cfg(feature = "packs")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

use providers::packs::{FileState, Manifest, Progress, PullError, Step, check, pull, status, verify};
use sha2::{Digest, Sha256};

/// What the server does with each path.
#[derive(Clone, Copy)]
enum Serve {
    /// Answers in full, and with a part when a part is asked for.
    Resumable,
    /// Always answers in full.
    Whole,
    /// Breaks off after so many bytes.
    Broken(usize),
    /// Knows nothing.
    Missing,
}

/// A tiny HTTP server on a port of its own; records the `Range` of each request.
struct Server {
    address: String,
    ranges: Arc<Mutex<Vec<Option<u64>>>>,
}

impl Server {
    fn start(content: &'static [u8], serve: Serve) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/model.bin", listener.local_addr().unwrap());
        let ranges = Arc::new(Mutex::new(Vec::new()));
        let seen = ranges.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let from = range(&stream);
                seen.lock().unwrap().push(from);
                answer(stream, content, serve, from.unwrap_or(0) as usize);
            }
        });
        Self { address, ranges }
    }
}

fn range(mut stream: &TcpStream) -> Option<u64> {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
        request.push(byte[0]);
    }
    let request = String::from_utf8_lossy(&request).to_lowercase();
    let (_, range) = request.split_once("range: bytes=")?;
    range.split('-').next()?.parse().ok()
}

fn answer(mut stream: TcpStream, content: &[u8], serve: Serve, from: usize) {
    let all = content.len();
    let (head, body) = match serve {
        Serve::Missing => ("404 Not Found\r\ncontent-length: 0".to_owned(), &content[..0]),
        Serve::Resumable if from > 0 => {
            let head = format!(
                "206 Partial Content\r\ncontent-range: bytes {from}-{}/{all}\r\ncontent-length: {}",
                all - 1,
                all - from
            );
            (head, &content[from..])
        }
        Serve::Resumable | Serve::Whole => (format!("200 OK\r\ncontent-length: {all}"), content),
        Serve::Broken(bytes) => (format!("200 OK\r\ncontent-length: {all}"), &content[..bytes]),
    };
    write!(stream, "HTTP/1.1 {head}\r\nconnection: close\r\n\r\n").ok();
    stream.write_all(body).ok();
}

const CONTENT: &[u8] = b"the only right bytes of this model";

fn manifest(addresses: &[&str]) -> Manifest {
    let hash: String = Sha256::digest(CONTENT).iter().map(|byte| format!("{byte:02x}")).collect();
    let sources: Vec<String> = addresses.iter().map(|url| format!("{{ url = \"{url}\" }}")).collect();
    let text = format!(
        "[[pack]]\nname = 'test'\nkind = 'llm'\nlicence = 'none'\ndescription = 'none'\nprofiles = ['fast']\n\
         [[pack.file]]\npath = 'llm/model.bin'\nsha256 = '{hash}'\nsize_bytes = {}\nsources = [{}]",
        CONTENT.len(),
        sources.join(", ")
    );
    Manifest::parse(&text).unwrap()
}

fn recorder() -> (Progress, Arc<Mutex<Vec<Step>>>) {
    let steps = Arc::new(Mutex::new(Vec::new()));
    let record = steps.clone();
    (Arc::new(move |step| record.lock().unwrap().push(step.clone())), steps)
}

async fn pull_into(dir: &Path, manifest: &Manifest) -> Result<Vec<Step>, PullError> {
    let (progress, steps) = recorder();
    pull(manifest, dir, &["test"], &progress).await?;
    let steps = steps.lock().unwrap().clone();
    Ok(steps)
}

fn content(dir: &Path) -> Vec<u8> {
    std::fs::read(dir.join("llm/model.bin")).unwrap()
}

#[tokio::test]
async fn a_missing_file_is_fetched_once() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(CONTENT, Serve::Whole);
    let manifest = manifest(&[&server.address]);
    assert_eq!(status(&manifest, dir.path())[0].state, FileState::Missing);

    let steps = pull_into(dir.path(), &manifest).await.unwrap();
    assert_eq!(steps[0], Step::Plan { files: 1, bytes: CONTENT.len() as u64 });
    assert_eq!(steps.last(), Some(&Step::Done));
    assert_eq!(content(dir.path()), CONTENT);
    assert_eq!(status(&manifest, dir.path())[0].state, FileState::Verified);

    let steps = pull_into(dir.path(), &manifest).await.unwrap();
    assert_eq!(steps, [Step::Plan { files: 0, bytes: 0 }]);
    assert_eq!(server.ranges.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn an_interrupted_download_goes_on_where_it_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let broken = Server::start(CONTENT, Serve::Broken(10));
    let Err(PullError::Files(failures)) = pull_into(dir.path(), &manifest(&[&broken.address])).await else {
        panic!("the server broke off");
    };
    assert_eq!(failures[0].reasons.len(), 1);
    assert_eq!(std::fs::read(dir.path().join("llm/model.bin.part")).unwrap(), &CONTENT[..10]);

    let resumable = Server::start(CONTENT, Serve::Resumable);
    pull_into(dir.path(), &manifest(&[&resumable.address])).await.unwrap();
    assert_eq!(content(dir.path()), CONTENT);
    assert_eq!(*resumable.ranges.lock().unwrap(), [Some(10)]);
    assert!(!dir.path().join("llm/model.bin.part").exists());
}

#[tokio::test]
async fn a_server_that_cannot_resume_starts_over() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("llm")).unwrap();
    std::fs::write(dir.path().join("llm/model.bin.part"), b"the only").unwrap();
    let server = Server::start(CONTENT, Serve::Whole);
    pull_into(dir.path(), &manifest(&[&server.address])).await.unwrap();
    assert_eq!(content(dir.path()), CONTENT);
}

#[tokio::test]
async fn wrong_bytes_are_thrown_away_and_the_next_source_is_tried() {
    let dir = tempfile::tempdir().unwrap();
    let missing = Server::start(CONTENT, Serve::Missing);
    let wrong = Server::start(b"the very wrong bytes of this model", Serve::Whole);
    let longer = Server::start(b"the only right bytes of this model, and more", Serve::Whole);
    let right = Server::start(CONTENT, Serve::Whole);
    let addresses = [&missing, &wrong, &longer, &right].map(|server| server.address.as_str());
    let steps = pull_into(dir.path(), &manifest(&addresses)).await.unwrap();
    assert_eq!(content(dir.path()), CONTENT);
    let reasons: Vec<&str> = steps
        .iter()
        .filter_map(|step| match step {
            Step::SourceFailed { reason, .. } => Some(reason.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(reasons.len(), 3);
    assert!(reasons[0].contains("404") && reasons[1].contains("SHA-256") && reasons[2].contains("more than"));
}

#[tokio::test]
async fn when_all_sources_fail_the_error_says_how_to_mend_it() {
    let dir = tempfile::tempdir().unwrap();
    let missing = Server::start(CONTENT, Serve::Missing);
    // Nothing listens on a port that was just given back.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let manifest = manifest(&[&missing.address, &format!("http://{closed}/")]);
    let error = pull_into(dir.path(), &manifest).await.unwrap_err().to_string();
    for part in ["llm/model.bin", "404", "refused", "SHA-256", "pip", &missing.address] {
        assert!(error.contains(part), "{part} in {error}");
    }
    assert!(matches!(pull(&manifest, dir.path(), &["nothing"], &recorder().0).await, Err(PullError::UnknownPack(_))));
}

#[tokio::test]
async fn two_pulls_do_not_write_the_same_file() {
    let dir = tempfile::tempdir().unwrap();
    let lock = std::fs::File::create(dir.path().join(".pull.lock")).unwrap();
    lock.lock().unwrap();
    let outcome = pull_into(dir.path(), &manifest(&["http://127.0.0.1:1/"])).await;
    assert!(matches!(outcome, Err(PullError::Busy(_))));
}

#[tokio::test]
async fn a_changed_file_is_found_out_and_fetched_again() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(CONTENT, Serve::Whole);
    let manifest = manifest(&[&server.address]);
    pull_into(dir.path(), &manifest).await.unwrap();
    check(&manifest, dir.path(), &["test"]).unwrap();

    let mut damaged = CONTENT.to_vec();
    damaged[3] ^= 1;
    std::fs::write(dir.path().join("llm/model.bin"), &damaged).unwrap();
    assert_eq!(status(&manifest, dir.path())[0].state, FileState::Unchecked);
    let error = check(&manifest, dir.path(), &["test"]).unwrap_err().to_string();
    assert!(error.contains("model.bin is damaged") && error.contains("antiphon models pull"), "{error}");
    assert!(verify(&manifest, dir.path(), &["test"]).is_err());

    pull_into(dir.path(), &manifest).await.unwrap();
    verify(&manifest, dir.path(), &["test"]).unwrap();
    std::fs::write(dir.path().join("llm/model.bin"), b"short").unwrap();
    assert_eq!(status(&manifest, dir.path())[0].state, FileState::WrongSize);
    std::fs::remove_file(dir.path().join("llm/model.bin")).unwrap();
    assert!(verify(&manifest, dir.path(), &["test"]).unwrap_err().to_string().contains("is missing"));
}
