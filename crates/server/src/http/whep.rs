//! WHEP: hear the agent of a call.

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::MediaServices;
use super::body::SdpOffer;
use super::refusal::Refusal;
use super::session_resource::{IcePatch, created_session, no_such_call, patched};

/// `POST /whep/{id}`: opens a listener.
pub(super) async fn listen(
    State(services): State<MediaServices>,
    Path(id): Path<String>,
    SdpOffer(offer): SdpOffer,
) -> Result<Response, Refusal> {
    let listener = services.switchboard.listen(&id, &offer)?;
    Ok(created_session(format!("/whep/{id}/{}", listener.id), listener, &services.ice_servers))
}

/// `GET /whep/{id}`: success without content while the call goes on.
pub(super) async fn exists(
    State(services): State<MediaServices>,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    if services.switchboard.is_live(&id) { Ok(StatusCode::NO_CONTENT) } else { Err(no_such_call()) }
}

/// `HEAD /whep/{id}`: tells that SDP is spoken here, so that a player can find out.
pub(super) async fn discover(
    State(services): State<MediaServices>,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Refusal> {
    if !services.switchboard.is_live(&id) {
        return Err(no_such_call());
    }
    Ok([(header::CONTENT_TYPE, "application/sdp")])
}

/// `GET /whep/{id}/{listener}`: success without content while somebody listens.
pub(super) async fn session(
    State(services): State<MediaServices>,
    Path((id, listener)): Path<(String, String)>,
) -> Result<StatusCode, Refusal> {
    if services.switchboard.is_listening(&id, &listener) { Ok(StatusCode::NO_CONTENT) } else { Err(no_such_call()) }
}

/// `PATCH /whep/{id}/{listener}`: trickles candidates or restarts ICE.
pub(super) async fn patch(
    State(services): State<MediaServices>,
    Path((id, listener)): Path<(String, String)>,
    patch: Result<IcePatch, Refusal>,
) -> Result<Response, Refusal> {
    if !services.switchboard.is_listening(&id, &listener) {
        return Err(no_such_call());
    }
    let IcePatch { if_match, fragment } = patch?;
    Ok(patched(services.switchboard.patch_ice(&id, Some(&listener), if_match, &fragment).await?))
}

/// `DELETE /whep/{id}/{listener}`: stops listening.
pub(super) async fn stop(
    State(services): State<MediaServices>,
    Path((id, listener)): Path<(String, String)>,
) -> Result<StatusCode, Refusal> {
    if services.switchboard.stop_listening(&id, &listener) { Ok(StatusCode::OK) } else { Err(no_such_call()) }
}
