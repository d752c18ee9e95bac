//! Speech-to-Text v2. The test plays Google: it sees every stream and says what comes back.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream;
use google_apis::speech as wire;
use google_apis::speech::speech_server::{Speech as Service, SpeechServer};
use google_apis::speech::streaming_recognize_request::StreamingRequest;
use google_apis::speech::{StreamingRecognizeRequest, StreamingRecognizeResponse};
use providers::Remedy;
use providers::google::{Speech, SpeechConfig};
use providers::stt::{SpeechToText, SttEvent, SttInput, SttOptions, SttStream};
use tokio::sync::mpsc;
use tonic::codegen::BoxStream;
use tonic::service::Routes;
use tonic::{Code, Request, Response, Status, Streaming};

use crate::google_cloud::{CloudServer, Line, busy};
use crate::llm::PATIENT;

/// Long enough that no test waits for it.
const NEVER: Duration = Duration::from_secs(60);

struct Scripted {
    line: Line,
    streams: mpsc::UnboundedSender<Opened>,
}

/// A stream that the recogniser opened.
struct Opened {
    config: Box<wire::StreamingRecognitionConfig>,
    recognizer: String,
    audio: Streaming<StreamingRecognizeRequest>,
    answers: mpsc::UnboundedSender<Result<StreamingRecognizeResponse, Status>>,
    line: Line,
}

#[tonic::async_trait]
impl Service for Scripted {
    async fn streaming_recognize(
        &self,
        request: Request<Streaming<StreamingRecognizeRequest>>,
    ) -> Result<Response<BoxStream<StreamingRecognizeResponse>>, Status> {
        let mut audio = request.into_inner();
        let first = audio.message().await?.expect("a first message");
        let Some(StreamingRequest::StreamingConfig(config)) = first.streaming_request else {
            panic!("the first message is the configuration")
        };
        let (answers, mut received) = mpsc::unbounded_channel();
        let (recognizer, line) = (first.recognizer, self.line.clone());
        let opened = Opened { config: Box::new(config), recognizer, audio, answers, line };
        assert!(self.streams.send(opened).is_ok(), "the test runs");
        let watch = self.line.watch();
        let answers = stream::poll_fn(move |context| {
            let _given_up = &watch;
            received.poll_recv(context)
        });
        Ok(Response::new(Box::pin(answers)))
    }
}

impl Opened {
    /// So many samples, and whether any is not silence. Fails the test when the stream ends before.
    async fn hear(&mut self, samples: usize) -> bool {
        let (mut heard, mut is_loud) = (0, false);
        while heard < samples {
            let message = self.audio.message().await.expect("the stream holds").expect("it goes on");
            let Some(StreamingRequest::Audio(audio)) = message.streaming_request else { panic!("audio follows") };
            assert!(audio.len() <= 15_360, "Google takes no more in one message");
            is_loud |= audio.iter().any(|byte| *byte != 0);
            heard += audio.len() / 2;
        }
        is_loud
    }

    fn say(&self, results: Vec<wire::StreamingRecognitionResult>) {
        self.answers.send(Ok(StreamingRecognizeResponse { results, ..Default::default() })).expect("it listens");
    }

    fn break_off(&self, status: Status) {
        self.answers.send(Err(status)).expect("it listens");
    }
}

fn result(words: &str, until_ms: i32, is_final: bool) -> wire::StreamingRecognitionResult {
    wire::StreamingRecognitionResult {
        alternatives: vec![wire::SpeechRecognitionAlternative { transcript: words.to_owned(), ..Default::default() }],
        is_final,
        result_end_offset: Some(google_apis::Duration { seconds: 0, nanos: until_ms * 1_000_000 }),
        ..Default::default()
    }
}

fn running(words: &str, until_ms: i32) -> wire::StreamingRecognitionResult {
    result(words, until_ms, false)
}

fn finals(words: &str, until_ms: i32) -> wire::StreamingRecognitionResult {
    result(words, until_ms, true)
}

struct Talk {
    server: CloudServer,
    streams: mpsc::UnboundedReceiver<Opened>,
    stream: SttStream,
    // Streams end with it.
    _speech: Arc<Speech>,
}

impl Talk {
    async fn start() -> Self {
        Self::with(SpeechConfig { settle: NEVER, give_up: NEVER, ..SpeechConfig::default() }).await
    }

    async fn with(config: SpeechConfig) -> Self {
        let (sender, streams) = mpsc::unbounded_channel();
        let server =
            CloudServer::start(|line| Routes::new(SpeechServer::new(Scripted { line, streams: sender }))).await;
        let speech = Arc::new(Speech::new(server.cloud(PATIENT), "p".to_owned(), config));
        let stream = speech.open(SttOptions { language: Some("de-DE".to_owned()) });
        Self { server, streams, stream, _speech: speech }
    }

    async fn say(&self, inputs: impl IntoIterator<Item = SttInput>) {
        for input in inputs {
            self.stream.input.send(input).await.expect("the recogniser listens");
        }
    }

