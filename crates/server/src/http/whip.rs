//! WHIP (RFC 9725): publish the microphone.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::MediaServices;
use super::body::SdpOffer;
use super::call_options::CallOptions;
use super::refusal::Refusal;
use super::session_resource::{IcePatch, created_session, no_such_call, patched};
use crate::readiness::Unready;
use crate::switchboard::{CallRequest, CallWishes, Door, OfferError, RefusedCall};

/// `POST /whip`: opens a call. The conversation's id is the session's.
pub(super) async fn publish(
    State(services): State<MediaServices>,
    options: CallOptions,
    SdpOffer(offer): SdpOffer,
) -> Result<Response, Refusal> {
    let wishes = options.check(&services, CallWishes::default()).await?;
    let request = CallRequest { door: Door::Whip, offer, wishes };
    let call = services.switchboard.open(request)?;
    Ok(created_session(format!("/whip/{}", call.id), call, &services.ice_servers))
}

/// `GET /whip`: RFC 9725 asks for success without content.
pub(super) async fn exists() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// `GET /whip/{id}`: success without content while the call goes on.
pub(super) async fn session(
    State(services): State<MediaServices>,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    if services.switchboard.is_live(&id) { Ok(StatusCode::NO_CONTENT) } else { Err(no_such_call()) }
}

/// `PATCH /whip/{id}`: trickles candidates or restarts ICE.
pub(super) async fn patch(
    State(services): State<MediaServices>,
    Path(id): Path<String>,
    patch: Result<IcePatch, Refusal>,
) -> Result<Response, Refusal> {
    if !services.switchboard.is_live(&id) {
        return Err(no_such_call());
    }
    let IcePatch { if_match, fragment } = patch?;
    Ok(patched(services.switchboard.patch_ice(&id, None, if_match, &fragment).await?))
}

/// `DELETE /whip/{id}`: hangs up.
pub(super) async fn hang_up(
    State(services): State<MediaServices>,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    if services.switchboard.hang_up(&id) { Ok(StatusCode::OK) } else { Err(no_such_call()) }
}

/// `OPTIONS /whip`: which bodies may be posted, and who helps to reach the server. A preflight request of a browser is
/// answered by it too, and is not told of servers (section 4.6).
pub(super) async fn options(State(services): State<MediaServices>, asked: HeaderMap) -> Response {
    let mut response = super::cors::accept_sdp().await.into_response();
    if !asked.contains_key("access-control-request-method") {
        services.ice_servers.link(response.headers_mut(), "options");
    }
    response
}

impl From<RefusedCall> for Refusal {
    fn from(refused: RefusedCall) -> Self {
        match refused {
            RefusedCall::NotReady(why) => super::health::not_ready(why),
            RefusedCall::Offer(error) => offer_refusal(&error),
        }
    }
}

/// The media side's own words are public: they name what is wrong with the offer.
fn offer_refusal(error: &OfferError) -> Refusal {
    let refusal = |status, code| Refusal::new(status, code, error.to_string());
    match error {
        OfferError::BadSdp(_) => refusal(StatusCode::BAD_REQUEST, "invalid_sdp"),
        OfferError::TooLarge { .. } => refusal(StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
        OfferError::NoAudio
        | OfferError::SeveralAudio(_)
        | OfferError::NoOpus
        | OfferError::SeveralVideo(_)
        | OfferError::VideoRefused
        | OfferError::SeveralStreams
        | OfferError::NotBundled
        | OfferError::NoRtcpMux
        | OfferError::WrongSetup(_)
        | OfferError::WrongDirection { .. } => refusal(StatusCode::UNPROCESSABLE_ENTITY, "unacceptable_sdp"),
        OfferError::UnknownCall(_) => no_such_call(),
        OfferError::IdInUse(_) => refusal(StatusCode::CONFLICT, "id_in_use"),
        OfferError::AtCapacity { .. } | OfferError::TooManyListeners { .. } => {
            refusal(StatusCode::SERVICE_UNAVAILABLE, "at_capacity").retry_after(10)
        }
        OfferError::ShuttingDown => super::health::not_ready(Unready::Stopping),
    }
}
