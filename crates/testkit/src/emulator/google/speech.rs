//! The service `google.cloud.speech.v2.Speech`.

use std::sync::Arc;

use google_apis::speech::recognize_request::AudioSource;
use google_apis::speech::speech_server::Speech;
use google_apis::speech::{RecognizeRequest, RecognizeResponse, StreamingRecognizeRequest, StreamingRecognizeResponse};
use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status, Streaming};

use super::decoding::Decoding;
use super::{exchange, messages, recognition, setup};
use crate::emulator::ear::{Ear, Heard};
use crate::emulator::produce::produce;
use crate::emulator::{Shared, pause};

/// The longest recording that one request may hold, in milliseconds.
const RECORDING_MS: u32 = 60_000;
/// The pause that ends an utterance.
const ENDPOINT_MS: u32 = 700;

pub(super) struct Service {
    shared: Arc<Shared>,
}

impl Service {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }
}

#[tonic::async_trait]
impl Speech for Service {
    async fn streaming_recognize(
        &self,
        request: Request<Streaming<StreamingRecognizeRequest>>,
    ) -> Result<Response<BoxStream<StreamingRecognizeResponse>>, Status> {
        let exchange = exchange(request.extensions())?;
        let (shared, requests) = (Arc::clone(&self.shared), request.into_inner());
        let answers = produce(move |out| async move {
            if let Err(status) = recognition::run(shared, exchange, requests, &out).await {
                out.send(Err(status)).await;
            }
        });
        Ok(Response::new(Box::pin(answers)))
    }

    async fn recognize(&self, request: Request<RecognizeRequest>) -> Result<Response<RecognizeResponse>, Status> {
        let exchange = exchange(request.extensions())?;
        let request = request.into_inner();
        let config = request.config.unwrap_or_default();
        setup::note(&request.recognizer, &config, &exchange);
        setup::check_recognizer(&request.recognizer)?;
        setup::check(&config)?;
        let Some(AudioSource::Content(audio)) = request.audio_source else {
            return Err(Status::invalid_argument("The emulator reads audio from the request only."));
        };
        let (mut decoder, audio) = Decoding::new(config.decoding_config)?.decoder(&audio)?;
        let mut ear = Ear::new(decoder.rate_hz, ENDPOINT_MS, || self.shared.next_transcript());
        let mut heard = ear.listen(&decoder.decode(audio));
        heard.extend(ear.finish());
        if ear.at_ms() > RECORDING_MS {
            return Err(Status::invalid_argument("Audio can be of a maximum of 60 seconds."));
        }
        pause(self.shared.pace.transcript).await;
        let word_times = config.features.is_some_and(|features| features.enable_word_time_offsets);
        let language = config.language_codes.first().map(String::as_str).unwrap_or_default();
        let results = heard.iter().filter_map(|heard| match heard {
            Heard::Ended { utterance } => Some(messages::whole(utterance, language, word_times)),
            Heard::Began { .. } | Heard::Words { .. } => None,
        });
        let metadata = messages::metadata(Some(ear.at_ms()));
        Ok(Response::new(RecognizeResponse { results: results.collect(), metadata }))
    }
}
