//! STUN and TURN servers for callers, as `Link` headers (RFC 9725, section 4.6).

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use providers::secret::Secret;
use sha1::Sha1;

use crate::config::{IceServerConfig, IceServerError};

/// All that are configured, with their secrets.
#[derive(Debug, Clone, Default)]
pub(crate) struct IceServers(Arc<[IceServer]>);

#[derive(Debug)]
struct IceServer {
    urls: Vec<String>,
    access: Access,
}

/// How callers get in.
#[derive(Debug)]
enum Access {
    /// Everybody may.
    Open,
    /// By a name and a password that all share.
    Shared { username: String, password: Secret },
    /// By a name and a password that expire.
    Limited { secret: Secret, valid_for: Duration },
}

/// A name and a password.
struct Credential {
    username: String,
    password: String,
}

impl IceServers {
    /// Finds the secrets of those that are configured.
    ///
    /// # Errors
    /// When a secret is not where its section says.
    pub(crate) fn open(configs: &[IceServerConfig]) -> Result<Self, IceServerError> {
        let open = |config: &IceServerConfig| {
            let access = match (config.secret()?, &config.username) {
                (Some(password), Some(username)) => Access::Shared { username: username.clone(), password },
                (Some(secret), None) => Access::Limited { secret, valid_for: config.valid_for },
                (None, _) => Access::Open,
            };
            Ok(IceServer { urls: config.urls.clone(), access })
        };
        configs.iter().map(open).collect::<Result<_, _>>().map(Self)
    }

    /// Adds one `Link` for each URL; `caller` tells the names at TURN servers apart.
    pub(super) fn link(&self, headers: &mut HeaderMap, caller: &str) {
        for server in &*self.0 {
            let credential = server.access.credential(caller, Timestamp::now());
            for url in &server.urls {
                // The configuration has been checked, so only a strange user name cannot stand in a header.
                if let Ok(value) = HeaderValue::try_from(link(url, credential.as_ref())) {
                    headers.append(header::LINK, value);
                }
            }
        }
    }
}

impl Access {
    fn credential(&self, caller: &str, now: Timestamp) -> Option<Credential> {
        match self {
            Self::Open => None,
            Self::Shared { username, password } => {
                Some(Credential { username: username.clone(), password: password.reveal().to_owned() })
            }
            Self::Limited { secret, valid_for } => Some(Credential::limited(secret, *valid_for, caller, now)),
        }
    }
}

impl Credential {
    /// The scheme that TURN servers know as REST API (draft-uberti-behave-turn-rest-00): the name tells until when it is
    /// good, the password proves that we say so.
    fn limited(secret: &Secret, valid_for: Duration, caller: &str, now: Timestamp) -> Self {
        let until = now.as_second().saturating_add_unsigned(valid_for.as_secs());
        let username = format!("{until}:{caller}");
        let mut mac = Hmac::<Sha1>::new_from_slice(secret.reveal().as_bytes()).expect("HMAC takes keys of any length");
        mac.update(username.as_bytes());
        Self { password: STANDARD.encode(mac.finalize().into_bytes()), username }
    }
}

fn link(url: &str, credential: Option<&Credential>) -> String {
    let Some(Credential { username, password }) = credential else { return format!("<{url}>; rel=\"ice-server\"") };
    let (username, password) = (quoted(username), quoted(password));
    format!("<{url}>; rel=\"ice-server\"; username={username}; credential={password}; credential-type=\"password\"")
}

/// A quoted string (RFC 9110, section 5.6.4).
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_expire_and_passwords_prove_them() {
        let now = Timestamp::from_second(1_000_000).expect("a time");
        let secret = Secret::from("north".to_owned());
        let credential = Credential::limited(&secret, Duration::from_secs(600), "call", now);
        assert_eq!(credential.username, "1000600:call");
        // From `printf 1000600:call | openssl dgst -sha1 -hmac north -binary | base64`.
        assert_eq!(credential.password, "a7W6wtpUpHGX/K+aoRC0OAAvjF8=");
    }

    #[test]
    fn a_link_is_one_header_value_whatever_the_password() {
        let credential = Credential { username: "me".into(), password: "a\"b\\c".into() };
        assert_eq!(
            link("turn:t.example", Some(&credential)),
            r#"<turn:t.example>; rel="ice-server"; username="me"; credential="a\"b\\c"; credential-type="password""#
        );
    }
}
