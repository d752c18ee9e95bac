//! OpenAI Realtime over WebRTC: two-way audio, events on the data channel `oai-events`.

use axum::body::Bytes;
use axum::extract::multipart::MultipartError;
use axum::extract::{FromRequest as _, Multipart, Path, Request, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::Deserialize;

use super::MediaServices;
use super::body::{SdpOffer, has_media_type, text, too_large};
use super::call_options::CallOptions;
use super::refusal::{OpenAiRefusal, Refusal};
use super::session_resource::{created, no_such_call};
use crate::switchboard::{CallRequest, CallWishes, Door};

/// What of the part `session` is applied; everything else of it is accepted, as stock clients send much.
#[derive(Debug, Default, Deserialize)]
struct SessionPart {
    instructions: Option<String>,
    /// Ours: the agent that answers.
    agent: Option<String>,
    /// Ours: the conversation that goes on.
    conversation: Option<String>,
}

/// `POST /v1/realtime/calls`: the offer as it is, or in a form beside the session's settings.
pub(super) async fn call(
    State(services): State<MediaServices>,
    options: Result<CallOptions, Refusal>,
    request: Request,
) -> Result<impl IntoResponse, OpenAiRefusal> {
    let options = options?;
    let (offer, session) = if has_media_type(request.headers(), "multipart/form-data") {
        read_form(request).await?
    } else {
        (SdpOffer::from_request(request, &()).await?.0, SessionPart::default())
    };
    let named = CallWishes { instructions: session.instructions, agent: session.agent, resumes: session.conversation };
    let wishes = options.check(&services, named).await?;
    let request = CallRequest { door: Door::TwoWay, offer, wishes };
    let call = services.switchboard.open(request).map_err(Refusal::from)?;
    Ok(created(format!("/v1/realtime/calls/{}", call.id), call.answer.sdp))
}

/// `POST /v1/realtime/calls/{id}/hangup`.
pub(super) async fn hang_up(
    State(services): State<MediaServices>,
    Path(id): Path<String>,
) -> Result<StatusCode, OpenAiRefusal> {
    if services.switchboard.hang_up(&id) { Ok(StatusCode::OK) } else { Err(no_such_call().into()) }
}

async fn read_form(request: Request) -> Result<(String, SessionPart), Refusal> {
    let mut form = Multipart::from_request(request, &()).await.map_err(|_| broken_form())?;
    let mut offer = None;
    let mut session = SessionPart::default();
    while let Some(part) = form.next_field().await.map_err(|cause| unreadable_form(&cause))? {
        let name = part.name().unwrap_or_default().to_owned();
        let body: Bytes = part.bytes().await.map_err(|cause| unreadable_form(&cause))?;
        match name.as_str() {
            "sdp" => offer = Some(text(&body, "SDP offer")?),
            "session" => session = read_session(&body)?,
            _ => {}
        }
    }
    let missing = || Refusal::new(StatusCode::BAD_REQUEST, "invalid_sdp", "the form has no part named sdp");
    Ok((offer.ok_or_else(missing)?, session))
}

fn read_session(body: &[u8]) -> Result<SessionPart, Refusal> {
    serde_json::from_slice(body).map_err(|cause| {
        Refusal::new(StatusCode::BAD_REQUEST, "invalid_session", format!("the part session cannot be read: {cause}"))
    })
}

fn unreadable_form(cause: &MultipartError) -> Refusal {
    if cause.status() == StatusCode::PAYLOAD_TOO_LARGE { too_large() } else { broken_form() }
}

fn broken_form() -> Refusal {
    let detail = "the form cannot be read; post multipart/form-data with the parts sdp and session";
    Refusal::new(StatusCode::BAD_REQUEST, "invalid_form", detail)
}
