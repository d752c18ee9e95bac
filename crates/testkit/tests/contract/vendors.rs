//! The adapters to vendors, made to speak to an emulator.

use std::sync::Arc;
use std::time::Duration;

use providers::google::{self, Cloud, Gemini, GeminiConfig, Speech, SpeechConfig};
use providers::llm::LanguageModel;
use providers::openai::{self, Chat, ChatConfig, Transcriber, TranscriberConfig};
use providers::remote::{Auth, Deadlines, Endpoint};
use providers::secret::Secret;
use providers::stt::SpeechToText;
use providers::tts::TextToSpeech;
use testkit::emulator::{Emulator, Route};

/// The key that every adapter shows.
pub(crate) const KEY: &str = "open-sesame";
/// No test that passes waits for one of these.
pub(crate) const PATIENT: Deadlines =
    Deadlines { connect: Duration::from_secs(60), first: Duration::from_secs(60), stall: Duration::from_secs(60) };

/// How an emulator is reached.
#[derive(Clone, Copy)]
pub(crate) struct Reach<'a> {
    pub(crate) emulator: &'a Emulator,
    pub(crate) encrypted: Encrypted,
    pub(crate) deadlines: Deadlines,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encrypted {
    No,
    Yes,
}

impl<'a> Reach<'a> {
    pub(crate) fn plain(emulator: &'a Emulator) -> Self {
        Self { emulator, encrypted: Encrypted::No, deadlines: PATIENT }
    }

    fn base(&self) -> String {
        match self.encrypted {
            Encrypted::No => self.emulator.url(),
            Encrypted::Yes => self.emulator.tls_url(),
        }
    }

    fn endpoint(&self, path: &str, auth: &Auth) -> Endpoint {
        let base = self.base() + path;
        match self.encrypted {
            Encrypted::No => Endpoint::new(&base, auth, self.deadlines),
            Encrypted::Yes => Endpoint::trusting(&base, auth, self.deadlines, self.emulator.authority_pem().as_bytes()),
        }
        .expect("an endpoint")
    }

    fn cloud(&self) -> Cloud {
        let (base, auth) = (self.base(), bearer());
        match self.encrypted {
            Encrypted::No => Cloud::new(&base, &auth, self.deadlines),
            Encrypted::Yes => Cloud::trusting(&base, &auth, self.deadlines, self.emulator.authority_pem().as_bytes()),
        }
        .expect("a cloud")
    }
}

fn bearer() -> Auth {
    Auth::Bearer(Secret::from(KEY.to_owned()))
}

/// A kind of adapter: where the emulator serves it, and how it is made.
pub(crate) struct Vendor<P: ?Sized> {
    pub(crate) route: Route,
    pub(crate) make: fn(Reach<'_>) -> Arc<P>,
}

impl<P: ?Sized> Clone for Vendor<P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P: ?Sized> Copy for Vendor<P> {}

pub(crate) const OPENAI_CHAT: Vendor<dyn LanguageModel> = Vendor {
    route: Route::OpenAiChat,
    make: |reach| {
        let config = ChatConfig { model: "gpt-4o-mini".to_owned(), ..ChatConfig::default() };
        Arc::new(Chat::new(reach.endpoint("/openai/v1", &bearer()), config))
    },
};

pub(crate) const GEMINI: Vendor<dyn LanguageModel> = Vendor {
    route: Route::GeminiStream,
    make: |reach| {
        let key = Auth::Header { name: "x-goog-api-key", key: Secret::from(KEY.to_owned()) };
        // The emulated model does not think.
        let config = GeminiConfig { thinking_tokens: 0, ..GeminiConfig::default() };
        Arc::new(Gemini::new(reach.endpoint("/v1beta", &key), config))
    },
};

pub(crate) const OPENAI_TRANSCRIBER: Vendor<dyn SpeechToText> = Vendor {
    route: Route::OpenAiTranscription,
    make: |reach| Arc::new(Transcriber::new(reach.endpoint("/openai/v1", &bearer()), TranscriberConfig::default())),
};

pub(crate) const GOOGLE_SPEECH: Vendor<dyn SpeechToText> = Vendor {
    route: Route::StreamingRecognize,
    make: |reach| Arc::new(Speech::new(reach.cloud(), "antiphon".to_owned(), SpeechConfig::default())),
};

pub(crate) const OPENAI_VOICE: Vendor<dyn TextToSpeech> = Vendor {
    route: Route::OpenAiSpeech,
    make: |reach| Arc::new(openai::Voice::new(reach.endpoint("/openai/v1", &bearer()), openai::VoiceConfig::default())),
};

pub(crate) const GOOGLE_VOICE: Vendor<dyn TextToSpeech> = Vendor {
    route: Route::StreamingSynthesize,
    make: |reach| Arc::new(google::Voice::new(reach.cloud(), google::VoiceConfig::default())),
};
