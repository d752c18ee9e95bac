//! What is sent: the GA events of the Realtime API.

use serde_json::{Map, Value, json};

use super::RATE_HZ;
use crate::live::{LiveRequest, ToolResult};
use crate::llm::{Message, ToolCall, ToolSpec};
use crate::openai::RealtimeConfig;
use crate::remote::{bytes, encode, merge};

/// Our event ids begin so where an error about them changes nothing.
pub(super) const HARMLESS: &str = "harmless";

/// The settings of a conversation whose turns we find ourselves.
pub(super) fn session(config: &RealtimeConfig, request: &LiveRequest) -> Value {
    let format = json!({"type": "audio/pcm", "rate": RATE_HZ});
    let voice = request.voice.as_ref().unwrap_or(&config.voice);
    let mut session = Map::from_iter([
        ("type".to_owned(), json!("realtime")),
        ("output_modalities".to_owned(), json!(["audio"])),
        ("instructions".to_owned(), json!(request.instructions)),
        ("tools".to_owned(), request.tools.iter().map(tool).collect()),
        ("tool_choice".to_owned(), json!("auto")),
        (
            "audio".to_owned(),
            json!({"input": {"format": format, "turn_detection": null},
                   "output": {"format": format, "voice": voice}}),
        ),
    ]);
    merge(&mut session, &config.extra);
    json!({"type": "session.update", "session": session})
}

fn tool(tool: &ToolSpec) -> Value {
    json!({"type": "function", "name": tool.name, "description": tool.description, "parameters": tool.parameters})
}

pub(super) fn append(samples: &[f32]) -> Value {
    json!({"type": "input_audio_buffer.append", "audio": encode(&bytes(samples))})
}

pub(super) fn commit() -> Value {
    json!({"type": "input_audio_buffer.commit"})
}

pub(super) fn clear() -> Value {
    json!({"type": "input_audio_buffer.clear"})
}

pub(super) fn create_response() -> Value {
    json!({"type": "response.create"})
}

pub(super) fn cancel_response() -> Value {
    json!({"type": "response.cancel", "event_id": HARMLESS})
}

pub(super) fn truncate(item_id: &str, content_index: u64, ms: u32) -> Value {
    json!({"type": "conversation.item.truncate", "event_id": HARMLESS, "item_id": item_id,
        "content_index": content_index, "audio_end_ms": ms})
}

pub(super) fn delete(item_id: &str) -> Value {
    json!({"type": "conversation.item.delete", "event_id": HARMLESS, "item_id": item_id})
}

/// What is remembered, as items of the conversation.
pub(super) fn remember(message: &Message) -> Vec<Value> {
    match message {
        Message::System(text) => vec![item(&says("system", "input_text", text))],
        Message::User(text) => vec![item(&says("user", "input_text", text))],
        Message::Assistant { text, calls } => {
            let words = (!text.is_empty()).then(|| says("assistant", "output_text", text));
            words.into_iter().chain(calls.iter().map(called)).map(|described| item(&described)).collect()
        }
        Message::ToolResult { call_id, output, .. } => vec![item(&returned(call_id, output))],
    }
}

pub(super) fn result(result: &ToolResult) -> Value {
    item(&returned(&result.call_id, &result.output))
}

fn says(role: &str, kind: &str, text: &str) -> Value {
    json!({"type": "message", "role": role, "content": [{"type": kind, "text": text}]})
}

fn called(call: &ToolCall) -> Value {
    json!({"type": "function_call", "call_id": call.id, "name": call.name, "arguments": call.arguments})
}

fn returned(call_id: &str, output: &str) -> Value {
    json!({"type": "function_call_output", "call_id": call_id, "output": output})
}

fn item(item: &Value) -> Value {
    json!({"type": "conversation.item.create", "item": item})
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{remember, session};
    use crate::live::LiveRequest;
    use crate::llm::{Message, ToolCall};
    use crate::openai::RealtimeConfig;

    #[test]
    fn the_vendor_does_not_find_turns() {
        let request = LiveRequest { instructions: "Be kind.".to_owned(), ..LiveRequest::default() };
        let extra = json!({"max_output_tokens": 300}).as_object().expect("an object").clone();
        let update = session(&RealtimeConfig { extra, ..RealtimeConfig::default() }, &request);
        let session = &update["session"];
        assert_eq!(session["audio"]["input"]["turn_detection"], json!(null));
        assert_eq!((&session["instructions"], &session["max_output_tokens"]), (&json!("Be kind."), &json!(300)));
        assert_eq!(session["audio"]["output"]["voice"], "marin");
    }

    #[test]
    fn what_was_said_before_becomes_items() {
        let call = ToolCall { id: "c".to_owned(), name: "look".to_owned(), arguments: "{}".to_owned() };
        let items = remember(&Message::Assistant { text: "Let me look.".to_owned(), calls: vec![call] });
        assert_eq!(items[0]["item"]["content"][0], json!({"type": "output_text", "text": "Let me look."}));
        assert_eq!(items[1]["item"]["call_id"], "c");
        assert_eq!(remember(&Message::Assistant { text: String::new(), calls: Vec::new() }), [json!(null); 0]);
    }
}
