//! WHIP (RFC 9725): publish the microphone.

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;

use super::MediaServices;
use super::body::SdpOffer;
use super::call_options::CallOptions;
use super::refusal::Refusal;
use crate::readiness::Unready;
use crate::switchboard::{CallRequest, CallWishes, Door, OfferError, RefusedCall};

/// `POST /whip`: opens a call. The conversation's id is the session's.
pub(super) async fn publish(
    State(services): State<MediaServices>,
    options: CallOptions,
    SdpOffer(offer): SdpOffer,
) -> Result<impl IntoResponse, Refusal> {
    let wishes = options.check(&services, CallWishes::default()).await?;
    let request = CallRequest { door: Door::Whip, offer, wishes };
    let call = services.switchboard.open(request)?;
    Ok(created(format!("/whip/{}", call.id), call.answer))
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

/// `DELETE /whip/{id}`: hangs up.
pub(super) async fn hang_up(
    State(services): State<MediaServices>,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    if services.switchboard.hang_up(&id) { Ok(StatusCode::OK) } else { Err(no_such_call()) }
}

/// 201 with the SDP answer and where the new resource is.
pub(super) fn created(location: String, answer: String) -> impl IntoResponse {
    let headers = [(header::LOCATION, location), (header::CONTENT_TYPE, "application/sdp".to_owned())];
    (StatusCode::CREATED, headers, answer)
}

/// A call that never was or is over.
pub(super) fn no_such_call() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "no_such_call", "there is no such call, or it is over")
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
        OfferError::NoAudio | OfferError::SeveralAudio(_) | OfferError::NoOpus | OfferError::WrongDirection { .. } => {
            refusal(StatusCode::UNPROCESSABLE_ENTITY, "unacceptable_sdp")
        }
        OfferError::UnknownCall(_) => no_such_call(),
        OfferError::IdInUse(_) => refusal(StatusCode::CONFLICT, "id_in_use"),
        OfferError::AtCapacity { .. } | OfferError::TooManyListeners { .. } => {
            refusal(StatusCode::SERVICE_UNAVAILABLE, "at_capacity").retry_after(10)
        }
        OfferError::ShuttingDown => super::health::not_ready(Unready::Stopping),
    }
}
