//! Gemini Live, which can be reached over TLS only.

use std::sync::Arc;

use providers::google::{Live, LiveConfig};
use providers::live::LiveModel;
use providers::remote::{Auth, Deadlines, Endpoint};
use providers::secret::Secret;
use testkit::emulator::{Emulator, Fault, Record, Refusal, Route, Trouble};
use tokio::time::Instant;

use crate::call::{Call, Options, Vendor, told};
use crate::suite::live_suite;

struct Gemini;

impl Vendor for Gemini {
    const ROUTE: Route = Route::GeminiLive;

    fn model(emulator: &Emulator) -> Arc<dyn LiveModel> {
        let key = Auth::Header { name: "x-goog-api-key", key: Secret::from("key-one".to_owned()) };
        let (base, authority) = (format!("{}/v1beta", emulator.tls_url()), emulator.authority_pem().as_bytes());
        let endpoint = Endpoint::trusting(&base, &key, Deadlines::default(), authority).unwrap();
        Arc::new(Live::new(endpoint, LiveConfig::default()))
    }

    /// It cannot: it was told in a new conversation.
    fn forgot(conversations: &[Record], heard: &str, _heard_ms: u32) {
        let [_, anew] = conversations else { panic!("one more: {conversations:?}") };
        let told = told(anew);
        assert!(told.contains(&format!("\"text\":\"{heard}\"")) || heard.is_empty(), "{told}");
    }

    fn noticed(conversations: &[Record]) -> Option<Instant> {
        conversations.first()?.ended.map(|(at, _)| at)
    }
}

live_suite!(Gemini);

#[tokio::test]
async fn a_conversation_is_resumed_before_the_vendor_ends_it() {
    let mut call = Call::begin::<Gemini>(Options { understood: &["One.", "Two."], ..Options::default() }).await;
    call.emulator.fault(Route::GeminiLive, 1, Fault::after(4, Trouble::GoAway));
    assert_eq!(call.ask("one").await.heard_text, "You said: one");
    call.emulator.when(|log| log.len() > 1 && log[0].ended.is_some()).await;
    assert_eq!(call.ask("two").await.heard_text, "You said: two");
    let conversations = call.vendor::<Gemini>();
    assert_eq!(conversations.len(), 2);
    assert_eq!(conversations[1].request["setup"]["sessionResumption"]["handle"], "handle_emulator");
    assert_eq!(told(&conversations[1]), "null", "the vendor knows what was said");
    call.end().await;
}

#[tokio::test]
async fn a_conversation_that_cannot_be_resumed_begins_anew() {
    let mut call = Call::begin::<Gemini>(Options { understood: &["One.", "Two."], ..Options::default() }).await;
    call.emulator.fault(Route::GeminiLive, 1, Fault::after(4, Trouble::GoAway));
    call.emulator.fault(Route::GeminiLive, 2, Fault::at_once(Trouble::Error(Refusal::overloaded())));
    assert_eq!(call.ask("one").await.heard_text, "You said: one");
    call.emulator.when(|log| log.len() > 2).await;
    assert_eq!(call.ask("two").await.heard_text, "You said: two");
    let conversations = call.vendor::<Gemini>();
    assert_eq!(conversations.len(), 3);
    assert!(told(&conversations[2]).contains("You said: one"), "{:?}", conversations[2]);
    call.end().await;
}
