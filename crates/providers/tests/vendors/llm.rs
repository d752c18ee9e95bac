//! What every language model behind a network does, whoever the vendor is.

use std::sync::Arc;
use std::time::Duration;

use providers::llm::{Finish, LanguageModel, LlmEvent, LlmRequest, Message, ToolCall, ToolSpec, Usage};
use providers::remote::Deadlines;
use providers::{Failure, Remedy};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::mpsc::Receiver;

use crate::server::{Answer, Server, Step};

/// The key that every model is made with.
pub(crate) const KEY: &str = "open-sesame";
/// Spoken when the vendor refuses.
const SORRY: &str = "Let us talk about something else.";
const SAID: &str = "my secret word";

/// How a vendor's model is made, and how the vendor writes.
pub(crate) trait Vendor {
    fn model(setup: Setup<'_>) -> Arc<dyn LanguageModel>;
    /// An event with words.
    fn words(words: &str) -> String;
    /// An event, or several, with calls.
    fn calls(calls: &[ToolCall]) -> String;
    /// The rest of an answer: why it ended, and these tokens.
    fn end(finish: Finish, usage: Usage) -> String;
    /// The rest of an answer that the vendor's guard refused.
    fn blocked() -> String;
    /// An error in mid-stream that passes.
    fn trouble() -> String;
    /// The body of a refusal.
    fn refusal(status: u16) -> serde_json::Value;
}

/// What a model is made with.
#[derive(Clone, Copy)]
pub(crate) struct Setup<'a> {
    pub(crate) url: &'a str,
    pub(crate) deadlines: Deadlines,
    pub(crate) blocked_answer: &'a str,
    pub(crate) protocol: Protocol,
}

#[derive(Clone, Copy)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

impl<'a> Setup<'a> {
    pub(crate) fn new(url: &'a str) -> Self {
        Self { url, deadlines: PATIENT, blocked_answer: SORRY, protocol: Protocol::Http1 }
    }
}

/// No test that passes waits for one of these.
pub(crate) const PATIENT: Deadlines =
    Deadlines { connect: Duration::from_secs(60), first: Duration::from_secs(60), stall: Duration::from_secs(60) };
/// Long enough for a sign, short enough to be waited for.
pub(crate) const SOON: Duration = Duration::from_millis(50);

const USAGE: Usage = Usage { prompt_tokens: 21, cached_tokens: 16, completion_tokens: 5 };

pub(crate) fn request() -> LlmRequest {
    let look = ToolSpec {
        name: "look".to_owned(),
        description: "Looks somewhere.".to_owned(),
        parameters: json!({"type": "object", "properties": {"at": {"type": "string"}}}),
    };
    LlmRequest {
        conversation: "0199".to_owned(),
        messages: vec![Message::System("Be kind.".to_owned()), Message::User(SAID.to_owned())],
        tools: vec![look],
        max_tokens: 160,
        temperature: 0.7,
    }
}

fn call(id: &str, at: &str) -> ToolCall {
    ToolCall { id: id.to_owned(), name: "look".to_owned(), arguments: json!({ "at": at }).to_string() }
}

/// All of an answer.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) text: String,
    pub(crate) pieces: usize,
    pub(crate) calls: Vec<ToolCall>,
    pub(crate) done: Option<(Finish, Usage)>,
    pub(crate) failure: Option<Failure>,
}

impl Told {
    #[track_caller]
    fn failure(&self) -> &Failure {
        assert_eq!(self.done, None);
        let failure = self.failure.as_ref().expect("it failed");
        assert!(!failure.message.contains(KEY) && !failure.message.contains(SAID), "{failure}");
        failure
    }
}

/// Listens to the last event; nothing may follow it.
pub(crate) async fn listen(mut events: Receiver<LlmEvent>) -> Told {
    let mut told = Told::default();
    while let Some(event) = events.recv().await {
        assert!(told.done.is_none() && told.failure.is_none(), "{event:?} came after the last event");
        match event {
            LlmEvent::Text(text) => {
                told.text.push_str(&text);
                told.pieces += 1;
            }
            LlmEvent::ToolCall(call) => told.calls.push(call),
            LlmEvent::Done { finish, usage } => told.done = Some((finish, usage)),
            LlmEvent::Failed(failure) => told.failure = Some(failure),
        }
    }
    told
}

