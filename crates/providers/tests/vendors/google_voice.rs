//! Text-to-Speech.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use futures_util::{StreamExt as _, stream};
use google_apis::text_to_speech::streaming_synthesis_input::InputSource;
use google_apis::text_to_speech::streaming_synthesize_request::StreamingRequest;
use google_apis::text_to_speech::text_to_speech_server::{TextToSpeech as Service, TextToSpeechServer};
use google_apis::text_to_speech::{
    AudioEncoding, StreamingSynthesizeRequest, StreamingSynthesizeResponse, SynthesizeSpeechRequest,
    SynthesizeSpeechResponse,
};
use providers::google::{Voice, VoiceConfig};
use providers::remote::Deadlines;
use providers::tts::{SpeechRequest, TextToSpeech};
use tonic::codegen::BoxStream;
use tonic::service::Routes;
use tonic::{Request, Response, Status, Streaming};

use crate::google_cloud::{CloudServer, Line, Watch, busy};
use crate::llm::{KEY, PATIENT};
use crate::tts::{Script, TEXT, Vendor, listen, request, tts_suite};

struct Google {
    server: CloudServer,
    heard: Arc<Mutex<Vec<Heard>>>,
}

tts_suite!(Google);

/// What the service was asked.
#[derive(Debug)]
enum Heard {
    Streaming { key: Option<String>, requests: Vec<StreamingRequest> },
    Whole(Box<SynthesizeSpeechRequest>),
}

struct Scripted {
    script: Script,
    line: Line,
    heard: Arc<Mutex<Vec<Heard>>>,
}

/// What a stream does next.
enum Step {
    Audio(Vec<u8>),
    Hang,
    Cut,
}

struct Running {
    steps: VecDeque<Step>,
    line: Line,
    watch: Watch,
}

impl Running {
    async fn next(mut self) -> Option<(Result<StreamingSynthesizeResponse, Status>, Self)> {
        let Some(step) = self.steps.pop_front() else {
            self.watch.is_complete();
            return None;
        };
        match step {
            Step::Audio(bytes) => Some((Ok(StreamingSynthesizeResponse { audio_content: bytes.into() }), self)),
            Step::Hang => std::future::pending().await,
            Step::Cut => {
                self.line.cut();
                std::future::pending().await
            }
        }
    }
}

#[tonic::async_trait]
impl Service for Scripted {
    async fn streaming_synthesize(
        &self,
        request: Request<Streaming<StreamingSynthesizeRequest>>,
    ) -> Result<Response<BoxStream<StreamingSynthesizeResponse>>, Status> {
        let key = request.metadata().get("x-goog-api-key").map(|key| key.to_str().expect("text").to_owned());
        let messages = request.into_inner().map(|message| message.expect("it reads").streaming_request.expect("one"));
        let requests = messages.collect().await;
        self.heard.lock().unwrap().push(Heard::Streaming { key, requests });
        let audio = |pieces: Vec<Vec<u8>>| pieces.into_iter().map(Step::Audio).collect::<VecDeque<_>>();
        let steps = match self.script.clone() {
            Script::Speak(pieces) => audio(pieces),
            Script::SpeakAndHang(bytes) => VecDeque::from([Step::Audio(bytes), Step::Hang]),
            Script::SpeakAndCut(bytes) => VecDeque::from([Step::Audio(bytes), Step::Cut]),
            Script::Busy => return Err(busy()),
            Script::Trouble => return Err(Status::unavailable(TEXT)),
            Script::Stranger => return Err(Status::permission_denied(TEXT)),
        };
        let running = Running { steps, line: self.line.clone(), watch: self.line.watch() };
        Ok(Response::new(Box::pin(stream::unfold(running, Running::next))))
    }

    async fn synthesize_speech(
        &self,
        request: Request<SynthesizeSpeechRequest>,
    ) -> Result<Response<SynthesizeSpeechResponse>, Status> {
        self.heard.lock().unwrap().push(Heard::Whole(Box::new(request.into_inner())));
        let Script::Speak(pieces) = self.script.clone() else { return Err(Status::unimplemented("")) };
        Ok(Response::new(SynthesizeSpeechResponse { audio_content: pieces.concat().into() }))
    }
}

