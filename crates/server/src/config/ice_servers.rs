//! The `[[ice_servers]]` sections: STUN and TURN servers that callers are told of.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use providers::secret::Secret;
use serde::Deserialize;

/// One server, under all its URLs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IceServerConfig {
    /// `stun:host:3478`, `turn:host:3478?transport=udp`, `turns:host:5349`.
    pub urls: Vec<String>,
    /// The name at a TURN server. Without one, each call gets a name and a password of its own that expire, made with the
    /// secret that the TURN server shares with us (`use-auth-secret` of coturn).
    pub username: Option<String>,
    /// The environment variable with the shared secret, or with the password of `username`.
    pub secret_env: Option<String>,
    /// The file with the same.
    pub secret_file: Option<PathBuf>,
    /// How long passwords of a shared secret are good for: longer than any call.
    #[serde(with = "humantime_serde", default = "one_day")]
    pub valid_for: Duration,
}

fn one_day() -> Duration {
    Duration::from_secs(24 * 60 * 60)
}

/// A section that cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum IceServerError {
    /// Not a URL of RFC 7064 or 7065.
    #[error(
        "use ice_servers.urls = {url:?}: write something like stun:stun.example.org:3478 or turn:turn.example.org:3478"
    )]
    Url {
        /// What is written.
        url: String,
    },
    /// TURN without a password.
    #[error("use the ice server {url}: a TURN server needs secret_env or secret_file")]
    NoSecret {
        /// Whose.
        url: String,
    },
    /// Both are named.
    #[error("find the secret of the ice server {url}: set secret_env or secret_file, not both")]
    Both {
        /// Whose.
        url: String,
    },
    /// The environment lacks it.
    #[error("find the secret of the ice server {url}: the environment variable {variable} is not set")]
    Variable {
        /// Whose.
        url: String,
        /// Which.
        variable: String,
    },
    /// It cannot be read.
    #[error("read secret_file = {} of the ice server {url}: {source}", path.display())]
    File {
        /// Whose.
        url: String,
        /// Which.
        path: PathBuf,
        /// Why.
        source: Arc<std::io::Error>,
    },
}

impl IceServerConfig {
    /// What is wrong with the section, as far as it can be told without looking for its secret.
    pub(super) fn check(&self) -> Result<(), IceServerError> {
        if let Some(url) = self.urls.iter().find(|url| !is_ice_url(url)) {
            return Err(IceServerError::Url { url: url.clone() });
        }
        match (self.relay(), &self.secret_env, &self.secret_file) {
            (Some(url), None, None) => Err(IceServerError::NoSecret { url: url.to_owned() }),
            (_, Some(_), Some(_)) => Err(IceServerError::Both { url: self.name() }),
            _ => Ok(()),
        }
    }

    /// The secret that the section points to, if any.
    pub(crate) fn secret(&self) -> Result<Option<Secret>, IceServerError> {
        let text = match (&self.secret_env, &self.secret_file) {
            (Some(variable), _) => {
                #[allow(clippy::disallowed_methods, reason = "this is where the configuration reads the environment")]
                let value = std::env::var(variable).ok().filter(|value| !value.trim().is_empty());
                let missing = || IceServerError::Variable { url: self.name(), variable: variable.clone() };
                value.ok_or_else(missing)?
            }
            (None, Some(path)) => std::fs::read_to_string(path).map_err(|source| {
                let (url, path, source) = (self.name(), path.clone(), Arc::new(source));
                IceServerError::File { url, path, source }
            })?,
            (None, None) => return Ok(None),
        };
        Ok(Some(Secret::from(text.trim().to_owned())))
    }

    fn relay(&self) -> Option<&str> {
        self.urls.iter().map(String::as_str).find(|url| url.starts_with("turn"))
    }

    fn name(&self) -> String {
        self.urls.first().cloned().unwrap_or_default()
    }
}

/// Whether a URL names a STUN or TURN server and can stand in a header as it is.
fn is_ice_url(url: &str) -> bool {
    let host = url.split_once(':').filter(|(scheme, _)| matches!(*scheme, "stun" | "stuns" | "turn" | "turns"));
    let is_plain = url.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b'"' | b','));
    is_plain && host.is_some_and(|(_, host)| !host.is_empty() && !host.starts_with('/'))
}
