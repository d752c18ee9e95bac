//! Where a vendor's HTTP interface is, and who we are to it.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::HeaderMap;
use reqwest::{Certificate, Client, RequestBuilder, Response, StatusCode, Url, redirect};

use super::deadlines::Deadlines;
use super::identity::{Auth, Identity, InvalidKey};
use super::refusal::Refusal;
use crate::{Failure, Remedy};

/// Idle connections are kept between the turns of a call, so that no turn waits for a handshake.
const IDLE_CONNECTION: Duration = Duration::from_secs(90);
/// A dead connection is noticed after this long without an answer to a ping (HTTP/2) or a probe (TCP).
const PING_EVERY: Duration = Duration::from_secs(20);
/// The most that is read of an error's body.
const MAX_ERROR_BYTES: usize = 64 * 1024;

/// An address that cannot be used. Each message follows "failed to".
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// It is none.
    #[error("use base_url = \"{url}\": {reason}")]
    Url {
        /// What was given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The key holds what no header can.
    #[error("use the key for {url}: it holds characters that no HTTP header may")]
    Key {
        /// Whose it is.
        url: String,
    },
    /// The certificate authority's file.
    #[error("use ca_file: {0}")]
    Authority(reqwest::Error),
    /// The HTTP client.
    #[error("make the HTTP client: {0}")]
    Client(reqwest::Error),
    /// The gRPC client.
    #[cfg(feature = "google")]
    #[error("make the gRPC client: {0}")]
    Channel(tonic::transport::Error),
}

/// A vendor's HTTP interface. Cheap to clone; clones share connections.
#[derive(Debug, Clone)]
pub struct Endpoint {
    client: Client,
    /// Speaks HTTP/1.1 only: a WebSocket begins in no other.
    upgrades: Client,
    base: Url,
    identity: Identity,
    deadlines: Deadlines,
}

impl Endpoint {
    /// Checks the address and the key; reaches nobody. `base` is what every path is added to, such as
    /// `https://api.openai.com/v1`. A query in it is kept.
    ///
    /// # Errors
    /// When the address is none, or a key would travel in the clear to somebody else's network.
    pub fn new(base: &str, auth: &Auth, deadlines: Deadlines) -> Result<Self, EndpointError> {
        Self::build(base, auth, deadlines, None)
    }

    /// The same for a server whose certificate this authority signed (PEM).
    ///
    /// # Errors
    /// As [`Self::new`], and when the certificate is none.
    pub fn trusting(base: &str, auth: &Auth, deadlines: Deadlines, authority: &[u8]) -> Result<Self, EndpointError> {
        let authority = Certificate::from_pem(authority).map_err(EndpointError::Authority)?;
        Self::build(base, auth, deadlines, Some(&authority))
    }

    /// The same over a client that is there already, such as one that speaks HTTP/2 without TLS.
    #[must_use]
    pub fn over(self, client: Client) -> Self {
        Self { client, ..self }
    }

    fn build(
        base: &str,
        auth: &Auth,
        deadlines: Deadlines,
        authority: Option<&Certificate>,
    ) -> Result<Self, EndpointError> {
        let (url, identity) = check(base, auth)?;
        let builder = || {
            let mut client = Client::builder()
                .connect_timeout(deadlines.connect)
                // A redirect could take the key anywhere.
                .redirect(redirect::Policy::none())
                .pool_idle_timeout(IDLE_CONNECTION)
                .tcp_nodelay(true)
                .tcp_keepalive(PING_EVERY)
                .user_agent(concat!("antiphon/", env!("CARGO_PKG_VERSION")));
            if is_loopback(&url) {
                client = client.no_proxy();
            }
            match authority {
                Some(authority) => client.tls_certs_merge([authority.clone()]),
                None => client,
            }
        };
        let client = builder().http2_keep_alive_interval(PING_EVERY).build().map_err(EndpointError::Client)?;
        let upgrades = builder().http1_only().build().map_err(EndpointError::Client)?;
        Ok(Self { client, upgrades, base: url, identity, deadlines })
    }