/// What a model makes of an answer.
pub(crate) async fn told<V: Vendor>(answer: Answer) -> Told {
    let server = Server::start([answer]).await;
    listen(V::model(Setup::new(&server.url)).reply(request())).await
}

pub(crate) async fn words_come_as_they_are_written<V: Vendor>() {
    let answer = Answer::events([V::words("Grüß "), V::words("dich! 👋"), V::end(Finish::Stop, USAGE)]);
    let told = told::<V>(answer).await;
    assert_eq!((told.text.as_str(), told.pieces), ("Grüß dich! 👋", 2));
    assert_eq!(told.done, Some((Finish::Stop, USAGE)));
}

pub(crate) async fn bytes_may_be_cut_anywhere<V: Vendor>() {
    let stream = [V::words("Grüß "), V::words("dich! 👋"), V::end(Finish::Stop, USAGE)].concat();
    for piece in [1, 2, 3, 7] {
        let told = told::<V>(Answer::pieces("text/event-stream", stream.as_bytes(), piece)).await;
        assert_eq!(told.text, "Grüß dich! 👋", "in pieces of {piece}");
        assert_eq!(told.done, Some((Finish::Stop, USAGE)), "in pieces of {piece}");
    }
}

pub(crate) async fn words_are_told_before_the_rest_is_there<V: Vendor>() {
    let server = Server::start([Answer::events([V::words("Hello")]).then(Step::Hang)]).await;
    let model = V::model(Setup::new(&server.url));
    let mut events = model.reply(request());
    assert!(matches!(events.recv().await, Some(LlmEvent::Text(text)) if text == "Hello"));
}

pub(crate) async fn calls_come_before_the_end<V: Vendor>() {
    let calls = [call("call_a", "the sea"), call("call_b", "the sky")];
    let answer = Answer::events([V::words("Let me see."), V::calls(&calls), V::end(Finish::ToolCalls, USAGE)]);
    let told = told::<V>(answer).await;
    assert_eq!((told.text.as_str(), told.calls.as_slice()), ("Let me see.", calls.as_slice()));
    assert_eq!(told.done, Some((Finish::ToolCalls, USAGE)));
}

pub(crate) async fn the_longest_answer_ends_as_such<V: Vendor>() {
    let told = told::<V>(Answer::events([V::words("And so on"), V::end(Finish::Length, USAGE)])).await;
    assert_eq!(told.done, Some((Finish::Length, USAGE)));
}

pub(crate) async fn an_end_without_a_reason_is_a_failure<V: Vendor>() {
    let told = told::<V>(Answer::events([V::words("I am not")])).await;
    assert_eq!(told.text, "I am not");
    assert_eq!(told.failure().remedy, Remedy::Retry);
}

pub(crate) async fn a_broken_connection_is_a_failure<V: Vendor>() {
    let told = told::<V>(Answer::events([V::words("I am not")]).then(Step::Cut)).await;
    assert_eq!(told.failure().remedy, Remedy::Retry);
}

pub(crate) async fn what_cannot_be_read_is_a_failure<V: Vendor>() {
    let spoiled = format!("data: {{\"{SAID}\": [}}\n\n");
    let told = told::<V>(Answer::events([V::words("I am"), spoiled, V::end(Finish::Stop, USAGE)])).await;
    assert_eq!(told.text, "I am");
    assert_eq!(told.failure().remedy, Remedy::Retry);
}

pub(crate) async fn an_error_in_mid_stream_is_a_failure<V: Vendor>() {
    let told = told::<V>(Answer::events([V::words("I am"), V::trouble()])).await;
    assert_eq!(told.text, "I am");
    assert_eq!(told.failure().remedy, Remedy::Retry);
}

pub(crate) async fn a_refusal_says_what_can_be_done<V: Vendor>() {
    let refused = |status| Answer::error(status, &V::refusal(status));
    let busy = told::<V>(refused(429).header("retry-after", "7")).await;
    assert_eq!(busy.failure().remedy, Remedy::Replace);
    assert_eq!(busy.failure().retry_after, Some(Duration::from_secs(7)));
    for (status, remedy) in [(503, Remedy::Retry), (401, Remedy::Replace), (400, Remedy::Replace)] {
        let told = told::<V>(refused(status)).await;
        assert_eq!(told.failure().remedy, remedy, "{status}");
        assert!(told.failure().message.contains(&status.to_string()), "{}", told.failure());
    }
}

