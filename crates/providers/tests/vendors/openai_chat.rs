//! `/chat/completions`.

use std::sync::Arc;

use providers::llm::{Finish, LanguageModel, ToolCall, Usage};
use providers::openai::{Chat, ChatConfig};
use providers::remote::{Auth, Endpoint};
use providers::secret::Secret;
use serde_json::{Value, json};

use crate::llm::{KEY, Protocol, Setup, Vendor, listen, llm_suite, request, told};
use crate::server::{Answer, Server};

struct OpenAi;

llm_suite!(OpenAi);

fn event(value: &Value) -> String {
    format!("data: {value}\n\n")
}

fn choice(delta: &Value, finish: Option<&str>) -> String {
    event(
        &json!({"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}),
    )
}

fn model(setup: Setup<'_>, config: ChatConfig) -> Arc<Chat> {
    let key = Auth::Bearer(Secret::from(KEY.to_owned()));
    let mut endpoint = Endpoint::new(&format!("{}/v1", setup.url), &key, setup.deadlines).expect("an endpoint");
    if let Protocol::Http2 = setup.protocol {
        let client = reqwest::Client::builder().http2_prior_knowledge().no_proxy().build();
        endpoint = endpoint.over(client.expect("a client"));
    }
    Arc::new(Chat::new(endpoint, ChatConfig { model: "m".to_owned(), ..config }))
}

impl Vendor for OpenAi {
    fn model(setup: Setup<'_>) -> Arc<dyn LanguageModel> {
        model(setup, ChatConfig { blocked_answer: setup.blocked_answer.to_owned(), ..ChatConfig::default() })
    }

    fn words(words: &str) -> String {
        choice(&json!({"role": "assistant", "content": words}), None)
    }

    fn calls(calls: &[ToolCall]) -> String {
        let piece = |index: usize, id: Option<&str>, function: Value| {
            choice(&json!({"tool_calls": [{"index": index, "id": id, "type": "function", "function": function}]}), None)
        };
        let pieces = |(index, call): (usize, &ToolCall)| {
            let (first, rest) = call.arguments.split_at(3);
            piece(index, Some(&call.id), json!({"name": call.name, "arguments": ""}))
                + &piece(index, None, json!({"arguments": first}))
                + &piece(index, None, json!({"arguments": rest}))
        };
        calls.iter().enumerate().map(pieces).collect()
    }

    fn end(finish: Finish, usage: Usage) -> String {
        let reason = match finish {
            Finish::Stop => "stop",
            Finish::Length => "length",
            Finish::ToolCalls => "tool_calls",
        };
        let usage = json!({"choices": [], "usage": {
            "prompt_tokens": usage.prompt_tokens, "completion_tokens": usage.completion_tokens,
            "prompt_tokens_details": {"cached_tokens": usage.cached_tokens}}});
        choice(&json!({}), Some(reason)) + &event(&usage) + "data: [DONE]\n\n"
    }

    fn blocked() -> String {
        choice(&json!({}), Some("content_filter")) + "data: [DONE]\n\n"
    }

    fn trouble() -> String {
        event(&json!({"error": {"message": "The server had an error", "type": "server_error", "code": null}}))
    }

    fn refusal(status: u16) -> Value {
        let message = format!("no: {}", request().messages.len());
        json!({"error": {"message": message, "type": "invalid_request_error", "param": null, "code": status.to_string()}})
    }
}

#[tokio::test]
async fn the_request_is_posted_with_the_key() {
    let mut server = Server::start([Answer::events([OpenAi::end(Finish::Stop, Usage::default())])]).await;
    let setup = Setup::new(&server.url);
    listen(model(setup, ChatConfig::default()).reply(request())).await;
    let received = server.received().await;
    assert_eq!(received.uri.path(), "/v1/chat/completions");
    assert_eq!(received.header("authorization"), Some("Bearer open-sesame"));
    let body = received.json();
    assert_eq!(body["messages"][1], json!({"role": "user", "content": "my secret word"}));
    assert_eq!(body["tools"][0]["function"]["name"], "look");
}

/// Some servers send a call in one piece, without an id or an index, and end as if there were none.
#[tokio::test]
async fn whole_calls_without_ids_are_calls() {
    let function = json!({"name": "look", "arguments": "{\"at\":\"it\"}"});
    let bare = json!({"name": "look"});
    let calls = choice(&json!({"tool_calls": [{"function": function}, {"function": bare}]}), None);
    let told = told::<OpenAi>(Answer::events([calls, OpenAi::end(Finish::Stop, Usage::default())])).await;
    let of = |id: &str, arguments: &str| ToolCall {
        id: id.to_owned(),
        name: "look".to_owned(),
        arguments: arguments.to_owned(),
    };
    assert_eq!(told.calls, [of("call_2_0", "{\"at\":\"it\"}"), of("call_2_1", "{}")]);
    assert_eq!(told.done.map(|(finish, _)| finish), Some(Finish::ToolCalls));
}

/// Servers that count no tokens send nothing after the last word, or hang.
#[tokio::test]
async fn an_answer_without_a_count_is_complete() {
    let answer = Answer::events([OpenAi::words("Hi."), choice(&json!({}), Some("stop"))]);
    for answer in [answer.clone(), answer.then(crate::server::Step::Hang)] {
        let told = told::<OpenAi>(answer).await;
        assert_eq!((told.text.as_str(), told.done), ("Hi.", Some((Finish::Stop, Usage::default()))));
    }
}

/// Arguments that were cut off would be wrong ones.
#[tokio::test]
async fn a_call_that_was_cut_off_is_none() {
    let call = ToolCall { id: "a".to_owned(), name: "look".to_owned(), arguments: "{\"at\":".to_owned() };
    let answer = Answer::events([OpenAi::calls(&[call]), OpenAi::end(Finish::Length, Usage::default())]);
    let told = told::<OpenAi>(answer).await;
    assert_eq!(told.calls, []);
    assert_eq!(told.done.map(|(finish, _)| finish), Some(Finish::Length));
}
