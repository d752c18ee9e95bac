//! How the server says no: RFC 9457 problem details, or OpenAI's error object under `/v1/realtime`.

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// A request that is not served, in a code and a public sentence. The cause goes to the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    status: StatusCode,
    code: &'static str,
    detail: String,
    retry_after_s: Option<u32>,
    accepts: Option<(HeaderName, &'static str)>,
}

/// RFC 9457.
#[derive(Serialize)]
struct Problem {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: String,
}

#[derive(Serialize)]
struct OpenAiBody {
    error: OpenAiError,
}

#[derive(Serialize)]
struct OpenAiError {
    #[serde(rename = "type")]
    kind: &'static str,
    code: &'static str,
    message: String,
    param: Option<&'static str>,
}

impl Refusal {
    /// `code` is for programs, `detail` for people: what is wrong and how to mend it.
    pub(super) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), retry_after_s: None, accepts: None }
    }

    /// Tells when to come back.
    pub(super) fn retry_after(self, seconds: u32) -> Self {
        Self { retry_after_s: Some(seconds), ..self }
    }

    /// Tells what would be accepted, as `Accept-Post` and `Accept-Patch` do.
    pub(super) fn accepting(self, header: HeaderName, media_type: &'static str) -> Self {
        Self { accepts: Some((header, media_type)), ..self }
    }

    /// As OpenAI answers.
    pub(super) fn into_openai(self) -> Response {
        let kind = if self.status.is_server_error() { "server_error" } else { "invalid_request_error" };
        let error = OpenAiError { kind, code: self.code, message: self.detail.clone(), param: None };
        let response = (self.status, Json(OpenAiBody { error })).into_response();
        self.with_hints(response)
    }

    fn with_hints(self, mut response: Response) -> Response {
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some((name, media_type)) = self.accepts {
            response.headers_mut().insert(name, HeaderValue::from_static(media_type));
        }
        response
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let problem = Problem {
            kind: format!("urn:antiphon:problem:{}", self.code.replace('_', "-")),
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: self.detail.clone(),
        };
        let mut response = (self.status, Json(problem)).into_response();
        let json = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        self.with_hints(response)
    }
}

/// A [`Refusal`] that leaves as OpenAI's error object.
pub(super) struct OpenAiRefusal(pub(super) Refusal);

impl From<Refusal> for OpenAiRefusal {
    fn from(refusal: Refusal) -> Self {
        Self(refusal)
    }
}

impl IntoResponse for OpenAiRefusal {
    fn into_response(self) -> Response {
        self.0.into_openai()
    }
}

fn wrong_method() -> Refusal {
    let detail = "this method is not served here; the header Allow names those that are";
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
}

pub(super) async fn method_not_allowed() -> Refusal {
    wrong_method()
}

pub(super) async fn openai_method_not_allowed() -> OpenAiRefusal {
    OpenAiRefusal(wrong_method())
}

pub(super) async fn openai_not_found() -> OpenAiRefusal {
    OpenAiRefusal(super::not_found())
}