    /// How long it may take.
    pub(crate) fn deadlines(&self) -> Deadlines {
        self.deadlines
    }

    /// A POST to a path below the base, which [`Self::send`] sends.
    #[cfg(feature = "openai")]
    pub(crate) fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(self.url(path))
    }

    /// The same with one more parameter in the query.
    #[cfg(feature = "google")]
    pub(crate) fn post_with_query(&self, path: &str, (key, value): (&str, &str)) -> RequestBuilder {
        let mut url = self.url(path);
        url.query_pairs_mut().append_pair(key, value);
        self.client.post(url)
    }

    /// Where a path below the base is, with these parameters more.
    pub(crate) fn address(&self, path: &str, query: &[(&str, &str)]) -> Url {
        let mut url = self.url(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// The base itself.
    #[cfg(feature = "google")]
    pub(crate) fn base(&self) -> &Url {
        &self.base
    }

    /// Asks for a connection of its own at an address of this vendor (RFC 6455). Bounds nothing in time.
    ///
    /// # Errors
    /// When nobody answers, or the answer is a refusal.
    pub(crate) async fn upgrade(&self, address: Url, headers: HeaderMap) -> Result<Response, SendError> {
        let identity = self.identity.headers().await.map_err(SendError::Unknown)?;
        let request = self.upgrades.get(address).headers(headers).headers(identity);
        let response = request.send().await.map_err(SendError::Network)?;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS { Ok(response) } else { Err(refused(response).await) }
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        let joined = format!("{}/{path}", url.path().trim_end_matches('/'));
        url.set_path(&joined);
        url
    }

    /// Says who we are, sends a request and takes any success for an answer. Bounds nothing in time.
    ///
    /// # Errors
    /// When nobody answers, or the answer is a refusal.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Response, SendError> {
        let headers = self.identity.headers().await.map_err(SendError::Unknown)?;
        let response = request.headers(headers).send().await.map_err(SendError::Network)?;
        if response.status().is_success() { Ok(response) } else { Err(refused(response).await) }
    }
}

async fn refused(response: Response) -> SendError {
    let (status, headers) = (response.status(), response.headers().clone());
    // What of the body is lost says no more than what came.
    let body = error_body(response).await;
    SendError::Refused(Refusal::of_answer(status, &headers, &body))
}

/// No answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    #[error("find out who we are: {0}")]
    Unknown(String),
    #[error(transparent)]
    Network(reqwest::Error),
    #[error("refused")]
    Refused(Refusal),
}

impl SendError {
    /// What it means for whoever asked `provider`. The request may be sent again: whoever does not answer has done
    /// nothing.
    pub(crate) fn into_failure(self, provider: &'static str) -> Failure {
        match self {
            Self::Unknown(_) => Failure::new(provider, Remedy::Replace, self.to_string()),
            Self::Network(error) => network_failure(provider, error),
            Self::Refused(refusal) => refusal.into_failure(provider),
        }
    }
}

async fn error_body(mut response: Response) -> Bytes {
    let mut body = Vec::new();
    while body.len() < MAX_ERROR_BYTES
        && let Ok(Some(chunk)) = response.chunk().await
    {
        body.extend_from_slice(&chunk);
    }
    body.into()
}

fn network_failure(provider: &'static str, error: reqwest::Error) -> Failure {
    // The address may hold what only its owner should read, such as a key in its query.
    let error = error.without_url();
    let mut message = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        message = format!("{message}: {inner}");
        cause = inner.source();
    }
    Failure::new(provider, Remedy::Retry, message)
}

