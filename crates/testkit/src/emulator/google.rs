//! Google's gRPC services: Speech-to-Text v2 and Text-to-Speech v1. What is not here answers UNIMPLEMENTED.

mod decoding;
mod messages;
mod recognition;
mod setup;
mod speech;
mod synthesis;
mod telephone;
mod voices;

use std::sync::Arc;

use axum::Router;
use google_apis::speech::speech_server::SpeechServer;
use google_apis::text_to_speech::text_to_speech_server::TextToSpeechServer;
use tonic::{Extensions, Status};

use super::Shared;
use super::log::Exchange;

/// Google takes 10 MB of audio in one request; a gRPC server's own default is less.
const MESSAGE_BYTES: usize = 11_000_000;

pub(super) fn router(shared: &Arc<Shared>) -> Router {
    let speech = SpeechServer::new(speech::Service::new(Arc::clone(shared))).max_decoding_message_size(MESSAGE_BYTES);
    let voices = TextToSpeechServer::new(voices::Service::new(Arc::clone(shared)));
    Router::new()
        .route_service("/google.cloud.speech.v2.Speech/{method}", speech)
        .route_service("/google.cloud.texttospeech.v1.TextToSpeech/{method}", voices)
}

/// The request's place in the log, put there by the gate.
fn exchange(extensions: &Extensions) -> Result<Exchange, Status> {
    extensions.get::<Exchange>().cloned().ok_or_else(|| Status::internal("the request did not pass the gate"))
}
