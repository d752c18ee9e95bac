//! What every language model does.

use std::sync::Arc;

use providers::llm::{Finish, LanguageModel, LlmEvent, LlmRequest, Message, ToolCall, ToolSpec, Usage};
use serde_json::json;
use testkit::emulator::Emulator;
use tokio::sync::mpsc::Receiver;

use crate::emulator;
use crate::local;
use crate::vendors::{Encrypted, GEMINI, OPENAI_CHAT, Reach, Vendor};

/// A model under test.
pub(crate) struct Subject {
    model: Arc<dyn LanguageModel>,
    /// Repeats the caller's words, so that every letter can be compared.
    repeats: bool,
    /// What makes it call the tool for Paris.
    tool_question: &'static str,
    _emulator: Option<Emulator>,
}

impl Subject {
    async fn vendor(vendor: Vendor<dyn LanguageModel>, encrypted: Encrypted) -> Self {
        let emulator = emulator().await;
        let model = (vendor.make)(Reach { encrypted, ..Reach::plain(&emulator) });
        let tool_question = r#"call get_weather {"city": "Paris"}"#;
        Self { model, repeats: true, tool_question, _emulator: Some(emulator) }
    }

    fn local() -> Self {
        let tool_question = "What is the weather in Paris now?";
        Self { model: local::llama(), repeats: false, tool_question, _emulator: None }
    }
}

pub(crate) fn request(conversation: &str, words: &str) -> LlmRequest {
    let system = "You are a friendly voice assistant on a call. Answer in one short spoken sentence.";
    LlmRequest {
        conversation: conversation.to_owned(),
        messages: vec![Message::System(system.to_owned()), Message::User(words.to_owned())],
        tools: Vec::new(),
        max_tokens: 40,
        temperature: 0.0,
    }
}

fn weather() -> ToolSpec {
    ToolSpec {
        name: "get_weather".to_owned(),
        description: "Tells the weather of a city now.".to_owned(),
        parameters: json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}),
    }
}

/// All of an answer.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) pieces: Vec<String>,
    pub(crate) calls: Vec<ToolCall>,
    /// None when it failed.
    pub(crate) done: Option<(Finish, Usage)>,
    pub(crate) failure: Option<providers::Failure>,
}

impl Told {
    pub(crate) fn text(&self) -> String {
        self.pieces.concat()
    }

    #[track_caller]
    fn done(&self) -> (Finish, Usage) {
        self.done.unwrap_or_else(|| panic!("{:?}", self.failure))
    }
}

/// Listens to the last event; nothing may follow it, and without it nothing may end.
pub(crate) async fn listen(mut events: Receiver<LlmEvent>) -> Told {
    let mut told = Told { pieces: Vec::new(), calls: Vec::new(), done: None, failure: None };
    while let Some(event) = events.recv().await {
        assert!(told.done.is_none() && told.failure.is_none(), "{event:?} came after the last event");
        match event {
            LlmEvent::Text(text) => told.pieces.push(text),
            LlmEvent::ToolCall(call) => told.calls.push(call),
            LlmEvent::Done { finish, usage } => told.done = Some((finish, usage)),
            LlmEvent::Failed(failure) => told.failure = Some(failure),
        }
    }
    assert!(told.done.is_some() || told.failure.is_some(), "an answer has a last event");
    told
}

async fn an_answer_comes_in_pieces_and_ends_once(subject: Subject) {
    let told = listen(subject.model.reply(request("pieces", "Say good morning to all of us."))).await;
    let (finish, usage) = told.done();
    assert_eq!(finish, Finish::Stop);
    assert!(told.pieces.len() > 1 && told.pieces.iter().all(|piece| !piece.is_empty()), "{:?}", told.pieces);
    assert!(usage.prompt_tokens > 0 && usage.completion_tokens > 0, "{usage:?}");
    if subject.repeats {
        assert_eq!(told.text(), "You said: Say good morning to all of us.");
    }
}

async fn unicode_survives(subject: Subject) {
    let words = "Grüß dich, Zoë! 東京 👩‍👩‍👧 «naïve»";
    let told = listen(subject.model.reply(request("unicode", words))).await;
    told.done();
    assert!(!told.text().contains('\u{fffd}'), "{}", told.text());
    if subject.repeats {
        assert_eq!(told.text(), format!("You said: {words}"));
    }
}

