//! What is kept of tools: a scripted agent calls them in real calls, and HTTP tells what came of it.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use media::caller::{Caller, CallerKind};
use providers::llm::{Message, ToolCall, ToolSpec};
use providers::tools::{CallContext, Manner, Tool, ToolFailure, ToolSource, Toolbox};
use serde_json::{Value, json};
use session::{AgentConfig, Providers};
use testkit::scripted::{Completeness, Listener, Loudness, Murmur, Speaker};
use tokio::sync::Semaphore;
use tokio::time::{interval, timeout};

use crate::calls::{connect, conversation, message};
use crate::support::TestServer;

/// A tool that waits until the test lets it return.
struct Desk {
    manner: Manner,
    results: Arc<Semaphore>,
}

#[async_trait]
impl ToolSource for Desk {
    fn tools(&self) -> Vec<Tool> {
        let spec = ToolSpec {
            name: "order".to_owned(),
            description: "Orders something.".to_owned(),
            parameters: json!({"type": "object"}),
        };
        vec![Tool { spec, manner: self.manner }]
    }

    async fn call(&self, _call: &ToolCall, _context: &CallContext) -> Result<String, ToolFailure> {
        self.results.acquire().await.expect("it stays open").forget();
        Ok("It comes at eight.".to_owned())
    }
}

/// A server whose agent may order things and says these lines, one after the other.
pub(crate) async fn serve(manner: Manner, lines: &[&str]) -> (TestServer, Arc<Speaker>, Arc<Semaphore>) {
    let results = Arc::new(Semaphore::new(0));
    let desk = Desk { manner, results: Arc::clone(&results) };
    // The first line goes to the warm-up.
    let lines: Vec<Option<&str>> = std::iter::once("Hello.").chain(lines.iter().copied()).map(Some).collect();
    let model = Speaker::new(&lines);
    let models = Providers {
        vad: Arc::new(Loudness),
        turn: Arc::new(Completeness(0.9)),
        stt: Listener::new(&[]),
        llm: Arc::clone(&model) as _,
        tts: Arc::new(Murmur),
        tools: Arc::new(Toolbox::new(vec![Arc::new(desk)]).expect("one tool")),
        live: None,
    };
    let agent = AgentConfig { tools: vec!["order".to_owned()], ..AgentConfig::default() };
    let server = TestServer::scripted(agent, models).await;
    let mut again = interval(Duration::from_millis(5));
    while prompts(&model).is_empty() {
        again.tick().await;
    }
    (server, model, results)
}

pub(crate) fn prompts(model: &Speaker) -> Vec<Vec<Message>> {
    let requests = model.requests.lock().unwrap_or_else(PoisonError::into_inner);
    requests.iter().map(|request| request.messages.clone()).collect()
}

pub(crate) async fn call(server: &TestServer, query: &str) -> (Caller, String) {
    let path = format!("/v1/realtime/calls{query}");
    let (mut caller, location) = connect(&server.client, &server.url, &path, CallerKind::TwoWay).await;
    assert_eq!(message(&mut caller).await["type"], "session.created");
    (caller, location)
}

pub(crate) fn type_in(caller: &Caller, words: &str) {
    let item = json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": words}]});
    caller.send_message(json!({"type": "conversation.item.create", "item": item}).to_string());
    caller.send_message(json!({"type": "response.create"}).to_string());
}

/// The next message of this type.
pub(crate) async fn event(caller: &mut Caller, kind: &str) -> Value {
    let found = async {
        loop {
            let event = message(caller).await;
            if event["type"] == kind {
                return event;
            }
        }
    };
    timeout(Duration::from_secs(10), found).await.expect("it comes in time")
}

