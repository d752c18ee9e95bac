//! What a call with any speech-native model must be like.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use dialogue::{Fact, TurnStatus};
use providers::llm::{Message, ToolCall, ToolSpec};
use providers::tools::{CallContext, Manner, Tool, ToolFailure, ToolSource, Toolbox};
use serde_json::json;
use session::{AgentConfig, Eagerness, Request, TurnTaking};
use testkit::emulator::{Fault, Pace, Record, Refusal, Reply, Script, Trouble};
use tokio::time::Instant;

use crate::call::{Call, Options, Vendor, received, told};

/// Every vendor passes all of it.
macro_rules! live_suite {
    ($vendor:ty) => {
        crate::suite::live_suite!(
            $vendor:
            a_spoken_question_is_answered_in_the_models_own_voice,
            a_conversation_goes_on_in_one_connection,
            typed_words_are_answered_aloud,
            a_greeting_is_spoken_by_the_other_voice,
            an_interruption_leaves_what_was_heard_in_both_memories,
            an_assent_never_reaches_the_model,
            an_answer_started_ahead_and_called_off_leaves_no_trace,
            a_tool_is_called_and_its_result_is_told,
            another_agent_goes_on_in_a_conversation_of_its_own,
            the_vendor_notices_at_once_that_it_is_to_stop,
            where_the_model_breaks_off_the_cascade_goes_on,
            where_the_model_cannot_be_reached_the_cascade_answers,
            a_model_that_says_nothing_is_raced_by_the_cascade,
        );
    };
    ($vendor:ty: $($test:ident),* $(,)?) => {
        $(
            #[tokio::test]
            async fn $test() {
                crate::suite::$test::<$vendor>().await;
            }
        )*
    };
}
pub(crate) use live_suite;

pub(crate) async fn a_spoken_question_is_answered_in_the_models_own_voice<V: Vendor>() {
    let mut call = Call::begin::<V>(Options { understood: &["What is it?"], ..Options::default() }).await;
    call.silence(400).await;
    call.say_in_tones("what is it").await;
    let turn = call.turn().await;
    assert_eq!(turn.status, TurnStatus::Completed);
    // The transcript is what our own recogniser understood, the answer is to what the model heard.
    assert_eq!(turn.user_text, "What is it?");
    assert_eq!(turn.heard_text, "You said: what is it");
    assert_eq!(call.understood(), "You said: what is it");
    let conversations = call.vendor::<V>();
    assert_eq!(conversations.len(), 1);
    assert_eq!(conversations[0].authorization.as_deref().map(|key| key.contains("key-one")), Some(true));
    let (emulator, cascade) = call.end().await;
    assert!(cascade.requests.lock().unwrap().is_empty(), "nobody else was asked");
    emulator.when(|log| log.iter().all(|record| record.ended.is_some())).await;
}

pub(crate) async fn a_conversation_goes_on_in_one_connection<V: Vendor>() {
    let mut call = Call::begin::<V>(Options { understood: &["One.", "Two."], ..Options::default() }).await;
    for words in ["one thing", "another thing"] {
        let turn = call.ask(words).await;
        assert_eq!(turn.heard_text, format!("You said: {words}"));
        assert_eq!(call.understood(), turn.heard_text);
    }
    let conversations = call.vendor::<V>();
    assert_eq!(conversations.len(), 1);
    let kinds = received(&conversations[0]);
    assert!(
        !kinds.is_empty() && !kinds.iter().any(|kind| kind.contains("Content")),
        "all was heard, not told: {kinds:?}"
    );
    call.end().await;
}

pub(crate) async fn typed_words_are_answered_aloud<V: Vendor>() {
    let mut call = Call::begin::<V>(Options::default()).await;
    call.requests.send(Request::Typed("Good morning".to_owned())).await.unwrap();
    let turn = call.turn().await;
    assert_eq!(turn.heard_text, "You said: Good morning");
    assert_eq!(call.understood(), turn.heard_text);
    call.end().await;
}

pub(crate) async fn a_greeting_is_spoken_by_the_other_voice<V: Vendor>() {
    let agent = AgentConfig { greeting: Some("Hello, this is Antiphon.".to_owned()), ..AgentConfig::default() };
    let mut call = Call::begin::<V>(Options { agent, understood: &["Hi."], ..Options::default() }).await;
    call.caller.connected().await;
    assert_eq!(call.turn().await.heard_text, "Hello, this is Antiphon.");
    assert!(!call.caller.heard.is_empty() && call.understood().is_empty(), "a murmur has no words");
    let turn = call.ask("hi there").await;
    assert_eq!(turn.heard_text, "You said: hi there");
    assert_eq!(call.understood(), turn.heard_text, "the model's own voice is back");
    let (_, cascade) = call.end().await;
    assert!(cascade.requests.lock().unwrap().is_empty());
}

const LONG: &str = "Dogs are great company, and they love long walks. They need care, food and friends every day.";

