//! `POST /audio/speech`: the text as tones, raw or in a WAV file or as events, while they are made.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::StreamExt as _;
use serde::Deserialize;
use serde_json::json;

use super::{events, known, refuse, streamed};
use crate::emulator::Shared;
use crate::emulator::produce::produce;
use crate::emulator::refusal::Refusal;
use crate::emulator::voice::{self, PcmPieces};

/// What OpenAI's voices speak at.
const RATE_HZ: u32 = 24_000;
/// The most letters of one request.
const LETTERS: usize = 4_096;
/// Not a whole number of samples: raw audio comes as the network cuts it.
const PIECE_BYTES: usize = 9_601;

#[derive(Deserialize)]
pub(super) struct SpeechRequest {
    model: String,
    input: String,
    voice: Option<String>,
    #[serde(default)]
    response_format: Format,
    #[serde(default)]
    stream_format: StreamFormat,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Format {
    #[default]
    Mp3,
    Opus,
    Aac,
    Flac,
    Wav,
    Pcm,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum StreamFormat {
    #[default]
    Audio,
    Sse,
}

pub(super) async fn speak(
    State(shared): State<Arc<Shared>>,
    request: Result<Json<SpeechRequest>, JsonRejection>,
) -> Response {
    let checked = match request {
        Ok(Json(request)) => check(&request).map(|head| (request, head)),
        Err(rejection) => Err(Refusal::invalid(rejection.body_text())),
    };
    let (request, format) = match checked {
        Ok(checked) => checked,
        Err(refusal) => return refuse(&refusal),
    };
    let pieces = PcmPieces { samples: voice::speak(&request.input, RATE_HZ), pace: shared.pace, bytes: PIECE_BYTES };
    match request.stream_format {
        StreamFormat::Sse => speech_events(pieces, format),
        StreamFormat::Audio => {
            let audio = produce(move |out| async move {
                if let Spoken::Wav = format {
                    out.send(endless_wav_head()).await;
                }
                pieces.run(&out).await;
            });
            let kind = match format {
                Spoken::Pcm => "audio/pcm",
                Spoken::Wav => "audio/wav",
            };
            streamed(kind, Body::from_stream(audio.map(Ok::<_, Infallible>)))
        }
    }
}

/// The formats that the emulator can make.
#[derive(Clone, Copy)]
enum Spoken {
    Pcm,
    Wav,
}

fn check(request: &SpeechRequest) -> Result<Spoken, Refusal> {
    known(&request.model)?;
    if request.input.is_empty() {
        return Err(Refusal::invalid("Invalid 'input': string too short. Expected a string with minimum length 1."));
    }
    if request.input.chars().count() > LETTERS {
        let message = format!("Invalid 'input': string too long. Expected a string with maximum length {LETTERS}.");
        return Err(Refusal::invalid(message));
    }
    if request.voice.is_none() {
        return Err(Refusal::invalid("Missing required parameter: 'voice'."));
    }
    match request.response_format {
        Format::Wav => Ok(Spoken::Wav),
        Format::Pcm => Ok(Spoken::Pcm),
        Format::Mp3 | Format::Opus | Format::Aac | Format::Flac => {
            Err(Refusal::invalid("The emulator speaks 'pcm' and 'wav' only."))
        }
    }
}

fn speech_events(pieces: PcmPieces, format: Spoken) -> Response {
    let tokens = pieces.samples.len() / (RATE_HZ as usize / 20);
    events(produce(move |out| async move {
        let mut audio = std::pin::pin!(produce(move |out| async move {
            if let Spoken::Wav = format {
                out.send(endless_wav_head()).await;
            }
            pieces.run(&out).await;
        }));
        while let Some(piece) = audio.next().await {
            out.send(json!({"type": "speech.audio.delta", "audio": STANDARD.encode(piece)})).await;
        }
        let usage = json!({"input_tokens": 3, "output_tokens": tokens, "total_tokens": tokens + 3});
        out.send(json!({"type": "speech.audio.done", "usage": usage})).await;
    }))
}

/// The head of a WAV file whose length is not known yet: the length fields hold the greatest number, as OpenAI's do.
fn endless_wav_head() -> Bytes {
    let mut head = voice::wav(&[], RATE_HZ);
    let unknown = u32::MAX.to_le_bytes();
    head[4..8].copy_from_slice(&unknown);
    head[40..44].copy_from_slice(&unknown);
    head.into()
}
