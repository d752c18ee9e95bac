//! Reading an SDP offer from a request.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse as _;

use super::MAX_BODY_BYTES;
use super::cors::ACCEPT_POST;
use super::refusal::Refusal;

/// An SDP offer that was posted as `application/sdp`.
pub(super) struct SdpOffer(pub(super) String);

impl<S: Send + Sync> FromRequest<S> for SdpOffer {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        if !has_media_type(request.headers(), "application/sdp") {
            let detail = "post the SDP offer with the header Content-Type: application/sdp";
            let refusal = Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_sdp", detail);
            return Err(refusal.accepting(ACCEPT_POST, "application/sdp"));
        }
        read_text(request, state, "SDP offer").await.map(Self)
    }
}

/// The body as a text that is not empty; `what` it is names it in a refusal.
pub(super) async fn read_text<S: Send + Sync>(request: Request, state: &S, what: &str) -> Result<String, Refusal> {
    let body = Bytes::from_request(request, state).await.map_err(unreadable)?;
    text(&body, what)
}

/// The same of a body that has been read.
pub(super) fn text(body: &[u8], what: &str) -> Result<String, Refusal> {
    let bad = |detail| Refusal::new(StatusCode::BAD_REQUEST, "invalid_sdp", detail);
    match std::str::from_utf8(body) {
        Ok(text) if !text.trim().is_empty() => Ok(text.to_owned()),
        Ok(_) => Err(bad(format!("the body is empty; send the {what}"))),
        Err(_) => Err(bad(format!("the {what} is not UTF-8 text"))),
    }
}

/// A body that could not be taken in.
pub(super) fn unreadable(rejection: BytesRejection) -> Refusal {
    match rejection.into_response().status() {
        StatusCode::PAYLOAD_TOO_LARGE => too_large(),
        status => Refusal::new(status, "unreadable_body", "the body could not be read to its end"),
    }
}

/// A body beyond the limit.
pub(super) fn too_large() -> Refusal {
    let detail = format!("the body may have at most {} KiB", MAX_BODY_BYTES / 1024);
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
}

/// Whether the body is of this type, whatever its case and parameters.
pub(super) fn has_media_type(headers: &HeaderMap, wanted: &str) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|media_type| media_type.trim().eq_ignore_ascii_case(wanted))
}