async fn hang_up(server: &TestServer, location: &str) {
    let hang_up = server.client.post(server.url(&format!("{location}/hangup"))).send().await.expect("an answer");
    assert!(hang_up.status().is_success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_that_comes_after_its_turn_is_kept_with_its_turn() {
    let manner = Manner { background: true, ..Manner::default() };
    let lines = ["! order({\"what\": \"a taxi\"})", "I am on it.", "It comes soon."];
    let (server, _, results) = serve(manner, &lines).await;
    let (mut caller, location) = call(&server, "").await;
    let id = location.rsplit('/').next().expect("an id").to_owned();
    type_in(&caller, "Order a taxi.");
    let over = event(&mut caller, "antiphon.turn").await;
    assert_eq!((&over["turn"]["index"], &over["turn"]["tool_calls"][0]["name"]), (&json!(1), &json!("order")));
    let kept = conversation(&server, &id, |json| json["turns"][0]["status"] == "completed").await;
    let open = &kept["turns"][0]["tool_calls"][0];
    assert_eq!((&open["status"], &open["result"]), (&json!("in_progress"), &json!(null)));
    assert_eq!(open["arguments"], "{\"what\": \"a taxi\"}");
    assert!(kept["turns"][0]["heard_ms"].as_u64().is_some_and(|ms| (900..2_000).contains(&ms)), "{kept}");

    results.add_permits(1);
    let returned = |json: &Value| json["turns"][0]["tool_calls"][0]["status"] == "completed";
    let kept = conversation(&server, &id, returned).await;
    let done = &kept["turns"][0]["tool_calls"][0];
    assert_eq!(done["result"], "It comes at eight.");
    assert!(done["finished_at"].as_str() > done["started_at"].as_str(), "{done}");
    let over = event(&mut caller, "antiphon.turn").await;
    assert_eq!(over["turn"]["index"], 2, "the news is a turn of its own, and the first one is not told again");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_that_goes_on_knows_what_its_tools_gave() {
    let lines = ["! order({})", "Your taxi is on its way.", "Yes, it is."];
    let (server, model, results) = serve(Manner::default(), &lines).await;
    results.add_permits(1);
    let (mut caller, location) = call(&server, "").await;
    let id = location.rsplit('/').next().expect("an id").to_owned();
    type_in(&caller, "Order a taxi.");
    event(&mut caller, "antiphon.turn").await;
    hang_up(&server, &location).await;
    conversation(&server, &id, |json| json["status"] == "ended").await;

    let (mut caller, _) = call(&server, &format!("?conversation={id}")).await;
    type_in(&caller, "Is it ordered?");
    event(&mut caller, "antiphon.turn").await;
    let prompt = prompts(&model).pop().expect("it was asked");
    let [_, Message::User(first), Message::Assistant { calls, .. }, result, Message::Assistant { text, .. }, last] =
        prompt.as_slice()
    else {
        panic!("words and tools in their places: {prompt:?}")
    };
    assert_eq!((first.as_str(), calls[0].name.as_str()), ("Order a taxi.", "order"));
    assert!(matches!(result, Message::ToolResult { output, .. } if output == "It comes at eight."), "{result:?}");
    assert_eq!(text, "Your taxi is on its way.");
    assert!(matches!(last, Message::User(text) if text == "Is it ordered?"), "{last:?}");
    let kept = conversation(&server, &id, |json| json["turns"][1]["status"] == "completed").await;
    assert_eq!(kept["turns"][0]["tool_calls"][0]["status"], "completed");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_that_was_at_work_when_the_call_ended_is_incomplete() {
    let manner = Manner { background: true, ..Manner::default() };
    let (server, _, _results) = serve(manner, &["! order({})", "I am on it."]).await;
    let (mut caller, location) = call(&server, "").await;
    let id = location.rsplit('/').next().expect("an id").to_owned();
    type_in(&caller, "Order a taxi.");
    event(&mut caller, "antiphon.turn").await;
    hang_up(&server, &location).await;
    let kept = conversation(&server, &id, |json| json["status"] == "ended").await;
    let call = &kept["turns"][0]["tool_calls"][0];
    assert_eq!((&call["status"], &call["result"]), (&json!("incomplete"), &json!("Cancelled, since the call ended.")));
    server.stop().await;
}