    /// Speaks for so long.
    async fn speak(&self, ms: usize) {
        self.say([SttInput::Audio(vec![0.25; 16 * ms].into())]).await;
    }

    async fn opened(&mut self) -> Opened {
        self.streams.recv().await.expect("the server runs")
    }

    async fn told(&mut self) -> SttEvent {
        self.stream.events.recv().await.expect("the recogniser speaks")
    }
}

fn partial(text: &str) -> SttEvent {
    SttEvent::Partial { text: text.to_owned(), settled: None }
}

fn settled(text: &str, mark: u32) -> SttEvent {
    SttEvent::Partial { text: text.to_owned(), settled: Some(mark) }
}

fn last(text: &str) -> SttEvent {
    SttEvent::Final { text: text.to_owned() }
}

#[tokio::test]
async fn a_stream_begins_with_what_is_to_be_recognised() {
    let phrases = vec!["Antiphon".to_owned()];
    let languages = vec!["de-DE".to_owned(), "en-US".to_owned()];
    let mut talk = Talk::with(SpeechConfig { phrases, languages: languages.clone(), ..SpeechConfig::default() }).await;
    talk.speak(100).await;
    let mut opened = talk.opened().await;
    assert_eq!(opened.recognizer, "projects/p/locations/us/recognizers/_");
    let config = opened.config.config.clone().expect("a configuration");
    assert_eq!((config.model.as_str(), config.language_codes.clone()), ("chirp_3", languages));
    let set = &config.adaptation.expect("phrases").phrase_sets[0];
    let Some(wire::speech_adaptation::adaptation_phrase_set::Value::InlinePhraseSet(set)) = &set.value else {
        panic!("{set:?}")
    };
    assert_eq!(set.phrases[0].value, "Antiphon");
    let features = opened.config.streaming_features.expect("features");
    assert!(features.interim_results && features.enable_voice_activity_events);
    assert!(opened.hear(1_600).await);
}

#[tokio::test]
async fn one_stream_serves_utterances_whose_words_are_final() {
    let mut talk = Talk::start().await;
    talk.speak(1_000).await;
    let mut opened = talk.opened().await;
    assert_eq!(opened.config.config.as_ref().expect("one").language_codes, ["de-DE"]);
    assert!(opened.hear(16_000).await);
    opened.say(vec![running("Wie geht", 900), running(" es", 600)]);
    assert_eq!(talk.told().await, partial("Wie geht es"));
    talk.say([SttInput::Pause(1)]).await;
    opened.say(vec![finals("Wie geht es?", 950)]);
    assert_eq!(talk.told().await, settled("Wie geht es?", 1));
    talk.say([SttInput::Commit]).await;
    assert_eq!(talk.told().await, last("Wie geht es?"));

    talk.speak(500).await;
    opened.hear(8_000).await;
    talk.say([SttInput::Pause(2), SttInput::Commit]).await;
    // Offsets count from the stream's beginning, silence included.
    opened.say(vec![finals(" Gut.", 1_450)]);
    assert_eq!(talk.told().await, settled("Gut.", 2));
    assert_eq!(talk.told().await, last("Gut."));
    assert!(talk.streams.is_empty());
}

#[tokio::test]
async fn google_hears_the_pause_until_its_words_are_final() {
    let mut talk = Talk::start().await;
    talk.speak(100).await;
    let mut opened = talk.opened().await;
    assert!(opened.hear(1_600).await);
    talk.say([SttInput::Pause(1)]).await;
    // It is silence, and comes in its own time: nobody speaks.
    assert!(!opened.hear(3_200).await);
    opened.say(vec![finals("Ja.", 90)]);
    assert_eq!(talk.told().await, settled("Ja.", 1));
}

#[tokio::test]
async fn running_words_will_do_when_final_ones_do_not_come() {
    let settle = Duration::from_millis(50);
    let mut talk = Talk::with(SpeechConfig { settle, give_up: NEVER, ..SpeechConfig::default() }).await;
    talk.speak(1_000).await;
    let opened = talk.opened().await;
    opened.say(vec![running("Wie geht", 900)]);
    assert_eq!(talk.told().await, partial("Wie geht"));
    talk.say([SttInput::Pause(1)]).await;
    assert_eq!(talk.told().await, settled("Wie geht", 1));
    talk.say([SttInput::Commit]).await;
    assert_eq!(talk.told().await, last("Wie geht"));
    // The next utterance gets a stream of its own: this one has not finished with the last.
    talk.speak(100).await;
    talk.opened().await;
    talk.server.hang_ups.recv().await.expect("the server runs");
}

#[tokio::test]
async fn nothing_said_is_an_answer_too() {
    let give_up = Duration::from_millis(50);
    let mut talk = Talk::with(SpeechConfig { settle: NEVER, give_up, ..SpeechConfig::default() }).await;
    talk.speak(100).await;
    talk.say([SttInput::Pause(1), SttInput::Commit]).await;
    assert_eq!(talk.told().await, settled("", 1));
    assert_eq!(talk.told().await, last(""));
}

