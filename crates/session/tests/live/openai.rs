//! OpenAI Realtime.

use std::sync::Arc;
use std::time::Duration;

use providers::live::LiveModel;
use providers::openai::{Realtime, RealtimeConfig};
use providers::remote::{Auth, Deadlines, Endpoint};
use providers::secret::Secret;
use testkit::emulator::{Emulator, Ending, Record, Route};
use tokio::time::Instant;

use crate::call::{Call, Options, Vendor, received, told};
use crate::suite::live_suite;

struct OpenAi;

fn endpoint(emulator: &Emulator) -> Endpoint {
    let key = Auth::Bearer(Secret::from("key-one".to_owned()));
    Endpoint::new(&emulator.openai_url(), &key, Deadlines::default()).unwrap()
}

impl Vendor for OpenAi {
    const ROUTE: Route = Route::OpenAiRealtime;

    fn model(emulator: &Emulator) -> Arc<dyn LiveModel> {
        Arc::new(Realtime::new(endpoint(emulator), RealtimeConfig::default()))
    }

    fn forgot(conversations: &[Record], heard: &str, heard_ms: u32) {
        let [conversation] = conversations else { panic!("it goes on: {conversations:?}") };
        let kinds = received(conversation);
        let item = if heard.is_empty() { "conversation.item.delete" } else { "conversation.item.truncate" };
        assert!(kinds.iter().any(|kind| kind == item), "{kinds:?}");
        if !heard.is_empty() {
            let end_ms = conversation.request["truncated"]["audio_end_ms"].as_u64().unwrap();
            assert!(end_ms.abs_diff(heard_ms.into()) < 500, "{end_ms} ms, but {heard_ms} ms were heard");
        }
    }

    fn noticed(conversations: &[Record]) -> Option<Instant> {
        let first = conversations.first()?;
        let list = first.request["received"].as_array()?;
        let at_ms = list.iter().find(|entry| entry["type"] == "response.cancel")?["at_ms"].as_u64()?;
        Some(first.began + Duration::from_millis(at_ms))
    }
}

live_suite!(OpenAi);

#[tokio::test]
async fn a_conversation_is_renewed_before_the_vendor_ends_it() {
    struct ShortLived;
    impl Vendor for ShortLived {
        const ROUTE: Route = OpenAi::ROUTE;

        fn model(emulator: &Emulator) -> Arc<dyn LiveModel> {
            let config = RealtimeConfig { renew_after: Duration::from_millis(2_500), ..RealtimeConfig::default() };
            Arc::new(Realtime::new(endpoint(emulator), config))
        }

        fn forgot(_: &[Record], _: &str, _: u32) {}

        fn noticed(_: &[Record]) -> Option<Instant> {
            None
        }
    }
    let mut call = Call::begin::<ShortLived>(Options { understood: &["One.", "Two."], ..Options::default() }).await;
    assert_eq!(call.ask("one").await.heard_text, "You said: one");
    call.emulator.when(|log| log.len() > 1 && log[0].ended.is_some()).await;
    assert_eq!(call.ask("two").await.heard_text, "You said: two");
    let conversations = call.vendor::<ShortLived>();
    assert!(told(&conversations[1]).contains("You said: one"), "{conversations:?}");
    assert_eq!(conversations[0].ended.unwrap().1, Ending::Completed, "with a farewell");
    call.end().await;
}
