//! The emulator as clients in Rust see it: what it answers, how it fails, and that it notices when they leave.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, its helpers too")]

mod departures;
mod faults;
mod speech;

use reqwest::{Client, Response};
use serde_json::{Value, json};
use testkit::emulator::{Emulator, Script};

async fn start() -> Emulator {
    Emulator::start(Script::default()).await.expect("it starts")
}

/// Asks for a chat completion as a stream.
async fn chat(client: &Client, emulator: &Emulator, words: &str) -> reqwest::Result<Response> {
    let messages = json!([{"role": "user", "content": words}]);
    let body = json!({"model": "gpt-4o-mini", "stream": true, "messages": messages});
    client.post(format!("{}/chat/completions", emulator.openai_url())).bearer_auth("key").json(&body).send().await
}

/// Asks Gemini for a stream.
async fn gemini(client: &Client, emulator: &Emulator, words: &str) -> reqwest::Result<Response> {
    let url = format!("{}/v1beta/models/gemini-3.5-flash-lite:streamGenerateContent?alt=sse", emulator.url());
    let body = json!({"contents": [{"role": "user", "parts": [{"text": words}]}]});
    client.post(url).header("x-goog-api-key", "key").json(&body).send().await
}

/// The JSON after each `data: `.
fn events(body: &str) -> Vec<Value> {
    let data = body.lines().filter_map(|line| line.strip_prefix("data: "));
    data.filter(|data| *data != "[DONE]").map(|data| serde_json::from_str(data).expect("JSON")).collect()
}

fn chat_text(body: &str) -> String {
    events(body).iter().filter_map(|event| event["choices"][0]["delta"]["content"].as_str()).collect()
}

fn gemini_text(body: &str) -> String {
    let parts = events(body).into_iter().map(|event| event["candidates"][0]["content"]["parts"][0]["text"].clone());
    parts.filter_map(|text| text.as_str().map(str::to_owned)).collect()
}

#[tokio::test]
async fn language_models_answer_by_rule() {
    let emulator = start().await;
    let client = Client::new();
    let body = chat(&client, &emulator, "hello there").await.unwrap().text().await.unwrap();
    assert_eq!(chat_text(&body), "You said: hello there");
    assert!(body.ends_with("data: [DONE]\n\n"), "{body}");
    let body = gemini(&client, &emulator, "hello there").await.unwrap().text().await.unwrap();
    assert_eq!(gemini_text(&body), "You said: hello there");
    let log = emulator.when(|log| log.len() == 2 && log.iter().all(|record| record.ended.is_some())).await;
    assert_eq!(log[0].authorization.as_deref(), Some("Bearer key"));
    assert_eq!(log[1].authorization.as_deref(), Some("key"));
    assert_eq!(log[1].request["contents"][0]["parts"][0]["text"], "hello there");
}

#[tokio::test]
async fn wrong_keys_are_refused_in_each_vendors_words() {
    let script = Script { keys: vec!["right".to_owned()], ..Script::default() };
    let emulator = Emulator::start(script).await.expect("it starts");
    let client = Client::new();
    let refused = chat(&client, &emulator, "hi").await.unwrap();
    assert_eq!(refused.status(), 401);
    let body: Value = refused.json().await.unwrap();
    assert_eq!(body["error"]["code"], "invalid_api_key");
    let refused = gemini(&client, &emulator, "hi").await.unwrap();
    assert_eq!(refused.status(), 400);
    let body: Value = refused.json().await.unwrap();
    assert_eq!(body["error"]["status"], "INVALID_ARGUMENT");
}
