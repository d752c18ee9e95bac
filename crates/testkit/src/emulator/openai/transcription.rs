//! `POST /audio/transcriptions`: a WAV file in, its words out, whole or as events.

use std::sync::Arc;

use axum::extract::multipart::MultipartRejection;
use axum::extract::{Multipart, State};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use bytes::Bytes;
use serde_json::{Value, json};

use super::{events, known, refuse};
use crate::emulator::ear;
use crate::emulator::log::Exchange;
use crate::emulator::produce::produce;
use crate::emulator::refusal::Refusal;
use crate::emulator::{Shared, pause};

/// OpenAI refuses shorter audio.
const LEAST_MS: usize = 100;

/// The fields of the form.
#[derive(Default)]
struct Form {
    file: Bytes,
    model: String,
    response_format: String,
    is_stream: bool,
}

pub(super) async fn transcribe(
    State(shared): State<Arc<Shared>>,
    Extension(exchange): Extension<Exchange>,
    form: Result<Multipart, MultipartRejection>,
) -> Response {
    match answer(&shared, &exchange, form).await {
        Ok(response) => response,
        Err(refusal) => refuse(&refusal),
    }
}

async fn answer(
    shared: &Arc<Shared>,
    exchange: &Exchange,
    form: Result<Multipart, MultipartRejection>,
) -> Result<Response, Refusal> {
    let form = read(form.map_err(|error| Refusal::invalid(error.body_text()))?, exchange).await?;
    known(&form.model)?;
    let recording = audio::wav::read(&form.file).map_err(|error| {
        exchange.note("problem", error.to_string());
        Refusal::invalid("Audio file might be corrupted or unsupported")
    })?;
    let ms = recording.samples.len() * 1_000 / recording.rate_hz as usize;
    if ms < LEAST_MS {
        return Err(Refusal::invalid("Audio file is too short. Minimum audio length is 0.1 seconds."));
    }
    let text = ear::transcribe(&recording.samples, recording.rate_hz, || shared.next_transcript());
    let usage = json!({"type": "tokens", "input_tokens": ms / 100, "output_tokens": text.split_whitespace().count(),
        "total_tokens": ms / 100 + text.split_whitespace().count()});
    if form.is_stream {
        return Ok(transcript_events(text, usage, shared.pace));
    }
    pause(shared.pace.transcript).await;
    match form.response_format.as_str() {
        "" | "json" => Ok(Json(json!({"text": text, "usage": usage})).into_response()),
        "text" => Ok(format!("{text}\n").into_response()),
        "verbose_json" => {
            let seconds = ms as f64 / 1_000.0;
            Ok(Json(json!({"task": "transcribe", "language": "english", "duration": seconds, "text": text,
                "segments": []}))
            .into_response())
        }
        other => Err(Refusal::invalid(format!("The emulator has no response_format '{other}'."))),
    }
}

async fn read(mut form: Multipart, exchange: &Exchange) -> Result<Form, Refusal> {
    let broken = |error: axum::extract::multipart::MultipartError| Refusal::invalid(error.body_text());
    let mut fields = Form::default();
    while let Some(field) = form.next_field().await.map_err(broken)? {
        let name = field.name().unwrap_or_default().to_owned();
        if name == "file" {
            fields.file = field.bytes().await.map_err(broken)?;
            exchange.note("file_bytes", fields.file.len());
            continue;
        }
        let text = field.text().await.map_err(broken)?;
        exchange.note(&name, text.clone());
        match name.as_str() {
            "model" => fields.model = text,
            "response_format" => fields.response_format = text,
            "stream" => fields.is_stream = text.eq_ignore_ascii_case("true"),
            // Hints such as the language do not change what tones say.
            _ => {}
        }
    }
    Ok(fields)
}

fn transcript_events(text: String, usage: Value, pace: crate::emulator::Pace) -> Response {
    events(produce(move |out| async move {
        pause(pace.transcript).await;
        for word in text.split_inclusive(' ') {
            out.send(json!({"type": "transcript.text.delta", "delta": word})).await;
            pause(pace.token).await;
        }
        out.send(json!({"type": "transcript.text.done", "text": text, "usage": usage})).await;
    }))
}
