//! A voice behind `/audio/speech`: raw samples that are spoken while the rest is still made.

use reqwest::RequestBuilder;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

use super::config::VoiceConfig;
use crate::remote::{Body, Endpoint, Samples, StreamError, Tasks, merge};
use crate::tts::{SpeechRequest, TextToSpeech, TtsEvent, is_speakable};
use crate::{Failure, Remedy};

const PROVIDER: &str = "openai.speech";
/// Pieces of audio that wait for a slow listener; then the vendor's stream waits too.
const EVENTS_LIMIT: usize = 64;
/// The most audio of one sentence: ten minutes at 24 kHz.
const MAX_AUDIO_BYTES: usize = 24_000 * 2 * 600;
/// What servers send that take no notice of the format asked for. It would be heard as noise.
const NOT_SAMPLES: [&str; 9] = [
    "audio/wav",
    "audio/wave",
    "audio/x-wav",
    "audio/mpeg",
    "audio/ogg",
    "audio/flac",
    "audio/aac",
    "text/",
    "application/json",
];

/// A voice. What it says ends with it.
#[derive(Debug)]
pub struct Voice {
    endpoint: Endpoint,
    config: VoiceConfig,
    tasks: Tasks,
}

impl Voice {
    /// A voice at an address. Reaches nobody yet.
    #[must_use]
    pub fn new(endpoint: Endpoint, config: VoiceConfig) -> Self {
        Self { endpoint, config, tasks: Tasks::default() }
    }

    fn body(&self, request: &SpeechRequest) -> Map<String, Value> {
        let voice = request.voice.as_ref().unwrap_or(&self.config.voice);
        let fields = [
            ("model", json!(self.config.model)),
            ("voice", json!(voice)),
            ("input", json!(request.text)),
            ("response_format", json!("pcm")),
            ("stream_format", json!("audio")),
        ];
        let mut body: Map<String, Value> = fields.map(|(key, value)| (key.to_owned(), value)).into_iter().collect();
        if !self.config.instructions.is_empty() {
            body.insert("instructions".to_owned(), json!(self.config.instructions));
        }
        // Not every model knows it.
        if (request.speed - 1.0).abs() > f32::EPSILON {
            body.insert("speed".to_owned(), json!((f64::from(request.speed) * 100.0).round() / 100.0));
        }
        merge(&mut body, &self.config.extra);
        body
    }
}

impl TextToSpeech for Voice {
    fn name(&self) -> &'static str {
        PROVIDER
    }

    fn sample_rate_hz(&self) -> u32 {
        self.config.sample_rate_hz
    }

    fn speak(&self, request: SpeechRequest) -> mpsc::Receiver<TtsEvent> {
        let (sender, events) = mpsc::channel(EVENTS_LIMIT);
        let post = self.endpoint.post("audio/speech").json(&self.body(&request));
        let endpoint = self.endpoint.clone();
        let is_speakable = is_speakable(&request.text);
        self.tasks.spawn(async move {
            let last = tokio::select! {
                biased;
                // Dropping the request closes its connection.
                () = sender.closed() => return,
                () = std::future::ready(()), if !is_speakable => TtsEvent::Done,
                spoken = speak(&endpoint, post, &sender) => match spoken {
                    Ok(()) => TtsEvent::Done,
                    Err(failure) => TtsEvent::Failed(failure),
                },
            };
            // Nobody may listen any more.
            let _ = sender.send(last).await;
        });
        events
    }
}

async fn speak(endpoint: &Endpoint, post: RequestBuilder, events: &mpsc::Sender<TtsEvent>) -> Result<(), Failure> {
    let failed = |error: StreamError| error.into_failure(PROVIDER);
    let mut body = Body::open(endpoint, post, MAX_AUDIO_BYTES).await.map_err(failed)?;
    if let Some(kind) = NOT_SAMPLES.iter().find(|kind| body.is(kind)) {
        return Err(Failure::new(PROVIDER, Remedy::Replace, format!("it sent {kind} in place of pcm")));
    }
    let (mut samples, mut is_silent) = (Samples::default(), true);
    while let Some(bytes) = body.chunk(body.patience()).await.map_err(failed)? {
        let Some(audio) = samples.push(&bytes) else { continue };
        body.has_begun();
        is_silent = false;
        if events.send(TtsEvent::Audio(audio)).await.is_err() {
            return Ok(());
        }
    }
    if is_silent {
        return Err(Failure::new(PROVIDER, Remedy::Retry, "it sent no audio"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Voice;
    use crate::openai::VoiceConfig;
    use crate::remote::{Auth, Deadlines, Endpoint};
    use crate::tts::SpeechRequest;

    #[test]
    fn a_request_is_what_the_vendor_documents() {
        let endpoint = Endpoint::new("http://localhost/v1", &Auth::None, Deadlines::default());
        let config = VoiceConfig { instructions: "Be calm.".to_owned(), ..VoiceConfig::default() };
        let voice = Voice::new(endpoint.expect("an address"), config);
        let request = SpeechRequest { text: "Hello.".to_owned(), voice: Some("coral".to_owned()), speed: 1.1 };
        assert_eq!(
            Value::Object(voice.body(&request)),
            json!({"model": "gpt-4o-mini-tts", "voice": "coral", "input": "Hello.", "response_format": "pcm",
                   "stream_format": "audio", "instructions": "Be calm.", "speed": 1.1})
        );
        let plain = voice.body(&SpeechRequest { voice: None, speed: 1.0, ..request });
        assert_eq!((plain["voice"].as_str(), plain.get("speed")), (Some("alloy"), None));
    }
}
