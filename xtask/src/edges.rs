//! Who may import whom. The table is the architecture; a new edge is a decision that changes this file.

use std::process::Command;

use anyhow::{Context as _, ensure};
use serde_json::Value;

/// Each crate with the crates of ours that it may use.
const ALLOWED: [(&str, &[&str]); 11] = [
    ("audio", &[]),
    ("dialogue", &[]),
    ("google-apis", &[]),
    ("providers", &["audio", "google-apis"]),
    ("media", &["audio"]),
    ("bus", &["audio", "dialogue"]),
    ("store", &["dialogue"]),
    ("session", &["audio", "dialogue", "providers"]),
    ("server", &["audio", "bus", "dialogue", "media", "providers", "session", "store"]),
    ("testkit", &["audio", "dialogue", "google-apis", "providers"]),
    ("xtask", &[]),
];

/// Foreign crates that the pure crates may use; everything else would bring in a clock, IO or randomness.
const PURE: [(&str, &[&str]); 2] =
    [("audio", &["bytes", "hound", "opusic-sys", "sonora-aec3", "thiserror"]), ("dialogue", &[])];

/// Technologies with one home. `testkit` serves HTTP and gRPC as well: as the vendors do, for tests.
const HOMES: [(&str, &[&str]); 11] = [
    ("axum", &["server", "testkit"]),
    ("llama-cpp-2", &["providers"]),
    ("opusic-sys", &["audio"]),
    ("ort", &["providers"]),
    ("prometheus-client", &["server"]),
    ("rdkafka", &["bus"]),
    ("rmcp", &["providers"]),
    ("sonora-aec3", &["audio"]),
    ("sqlx", &["store"]),
    ("str0m", &["media"]),
    ("tonic", &["google-apis", "providers", "testkit"]),
];

/// Complaints about edges between crates, as `cargo metadata` tells them. Development dependencies are free to use
/// `testkit`, since they ship nothing.
pub(crate) fn check() -> anyhow::Result<Vec<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .output()
        .context("run cargo metadata")?;
    ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).context("read cargo metadata")?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    Ok(packages.iter().flat_map(complaints_about).collect())
}

fn complaints_about(package: &Value) -> Vec<String> {
    let name = package["name"].as_str().unwrap_or_default();
    let Some((_, allowed)) = ALLOWED.iter().find(|(crate_name, _)| *crate_name == name) else {
        return vec![format!("crate `{name}` is not in the table of xtask/src/edges.rs")];
    };
    let ships = |dependency: &&Value| dependency["kind"].as_str() != Some("dev");
    let dependencies = package["dependencies"].as_array().into_iter().flatten().filter(ships);
    dependencies
        .filter_map(|dependency| {
            let wanted = dependency["name"].as_str()?;
            let ours = ALLOWED.iter().any(|(crate_name, _)| *crate_name == wanted) && !dependency["path"].is_null();
            if ours {
                return (!allowed.contains(&wanted)).then(|| format!("`{name}` must not import `{wanted}`"));
            }
            foreign_complaint(name, wanted)
        })
        .collect()
}

fn foreign_complaint(name: &str, wanted: &str) -> Option<String> {
    if let Some((_, homes)) = HOMES.iter().find(|(technology, _)| *technology == wanted)
        && !homes.contains(&name)
    {
        return Some(format!("`{wanted}` lives in `{}`, not in `{name}`", homes.join("`, `")));
    }
    let (_, pure) = PURE.iter().find(|(crate_name, _)| *crate_name == name)?;
    (!pure.contains(&wanted)).then(|| format!("pure crate `{name}` must not use `{wanted}`"))
}
