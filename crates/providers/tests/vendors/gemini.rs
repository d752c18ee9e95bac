//! `streamGenerateContent`.

use std::sync::Arc;

use providers::google::{Gemini, GeminiConfig};
use providers::llm::{Finish, LanguageModel, LlmEvent, Message, ToolCall, Usage};
use providers::remote::{Auth, Endpoint};
use providers::secret::Secret;
use serde_json::{Value, json};

use crate::llm::{KEY, Protocol, Setup, Vendor, listen, llm_suite, request, told};
use crate::server::{Answer, Server};

struct Google;

llm_suite!(Google);

/// As Google ends its lines.
fn event(value: &Value) -> String {
    format!("data: {value}\r\n\r\n")
}

fn parts(parts: &Value) -> String {
    event(&json!({"candidates": [{"content": {"role": "model", "parts": parts}}], "modelVersion": "m"}))
}

fn ended(reason: &str) -> String {
    let usage = json!({"promptTokenCount": 1, "totalTokenCount": 1});
    event(&json!({"candidates": [{"finishReason": reason}], "usageMetadata": usage}))
}

fn model(setup: Setup<'_>) -> Gemini {
    let key = Auth::Header { name: "x-goog-api-key", key: Secret::from(KEY.to_owned()) };
    let mut endpoint = Endpoint::new(&format!("{}/v1beta", setup.url), &key, setup.deadlines).expect("an endpoint");
    if let Protocol::Http2 = setup.protocol {
        let client = reqwest::Client::builder().http2_prior_knowledge().no_proxy().build();
        endpoint = endpoint.over(client.expect("a client"));
    }
    let blocked_answer = setup.blocked_answer.to_owned();
    Gemini::new(endpoint, GeminiConfig { model: "gemini-x".to_owned(), blocked_answer, ..GeminiConfig::default() })
}

impl Vendor for Google {
    fn model(setup: Setup<'_>) -> Arc<dyn LanguageModel> {
        Arc::new(model(setup))
    }

    fn words(words: &str) -> String {
        parts(&json!([{"text": words}]))
    }

    fn calls(calls: &[ToolCall]) -> String {
        let arguments = |call: &ToolCall| serde_json::from_str::<Value>(&call.arguments).expect("JSON");
        let part =
            |call: &ToolCall| json!({"functionCall": {"id": call.id, "name": call.name, "args": arguments(call)}});
        parts(&calls.iter().map(part).collect())
    }

    fn end(finish: Finish, usage: Usage) -> String {
        let reason = match finish {
            Finish::Stop | Finish::ToolCalls => "STOP",
            Finish::Length => "MAX_TOKENS",
        };
        let usage = json!({
            "promptTokenCount": usage.prompt_tokens, "cachedContentTokenCount": usage.cached_tokens,
            "candidatesTokenCount": usage.completion_tokens - usage.completion_tokens / 2,
            "thoughtsTokenCount": usage.completion_tokens / 2});
        event(&json!({"candidates": [{"content": {"parts": [{"text": ""}]}, "finishReason": reason}],
                      "usageMetadata": usage}))
    }

    fn blocked() -> String {
        ended("SAFETY")
    }

