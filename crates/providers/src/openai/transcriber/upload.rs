//! One upload of a recording, and the words that come back.

use std::sync::Arc;

use reqwest::multipart::{Form, Part};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::mpsc;

use super::PROVIDER;
use crate::openai::TranscriberConfig;
use crate::remote::{Body, Endpoint, EventStream, Item, MAX_STREAM_BYTES, Refusal, StreamError};
use crate::stt::{SAMPLE_RATE_HZ, SttEvent};
use crate::{Failure, Remedy};

/// Sends recordings of one speaker.
#[derive(Debug, Clone)]
pub(super) struct Uploader {
    endpoint: Endpoint,
    config: Arc<TranscriberConfig>,
    /// The language alone, without region or script: that is all the interface knows.
    language: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Answer {
    text: Option<String>,
}

/// An event of a streamed answer.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Event {
    r#type: String,
    delta: Option<String>,
    text: Option<String>,
    error: Option<Value>,
}

impl Uploader {
    pub(super) fn new(endpoint: Endpoint, config: Arc<TranscriberConfig>, language: Option<String>) -> Self {
        let language = language.and_then(|tag| Some(tag.split('-').next()?.to_lowercase()));
        Self { endpoint, config, language }
    }

    /// The words of a recording. Words that come early are told to `events` as they come. Dropping it closes the
    /// connection.
    pub(super) async fn words(self, samples: Vec<f32>, events: mpsc::Sender<SttEvent>) -> Result<String, Failure> {
        let wav = audio::wav::write(&samples, SAMPLE_RATE_HZ)
            .map_err(|error| Failure::new(PROVIDER, Remedy::GiveUp, error.to_string()))?;
        let request = self.endpoint.post("audio/transcriptions").multipart(self.form(wav)?);
        let failed = |error: StreamError| error.into_failure(PROVIDER);
        let body = Body::open(&self.endpoint, request, MAX_STREAM_BYTES).await.map_err(failed)?;
        if body.is("text/event-stream") {
            return streamed(EventStream::reading(body), &events).await;
        }
        let answer = body.whole().await.map_err(failed)?;
        match serde_json::from_slice(&answer) {
            Ok(Answer { text: Some(text) }) => Ok(text.trim().to_owned()),
            Ok(Answer { text: None }) | Err(_) => {
                Err(Failure::new(PROVIDER, Remedy::Replace, "its answer holds no text"))
            }
        }
    }

    fn form(&self, wav: Vec<u8>) -> Result<Form, Failure> {
        // The name's ending tells servers the format.
        let file = Part::bytes(wav).file_name("utterance.wav").mime_str("audio/wav");
        let file = file.map_err(|error| Failure::new(PROVIDER, Remedy::GiveUp, error.to_string()))?;
        let mut form = Form::new().part("file", file).text("model", self.config.model.clone());
        form = form.text("response_format", "json").text("temperature", "0");
        if let Some(language) = &self.language {
            form = form.text("language", language.clone());
        }
        if !self.config.prompt.is_empty() {
            form = form.text("prompt", self.config.prompt.clone());
        }
        Ok(if self.config.stream { form.text("stream", "true") } else { form })
    }
}

async fn streamed(mut stream: EventStream, events: &mpsc::Sender<SttEvent>) -> Result<String, Failure> {
    let mut words = String::new();
    while let Some(item) = stream.next().await.map_err(|error| error.into_failure(PROVIDER))? {
        let (Item::Data(json) | Item::Bare(json)) = item;
        let event: Event = serde_json::from_str(&json)
            .map_err(|_| Failure::new(PROVIDER, Remedy::Retry, "one of its events cannot be read"))?;
        if let Some(error) = event.error {
            return Err(Refusal::of_error(&error).into_failure(PROVIDER));
        }
        if event.r#type == "transcript.text.done" {
            stream.drain().await;
            return Ok(event.text.unwrap_or(words).trim().to_owned());
        }
        if let Some(delta) = event.delta.filter(|delta| !delta.is_empty()) {
            stream.has_begun();
            words.push_str(&delta);
            // A listener who is behind gets the later ones.
            let _ = events.try_send(SttEvent::Partial { text: words.trim().to_owned(), settled: None });
        }
    }
    Err(Failure::new(PROVIDER, Remedy::Retry, "the transcript broke off"))
}