pub(crate) async fn an_interruption_leaves_what_was_heard_in_both_memories<V: Vendor>() {
    let mut call = Call::begin::<V>(Options { understood: &["Dogs?", "Stop."], ..Options::default() }).await;
    call.answers(LONG);
    call.say("dogs", 600).await;
    call.until(sentence_started).await;
    call.silence(2_000).await;
    call.say("stop it", 600).await;
    let cut = call.turn().await;
    assert_eq!(cut.status, TurnStatus::Interrupted);
    assert!(LONG.starts_with(&cut.heard_text) && !cut.heard_text.is_empty(), "{cut:?}");
    assert!(cut.heard_text.len() < LONG.len() * 2 / 3, "{cut:?}");
    let next = call.turn().await;
    assert_eq!(next.heard_text, "You said: stop it");
    V::forgot(&call.vendor::<V>(), &cut.heard_text, cut.heard_ms);
    // What stands in the transcript was heard, but for a word at the cut.
    let words = call.understood();
    let (heard, rest) = words.split_once("said: stop it").unwrap();
    assert_eq!(rest, "");
    let count = |text: &str| text.split_whitespace().filter(|word| LONG.contains(word)).count();
    assert!(count(heard).abs_diff(count(&cut.heard_text)) <= 1, "{heard:?}, but {:?}", cut.heard_text);
    call.end().await;
}

pub(crate) async fn an_assent_never_reaches_the_model<V: Vendor>() {
    let understood = ["Dogs?", "Uh-huh.", "And cats?"];
    let mut call = Call::begin::<V>(Options { understood: &understood, ..Options::default() }).await;
    call.answers("Dogs are great company, and they love walks.");
    call.say("dogs", 600).await;
    call.until(sentence_started).await;
    call.silence(1_000).await;
    call.caller.speak(400).await;
    let turn = call.turn().await;
    assert_eq!(turn.heard_text, "Dogs are great company, and they love walks.");
    assert!(call.facts.iter().any(|fact| matches!(fact, Fact::ReplyResumed { .. })), "it was held");
    // Had the model got the assent, it would be a part of this.
    let turn = call.ask("and cats").await;
    assert_eq!(turn.heard_text, "You said: and cats");
    assert_eq!(call.vendor::<V>().len(), 1);
    call.end().await;
}

pub(crate) async fn an_answer_started_ahead_and_called_off_leaves_no_trace<V: Vendor>() {
    // So the turn is decided late, and an answer is started long before.
    let turn_taking = TurnTaking { eagerness: Eagerness::Low, ..TurnTaking::default() };
    let agent = AgentConfig { turn_taking, ..AgentConfig::default() };
    let understood = ["I want a dog."];
    let mut call = Call::begin::<V>(Options { agent, understood: &understood, ..Options::default() }).await;
    call.say("i want", 600).await;
    let answered =
        |record: &Record| received(record).iter().any(|kind| kind.ends_with(".create") || kind.ends_with("End"));
    call.silence(300).await;
    assert!(call.vendor::<V>().iter().any(answered), "an answer was started: {:?}", call.vendor::<V>());
    call.say("a dog", 600).await;
    let turn = call.turn().await;
    assert_eq!((turn.user_text.as_str(), turn.heard_text.as_str()), ("I want a dog.", "You said: a dog"));
    assert_eq!(call.understood(), "You said: a dog");
    V::forgot(&call.vendor::<V>(), "", 0);
    call.end().await;
}

/// Knows the weather.
struct Weather;

#[async_trait]
impl ToolSource for Weather {
    fn tools(&self) -> Vec<Tool> {
        let parameters = json!({"type": "object", "properties": {"city": {"type": "string"}}});
        let spec = ToolSpec { name: "weather".to_owned(), description: "Tells the weather.".to_owned(), parameters };
        vec![Tool { spec, manner: Manner::default() }]
    }

    async fn call(&self, call: &ToolCall, _context: &CallContext) -> Result<String, ToolFailure> {
        Ok(format!("sunny in {}", call.arguments))
    }
}

