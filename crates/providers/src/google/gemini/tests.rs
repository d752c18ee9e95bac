//! Requests as Google documents them.

use serde_json::{Value, json};

use super::{Gemini, vertex_base};
use crate::google::{GeminiConfig, ThinkingLevel};
use crate::llm::{LlmRequest, Message, ToolCall, ToolSpec};
use crate::remote::{Auth, Deadlines, Endpoint};

fn body(config: GeminiConfig, messages: Vec<Message>, tools: Vec<ToolSpec>) -> Value {
    let endpoint = Endpoint::new("http://localhost/v1beta", &Auth::None, Deadlines::default());
    let gemini = Gemini::new(endpoint.expect("an address"), config);
    let conversation = "1".to_owned();
    Value::Object(gemini.body(&LlmRequest { conversation, messages, tools, max_tokens: 160, temperature: 0.7 }))
}

#[test]
fn a_request_is_what_the_vendor_documents() {
    let call = |id: &str| ToolCall { id: id.to_owned(), name: "look".to_owned(), arguments: "{\"at\":1}".to_owned() };
    let tool = ToolSpec { name: "look".to_owned(), description: "Looks.".to_owned(), parameters: json!({"a": 1}) };
    let messages = vec![
        Message::System("Be kind.".to_owned()),
        Message::System("Before: names.".to_owned()),
        Message::Assistant { text: "Hello.".to_owned(), calls: Vec::new() },
        Message::User("Look!".to_owned()),
        Message::Assistant { text: "Yes.".to_owned(), calls: vec![call("a")] },
        Message::ToolResult { call_id: "a".to_owned(), name: "look".to_owned(), output: "a cat".to_owned() },
        Message::Assistant { text: String::new(), calls: Vec::new() },
        Message::User("Well?".to_owned()),
    ];
    let config = GeminiConfig { thinking_level: Some(ThinkingLevel::Low), ..GeminiConfig::default() };
    assert_eq!(
        body(config, messages, vec![tool]),
        json!({"systemInstruction": {"parts": [{"text": "Be kind."}, {"text": "Before: names."}]},
               "contents": [
                   {"role": "user", "parts": [{"text": "."}]},
                   {"role": "model", "parts": [{"text": "Hello."}]},
                   {"role": "user", "parts": [{"text": "Look!"}]},
                   {"role": "model", "parts": [
                       {"text": "Yes."},
                       {"functionCall": {"name": "look", "args": {"at": 1}},
                        "thoughtSignature": "skip_thought_signature_validator"}]},
                   {"role": "user", "parts": [
                       {"functionResponse": {"name": "look", "response": {"output": "a cat"}}},
                       {"text": "Well?"}]}],
               "tools": [{"functionDeclarations": [
                   {"name": "look", "description": "Looks.", "parametersJsonSchema": {"a": 1}}]}],
               "generationConfig": {"maxOutputTokens": 160 + 1024, "thinkingConfig": {"thinkingLevel": "LOW"}}})
    );
}

#[test]
fn extra_settings_are_joined_with_ours() {
    let extra = json!({"safetySettings": [], "generationConfig": {"topK": 1}});
    let extra = extra.as_object().expect("an object").clone();
    let config = GeminiConfig { send_temperature: true, thinking_tokens: 0, extra, ..GeminiConfig::default() };
    let body = body(config, vec![Message::User("Hello.".to_owned())], Vec::new());
    assert_eq!(body["generationConfig"], json!({"maxOutputTokens": 160, "temperature": 0.7, "topK": 1}));
    assert_eq!(body["safetySettings"], json!([]));
    assert_eq!(body["contents"], json!([{"role": "user", "parts": [{"text": "Hello."}]}]));
}

#[test]
fn older_models_are_spared_signatures() {
    let call = ToolCall { id: "a".to_owned(), name: "look".to_owned(), arguments: "no JSON".to_owned() };
    let config = GeminiConfig { model: "gemini-2.5-flash".to_owned(), ..GeminiConfig::default() };
    let messages = vec![Message::Assistant { text: String::new(), calls: vec![call] }];
    let body = body(config, messages, Vec::new());
    assert_eq!(body["contents"][1]["parts"], json!([{"functionCall": {"name": "look", "args": {}}}]));
    assert_eq!(body["contents"][2]["role"], "user");
}

#[test]
fn every_location_has_its_address() {
    let host = |location| vertex_base("p", location).split('/').nth(2).unwrap_or_default().to_owned();
    assert_eq!(host("global"), "aiplatform.googleapis.com");
    assert_eq!(host("eu"), "aiplatform.eu.rep.googleapis.com");
    assert_eq!(host("us-central1"), "us-central1-aiplatform.googleapis.com");
}
