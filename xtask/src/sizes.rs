//! One subject per file: its size is bounded, and it says at its top what it owns. (Clippy bounds the functions.)

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// Lines of a Rust file up to its tests.
const RUST_LINES: usize = 600;
/// Lines of a TypeScript file.
const WEB_LINES: usize = 600;
const SKIPPED: [&str; 4] = ["node_modules", "target", "dist", ".git"];

/// Complaints about files below the workspace's folders.
pub(crate) fn check() -> anyhow::Result<Vec<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in the workspace")?;
    let mut files = Vec::new();
    for folder in ["crates", "xtask", "web"] {
        collect(&root.join(folder), &mut files)?;
    }
    let mut complaints = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
        let name = file.strip_prefix(root).unwrap_or(&file).display().to_string();
        complaints.extend(complaint(&name, &text));
    }
    Ok(complaints)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() && !SKIPPED.contains(&name) {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|ending| ["rs", "ts", "tsx"].iter().any(|known| ending == *known)) {
            files.push(path);
        }
    }
    Ok(())
}

fn complaint(name: &str, text: &str) -> Option<String> {
    let rust = name.ends_with(".rs");
    let lines = text.lines().take_while(|line| line.trim() != "#[cfg(test)]").count();
    let most = if rust { RUST_LINES } else { WEB_LINES };
    if lines > most {
        return Some(format!("{name} has {lines} lines; {most} is the most: split it by subject"));
    }
    let documented = text.lines().any(|line| line.starts_with("//!"));
    let tests = name.ends_with("tests.rs") || name.contains("/tests/");
    (rust && !tests && !documented).then(|| format!("{name} does not say at its top (`//!`) what it owns"))
}
