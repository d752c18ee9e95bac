//! What is sent to Speech-to-Text.

use google_apis::speech as wire;
use google_apis::speech::explicit_decoding_config::AudioEncoding;
use google_apis::speech::recognition_config::DecodingConfig;
use google_apis::speech::speech_adaptation::{AdaptationPhraseSet, adaptation_phrase_set};
use google_apis::speech::streaming_recognition_features::EndpointingSensitivity;
use google_apis::speech::streaming_recognize_request::StreamingRequest;

use crate::google::{Endpointing, SpeechConfig};
use crate::stt::SAMPLE_RATE_HZ;

/// Spoken when neither the configuration nor the agent says which language it is.
const LANGUAGE: &str = "en-US";

/// How one speaker is recognised.
#[derive(Debug, Clone)]
pub(super) struct Recognition {
    recognizer: String,
    config: wire::StreamingRecognitionConfig,
}

impl Recognition {
    pub(super) fn new(project: &str, config: &SpeechConfig, language: Option<String>) -> Self {
        let languages = if config.languages.is_empty() {
            vec![language.unwrap_or_else(|| LANGUAGE.to_owned())]
        } else {
            config.languages.clone()
        };
        let decoding = wire::ExplicitDecodingConfig {
            encoding: AudioEncoding::Linear16.into(),
            sample_rate_hertz: SAMPLE_RATE_HZ.cast_signed(),
            audio_channel_count: 1,
        };
        let recognition = wire::RecognitionConfig {
            model: config.model.clone(),
            language_codes: languages,
            features: Some(wire::RecognitionFeatures { enable_automatic_punctuation: true, ..Default::default() }),
            adaptation: adaptation(config),
            decoding_config: Some(DecodingConfig::ExplicitDecodingConfig(decoding)),
            ..Default::default()
        };
        let features = wire::StreamingRecognitionFeatures {
            enable_voice_activity_events: true,
            interim_results: true,
            endpointing_sensitivity: endpointing(config).into(),
            ..Default::default()
        };
        Self {
            // `_` is a recogniser that nobody has to make first.
            recognizer: format!("projects/{project}/locations/{}/recognizers/_", config.location),
            config: wire::StreamingRecognitionConfig {
                config: Some(recognition),
                streaming_features: Some(features),
                ..Default::default()
            },
        }
    }

    /// The first message of a stream.
    pub(super) fn opening(&self) -> wire::StreamingRecognizeRequest {
        wire::StreamingRecognizeRequest {
            recognizer: self.recognizer.clone(),
            streaming_request: Some(StreamingRequest::StreamingConfig(self.config.clone())),
        }
    }
}

/// Any later message.
pub(super) fn audio(bytes: bytes::Bytes) -> wire::StreamingRecognizeRequest {
    wire::StreamingRecognizeRequest { streaming_request: Some(StreamingRequest::Audio(bytes)), ..Default::default() }
}

/// The telephony models refuse it.
fn adaptation(config: &SpeechConfig) -> Option<wire::SpeechAdaptation> {
    if config.phrases.is_empty() || config.model.starts_with("telephony") {
        return None;
    }
    let phrase = |value: &String| wire::phrase_set::Phrase { value: value.clone(), boost: config.phrase_boost };
    let phrases = wire::PhraseSet { phrases: config.phrases.iter().map(phrase).collect(), ..Default::default() };
    let set = AdaptationPhraseSet { value: Some(adaptation_phrase_set::Value::InlinePhraseSet(phrases)) };
    Some(wire::SpeechAdaptation { phrase_sets: vec![set], ..Default::default() })
}

/// Only Chirp 3 knows it.
fn endpointing(config: &SpeechConfig) -> EndpointingSensitivity {
    match config.endpointing.filter(|_| config.model == "chirp_3") {
        None => EndpointingSensitivity::Unspecified,
        Some(Endpointing::Standard) => EndpointingSensitivity::Standard,
        Some(Endpointing::Short) => EndpointingSensitivity::Short,
        Some(Endpointing::Supershort) => EndpointingSensitivity::Supershort,
    }
}