/// Checks an address, and that what must be secret stays so on the way there.
///
/// # Errors
/// When it is no address, the key is none, or it would travel in the clear to somebody else's network.
pub(crate) fn check(base: &str, auth: &Auth) -> Result<(Url, Identity), EndpointError> {
    let wrong = |reason: String| EndpointError::Url { url: base.to_owned(), reason };
    let url = check_url(base).map_err(wrong)?;
    let identity = Identity::new(auth).map_err(|InvalidKey| EndpointError::Key { url: base.to_owned() })?;
    if identity.is_secret() && url.scheme() == "http" && !is_own_network(&url) {
        return Err(wrong("a key would travel in the clear; use https".to_owned()));
    }
    Ok((url, identity))
}

fn check_url(base: &str) -> Result<Url, String> {
    let url = Url::parse(base).map_err(|cause| format!("it is no address: {cause}"))?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(url),
        scheme => Err(format!("it must be http or https, not {scheme}")),
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    host == "localhost" || literal(host).is_some_and(|address| address.is_loopback())
}

/// Hosts that only one's own network knows: private addresses, names without a dot, and the endings that are set aside
/// for it.
fn is_own_network(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    match literal(host) {
        Some(IpAddr::V4(address)) => address.is_loopback() || address.is_private() || address.is_link_local(),
        Some(IpAddr::V6(address)) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
        None => !host.contains('.') || OWN_ENDINGS.iter().any(|ending| host.ends_with(ending)),
    }
}

const OWN_ENDINGS: [&str; 4] = [".local", ".internal", ".lan", ".home.arpa"];

fn literal(host: &str) -> Option<IpAddr> {
    host.trim_matches(['[', ']']).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Auth, Endpoint, EndpointError};
    use crate::remote::Deadlines;
    use crate::secret::Secret;

    fn endpoint(base: &str, auth: &Auth) -> Result<Endpoint, EndpointError> {
        Endpoint::new(base, auth, Deadlines::default())
    }

    fn key() -> Auth {
        Auth::Bearer(Secret::from("open-sesame".to_owned()))
    }

    #[test]
    fn paths_are_added_and_a_query_is_kept() {
        for (base, expected) in [
            ("https://api.openai.com/v1", "https://api.openai.com/v1/chat/completions"),
            ("https://api.openai.com/v1/", "https://api.openai.com/v1/chat/completions"),
            ("https://x.example/d?api-version=1", "https://x.example/d/chat/completions?api-version=1"),
        ] {
            let request = endpoint(base, &key()).expect("it is right").post("chat/completions").build();
            assert_eq!(request.expect("a request").url().as_str(), expected);
        }
    }

    #[test]
    fn a_key_goes_in_the_clear_to_ones_own_network_only() {
        for base in [
            "http://localhost:1/v1",
            "http://127.0.0.1/v1",
            "http://[::1]:9/",
            "http://192.168.1.9:8000/v1",
            "http://ollama:11434/v1",
            "http://gpu.lan/v1",
        ] {
            assert!(endpoint(base, &key()).is_ok(), "{base}");
        }
        for base in ["http://api.example.com/v1", "http://8.8.8.8/v1"] {
            assert!(endpoint(base, &key()).is_err(), "{base}");
            assert!(endpoint(base, &Auth::None).is_ok(), "{base} without a key");
        }
    }

    #[test]
    fn what_is_no_address_is_said() {
        let error = endpoint("api.openai.com/v1", &key()).expect_err("it lacks https").to_string();
        assert!(error.contains("base_url = \"api.openai.com/v1\""), "{error}");
        assert!(endpoint("ftp://x.example", &key()).is_err());
    }

    #[test]
    fn a_key_never_prints() {
        let spoiled = Auth::Bearer(Secret::from("open-sesame\n".to_owned()));
        let error = endpoint("https://x.example", &spoiled).expect_err("a line break");
        let endpoint = endpoint("https://x.example", &key()).expect("it is right");
        let printed = format!("{endpoint:?} {:?} {error} {error:?}", endpoint.post("x"));
        assert!(!printed.contains("sesame"), "{printed}");
    }
}
