//! An answer as the events of a Realtime session.

use serde_json::{Value, json};

use crate::emulator::answer::{Answer, End};
use crate::emulator::pause;
use crate::emulator::produce::{Outlet, produce};
use crate::emulator::script::{Call, Pace};
use crate::emulator::spoken::{Speaking, sound};

/// How the answer is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Audio,
    Text,
}

/// An answer that is to be given.
pub(super) struct Plan {
    pub(super) response_id: String,
    /// One for the words, then one for each call.
    pub(super) items: Vec<String>,
    pub(super) answer: Answer,
    pub(super) form: Form,
    pub(super) pace: Pace,
}

/// A response in this state.
pub(super) fn described(id: &str, status: &str, details: &Value) -> Value {
    json!({"id": id, "object": "realtime.response", "status": status, "status_details": details, "output": [],
        "output_modalities": ["audio"], "conversation_id": "conv_emulator", "metadata": null, "usage": null})
}

impl Plan {
    pub(super) fn speak(self) -> Speaking {
        Box::pin(produce(move |out| self.run(out)))
    }

    async fn run(self, out: Outlet<Value>) {
        out.send(
            json!({"type": "response.created", "response": described(&self.response_id, "in_progress", &Value::Null)}),
        )
        .await;
        pause(self.pace.first_token + self.pace.first_audio).await;
        let mut output = Vec::new();
        if !self.answer.tokens.is_empty() {
            output.push(self.say(&out).await);
        }
        for (index, call) in self.answer.calls.iter().enumerate() {
            output.push(self.call(index, output.len(), call, &out).await);
        }
        let (status, details) = match self.answer.end {
            End::Stop | End::Calls => ("completed", Value::Null),
            End::Length => ("incomplete", json!({"type": "incomplete", "reason": "max_output_tokens"})),
            End::Blocked => ("incomplete", json!({"type": "incomplete", "reason": "content_filter"})),
        };
        let mut response = described(&self.response_id, status, &details);
        response["output"] = output.into();
        response["usage"] = self.usage();
        out.send(json!({"type": "response.done", "response": response})).await;
    }

    /// The words; gives the finished item.
    async fn say(&self, out: &Outlet<Value>) -> Value {
        let (id, text) = (&self.items[0], self.answer.text());
        let (part, empty, words) = match self.form {
            Form::Audio => {
                (json!({"type": "output_audio", "transcript": text}), "transcript", "output_audio_transcript")
            }
            Form::Text => (json!({"type": "output_text", "text": text}), "text", "output_text"),
        };
        let item = |status: &str, content: Value| {
            json!({"id": id, "object": "realtime.item", "type": "message", "role": "assistant", "status": status,
                "content": content})
        };
        let mut begun = part.clone();
        begun[empty] = "".into();
        out.send(self.item_event("response.output_item.added", 0, &item("in_progress", json!([])))).await;
        out.send(self.part_event("response.content_part.added", json!({"part": begun}))).await;
        for token in &self.answer.tokens {
            out.send(self.part_event(&format!("response.{words}.delta"), json!({"delta": token}))).await;
            if let Some(sound) = sound(token).filter(|_| self.form == Form::Audio) {
                out.send(self.part_event("response.output_audio.delta", json!({"delta": sound}))).await;
                pause(self.pace.audio_piece).await;
            }
        }
        if self.form == Form::Audio {
            out.send(self.part_event("response.output_audio.done", json!({}))).await;
        }
        out.send(self.part_event(&format!("response.{words}.done"), json!({empty: text}))).await;
        out.send(self.part_event("response.content_part.done", json!({"part": part}))).await;
        let done = item("completed", json!([part]));
        out.send(self.item_event("response.output_item.done", 0, &done)).await;
        done
    }

    /// One call; gives the finished item.
    async fn call(&self, index: usize, output_index: usize, call: &Call, out: &Outlet<Value>) -> Value {
        let (id, call_id) = (&self.items[index + 1], format!("call_{}_{index}", self.response_id));
        let arguments = call.arguments.to_string();
        let item = |status: &str, arguments: &str| {
            json!({"id": id, "object": "realtime.item", "type": "function_call", "status": status, "name": call.name,
                "call_id": call_id, "arguments": arguments})
        };
        let event = |kind: &str, field: &str, value: &str| {
            json!({"type": kind, "response_id": self.response_id, "item_id": id, "output_index": output_index,
                "call_id": call_id, "name": call.name, field: value})
        };
        out.send(self.item_event("response.output_item.added", output_index, &item("in_progress", ""))).await;
        out.send(event("response.function_call_arguments.delta", "delta", &arguments)).await;
        out.send(event("response.function_call_arguments.done", "arguments", &arguments)).await;
        let done = item("completed", &arguments);
        out.send(self.item_event("response.output_item.done", output_index, &done)).await;
        done
    }

    fn item_event(&self, kind: &str, output_index: usize, item: &Value) -> Value {
        json!({"type": kind, "response_id": self.response_id, "output_index": output_index, "item": item})
    }

    /// An event about the words, with these fields more.
    fn part_event(&self, kind: &str, mut fields: Value) -> Value {
        fields["type"] = kind.into();
        fields["response_id"] = self.response_id.as_str().into();
        fields["item_id"] = self.items[0].as_str().into();
        fields["output_index"] = 0.into();
        fields["content_index"] = 0.into();
        fields
    }

    fn usage(&self) -> Value {
        let (input, output) = (self.answer.prompt_tokens, self.answer.completion_tokens());
        json!({"total_tokens": input + output, "input_tokens": input, "output_tokens": output,
            "input_token_details": {"text_tokens": 0, "audio_tokens": input, "cached_tokens": 0},
            "output_token_details": {"text_tokens": 0, "audio_tokens": output}})
    }
}