    /// In mid-stream Google's errors are no events.
    fn trouble() -> String {
        let error = json!({"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}});
        serde_json::to_string_pretty(&error).expect("JSON").replace('\n', "\r\n") + "\r\n"
    }

    fn refusal(status: u16) -> Value {
        json!([{"error": {"code": status, "message": "no", "status": "SOME_STATUS"}}])
    }
}

#[tokio::test]
async fn the_request_is_posted_with_the_key_in_a_header() {
    let mut server = Server::start([Answer::events([Google::end(Finish::Stop, Usage::default())])]).await;
    listen(model(Setup::new(&server.url)).reply(request())).await;
    let received = server.received().await;
    assert_eq!(received.uri, "/v1beta/models/gemini-x:streamGenerateContent?alt=sse");
    assert_eq!(received.header("x-goog-api-key"), Some(KEY));
    assert_eq!(received.json()["contents"], json!([{"role": "user", "parts": [{"text": "my secret word"}]}]));
}

#[tokio::test]
async fn thoughts_are_not_told() {
    let thought = parts(&json!([{"text": "The caller wants…", "thought": true}, {"text": "Sure."}]));
    let told = told::<Google>(Answer::events([thought, Google::end(Finish::Stop, Usage::default())])).await;
    assert_eq!(told.text, "Sure.");
}

#[tokio::test]
async fn a_refused_question_is_a_block() {
    let refused = event(&json!({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}));
    let told = told::<Google>(Answer::events([refused])).await;
    assert!(told.text.contains("something else"), "{told:?}");
    assert_eq!(told.done.map(|(finish, _)| finish), Some(Finish::Stop));
}

#[tokio::test]
async fn a_model_that_gives_up_has_failed() {
    let told = told::<Google>(Answer::events([ended("MALFORMED_FUNCTION_CALL")])).await;
    let failure = told.failure.expect("it failed");
    assert!(failure.message.contains("MALFORMED_FUNCTION_CALL"), "{failure}");
}

/// Google refuses the next request unless what came with a call goes back with it, to the letter.
#[tokio::test]
async fn signatures_and_ids_go_back_with_their_calls() {
    let calls = parts(&json!([
        {"functionCall": {"id": "fc-1", "name": "look", "args": {"at": "it"}}, "thoughtSignature": "c2lnbmVk"},
        {"functionCall": {"name": "look", "args": {}}}]));
    let end = || Google::end(Finish::Stop, Usage::default());
    let answers = [Answer::events([calls, end()]), Answer::events([end()]), Answer::events([end()])];
    let mut server = Server::start(answers).await;
    let model = model(Setup::new(&server.url));

    let told = listen(model.reply(request())).await;
    assert_eq!(told.calls.iter().map(|call| call.id.as_str()).collect::<Vec<_>>(), ["fc-1", "call_2_1"]);
    let mut next = request();
    let result = |call: &ToolCall| Message::ToolResult {
        call_id: call.id.clone(),
        name: call.name.clone(),
        output: "a cat".to_owned(),
    };
    let results: Vec<Message> = told.calls.iter().map(result).collect();
    next.messages.push(Message::Assistant { text: String::new(), calls: told.calls });
    next.messages.extend(results);

    listen(model.reply(next.clone())).await;
    model.release(&next.conversation);
    listen(model.reply(next)).await;
    server.received().await;
    let contents = server.received().await.json()["contents"].clone();
    assert_eq!(
        contents[1]["parts"],
        json!([
        {"functionCall": {"id": "fc-1", "name": "look", "args": {"at": "it"}}, "thoughtSignature": "c2lnbmVk"},
        {"functionCall": {"name": "look", "args": {}}, "thoughtSignature": "skip_thought_signature_validator"}])
    );
    let answer = json!({"output": "a cat"});
    assert_eq!(
        contents[2]["parts"],
        json!([
        {"functionResponse": {"id": "fc-1", "name": "look", "response": answer}},
        {"functionResponse": {"name": "look", "response": answer}}])
    );

    let forgotten = server.received().await.json()["contents"][1]["parts"][0].clone();
    assert_eq!(forgotten["thoughtSignature"], "skip_thought_signature_validator");
}

/// What was asked before the model was dropped ends with it.
#[tokio::test]
async fn answers_end_with_their_model() {
    let hang = Answer::events([Google::words("Once upon")]).then(crate::server::Step::Hang);
    let mut server = Server::start([hang]).await;
    let model = model(Setup::new(&server.url));
    let mut events = model.reply(request());
    assert!(matches!(events.recv().await, Some(LlmEvent::Text(_))));
    drop(model);
    server.hung_up_on().await;
    assert!(events.recv().await.is_none());
}
