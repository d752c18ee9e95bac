//! Where files go when the configuration does not say: the XDG base directories.

use std::path::{Path, PathBuf};

/// The user's folders for this program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dirs {
    /// What must not be lost: conversations.
    pub data: PathBuf,
    /// What can be fetched again: models.
    pub cache: PathBuf,
}

impl Dirs {
    /// From the environment, by the XDG rules. Without a home folder, folders beside the program are taken.
    pub fn from_env() -> Self {
        Self::resolve(|name| std::env::var_os(name).map(PathBuf::from))
    }

    fn resolve(env: impl Fn(&str) -> Option<PathBuf>) -> Self {
        let home = env("HOME").unwrap_or_else(|| PathBuf::from("."));
        let base = |name: &str, fallback: &Path| {
            // The XDG rules say that a relative path is to be ignored.
            env(name).filter(|path| path.is_absolute()).unwrap_or_else(|| home.join(fallback)).join("antiphon")
        };
        Self {
            data: base("XDG_DATA_HOME", Path::new(".local/share")),
            cache: base("XDG_CACHE_HOME", Path::new(".cache")),
        }
    }

    /// The database when `store.url` is not set.
    pub fn store_url(&self) -> String {
        format!("sqlite://{}", self.data.join("antiphon.db").display())
    }

    /// The model files when `models.dir` is not set.
    pub fn models(&self) -> PathBuf {
        self.cache.join("models")
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::Dirs;

    #[test]
    fn folders_follow_xdg_and_fall_back_to_home() {
        let env = |name: &str| match name {
            "HOME" => Some(PathBuf::from("/home/ada")),
            "XDG_CACHE_HOME" => Some(PathBuf::from("/var/cache")),
            "XDG_DATA_HOME" => Some(PathBuf::from("relative/is/ignored")),
            _ => None,
        };
        let dirs = Dirs::resolve(env);
        assert_eq!(dirs.store_url(), "sqlite:///home/ada/.local/share/antiphon/antiphon.db");
        assert_eq!(dirs.models(), Path::new("/var/cache/antiphon/models"));
    }
}