impl Google {
    fn voice_as(&self, config: VoiceConfig) -> Voice {
        Voice::new(self.server.cloud(PATIENT), config)
    }
}

impl Vendor for Google {
    async fn start(script: Script) -> Self {
        let heard = Arc::default();
        let shared = Arc::clone(&heard);
        let routes = |line| Routes::new(TextToSpeechServer::new(Scripted { script, line, heard: shared }));
        Self { server: CloudServer::start(routes).await, heard }
    }

    fn voice(&self, deadlines: Deadlines) -> Arc<dyn TextToSpeech> {
        Arc::new(Voice::new(self.server.cloud(deadlines), VoiceConfig::default()))
    }

    async fn hung_up_on(&mut self) {
        self.server.hang_ups.recv().await.expect("the server runs");
    }
}

#[tokio::test]
async fn a_stream_begins_with_the_voice_and_goes_on_with_the_text() {
    let google = Google::start(Script::Speak(vec![vec![0, 0]])).await;
    let voice = google.voice_as(VoiceConfig::default());
    let request = SpeechRequest { voice: Some("de-DE-Chirp3-HD-Puck".to_owned()), speed: 9.0, ..request() };
    assert!(listen(voice.speak(request)).await.is_done);
    let heard = google.heard.lock().unwrap();
    let [Heard::Streaming { key, requests }] = heard.as_slice() else { panic!("{heard:?}") };
    assert_eq!(key.as_deref(), Some(KEY));
    let [StreamingRequest::StreamingConfig(config), StreamingRequest::Input(input)] = requests.as_slice() else {
        panic!("{requests:?}")
    };
    let voice = config.voice.as_ref().expect("a voice");
    assert_eq!((voice.name.as_str(), voice.language_code.as_str()), ("de-DE-Chirp3-HD-Puck", "de-DE"));
    let audio = config.streaming_audio_config.as_ref().expect("a format");
    assert_eq!(audio.audio_encoding(), AudioEncoding::Pcm);
    assert_eq!((audio.sample_rate_hertz, audio.speaking_rate), (24_000, 2.0));
    assert_eq!(input.input_source, Some(InputSource::Text(TEXT.to_owned())));
}

#[tokio::test]
async fn a_gemini_voice_is_told_how_to_speak() {
    let google = Google::start(Script::Speak(vec![vec![0, 0]])).await;
    let model = "gemini-2.5-flash-tts".to_owned();
    let config =
        VoiceConfig { voice: "Kore".to_owned(), model, prompt: "Calmly.".to_owned(), ..VoiceConfig::default() };
    assert!(listen(google.voice_as(config).speak(request())).await.is_done);
    let heard = google.heard.lock().unwrap();
    let [Heard::Streaming { requests, .. }] = heard.as_slice() else { panic!("{heard:?}") };
    let [StreamingRequest::StreamingConfig(config), StreamingRequest::Input(input)] = requests.as_slice() else {
        panic!("{requests:?}")
    };
    let voice = config.voice.as_ref().expect("a voice");
    assert_eq!((voice.model_name.as_str(), voice.language_code.as_str()), ("gemini-2.5-flash-tts", "en-US"));
    assert_eq!(input.prompt.as_deref(), Some("Calmly."));
}

#[tokio::test]
async fn a_voice_that_cannot_stream_speaks_all_the_same() {
    let google = Google::start(Script::Speak(vec![vec![0, 64], vec![0, 192]])).await;
    let config = VoiceConfig { voice: "en-GB-Neural2-A".to_owned(), ..VoiceConfig::default() };
    let spoken = listen(google.voice_as(config).speak(request())).await;
    assert_eq!((spoken.samples, spoken.is_done), (vec![0.5, -0.5], true));
    let heard = google.heard.lock().unwrap();
    let [Heard::Whole(request)] = heard.as_slice() else { panic!("{heard:?}") };
    assert_eq!(request.voice.as_ref().map(|voice| voice.language_code.as_str()), Some("en-GB"));
}