#[tokio::test]
async fn an_old_stream_gives_way_and_what_was_not_final_is_said_again() {
    let rotate_at = Duration::ZERO;
    let mut talk =
        Talk::with(SpeechConfig { rotate_at, settle: NEVER, give_up: NEVER, ..SpeechConfig::default() }).await;
    talk.speak(1_000).await;
    let mut first = talk.opened().await;
    first.hear(16_000).await;
    first.say(vec![finals("I live in New York", 700), running(" and", 900)]);
    assert_eq!(talk.told().await, partial("I live in New York"));
    assert_eq!(talk.told().await, partial("I live in New York and"));
    talk.speak(500).await;
    let mut second = talk.opened().await;
    // The last 300 ms have no final words: they come again, then what is new.
    second.hear(800 * 16).await;
    second.say(vec![finals("York and like it.", 750)]);
    assert_eq!(talk.told().await, partial("I live in New York and like it."));
    talk.server.hang_ups.recv().await.expect("the first is closed");
}

#[tokio::test]
async fn a_broken_stream_is_opened_again_with_what_was_not_final() {
    let mut talk = Talk::start().await;
    talk.speak(1_000).await;
    let mut first = talk.opened().await;
    first.hear(16_000).await;
    first.line.cut();
    let mut second = talk.opened().await;
    assert!(second.hear(16_000).await);
    talk.say([SttInput::Pause(1)]).await;
    second.say(vec![finals("Hello.", 900)]);
    assert_eq!(talk.told().await, settled("Hello.", 1));
}

#[tokio::test]
async fn a_stream_that_breaks_twice_is_a_failure_and_the_next_utterance_goes_on() {
    let mut talk = Talk::start().await;
    talk.speak(100).await;
    let aborted = || Status::aborted("Max duration of 5 minutes reached for stream.");
    talk.opened().await.break_off(aborted());
    talk.opened().await.break_off(aborted());
    let SttEvent::Failed(failure) = talk.told().await else { panic!("it failed") };
    assert_eq!(failure.0.remedy, Remedy::Retry);
    talk.say([SttInput::Reset]).await;
    // No stream is opened for a second after a failure; the audio waits.
    let mut opened = loop {
        talk.speak(32).await;
        match talk.streams.try_recv() {
            Ok(opened) => break opened,
            Err(_) => tokio::time::sleep(Duration::from_millis(32)).await,
        }
    };
    assert!(opened.hear(16 * 900).await);
}

#[tokio::test]
async fn a_refusal_is_told_at_once() {
    let mut talk = Talk::start().await;
    talk.speak(100).await;
    talk.opened().await.break_off(busy());
    let SttEvent::Failed(failure) = talk.told().await else { panic!("it failed") };
    assert_eq!((failure.0.remedy, failure.0.retry_after), (Remedy::Replace, Some(Duration::from_secs(7))));
    assert!(talk.streams.is_empty());
}

#[tokio::test]
async fn google_may_close_a_stream_on_which_nobody_speaks() {
    let mut talk = Talk::start().await;
    talk.speak(1_000).await;
    let first = talk.opened().await;
    talk.say([SttInput::Pause(1), SttInput::Commit]).await;
    first.say(vec![finals("One.", 950)]);
    assert_eq!(talk.told().await, settled("One.", 1));
    assert_eq!(talk.told().await, last("One."));
    first.break_off(Status::new(Code::Aborted, "Stream timed out after receiving no more client requests."));
    drop(first);
    talk.speak(1_000).await;
    let second = talk.opened().await;
    talk.say([SttInput::Pause(2)]).await;
    second.say(vec![finals("Two.", 950)]);
    assert_eq!(talk.told().await, settled("Two.", 2));
}

#[tokio::test]
async fn an_idle_stream_is_closed() {
    let idle = Duration::from_millis(50);
    let mut talk = Talk::with(SpeechConfig { idle, settle: NEVER, give_up: NEVER, ..SpeechConfig::default() }).await;
    talk.speak(100).await;
    let _opened = talk.opened().await;
    talk.server.hang_ups.recv().await.expect("the server runs");
}

#[tokio::test]
async fn what_is_reset_is_forgotten() {
    let mut talk = Talk::start().await;
    talk.speak(1_000).await;
    let first = talk.opened().await;
    first.say(vec![running("One", 900)]);
    assert_eq!(talk.told().await, partial("One"));
    talk.say([SttInput::Reset]).await;
    talk.speak(1_000).await;
    let second = talk.opened().await;
    talk.say([SttInput::Pause(2)]).await;
    second.say(vec![finals("Two.", 900)]);
    assert_eq!(talk.told().await, settled("Two.", 2));
}

#[tokio::test]
async fn a_stream_that_is_dropped_hangs_up_at_once() {
    let mut talk = Talk::start().await;
    talk.speak(100).await;
    let _opened = talk.opened().await;
    drop(talk.stream);
    talk.server.hang_ups.recv().await.expect("the server runs");
}
