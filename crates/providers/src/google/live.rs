//! Gemini Live: the speech-native models of Google, a WebSocket `BidiGenerateContent` for each conversation.
//!
//! `session` holds the conversation, `wire` writes what is sent. What the model said and the caller did not hear cannot be
//! taken back here, so such a conversation goes on in a new one.

mod session;
mod wire;

use reqwest::Url;
use tokio::sync::mpsc;

use self::session::Session;
use super::config::LiveConfig;
use crate::live::{LiveEvent, LiveModel, LiveRequest, LiveStream};
use crate::remote::{Endpoint, Tasks};

const PROVIDER: &str = "google.live";
/// What the models speak at.
const RATE_HZ: u32 = 24_000;
/// Inputs that wait for the connection: half a minute of speech in pieces of 32 ms.
const INPUTS: usize = 1_024;
/// Events that wait for a slow listener; then the vendor's stream waits too.
const EVENTS: usize = 256;

/// A speech-native model. Its conversations end with it.
#[derive(Debug)]
pub struct Live {
    endpoint: Endpoint,
    place: Place,
    config: LiveConfig,
    tasks: Tasks,
}

/// Where the conversations are held, and what the model is called there.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    address: Url,
    model: String,
    /// The Gemini API knows more than Vertex AI.
    is_vertex: bool,
}

impl Live {
    /// A model at an address, which is that of [`Gemini`](super::Gemini). Reaches nobody yet.
    #[must_use]
    pub fn new(endpoint: Endpoint, config: LiveConfig) -> Self {
        let place = Place::of(endpoint.base(), &config.model);
        Self { endpoint, place, config, tasks: Tasks::default() }
    }
}

impl Place {
    /// The same host as that of the other models: `…/v1beta`, or `…/v1beta1/projects/…` at Vertex AI.
    fn of(base: &Url, model: &str) -> Self {
        let mut address = base.clone();
        let path = base.path().trim_matches('/').to_owned();
        let (version, project) = path.split_once('/').unwrap_or((&path, ""));
        let is_vertex = project.starts_with("projects/");
        let (service, model) = if is_vertex {
            // Held in this version alone, whichever the other models are asked in.
            let service = "google.cloud.aiplatform.v1beta1.LlmBidiService/BidiGenerateContent".to_owned();
            (service, format!("{project}/models/{model}"))
        } else {
            let service = format!("google.ai.generativelanguage.{version}.GenerativeService.BidiGenerateContent");
            (service, format!("models/{model}"))
        };
        address.set_path(&format!("/ws/{service}"));
        Self { address, model, is_vertex }
    }
}

impl LiveModel for Live {
    fn name(&self) -> &'static str {
        PROVIDER
    }

    fn sample_rate_hz(&self) -> u32 {
        RATE_HZ
    }

    fn can_forget(&self) -> bool {
        false
    }

    fn open(&self, request: LiveRequest) -> LiveStream {
        let (input, inputs) = mpsc::channel(INPUTS);
        let (listener, events) = mpsc::channel(EVENTS);
        let (endpoint, place, config) = (self.endpoint.clone(), self.place.clone(), self.config.clone());
        self.tasks.spawn(async move {
            if let Err(failure) = Session::hold(&endpoint, &place, config, request, inputs, listener.clone()).await {
                // Who does not listen needs no reason.
                drop(listener.send(LiveEvent::Failed(failure)).await);
            }
        });
        LiveStream { input, events }
    }
}

#[cfg(test)]
mod tests {
    use reqwest::Url;

    use super::Place;

    #[test]
    fn it_is_found_beside_the_other_models() {
        let place = |base: &str| Place::of(&Url::parse(base).expect("an address"), "gemini-x");
        let gemini = place("https://generativelanguage.googleapis.com/v1beta");
        assert_eq!(
            gemini.address.as_str(),
            "https://generativelanguage.googleapis.com/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"
        );
        assert_eq!((gemini.model.as_str(), gemini.is_vertex), ("models/gemini-x", false));
        let base = super::super::vertex_base("p", "us-central1");
        let vertex = place(&base);
        let service = "/ws/google.cloud.aiplatform.v1beta1.LlmBidiService/BidiGenerateContent";
        assert_eq!(vertex.address.path(), service);
        assert_eq!(vertex.model, "projects/p/locations/us-central1/publishers/google/models/gemini-x");
    }
}
