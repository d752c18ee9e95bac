//! WHEP: hear the agent of a call.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;

use super::MediaServices;
use super::body::SdpOffer;
use super::refusal::Refusal;
use super::whip::{created, no_such_call};

/// `POST /whep/{id}`: opens a listener.
pub(super) async fn listen(
    State(services): State<MediaServices>,
    Path(id): Path<String>,
    SdpOffer(offer): SdpOffer,
) -> Result<impl IntoResponse, Refusal> {
    let listener = services.switchboard.listen(&id, &offer)?;
    Ok(created(format!("/whep/{id}/{}", listener.id), listener.answer))
}

/// `GET /whep/{id}`: success without content while the call goes on.
pub(super) async fn exists(
    State(services): State<MediaServices>,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    if services.switchboard.is_live(&id) { Ok(StatusCode::NO_CONTENT) } else { Err(no_such_call()) }
}

/// `DELETE /whep/{id}/{listener}`: stops listening.
pub(super) async fn stop(
    State(services): State<MediaServices>,
    Path((id, listener)): Path<(String, String)>,
) -> Result<StatusCode, Refusal> {
    if services.switchboard.stop_listening(&id, &listener) { Ok(StatusCode::OK) } else { Err(no_such_call()) }
}