async fn no_words_are_answered_or_refused(subject: Subject) {
    for words in ["", " ", "…"] {
        listen(subject.model.reply(request("empty", words))).await;
    }
}

async fn the_token_limit_ends_an_answer(subject: Subject) {
    let long = LlmRequest { max_tokens: 3, ..request("limit", "Tell me a long story about a dog.") };
    let (finish, usage) = listen(subject.model.reply(long)).await.done();
    assert_eq!(finish, Finish::Length);
    assert!(usage.completion_tokens <= 3, "{usage:?}");
}

async fn answers_at_the_same_time_do_not_mix(subject: Subject) {
    let fruit = ["apple", "banana", "cherry", "lemon", "orange", "peach"];
    let asked = fruit.map(|word| {
        let words = format!("Repeat this word and nothing else: {word}");
        (word, subject.model.reply(request(&format!("many-{word}"), &words)))
    });
    for (word, events) in asked {
        let told = listen(events).await;
        told.done();
        let text = told.text().to_lowercase();
        let others: Vec<_> = fruit.iter().filter(|other| **other != word && text.contains(**other)).collect();
        assert!(text.contains(word) && others.is_empty(), "{word}: {text}");
    }
}

async fn whoever_stops_listening_can_ask_again(subject: Subject) {
    for _ in 0..3 {
        let mut events = subject.model.reply(request("drop", "Count slowly to fifty."));
        assert!(matches!(events.recv().await, Some(LlmEvent::Text(_))));
    }
    listen(subject.model.reply(request("drop", "Say hello."))).await.done();
    subject.model.release("drop");
    listen(subject.model.reply(request("drop", "Say hello."))).await.done();
}

async fn what_is_prepared_or_released_changes_no_answer(subject: Subject) {
    let alone = listen(subject.model.reply(request("hint", "Say hello."))).await.text();
    subject.model.prepare(request("hint", "Say"));
    assert_eq!(listen(subject.model.reply(request("hint", "Say hello."))).await.text(), alone);
    subject.model.release("hint");
    subject.model.release("nobody");
}

async fn a_tool_is_called_once_and_its_result_is_told(subject: Subject) {
    let asked = LlmRequest { tools: vec![weather()], ..request("tools", subject.tool_question) };
    let told = listen(subject.model.reply(asked.clone())).await;
    assert_eq!(told.done().0, Finish::ToolCalls);
    let [call] = told.calls.as_slice() else { panic!("{told:?}") };
    assert_eq!(call.name, "get_weather");
    let arguments: serde_json::Value = serde_json::from_str(&call.arguments).expect("arguments are JSON");
    assert_eq!(arguments["city"], "Paris");

    let mut messages = asked.messages.clone();
    messages.push(Message::Assistant { text: told.text(), calls: told.calls.clone() });
    let output = "Sunny, 21 degrees.".to_owned();
    messages.push(Message::ToolResult { call_id: call.id.clone(), name: call.name.clone(), output });
    let told = listen(subject.model.reply(LlmRequest { messages, ..asked })).await;
    told.done();
    // What a small model makes of a result is its own affair.
    if subject.repeats {
        assert_eq!(told.text(), "The tool says: Sunny, 21 degrees.");
    }
}

/// Makes the tests of the whole contract for a model.
macro_rules! keeps {
    ($name:ident, $subject:expr) => {
        keeps!(
            $name, $subject; an_answer_comes_in_pieces_and_ends_once, unicode_survives, no_words_are_answered_or_refused,
            the_token_limit_ends_an_answer, answers_at_the_same_time_do_not_mix, whoever_stops_listening_can_ask_again,
            what_is_prepared_or_released_changes_no_answer, a_tool_is_called_once_and_its_result_is_told
        );
    };
    ($name:ident, $subject:expr; $($check:ident),+) => {
        mod $name {
            use super::*;
            $(
                #[tokio::test]
                async fn $check() {
                    super::$check($subject).await;
                }
            )+
        }
    };
}

keeps!(openai, Subject::vendor(OPENAI_CHAT, Encrypted::No).await);
keeps!(openai_over_tls, Subject::vendor(OPENAI_CHAT, Encrypted::Yes).await);
keeps!(gemini, Subject::vendor(GEMINI, Encrypted::No).await);
keeps!(gemini_over_tls, Subject::vendor(GEMINI, Encrypted::Yes).await);
keeps!(llama, Subject::local());
