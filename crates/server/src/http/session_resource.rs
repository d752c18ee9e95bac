//! The HTTP resource of a WHIP or WHEP session: what opens, changes and ends it looks alike (RFC 9725, sections 4.2 and 4.3).

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::body::{self, has_media_type};
use super::ice_servers::IceServers;
use super::refusal::Refusal;
use crate::switchboard::{Accepted, IceChange, IceError, IceMatch};

/// What a session may be changed by.
const SDP_FRAGMENT: &str = "application/trickle-ice-sdpfrag";
pub(super) const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");

/// 201 with the SDP answer and where the new resource is.
pub(super) fn created(location: String, answer: String) -> impl IntoResponse {
    let headers = [(header::LOCATION, location), (header::CONTENT_TYPE, "application/sdp".to_owned())];
    (StatusCode::CREATED, headers, answer)
}

/// The same for a session whose ICE can be changed later, with the servers that help to reach it.
pub(super) fn created_session(location: String, accepted: Accepted, ice_servers: &IceServers) -> Response {
    let Accepted { id, answer } = accepted;
    let mut response = created(location, answer.sdp).into_response();
    let headers = response.headers_mut();
    headers.insert(ACCEPT_PATCH, HeaderValue::from_static(SDP_FRAGMENT));
    set_etag(headers, &answer.ice);
    ice_servers.link(headers, &id);
    response
}

/// `OPTIONS` of a session.
pub(super) async fn accept_fragments() -> impl IntoResponse {
    (StatusCode::OK, [(ACCEPT_PATCH, SDP_FRAGMENT)])
}

/// A change of a session's ICE.
pub(super) struct IcePatch {
    pub(super) if_match: IceMatch,
    pub(super) fragment: String,
}

impl<S: Send + Sync> FromRequest<S> for IcePatch {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        if !has_media_type(request.headers(), SDP_FRAGMENT) {
            let detail =
                "patch a session with a fragment of SDP and the header Content-Type: application/trickle-ice-sdpfrag";
            let refusal = Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_a_fragment", detail);
            return Err(refusal.accepting(ACCEPT_PATCH, SDP_FRAGMENT));
        }
        let if_match = if_match(request.headers())?;
        let fragment = body::read_text(request, state, "fragment of SDP").await?;
        Ok(Self { if_match, fragment })
    }
}

/// 204 for candidates, without an entity tag; 200 with a new one for a restart.
pub(super) fn patched(change: IceChange) -> Response {
    match change {
        IceChange::Trickled => StatusCode::NO_CONTENT.into_response(),
        IceChange::Restarted { tag, fragment } => {
            let mut response = ([(header::CONTENT_TYPE, SDP_FRAGMENT)], fragment).into_response();
            set_etag(response.headers_mut(), &tag);
            response
        }
    }
}

/// A session that never was or is over.
pub(super) fn no_such_call() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "no_such_call", "there is no such call, or it is over")
}

impl From<IceError> for Refusal {
    fn from(error: IceError) -> Self {
        let refusal = |status, code| Self::new(status, code, error.to_string());
        match error {
            IceError::BadFragment(_) | IceError::HalfRestart => refusal(StatusCode::BAD_REQUEST, "invalid_fragment"),
            IceError::Stale => refusal(StatusCode::PRECONDITION_FAILED, "stale_ice_session"),
            IceError::CannotRestart(_) => refusal(StatusCode::UNPROCESSABLE_ENTITY, "cannot_restart"),
            IceError::UnknownSession => no_such_call(),
            IceError::ShuttingDown => super::health::not_ready(crate::readiness::Unready::Stopping),
        }
    }
}

fn set_etag(headers: &mut HeaderMap, tag: &str) {
    // Our tags are letters and digits.
    if let Ok(value) = HeaderValue::try_from(format!("\"{tag}\"")) {
        headers.insert(header::ETAG, value);
    }
}

/// The entity tags of `If-Match`. Weak ones match nothing (RFC 9110, section 13.1.1).
fn if_match(headers: &HeaderMap) -> Result<IceMatch, Refusal> {
    let values: Vec<&str> = headers.get_all(header::IF_MATCH).iter().filter_map(|value| value.to_str().ok()).collect();
    if values.is_empty() {
        let detail = "say which ICE session is meant: If-Match with the ETag of the last answer, or * for a restart";
        return Err(Refusal::new(StatusCode::PRECONDITION_REQUIRED, "precondition_required", detail));
    }
    if values.iter().any(|value| value.trim() == "*") {
        return Ok(IceMatch::Any);
    }
    let tags = values.iter().flat_map(|value| value.split(',')).map(str::trim).filter(|tag| !tag.starts_with("W/"));
    let tags = tags.map(|tag| tag.strip_prefix('"')?.strip_suffix('"').map(str::to_owned)).collect::<Option<_>>();
    tags.map(IceMatch::OneOf).ok_or_else(|| {
        let detail = "If-Match cannot be read: entity tags stand in double quotes";
        Refusal::new(StatusCode::BAD_REQUEST, "invalid_if_match", detail)
    })
}
