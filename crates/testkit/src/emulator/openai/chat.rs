//! `POST /chat/completions`: whole, or as a stream of chunks that ends with `[DONE]`.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use serde_json::{Value, json};

use super::chat_request::ChatRequest;
use super::{known, refuse, streamed};
use crate::emulator::answer::{Answer, End};
use crate::emulator::produce::{Outlet, produce};
use crate::emulator::refusal::Refusal;
use crate::emulator::script::{Call, Pace};
use crate::emulator::{Shared, pause};

/// How many letters of a call's arguments come in one chunk.
const ARGUMENT_LETTERS: usize = 6;

type Lines = Outlet<Result<Bytes, Infallible>>;

pub(super) async fn complete(
    State(shared): State<Arc<Shared>>,
    request: Result<Json<ChatRequest>, JsonRejection>,
) -> Response {
    let request = match request {
        Ok(Json(request)) => request,
        Err(rejection) => return refuse(&Refusal::invalid(rejection.body_text())),
    };
    let question = match known(&request.model).and_then(|()| request.question()) {
        Ok(question) => question,
        Err(refusal) => return refuse(&refusal),
    };
    let answer = Answer::to(&question, &shared);
    if request.stream {
        let stream = ChunkStream { wants_usage: request.wants_usage(), model: request.model, pace: shared.pace };
        let body = Body::from_stream(produce(move |out| stream.run(answer, out)));
        return streamed("text/event-stream; charset=utf-8", body);
    }
    pause(shared.pace.first_token + shared.pace.token * answer.tokens.len() as u32).await;
    Json(whole(&request.model, &answer)).into_response()
}

fn whole(model: &str, answer: &Answer) -> Value {
    let calls: Vec<Value> = answer
        .calls
        .iter()
        .enumerate()
        .map(|(index, call)| {
            let function = json!({"name": call.name, "arguments": call.arguments.to_string()});
            json!({"id": call_id(index), "type": "function", "function": function})
        })
        .collect();
    let mut message = json!({"role": "assistant", "content": answer.text(), "refusal": null, "annotations": []});
    if !calls.is_empty() {
        message["tool_calls"] = calls.into();
    }
    json!({
        "id": "chatcmpl-emulator", "object": "chat.completion", "created": 1_700_000_000, "model": model,
        "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": finish_reason(answer.end)}],
        "usage": usage(answer), "service_tier": "default", "system_fingerprint": null,
    })
}

fn call_id(index: usize) -> String {
    format!("call_emulator{index}")
}

fn finish_reason(end: End) -> &'static str {
    match end {
        End::Stop => "stop",
        End::Length => "length",
        End::Calls => "tool_calls",
        End::Blocked => "content_filter",
    }
}

fn usage(answer: &Answer) -> Value {
    let (prompt, completion) = (answer.prompt_tokens, answer.completion_tokens());
    json!({
        "prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    })
}

struct ChunkStream {
    model: String,
    wants_usage: bool,
    pace: Pace,
}

impl ChunkStream {
    async fn run(self, answer: Answer, out: Lines) {
        pause(self.pace.first_token).await;
        self.send_delta(&json!({"role": "assistant", "content": "", "refusal": null}), &out).await;
        for token in &answer.tokens {
            self.send_delta(&json!({"content": token}), &out).await;
            pause(self.pace.token).await;
        }
        for (index, call) in answer.calls.iter().enumerate() {
            self.send_call(index, call, &out).await;
        }
        self.send(self.chunk(&[choice(&json!({}), Some(finish_reason(answer.end)))]), &out).await;
        if self.wants_usage {
            let mut last = self.chunk(&[]);
            last["usage"] = usage(&answer);
            self.send(last, &out).await;
        }
        out.send(Ok(Bytes::from_static(b"data: [DONE]\n\n"))).await;
    }

    async fn send_call(&self, index: usize, call: &Call, out: &Lines) {
        let function = json!({"name": call.name, "arguments": ""});
        let head = json!({"index": index, "id": call_id(index), "type": "function", "function": function});
        self.send_delta(&json!({"tool_calls": [head]}), out).await;
        let arguments: Vec<char> = call.arguments.to_string().chars().collect();
        for letters in arguments.chunks(ARGUMENT_LETTERS) {
            let function = json!({"arguments": letters.iter().collect::<String>()});
            self.send_delta(&json!({"tool_calls": [{"index": index, "function": function}]}), out).await;
            pause(self.pace.token).await;
        }
    }

    async fn send_delta(&self, delta: &Value, out: &Lines) {
        self.send(self.chunk(&[choice(delta, None)]), out).await;
    }

    async fn send(&self, chunk: Value, out: &Lines) {
        out.send(Ok(Bytes::from(format!("data: {chunk}\n\n")))).await;
    }

    fn chunk(&self, choices: &[Value]) -> Value {
        let mut chunk = json!({
            "id": "chatcmpl-emulator", "object": "chat.completion.chunk", "created": 1_700_000_000,
            "model": self.model, "service_tier": "default", "system_fingerprint": null, "choices": choices,
        });
        if self.wants_usage {
            chunk["usage"] = Value::Null;
        }
        chunk
    }
}

fn choice(delta: &Value, finish_reason: Option<&str>) -> Value {
    json!({"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish_reason})
}
