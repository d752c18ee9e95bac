//! OpenAI's API below `/openai/v1`: chat completions, speech, transcriptions, models, realtime.

mod chat;
mod chat_request;
mod realtime;
mod speech;
mod transcription;

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Path};
use axum::http::HeaderName;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get, post};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use serde_json::{Value, json};

use super::Shared;
use super::refusal::{Code, Refusal};
use super::route::Vendor;

/// The models that it knows; any other is not found.
const MODELS: [&str; 9] = [
    "gpt-5-mini",
    "gpt-4.1-mini",
    "gpt-4o-mini",
    "gpt-4o-mini-tts",
    "tts-1",
    "gpt-transcribe",
    "gpt-4o-mini-transcribe",
    "whisper-1",
    "gpt-realtime-2.1",
];

pub(super) fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/chat/completions", post(chat::complete))
        .route("/audio/speech", post(speech::speak))
        .route("/audio/transcriptions", post(transcription::transcribe))
        .route("/realtime", any(realtime::converse))
        .route("/models", get(models))
        .route("/models/{name}", get(model))
        // The gate has its own.
        .layer(DefaultBodyLimit::disable())
}

async fn models() -> Response {
    let models: Vec<Value> = MODELS.iter().map(|name| described(name)).collect();
    Json(json!({"object": "list", "data": models})).into_response()
}

async fn model(Path(name): Path<String>) -> Response {
    match known(&name) {
        Ok(()) => Json(described(&name)).into_response(),
        Err(refusal) => refuse(&refusal),
    }
}

fn described(name: &str) -> Value {
    json!({"id": name, "object": "model", "created": 1_700_000_000, "owned_by": "openai"})
}

fn known(model: &str) -> Result<(), Refusal> {
    if MODELS.contains(&model) {
        return Ok(());
    }
    let message = format!("The model `{model}` does not exist or you do not have access to it.");
    Err(Refusal::new(Code::NotFound, message))
}

fn refuse(refusal: &Refusal) -> Response {
    refusal.response(Vendor::OpenAi)
}

/// Events, each a line `data: …`.
fn events(events: impl Stream<Item = Value> + Send + 'static) -> Response {
    let lines = events.map(|event| Ok::<_, std::convert::Infallible>(Bytes::from(format!("data: {event}\n\n"))));
    streamed("text/event-stream; charset=utf-8", Body::from_stream(lines))
}

fn streamed(kind: &'static str, body: Body) -> Response {
    let headers: [(HeaderName, &str); 2] = [(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-cache")];
    (headers, body).into_response()
}
