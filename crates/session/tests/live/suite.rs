//! What a call with any speech-native model must be like.

use dialogue::TurnStatus;
use session::{AgentConfig, Request};

use crate::call::{Call, Options, Vendor, received};

/// Every vendor passes all of it.
macro_rules! live_suite {
    ($vendor:ty) => {
        crate::suite::live_suite!(
            $vendor:
            a_spoken_question_is_answered_in_the_models_own_voice,
            a_conversation_goes_on_in_one_connection,
            typed_words_are_answered_aloud,
            a_greeting_is_spoken_by_the_other_voice,
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
