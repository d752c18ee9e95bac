//! What was installed for the tests on this machine.

use std::path::PathBuf;

/// The Python interpreter with the packages of `scripts/test-requirements.txt`, where `scripts/setup test` put it.
///
/// # Panics
/// When it is not there: a test that wants it fails, and says what to do.
#[must_use]
pub fn python() -> PathBuf {
    let python = cache().join("venv-test/bin/python");
    assert!(python.exists(), "{} is missing: run `scripts/setup test`", python.display());
    python
}

/// The folder of the models, where `antiphon models pull` puts them.
#[must_use]
pub fn models() -> PathBuf {
    variable("ANTIPHON__MODELS__DIR").unwrap_or_else(|| cache().join("models"))
}

fn cache() -> PathBuf {
    let cache = variable("XDG_CACHE_HOME").or_else(|| variable("HOME").map(|home| home.join(".cache")));
    cache.unwrap_or_default().join("antiphon")
}

fn variable(name: &str) -> Option<PathBuf> {
    #[allow(clippy::disallowed_methods, reason = "a test has no configuration but its environment")]
    std::env::var(name).ok().filter(|value| !value.is_empty()).map(PathBuf::from)
}
