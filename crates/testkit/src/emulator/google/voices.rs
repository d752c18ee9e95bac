//! The service `google.cloud.texttospeech.v1.TextToSpeech`.

use std::sync::Arc;

use google_apis::text_to_speech::synthesis_input::InputSource;
use google_apis::text_to_speech::text_to_speech_server::TextToSpeech;
use google_apis::text_to_speech::{
    AudioEncoding, ListVoicesRequest, ListVoicesResponse, SsmlVoiceGender, StreamingSynthesizeRequest,
    StreamingSynthesizeResponse, SynthesizeSpeechRequest, SynthesizeSpeechResponse, Voice,
};
use tokio::sync::Semaphore;
use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status, Streaming};

use super::telephone::{to_a_law, to_mu_law};
use super::{exchange, synthesis};
use crate::emulator::produce::produce;
use crate::emulator::refusal::{Code, Refusal};
use crate::emulator::{Shared, pause, voice};

/// Some of Google's names; it has 30 for each language.
const NAMES: [(&str, SsmlVoiceGender); 4] = [
    ("Achernar", SsmlVoiceGender::Female),
    ("Charon", SsmlVoiceGender::Male),
    ("Kore", SsmlVoiceGender::Female),
    ("Puck", SsmlVoiceGender::Male),
];
const LANGUAGES: [&str; 4] = ["de-DE", "en-GB", "en-US", "fr-FR"];
const TOO_MANY: &str = "Quota exceeded for quota metric 'Concurrent streaming sessions' and limit 'Concurrent streaming \
                        sessions per project' of service 'texttospeech.googleapis.com'.";
pub(super) const DEFAULT_RATE_HZ: u32 = 24_000;

pub(super) struct Service {
    shared: Arc<Shared>,
    /// One permit for each streaming synthesis.
    streams: Arc<Semaphore>,
}

impl Service {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let streams = Arc::new(Semaphore::new(shared.limits.syntheses));
        Self { shared, streams }
    }
}

#[tonic::async_trait]
impl TextToSpeech for Service {
    async fn list_voices(&self, request: Request<ListVoicesRequest>) -> Result<Response<ListVoicesResponse>, Status> {
        let wanted = request.into_inner().language_code;
        let languages = LANGUAGES.into_iter().filter(|language| language.starts_with(&wanted));
        let voices =
            languages.flat_map(|language| NAMES.iter().map(move |(name, gender)| described(language, name, *gender)));
        Ok(Response::new(ListVoicesResponse { voices: voices.collect() }))
    }

    async fn synthesize_speech(
        &self,
        request: Request<SynthesizeSpeechRequest>,
    ) -> Result<Response<SynthesizeSpeechResponse>, Status> {
        let exchange = exchange(request.extensions())?;
        let request = request.into_inner();
        let text = match request.input.and_then(|input| input.input_source) {
            Some(InputSource::Text(text) | InputSource::Markup(text)) => text,
            Some(_) | None => return Err(Status::invalid_argument("Either `text` or `ssml` must be set.")),
        };
        exchange.note("text", text.as_str());
        exchange.note("voice", request.voice.unwrap_or_default().name);
        synthesis::check_length(&text, self.shared.limits)?;
        let config = request.audio_config.unwrap_or_default();
        let rate_hz = rate(config.sample_rate_hertz)?;
        let samples = voice::speak(&text, rate_hz);
        let audio = match config.audio_encoding() {
            // With a head, as Google's.
            AudioEncoding::Linear16 => voice::wav(&samples, rate_hz),
            other => encode(&samples, other)?,
        };
        pause(self.shared.pace.first_audio).await;
        Ok(Response::new(SynthesizeSpeechResponse { audio_content: audio.into() }))
    }

    async fn streaming_synthesize(
        &self,
        request: Request<Streaming<StreamingSynthesizeRequest>>,
    ) -> Result<Response<BoxStream<StreamingSynthesizeResponse>>, Status> {
        let exchange = exchange(request.extensions())?;
        let Ok(permit) = Arc::clone(&self.streams).try_acquire_owned() else {
            return Err(Refusal::new(Code::ResourceExhausted, TOO_MANY).into());
        };
        let (shared, requests) = (Arc::clone(&self.shared), request.into_inner());
        let answers = produce(move |out| async move {
            let _permit = permit;
            if let Err(status) = synthesis::run(&shared, &exchange, requests, &out).await {
                out.send(Err(status)).await;
            }
        });
        Ok(Response::new(Box::pin(answers)))
    }
}

fn described(language: &str, name: &str, gender: SsmlVoiceGender) -> Voice {
    Voice {
        language_codes: vec![language.to_owned()],
        name: format!("{language}-Chirp3-HD-{name}"),
        ssml_gender: gender.into(),
        natural_sample_rate_hertz: DEFAULT_RATE_HZ as i32,
    }
}

/// The rate that was asked for; 0 leaves it to the voice.
pub(super) fn rate(asked: i32) -> Result<u32, Status> {
    match u32::try_from(asked) {
        Ok(0) => Ok(DEFAULT_RATE_HZ),
        Ok(rate @ 8_000..=48_000) => Ok(rate),
        Ok(_) | Err(_) => Err(Status::invalid_argument(format!("Invalid sample_rate_hertz: {asked}"))),
    }
}

/// Samples without a head.
pub(super) fn encode(samples: &[f32], encoding: AudioEncoding) -> Result<Vec<u8>, Status> {
    let compressed = |compress: fn(i16) -> u8| {
        samples.iter().map(|sample| compress((sample.clamp(-1.0, 1.0) * 32_767.0).round() as i16)).collect()
    };
    match encoding {
        AudioEncoding::Unspecified | AudioEncoding::Pcm => Ok(voice::pcm(samples)),
        AudioEncoding::Mulaw => Ok(compressed(to_mu_law)),
        AudioEncoding::Alaw => Ok(compressed(to_a_law)),
        AudioEncoding::Linear16 | AudioEncoding::Mp3 | AudioEncoding::OggOpus | AudioEncoding::M4a => {
            Err(Status::invalid_argument(format!("The emulator does not make {} here.", encoding.as_str_name())))
        }
    }
}
