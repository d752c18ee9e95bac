//! `/audio/transcriptions`.

use std::sync::Arc;

use providers::Remedy;
use providers::openai::{Transcriber, TranscriberConfig};
use providers::remote::{Auth, Endpoint};
use providers::secret::Secret;
use providers::stt::{SpeechToText, SttEvent, SttInput, SttOptions, SttStream};
use serde_json::{Value, json};

use crate::llm::{KEY, PATIENT};
use crate::server::{Answer, Received, Server, Step};

/// So much sound; the length tells recordings apart.
fn audio(samples: usize) -> SttInput {
    SttInput::Audio(vec![0.25; samples].into())
}

fn words(text: &str) -> Answer {
    Answer::pieces("application/json", json!({ "text": text }).to_string().as_bytes(), 64)
}

fn settled(text: &str, mark: u32) -> SttEvent {
    SttEvent::Partial { text: text.to_owned(), settled: Some(mark) }
}

fn last(text: &str) -> SttEvent {
    SttEvent::Final { text: text.to_owned() }
}

struct Talk {
    server: Server,
    // Streams end with it.
    _transcriber: Arc<Transcriber>,
    stream: SttStream,
}

impl Talk {
    async fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self::with(TranscriberConfig::default(), answers).await
    }

    async fn with(config: TranscriberConfig, answers: impl IntoIterator<Item = Answer>) -> Self {
        let server = Server::start(answers).await;
        let key = Auth::Bearer(Secret::from(KEY.to_owned()));
        let endpoint = Endpoint::new(&format!("{}/v1", server.url), &key, PATIENT).expect("an endpoint");
        let transcriber = Arc::new(Transcriber::new(endpoint, config));
        let stream = transcriber.open(SttOptions { language: Some("de-AT".to_owned()) });
        Self { server, _transcriber: transcriber, stream }
    }

    async fn say(&self, inputs: impl IntoIterator<Item = SttInput>) {
        for input in inputs {
            self.stream.input.send(input).await.expect("the recogniser listens");
        }
    }

    async fn hear(&mut self) -> SttEvent {
        self.stream.events.recv().await.expect("the recogniser speaks")
    }
}

/// The samples of an uploaded recording.
fn recorded(received: &Received) -> usize {
    let start = received.body.windows(4).position(|window| window == b"RIFF").expect("a WAV file");
    let size = u32::from_le_bytes(received.body[start + 40..start + 44].try_into().expect("four bytes"));
    usize::try_from(size).expect("it fits") / 2
}

#[tokio::test]
async fn a_pause_is_answered_and_a_commit_after_it_costs_nothing() {
    let mut talk = Talk::start([words(" Grüß dich. ")]).await;
    talk.say([audio(512), audio(512), SttInput::Pause(3), SttInput::Commit]).await;
    assert_eq!(talk.hear().await, settled("Grüß dich.", 3));
    assert_eq!(talk.hear().await, last("Grüß dich."));
    let received = talk.server.received().await;
    assert_eq!(received.uri.path(), "/v1/audio/transcriptions");
    assert_eq!(received.header("authorization"), Some("Bearer open-sesame"));
    assert_eq!(recorded(&received), 1024);
    let form = String::from_utf8_lossy(&received.body);
    for field in [
        "name=\"model\"\r\n\r\ngpt-transcribe\r\n",
        "name=\"language\"\r\n\r\nde\r\n",
        "name=\"stream\"\r\n\r\ntrue\r\n",
        "filename=\"utterance.wav\"",
    ] {
        assert!(form.contains(field), "{field}");
    }
}

#[tokio::test]
async fn a_speaker_who_goes_on_gives_the_upload_up() {
    let mut talk = Talk::start([Answer::pieces("application/json", b"{", 1).then(Step::Hang), words("One two.")]).await;
    talk.say([audio(512), SttInput::Pause(1)]).await;
    assert_eq!(recorded(&talk.server.received().await), 512);
    talk.say([audio(512), SttInput::Pause(2)]).await;
    talk.server.hung_up_on().await;
    assert_eq!(talk.hear().await, settled("One two.", 2));
    assert_eq!(recorded(&talk.server.received().await), 1024);
}

#[tokio::test]
async fn the_next_utterance_waits_for_the_words_of_the_last() {
    let mut talk = Talk::start([words("One."), words("Two.")]).await;
    talk.say([audio(512), SttInput::Commit, audio(1024), SttInput::Pause(7), SttInput::Commit]).await;
    assert_eq!(talk.hear().await, last("One."));
    assert_eq!(talk.hear().await, settled("Two.", 7));
    assert_eq!(talk.hear().await, last("Two."));
    let recordings = [recorded(&talk.server.received().await), recorded(&talk.server.received().await)];
    assert_eq!(recordings, [512, 1024]);
}

#[tokio::test]
async fn what_is_reset_is_forgotten_and_silence_is_not_uploaded() {
    let mut talk = Talk::start([words("Two.")]).await;
    talk.say([audio(512), SttInput::Reset, SttInput::Pause(1), SttInput::Commit]).await;
    assert_eq!(talk.hear().await, settled("", 1));
    assert_eq!(talk.hear().await, last(""));
    talk.say([audio(1024), SttInput::Commit]).await;
    assert_eq!(talk.hear().await, last("Two."));
    assert_eq!(recorded(&talk.server.received().await), 1024);
}

#[tokio::test]
async fn words_come_while_they_are_found() {
    let event = |value: &Value| format!("data: {value}\n\n");
    let delta = |delta: &str| event(&json!({"type": "transcript.text.delta", "delta": delta}));
    let done = event(&json!({"type": "transcript.text.done", "text": "Good morning!"}));
    let mut talk = Talk::start([Answer::events([delta("Good"), delta(" morning"), done])]).await;
    talk.say([audio(512), SttInput::Commit]).await;
    let running = |text: &str| SttEvent::Partial { text: text.to_owned(), settled: None };
    assert_eq!(talk.hear().await, running("Good"));
    assert_eq!(talk.hear().await, running("Good morning"));
    assert_eq!(talk.hear().await, last("Good morning!"));
}

#[tokio::test]
async fn a_failure_costs_the_utterance_and_not_the_stream() {
    let refusal = Answer::error(503, &json!({"error": {"message": "no", "type": "server_error"}}));
    let broken = Answer::events(["data: {\"type\":\"transcript.text.delta\",\"delta\":\"Good\"}\n\n"]);
    let mut talk = Talk::start([refusal, broken, words("Three.")]).await;
    talk.say([audio(512), SttInput::Commit]).await;
    let SttEvent::Failed(failure) = talk.hear().await else { panic!("it failed") };
    assert_eq!(failure.0.remedy, Remedy::Retry);
    talk.say([audio(512), SttInput::Commit]).await;
    assert!(matches!(talk.hear().await, SttEvent::Partial { settled: None, .. }));
    assert!(matches!(talk.hear().await, SttEvent::Failed(_)));
    talk.say([audio(512), SttInput::Commit]).await;
    assert_eq!(talk.hear().await, last("Three."));
}

#[tokio::test]
async fn a_stream_that_is_dropped_hangs_up_at_once() {
    let mut talk = Talk::start([Answer::pieces("application/json", b"{", 1).then(Step::Hang)]).await;
    talk.say([audio(512), SttInput::Pause(1)]).await;
    talk.server.received().await;
    drop(talk.stream);
    talk.server.hung_up_on().await;
}
