//! `POST …/models/NAME:generateContent` and `:streamGenerateContent`, as events (`alt=sse`) or as one JSON array.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use serde_json::{Value, json};

use super::request::question;
use super::{known, refuse};
use crate::emulator::answer::{Answer, End};
use crate::emulator::produce::produce;
use crate::emulator::refusal::{Code, Refusal};
use crate::emulator::script::{Call, Pace};
use crate::emulator::{Shared, pause};

pub(super) async fn generate(
    State(shared): State<Arc<Shared>>,
    Path(path): Path<HashMap<String, String>>,
    Query(query): Query<HashMap<String, String>>,
    body: Result<Json<Value>, JsonRejection>,
) -> Response {
    let (model, method) = path.get("call").and_then(|call| call.split_once(':')).unwrap_or_default();
    let asked = match body {
        Ok(Json(body)) => known(model, method).and_then(|()| question(model, &body)),
        Err(rejection) => Err(Refusal::invalid(format!("Invalid JSON payload received. {rejection}"))),
    };
    let answer = match asked {
        Ok(question) => Answer::to(&question, &shared),
        Err(refusal) => return refuse(&refusal),
    };
    let chunks = Chunks { model: model.to_owned(), answer, pace: shared.pace };
    match (method, query.get("alt").map(String::as_str)) {
        ("streamGenerateContent", Some("sse")) => chunks.stream(Form::Events),
        ("streamGenerateContent", _) => chunks.stream(Form::Array),
        ("generateContent", _) => {
            pause(shared.pace.first_token + shared.pace.token * chunks.answer.tokens.len() as u32).await;
            Json(chunks.whole()).into_response()
        }
        _ => refuse(&Refusal::new(Code::NotFound, "The method is not found.")),
    }
}

/// How the chunks of a stream are joined.
#[derive(Debug, Clone, Copy)]
enum Form {
    Events,
    Array,
}

/// An answer as chunks, each a whole response.
struct Chunks {
    model: String,
    answer: Answer,
    pace: Pace,
}

impl Chunks {
    fn stream(self, form: Form) -> Response {
        let kind = match form {
            Form::Events => "text/event-stream",
            Form::Array => "application/json; charset=UTF-8",
        };
        let lines = produce(move |out| async move {
            pause(self.pace.first_token).await;
            let chunks = self.all();
            for (index, chunk) in chunks.iter().enumerate() {
                out.send(Ok::<_, Infallible>(framed(chunk, form, index, chunks.len()))).await;
                pause(self.pace.token).await;
            }
        });
        ([(CONTENT_TYPE, kind)], Body::from_stream(lines)).into_response()
    }

    fn all(&self) -> Vec<Value> {
        if self.answer.end == End::Blocked {
            return vec![self.blocked()];
        }
        let words = self.answer.tokens.iter().map(|token| json!({"text": token}));
        let calls = self.answer.calls.iter().enumerate().map(|(index, call)| call_part(index, call));
        let mut parts: Vec<Value> = words.chain(calls).collect();
        if !self.answer.calls.is_empty() || parts.is_empty() {
            // A call is not the last chunk: an empty text with the finish reason follows.
            parts.push(json!({"text": ""}));
        }
        let last = parts.len() - 1;
        let chunk = |(index, part): (usize, Value)| match index {
            index if index == last => self.last_chunk(&[part]),
            index => self.chunk(&[part], index + 1),
        };
        parts.into_iter().enumerate().map(chunk).collect()
    }

    fn whole(&self) -> Value {
        if self.answer.end == End::Blocked {
            return self.blocked();
        }
        let text = self.answer.text();
        let words = (!text.is_empty()).then(|| json!({"text": text}));
        let calls = self.answer.calls.iter().enumerate().map(|(index, call)| call_part(index, call));
        let parts: Vec<Value> = words.into_iter().chain(calls).collect();
        self.last_chunk(&parts)
    }

    fn last_chunk(&self, parts: &[Value]) -> Value {
        let mut chunk = self.chunk(parts, self.answer.completion_tokens());
        chunk["candidates"][0]["finishReason"] = match self.answer.end {
            End::Length => "MAX_TOKENS",
            End::Stop | End::Calls | End::Blocked => "STOP",
        }
        .into();
        chunk
    }

    fn chunk(&self, parts: &[Value], tokens: usize) -> Value {
        let prompt = self.answer.prompt_tokens;
        json!({
            "candidates": [{"content": {"role": "model", "parts": parts}, "index": 0}],
            "modelVersion": self.model, "responseId": "emulator",
            "usageMetadata": {"promptTokenCount": prompt, "candidatesTokenCount": tokens,
                "totalTokenCount": prompt + tokens,
                "promptTokensDetails": [{"modality": "TEXT", "tokenCount": prompt}]},
        })
    }

    /// A block is no error: it comes with status 200, and without a candidate.
    fn blocked(&self) -> Value {
        let prompt = self.answer.prompt_tokens;
        json!({
            "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "modelVersion": self.model,
            "responseId": "emulator", "usageMetadata": {"promptTokenCount": prompt, "totalTokenCount": prompt},
        })
    }
}

fn call_part(index: usize, call: &Call) -> Value {
    let function = json!({"id": format!("fc-{index}"), "name": call.name, "args": call.arguments});
    let mut part = json!({"functionCall": function});
    // Of calls made at once only the first is signed.
    if index == 0 {
        part["thoughtSignature"] = "ZW11bGF0ZWQ=".into();
    }
    part
}

fn framed(chunk: &Value, form: Form, index: usize, count: usize) -> Bytes {
    match form {
        Form::Events => format!("data: {chunk}\r\n\r\n").into(),
        Form::Array => {
            let before = if index == 0 { "[" } else { ",\r\n" };
            let after = if index + 1 == count { "]" } else { "" };
            format!("{before}{chunk}{after}").into()
        }
    }
}