pub(crate) async fn a_page_that_is_no_answer_is_a_failure<V: Vendor>() {
    let told = told::<V>(Answer::pieces("text/html", b"<html>Log in to the hotel's network</html>", 9)).await;
    assert_eq!(told.failure().remedy, Remedy::Retry);
}

pub(crate) async fn a_block_is_an_answer_where_it_is_configured<V: Vendor>() {
    let answer = || Answer::events([V::words("Well, "), V::blocked()]);
    let spoken = told::<V>(answer()).await;
    assert_eq!(spoken.text, format!("Well, {SORRY}"));
    assert_eq!(spoken.done.map(|(finish, _)| finish), Some(Finish::Stop));

    let server = Server::start([answer()]).await;
    let silent = V::model(Setup { blocked_answer: "", ..Setup::new(&server.url) });
    assert_eq!(listen(silent.reply(request())).await.failure().remedy, Remedy::GiveUp);
}

pub(crate) async fn silence_is_bounded_before_the_first_word<V: Vendor>() {
    let server = Server::start([Answer::events([": keep-alive\n\n"]).then(Step::Hang)]).await;
    let hasty = Deadlines { first: SOON, ..PATIENT };
    let model = V::model(Setup { deadlines: hasty, ..Setup::new(&server.url) });
    let told = listen(model.reply(request())).await;
    assert_eq!(told.failure().remedy, Remedy::Retry);
    assert!(told.failure().message.contains("50 ms"), "{}", told.failure());
}

pub(crate) async fn silence_is_bounded_between_words<V: Vendor>() {
    let server = Server::start([Answer::events([V::words("I am")]).then(Step::Hang)]).await;
    let hasty = Deadlines { stall: SOON, ..PATIENT };
    let model = V::model(Setup { deadlines: hasty, ..Setup::new(&server.url) });
    let told = listen(model.reply(request())).await;
    assert_eq!(told.text, "I am");
    assert!(told.failure().message.contains("50 ms"), "{}", told.failure());
}

pub(crate) async fn nobody_there_is_a_failure<V: Vendor>() {
    let free = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("its address");
    let url = format!("http://{free}");
    let told = listen(V::model(Setup::new(&url)).reply(request())).await;
    assert_eq!(told.failure().remedy, Remedy::Retry);
}

pub(crate) async fn who_stops_listening_hangs_up_at_once<V: Vendor>() {
    for protocol in [Protocol::Http1, Protocol::Http2] {
        let mut server = Server::start([Answer::events([V::words("Once upon")]).then(Step::Hang)]).await;
        let model = V::model(Setup { protocol, ..Setup::new(&server.url) });
        let mut events = model.reply(request());
        assert!(matches!(events.recv().await, Some(LlmEvent::Text(_))));
        drop(events);
        // The deadlines are a minute away: only the dropped receiver can be the cause.
        server.hung_up_on().await;
    }
}

pub(crate) async fn answers_share_a_connection<V: Vendor>() {
    let answer = || Answer::events([V::words("Hello"), V::end(Finish::Stop, USAGE)]);
    let mut server = Server::start([answer(), answer()]).await;
    let model = V::model(Setup::new(&server.url));
    for _ in 0..2 {
        assert_eq!(listen(model.reply(request())).await.text, "Hello");
    }
    assert_eq!(server.received().await.peer, server.received().await.peer);
}

/// Makes a module with the whole suite for a vendor.
macro_rules! llm_suite {
    ($vendor:ty) => {
        llm_suite!(
            $vendor: words_come_as_they_are_written, bytes_may_be_cut_anywhere, words_are_told_before_the_rest_is_there,
            calls_come_before_the_end, the_longest_answer_ends_as_such, an_end_without_a_reason_is_a_failure,
            a_broken_connection_is_a_failure, what_cannot_be_read_is_a_failure, an_error_in_mid_stream_is_a_failure,
            a_refusal_says_what_can_be_done, a_page_that_is_no_answer_is_a_failure,
            a_block_is_an_answer_where_it_is_configured, silence_is_bounded_before_the_first_word,
            silence_is_bounded_between_words, nobody_there_is_a_failure, who_stops_listening_hangs_up_at_once,
            answers_share_a_connection
        );
    };
    ($vendor:ty: $($test:ident),+) => {
        $(
            #[tokio::test]
            async fn $test() {
                crate::llm::$test::<$vendor>().await;
            }
        )+
    };
}

pub(crate) use llm_suite;
