//! `/audio/speech`.

use std::sync::Arc;

use providers::Remedy;
use providers::openai::{Voice, VoiceConfig};
use providers::remote::{Auth, Deadlines, Endpoint};
use providers::secret::Secret;
use providers::tts::TextToSpeech;
use serde_json::json;

use crate::llm::{KEY, PATIENT};
use crate::server::{Answer, Server, Step};
use crate::tts::{Script, Vendor, listen, request, tts_suite};

struct OpenAi(Server);

tts_suite!(OpenAi);

fn audio(pieces: Vec<Vec<u8>>) -> Answer {
    pieces.into_iter().fold(Answer::pieces("audio/pcm", &[], 1), |answer, piece| answer.then(Step::Bytes(piece)))
}

impl Vendor for OpenAi {
    async fn start(script: Script) -> Self {
        let refusal = |status| Answer::error(status, &json!({"error": {"message": "no", "type": "some_error"}}));
        let answer = match script {
            Script::Speak(pieces) => audio(pieces),
            Script::SpeakAndHang(bytes) => audio(vec![bytes]).then(Step::Hang),
            Script::SpeakAndCut(bytes) => audio(vec![bytes]).then(Step::Cut),
            Script::Busy => refusal(429).header("retry-after", "7"),
            Script::Trouble => refusal(503),
            Script::Stranger => refusal(401),
        };
        Self(Server::start([answer]).await)
    }

    fn voice(&self, deadlines: Deadlines) -> Arc<dyn TextToSpeech> {
        let key = Auth::Bearer(Secret::from(KEY.to_owned()));
        let endpoint = Endpoint::new(&format!("{}/v1", self.0.url), &key, deadlines).expect("an endpoint");
        Arc::new(Voice::new(endpoint, VoiceConfig::default()))
    }

    async fn hung_up_on(&mut self) {
        self.0.hung_up_on().await;
    }
}

#[tokio::test]
async fn the_request_is_posted_with_the_key() {
    let mut vendor = OpenAi::start(Script::Speak(vec![vec![0, 0]])).await;
    listen(vendor.voice(PATIENT).speak(request())).await;
    let received = vendor.0.received().await;
    assert_eq!(received.uri.path(), "/v1/audio/speech");
    assert_eq!(received.header("authorization"), Some("Bearer open-sesame"));
    assert_eq!(received.json()["response_format"], "pcm");
}

/// A server that does not know `pcm` sends what it likes, which would be heard as noise.
#[tokio::test]
async fn another_format_is_refused() {
    let vendor = OpenAi(Server::start([Answer::pieces("audio/mpeg", b"ID3", 3)]).await);
    let failure = listen(vendor.voice(PATIENT).speak(request())).await.failure.expect("it failed");
    assert_eq!(failure.remedy, Remedy::Replace);
    assert!(failure.message.contains("audio/mpeg"), "{failure}");
}
