//! The Python interpreter with the packages of `scripts/test-requirements.txt`.

use std::path::PathBuf;

/// Where `scripts/setup test` put it.
///
/// # Panics
/// When it is not there: a test that wants it fails, and says what to do.
#[must_use]
pub fn interpreter() -> PathBuf {
    #[allow(clippy::disallowed_methods, reason = "a test has no configuration but its environment")]
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = variable("XDG_CACHE_HOME").or_else(|| variable("HOME").map(|home| home.join(".cache")));
    let python = cache.unwrap_or_default().join("antiphon/venv-test/bin/python");
    assert!(python.exists(), "{} is missing: run `scripts/setup test`", python.display());
    python
}
