//! The requests that the emulator knows, by name: what faults are aimed at and what the log tells.

use axum::http::Method;

/// A kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Route {
    /// `POST /openai/v1/chat/completions`.
    OpenAiChat,
    /// `POST /openai/v1/audio/speech`.
    OpenAiSpeech,
    /// `POST /openai/v1/audio/transcriptions`.
    OpenAiTranscription,
    /// `GET /openai/v1/models`.
    OpenAiModels,
    /// WebSocket `/openai/v1/realtime`.
    OpenAiRealtime,
    /// `POST /v1beta/models/NAME:streamGenerateContent`, and `v1`, and Vertex AI's path.
    GeminiStream,
    /// `POST /v1beta/models/NAME:generateContent`, likewise.
    GeminiGenerate,
    /// `GET /v1beta/models`.
    GeminiModels,
    /// WebSocket `/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent`, and Vertex AI's.
    GeminiLive,
    /// gRPC `google.cloud.speech.v2.Speech/StreamingRecognize`.
    StreamingRecognize,
    /// gRPC `google.cloud.speech.v2.Speech/Recognize`.
    Recognize,
    /// gRPC `google.cloud.texttospeech.v1.TextToSpeech/StreamingSynthesize`.
    StreamingSynthesize,
    /// gRPC `google.cloud.texttospeech.v1.TextToSpeech/SynthesizeSpeech`.
    SynthesizeSpeech,
    /// gRPC `google.cloud.texttospeech.v1.TextToSpeech/ListVoices`.
    ListVoices,
}

/// Whose manners a route has: how errors look and where keys are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Vendor {
    OpenAi,
    Gemini,
    /// Google's gRPC services.
    Google,
}

const NAMES: [(Route, &str); 14] = [
    (Route::OpenAiChat, "openai.chat"),
    (Route::OpenAiSpeech, "openai.speech"),
    (Route::OpenAiTranscription, "openai.transcription"),
    (Route::OpenAiModels, "openai.models"),
    (Route::OpenAiRealtime, "openai.realtime"),
    (Route::GeminiStream, "gemini.stream"),
    (Route::GeminiGenerate, "gemini.generate"),
    (Route::GeminiModels, "gemini.models"),
    (Route::GeminiLive, "gemini.live"),
    (Route::StreamingRecognize, "google.streaming_recognize"),
    (Route::Recognize, "google.recognize"),
    (Route::StreamingSynthesize, "google.streaming_synthesize"),
    (Route::SynthesizeSpeech, "google.synthesize_speech"),
    (Route::ListVoices, "google.list_voices"),
];

impl Route {
    /// Its name in the log and in requests to the emulator itself, such as `openai.chat`.
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(route, _)| *route == self).map_or("", |(_, name)| name)
    }

    /// The route of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        NAMES.iter().find(|(_, known)| *known == name).map(|(route, _)| *route)
    }

    pub(super) fn of(method: &Method, path: &str) -> Option<Self> {
        if let Some(path) = path.strip_prefix("/openai/v1/") {
            return Self::of_openai(path);
        }
        if let Some(service) = path.strip_prefix("/google.cloud.") {
            return Self::of_google(service);
        }
        // Google's own client begins the path with two slashes.
        if path.trim_start_matches('/').starts_with("ws/google.") {
            return Some(Self::GeminiLive);
        }
        match path.rsplit_once(':') {
            Some((_, "streamGenerateContent")) => Some(Self::GeminiStream),
            Some((_, "generateContent")) => Some(Self::GeminiGenerate),
            Some(_) | None => {
                let lists = *method == Method::GET && path.split('/').any(|part| part == "models");
                lists.then_some(Self::GeminiModels)
            }
        }
    }

    fn of_openai(path: &str) -> Option<Self> {
        match path {
            "chat/completions" => Some(Self::OpenAiChat),
            "audio/speech" => Some(Self::OpenAiSpeech),
            "audio/transcriptions" => Some(Self::OpenAiTranscription),
            "realtime" => Some(Self::OpenAiRealtime),
            _ => path.starts_with("models").then_some(Self::OpenAiModels),
        }
    }

    fn of_google(service: &str) -> Option<Self> {
        match service {
            "speech.v2.Speech/StreamingRecognize" => Some(Self::StreamingRecognize),
            "speech.v2.Speech/Recognize" => Some(Self::Recognize),
            "texttospeech.v1.TextToSpeech/StreamingSynthesize" => Some(Self::StreamingSynthesize),
            "texttospeech.v1.TextToSpeech/SynthesizeSpeech" => Some(Self::SynthesizeSpeech),
            "texttospeech.v1.TextToSpeech/ListVoices" => Some(Self::ListVoices),
            _ => None,
        }
    }

    pub(super) fn vendor(self) -> Vendor {
        match self {
            Self::OpenAiChat
            | Self::OpenAiSpeech
            | Self::OpenAiTranscription
            | Self::OpenAiModels
            | Self::OpenAiRealtime => Vendor::OpenAi,
            Self::GeminiStream | Self::GeminiGenerate | Self::GeminiModels | Self::GeminiLive => Vendor::Gemini,
            Self::StreamingRecognize
            | Self::Recognize
            | Self::StreamingSynthesize
            | Self::SynthesizeSpeech
            | Self::ListVoices => Vendor::Google,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{NAMES, Route};
    use axum::http::Method;

    #[test]
    fn every_route_is_found_by_its_name() {
        assert!(NAMES.iter().all(|(route, name)| route.name() == *name && Route::from_name(name) == Some(*route)));
    }

    #[test]
    fn paths_are_told_apart() {
        let of = |path| Route::of(&Method::POST, path);
        assert_eq!(of("/v1/models/gemini-3.8-flash:streamGenerateContent"), Some(Route::GeminiStream));
        let vertex = "/v1beta1/projects/p/locations/l/publishers/google/models/gemini-3.8-flash:generateContent";
        assert_eq!(of(vertex), Some(Route::GeminiGenerate));
        assert_eq!(of("/google.cloud.speech.v2.Speech/Recognize"), Some(Route::Recognize));
        assert_eq!(Route::of(&Method::GET, "/v1beta/models/gemini-3.8-flash"), Some(Route::GeminiModels));
        assert_eq!(Route::of(&Method::GET, "/openai/v1/models"), Some(Route::OpenAiModels));
        let live = "//ws/google.ai.generativelanguage.v1.GenerativeService.BidiGenerateContent";
        assert_eq!(Route::of(&Method::GET, live), Some(Route::GeminiLive));
        assert_eq!(of("/emulator/faults"), None);
    }
}