pub(crate) async fn a_tool_is_called_and_its_result_is_told<V: Vendor>() {
    let agent = AgentConfig { tools: vec!["weather".to_owned()], ..AgentConfig::default() };
    let tools = Toolbox::new(vec![Arc::new(Weather)]).unwrap();
    let mut call =
        Call::begin::<V>(Options { agent, tools, understood: &["Weather?", "Thanks."], ..Options::default() }).await;
    let calls = vec![testkit::emulator::Call { name: "weather".to_owned(), arguments: json!({"city": "Rome"}) }];
    call.emulator.add_reply(Reply::Calls { saying: "Let me look.".to_owned(), calls });
    let turn = call.ask("weather").await;
    assert_eq!(turn.heard_text, r#"Let me look. The tool says: sunny in {"city":"Rome"}"#);
    assert_eq!(call.understood(), turn.heard_text);
    assert_eq!(call.ask("thanks").await.heard_text, "You said: thanks");
    assert_eq!(call.vendor::<V>().len(), 1, "the memories are the same");
    call.end().await;
}

pub(crate) async fn another_agent_goes_on_in_a_conversation_of_its_own<V: Vendor>() {
    let agent = AgentConfig { hand_off: vec!["billing".to_owned()], ..AgentConfig::default() };
    let mut call =
        Call::begin::<V>(Options { agent, understood: &["My invoice is wrong."], ..Options::default() }).await;
    let calls = vec![testkit::emulator::Call { name: "hand_off".to_owned(), arguments: json!({"agent": "billing"}) }];
    call.emulator.add_reply(Reply::Calls { saying: String::new(), calls });
    call.answers("Which invoice?");
    let turn = call.ask("my invoice is wrong").await;
    assert_eq!(turn.heard_text, "Which invoice?");
    assert_eq!(call.understood(), "Which invoice?");
    let conversations = call.vendor::<V>();
    assert_eq!(conversations.len(), 2);
    assert!(conversations[1].request.to_string().contains("You do the billing."), "{conversations:?}");
    assert!(told(&conversations[1]).contains("My invoice is wrong."), "{conversations:?}");
    call.end().await;
}

pub(crate) async fn the_vendor_notices_at_once_that_it_is_to_stop<V: Vendor>() {
    let pace = Pace { audio_piece: Duration::from_millis(400), ..Pace::default() };
    let script = Script { pace, ..Script::default() };
    let mut call = Call::begin::<V>(Options { script, understood: &["Dogs?"], ..Options::default() }).await;
    call.answers(LONG);
    call.say("dogs", 600).await;
    call.until(sentence_started).await;
    assert_eq!(V::noticed(&call.vendor::<V>()), None);
    let asked = Instant::now();
    call.requests.send(Request::StopSpeaking).await.unwrap();
    let turn = call.turn().await;
    assert_eq!(turn.status, TurnStatus::Interrupted);
    let log = call.emulator.when(|log| V::noticed(log).is_some()).await;
    let took = V::noticed(&log).unwrap().saturating_duration_since(asked);
    assert!(took < Duration::from_millis(50), "{took:?}");
    call.end().await;
}

pub(crate) async fn where_the_model_breaks_off_the_cascade_goes_on<V: Vendor>() {
    let pace = Pace { audio_piece: Duration::from_millis(100), ..Pace::default() };
    let script = Script { pace, ..Script::default() };
    let cascade = [Some("and they sleep a lot.")];
    let options = Options { script, understood: &["Dogs?", "And cats?"], cascade: &cascade, ..Options::default() };
    let mut call = Call::begin::<V>(options).await;
    call.emulator.fault(V::ROUTE, 1, Fault::after(22, Trouble::Reset));
    call.answers(LONG);
    let turn = call.ask("dogs").await;
    assert!(turn.heard_text.starts_with("Dogs are great company,"), "{turn:?}");
    assert!(turn.heard_text.ends_with("and they sleep a lot.") && turn.status == TurnStatus::Completed, "{turn:?}");
    let words = call.understood();
    assert!(words.starts_with("Dogs are great") && !words.contains("friends"), "{words}");
    let turn = call.ask("and cats").await;
    assert_eq!((turn.heard_text.as_str(), call.understood().as_str()), ("You said: and cats", "You said: and cats"));
    let conversations = call.vendor::<V>();
    assert_eq!(conversations.len(), 2, "the model is back");
    assert!(told(&conversations[1]).contains("and they sleep a lot."), "and knows what was said without it");
    call.end().await;
}

pub(crate) async fn where_the_model_cannot_be_reached_the_cascade_answers<V: Vendor>() {
    let cascade = [Some("I am another one.")];
    let options = Options { understood: &["Hello?"], cascade: &cascade, ..Options::default() };
    let mut call = Call::begin::<V>(options).await;
    call.emulator.fault_every(V::ROUTE, 1, Fault::at_once(Trouble::Error(Refusal::overloaded())));
    let turn = call.ask("hello").await;
    assert_eq!((turn.heard_text.as_str(), turn.status), ("I am another one.", TurnStatus::Completed));
    assert_eq!(call.understood(), "", "a murmur");
    let (_, cascade) = call.end().await;
    assert_eq!(cascade.requests.lock().unwrap()[0].messages.last(), Some(&Message::User("Hello?".to_owned())));
}

pub(crate) async fn a_model_that_says_nothing_is_raced_by_the_cascade<V: Vendor>() {
    let cascade = [Some("I am another one.")];
    let options = Options { understood: &["Hello?"], cascade: &cascade, ..Options::default() };
    let mut call = Call::begin::<V>(options).await;
    call.emulator.fault(V::ROUTE, 1, Fault::after(5, Trouble::Silence));
    let turn = call.ask("hello").await;
    assert_eq!(turn.heard_text, "I am another one.");
    call.end().await;
}

fn sentence_started(fact: &Fact) -> Option<()> {
    matches!(fact, Fact::SentenceStarted { .. }).then_some(())
}
