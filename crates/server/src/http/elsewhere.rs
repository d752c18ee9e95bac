//! What only orchestrators know, where this process is a media server alone: requests are passed to one of them, and what a
//! caller asks for is checked with them.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use reqwest::{Client, Url};
use serde::Deserialize;

use super::refusal::Refusal;

/// An orchestrator that does not take a connection by then is passed over.
const CONNECT_WITHIN: Duration = Duration::from_secs(1);
/// Nothing that they serve stands still for so long.
const STALL: Duration = Duration::from_secs(10);

/// Headers that are about one connection, not about what travels over it (RFC 9110, section 7.6.1).
const HOP_BY_HOP: [HeaderName; 8] = [
    header::CONNECTION,
    header::HOST,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// The orchestrators' HTTP interfaces.
#[derive(Debug, Clone)]
pub(crate) struct Orchestrators {
    client: Client,
    urls: Arc<[Url]>,
}

/// What a conversation says of itself.
#[derive(Deserialize)]
struct Standing {
    status: String,
}

/// What is wrong, in the words of an orchestrator.
#[derive(Deserialize)]
struct Problem {
    detail: String,
}

impl Orchestrators {
    /// Those at these addresses.
    ///
    /// # Errors
    /// When the system offers no TLS roots.
    pub(crate) fn at(urls: &[String]) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_WITHIN)
            .read_timeout(STALL)
            .build()?;
        // The configuration has been checked.
        Ok(Self { client, urls: urls.iter().filter_map(|url| url.parse().ok()).collect() })
    }

    /// Asks the first that can be reached.
    async fn ask(&self, request: Asked) -> Result<reqwest::Response, Refusal> {
        for url in &*self.urls {
            let mut url = url.clone();
            url.set_path(&request.path);
            url.set_query(request.query.as_deref());
            let asked = self.client.request(request.method.clone(), url).headers(request.headers.clone());
            match asked.body(request.body.clone()).send().await {
                Ok(response) => return Ok(response),
                // It has heard nothing yet, so another one may be asked the same.
                Err(cause) if cause.is_connect() => tracing::debug!(%cause, "an orchestrator cannot be reached"),
                Err(cause) => {
                    tracing::warn!(%cause, "an orchestrator did not answer");
                    let detail = "an orchestrator did not answer; try again in a few seconds";
                    return Err(Refusal::new(StatusCode::BAD_GATEWAY, "bad_gateway", detail).retry_after(2));
                }
            }
        }
        tracing::warn!("no orchestrator can be reached over HTTP; is server.orchestrators right?");
        let detail = "no orchestrator can be reached now; try again in a few seconds";
        Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "orchestrators_unreachable", detail).retry_after(2))
    }

    /// Whether there is an agent of this name.
    pub(super) async fn check_agent(&self, name: &str) -> Result<(), Refusal> {
        let response = self.ask(Asked::get("/v1/agents", name)).await?;
        if response.status() != StatusCode::NOT_FOUND {
            return Ok(());
        }
        let problem: Option<Problem> = response.json().await.ok();
        let detail = problem.map_or_else(|| "there is no such agent".to_owned(), |problem| problem.detail);
        Err(Refusal::new(StatusCode::NOT_FOUND, "no_such_agent", detail))
    }

    /// Whether a conversation is active; none when there is no such conversation.
    pub(super) async fn is_active(&self, id: &str) -> Result<Option<bool>, Refusal> {
        let response = self.ask(Asked::get("/v1/conversations", id)).await?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let standing: Result<Standing, _> = response.json().await;
        let standing = standing.map_err(|cause| {
            tracing::warn!(%cause, "an orchestrator told something else than a conversation");
            let detail = "an orchestrator cannot tell of the conversation; try again in a few seconds";
            Refusal::new(StatusCode::BAD_GATEWAY, "bad_gateway", detail).retry_after(2)
        })?;
        Ok(Some(standing.status == "active"))
    }
}

/// A request that any of them may be asked.
struct Asked {
    method: Method,
    path: String,
    query: Option<String>,
    headers: HeaderMap,
    body: Bytes,
}

impl Asked {
    /// Asks for one thing of a collection.
    fn get(collection: &str, name: &str) -> Self {
        let mut url = Url::parse("http://any").expect("a literal");
        let path = url.path_segments_mut().map(|mut segments| {
            segments.push(name);
        });
        debug_assert!(path.is_ok(), "an http URL has segments");
        let path = format!("{collection}{}", url.path());
        Self { method: Method::GET, path, query: None, headers: HeaderMap::new(), body: Bytes::new() }
    }
}

/// Passes a request on, and what comes back as it comes.
pub(super) async fn pass(
    State(orchestrators): State<Orchestrators>,
    method: Method,
    uri: Uri,
    mut headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    HOP_BY_HOP.iter().for_each(|name| drop(headers.remove(name)));
    let (path, query) = (uri.path().to_owned(), uri.query().map(str::to_owned));
    let answer = orchestrators.ask(Asked { method, path, query, headers, body }).await?;
    let (status, mut headers) = (answer.status(), answer.headers().clone());
    HOP_BY_HOP.iter().for_each(|name| drop(headers.remove(name)));
    Ok((status, headers, Body::from_stream(answer.bytes_stream())).into_response())
}

#[cfg(test)]
mod tests {
    use super::Asked;

    #[test]
    fn what_callers_ask_for_stays_one_name() {
        assert_eq!(Asked::get("/v1/agents", "billing").path, "/v1/agents/billing");
        assert_eq!(Asked::get("/v1/agents", "../conversations?x=1").path, "/v1/agents/..%2Fconversations%3Fx=1");
        assert_eq!(Asked::get("/v1/agents", "").path, "/v1/agents/");
    }
}
