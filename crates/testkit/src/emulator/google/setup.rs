//! The first message of a recognition: what it asks for, and the mistakes for which Google refuses it.

use std::time::Duration;

use google_apis::speech::speech_adaptation::adaptation_phrase_set::Value as PhraseSetValue;
use google_apis::speech::streaming_recognition_features::EndpointingSensitivity;
use google_apis::speech::streaming_recognize_request::StreamingRequest;
use google_apis::speech::{RecognitionConfig, StreamingRecognitionFeatures, StreamingRecognizeRequest};
use serde_json::json;
use tonic::Status;

use super::decoding::Decoding;
use crate::emulator::log::Exchange;

/// What a streaming recognition is asked for.
pub(super) struct Setup {
    pub(super) decoding: Decoding,
    pub(super) wants: Wants,
}

/// What the answers hold.
#[derive(Debug, Clone)]
pub(super) struct Wants {
    pub(super) language: String,
    pub(super) interim: bool,
    pub(super) activity: bool,
    pub(super) word_times: bool,
    pub(super) start_timeout: Option<Duration>,
    pub(super) end_timeout: Option<Duration>,
    pub(super) endpoint_ms: u32,
    /// The model speaks of one utterance, then the stream ends.
    pub(super) single_utterance: bool,
    /// Chirp waits for whole phrases: it gives an interim result only every this many words.
    pub(super) words_per_interim: usize,
}

const CONFIG_FIRST: &str = "Malordered Data Received. Expected to receive StreamingRecognitionConfig first.";

impl Setup {
    pub(super) fn new(first: StreamingRecognizeRequest, exchange: &Exchange) -> Result<Self, Status> {
        let Some(StreamingRequest::StreamingConfig(streaming)) = first.streaming_request else {
            return Err(Status::invalid_argument(CONFIG_FIRST));
        };
        let config = streaming.config.unwrap_or_default();
        let features = streaming.streaming_features.unwrap_or_default();
        note(&first.recognizer, &config, exchange);
        exchange.note("interim_results", features.interim_results);
        exchange.note("voice_activity_events", features.enable_voice_activity_events);
        check_recognizer(&first.recognizer)?;
        check(&config)?;
        let wants = Wants::new(&config, &features)?;
        Ok(Self { decoding: Decoding::new(config.decoding_config)?, wants })
    }
}

impl Wants {
    fn new(config: &RecognitionConfig, features: &StreamingRecognitionFeatures) -> Result<Self, Status> {
        let word_times = config.features.as_ref().is_some_and(|features| features.enable_word_time_offsets);
        if word_times && config.model == "chirp_3" {
            return Err(Status::invalid_argument(
                "Chirp 3 only supports word timestamps in Recognize and BatchRecognize requests.",
            ));
        }
        let timeout = features.voice_activity_timeout.as_ref();
        Ok(Self {
            language: config.language_codes.first().cloned().unwrap_or_default(),
            interim: features.interim_results,
            activity: features.enable_voice_activity_events,
            word_times,
            start_timeout: activity_timeout(timeout.and_then(|timeout| timeout.speech_start_timeout))?,
            end_timeout: activity_timeout(timeout.and_then(|timeout| timeout.speech_end_timeout))?,
            endpoint_ms: match features.endpointing_sensitivity() {
                EndpointingSensitivity::Unspecified | EndpointingSensitivity::Standard => 700,
                EndpointingSensitivity::Supershort => 200,
                EndpointingSensitivity::Short => 400,
            },
            single_utterance: ["latest_short", "short", "telephony_short"].contains(&config.model.as_str()),
            words_per_interim: if config.model.starts_with("chirp") { 3 } else { 1 },
        })
    }
}

pub(super) fn check_recognizer(recognizer: &str) -> Result<(), Status> {
    let parts: Vec<&str> = recognizer.split('/').collect();
    if let ["projects", project, "locations", location, "recognizers", name] = parts.as_slice()
        && ![project, location, name].iter().any(|part| part.is_empty())
    {
        return Ok(());
    }
    Err(Status::invalid_argument(format!(
        "Expected resource name to be of the form projects/*/locations/*/recognizers/*: {recognizer}"
    )))
}

/// Mistakes that both ways of recognising refuse.
pub(super) fn check(config: &RecognitionConfig) -> Result<(), Status> {
    if config.model.is_empty() || config.language_codes.is_empty() {
        return Err(Status::invalid_argument(
            "Invalid value at model/language_codes: must be set when using the implicit recognizer `_`.",
        ));
    }
    let phrase_sets = config.adaptation.iter().flat_map(|adaptation| &adaptation.phrase_sets);
    if config.model.starts_with("telephony") && phrase_sets.clone().next().is_some() {
        return Err(Status::invalid_argument("Adaptation is not supported by this model."));
    }
    for set in phrase_sets {
        let Some(PhraseSetValue::InlinePhraseSet(inline)) = &set.value else { continue };
        if inline.phrases.iter().any(|phrase| !(0.0..=20.0).contains(&phrase.boost)) {
            return Err(Status::invalid_argument("Invalid phrase boost: must be between 0 and 20."));
        }
    }
    Ok(())
}

pub(super) fn note(recognizer: &str, config: &RecognitionConfig, exchange: &Exchange) {
    exchange.note("recognizer", recognizer);
    exchange.note("model", config.model.as_str());
    exchange.note("language_codes", json!(config.language_codes));
}

fn activity_timeout(timeout: Option<google_apis::Duration>) -> Result<Option<Duration>, Status> {
    let Some(timeout) = timeout else { return Ok(None) };
    let timeout = Duration::try_from(timeout).unwrap_or_default();
    if (Duration::from_millis(500)..=Duration::from_secs(60)).contains(&timeout) {
        return Ok(Some(timeout));
    }
    Err(Status::invalid_argument("Voice activity timeouts must be between 500 ms and 60 s."))
}
