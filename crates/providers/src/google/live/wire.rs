//! What is sent: the messages of `BidiGenerateContent`.

use serde_json::{Map, Value, json};

use super::Place;
use crate::google::LiveConfig;
use crate::live::{LiveRequest, SAMPLE_RATE_HZ, ToolResult};
use crate::llm::{Message, ToolSpec};
use crate::remote::{bytes, encode, merge};

/// The first message, of a conversation whose turns we find ourselves.
pub(super) fn setup(place: &Place, config: &LiveConfig, request: &LiveRequest) -> Value {
    let voice = request.voice.as_ref().unwrap_or(&config.voice);
    let mut speech = json!({"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": voice}}});
    if let Some(language) = &request.language {
        speech["languageCode"] = json!(language);
    }
    let resumption = request.resume.as_ref().map_or_else(|| json!({}), |handle| json!({"handle": handle}));
    let declarations: Vec<Value> = request.tools.iter().map(|spec| tool(spec, place.is_vertex)).collect();
    let mut setup = Map::from_iter([
        ("model".to_owned(), json!(place.model)),
        ("generationConfig".to_owned(), json!({"responseModalities": ["AUDIO"], "speechConfig": speech})),
        ("systemInstruction".to_owned(), json!({"parts": [{"text": request.instructions}]})),
        ("realtimeInputConfig".to_owned(), json!({"automaticActivityDetection": {"disabled": true}})),
        ("outputAudioTranscription".to_owned(), json!({})),
        ("sessionResumption".to_owned(), resumption),
        // Without it a conversation ends after a quarter of an hour.
        ("contextWindowCompression".to_owned(), json!({"slidingWindow": {}})),
    ]);
    if !declarations.is_empty() {
        setup.insert("tools".to_owned(), json!([{"functionDeclarations": declarations}]));
    }
    if has_history(request) {
        setup.insert("historyConfig".to_owned(), json!({"initialHistoryInClientContent": true}));
    }
    merge(&mut setup, &config.extra);
    json!({"setup": setup})
}

/// Whether the model is told what was said before.
pub(super) fn has_history(request: &LiveRequest) -> bool {
    request.resume.is_none() && !request.history.is_empty()
}

/// What was said before. It ends with a complete turn, and asks for no answer.
pub(super) fn history(messages: &[Message]) -> Value {
    json!({"clientContent": {"turns": turns(messages), "turnComplete": true}})
}

/// Something that is remembered without an answer.
pub(super) fn remember(messages: &[Message]) -> Value {
    json!({"clientContent": {"turns": turns(messages), "turnComplete": false}})
}

/// Asks for an answer to all that was remembered.
pub(super) fn answer() -> Value {
    json!({"clientContent": {"turnComplete": true}})
}

pub(super) fn activity_start() -> Value {
    json!({"realtimeInput": {"activityStart": {}}})
}

pub(super) fn activity_end() -> Value {
    json!({"realtimeInput": {"activityEnd": {}}})
}

pub(super) fn audio(samples: &[f32]) -> Value {
    let kind = format!("audio/pcm;rate={SAMPLE_RATE_HZ}");
    json!({"realtimeInput": {"audio": {"data": encode(&bytes(samples)), "mimeType": kind}}})
}

pub(super) fn tool_results(results: &[ToolResult]) -> Value {
    let response =
        |result: &ToolResult| json!({"id": result.call_id, "name": result.name, "response": {"output": result.output}});
    json!({"toolResponse": {"functionResponses": results.iter().map(response).collect::<Vec<_>>()}})
}

fn tool(spec: &ToolSpec, is_vertex: bool) -> Value {
    let mut declaration =
        json!({"name": spec.name, "description": spec.description, "parametersJsonSchema": spec.parameters});
    if !is_vertex {
        // Our engine waits for what it must wait for; newer models would go on talking.
        declaration["behavior"] = json!("BLOCKING");
    }
    declaration
}

/// Calls of tools become words: a conversation is not begun in the middle of one.
fn turns(messages: &[Message]) -> Vec<Value> {
    let turn = |role: &str, text: &str| json!({"role": role, "parts": [{"text": text}]});
    let written = |message: &Message| match message {
        Message::System(text) | Message::User(text) => Some(turn("user", text)),
        Message::Assistant { text, .. } if text.is_empty() => None,
        Message::Assistant { text, .. } => Some(turn("model", text)),
        Message::ToolResult { name, output, .. } => {
            Some(turn("user", &format!("[The tool {name} returned: {output}]")))
        }
    };
    messages.iter().filter_map(written).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Place, setup};
    use crate::google::LiveConfig;
    use crate::live::LiveRequest;
    use crate::llm::{Message, ToolSpec};

    fn made(request: &LiveRequest) -> Value {
        let address = reqwest::Url::parse("https://x.example/ws").expect("an address");
        let place = Place { address, model: "models/m".to_owned(), is_vertex: false };
        setup(&place, &LiveConfig::default(), request)["setup"].clone()
    }

    #[test]
    fn the_vendor_does_not_find_turns() {
        let tool = ToolSpec { name: "look".to_owned(), description: "Looks.".to_owned(), parameters: json!({}) };
        let request = LiveRequest { tools: vec![tool], language: Some("de-DE".to_owned()), ..LiveRequest::default() };
        let setup = made(&request);
        assert_eq!(setup["realtimeInputConfig"]["automaticActivityDetection"]["disabled"], true);
        assert_eq!(setup["generationConfig"]["speechConfig"]["languageCode"], "de-DE");
        assert_eq!(setup["tools"][0]["functionDeclarations"][0]["behavior"], "BLOCKING");
        assert_eq!(setup.get("historyConfig"), None);
    }

    #[test]
    fn what_was_said_before_is_told_unless_the_vendor_knows_it() {
        let history = vec![Message::User("Hello".to_owned())];
        let request = LiveRequest { history, ..LiveRequest::default() };
        assert_eq!(made(&request)["historyConfig"]["initialHistoryInClientContent"], true);
        let resumed = made(&LiveRequest { resume: Some("h".to_owned()), ..request });
        assert_eq!((resumed.get("historyConfig"), &resumed["sessionResumption"]["handle"]), (None, &json!("h")));
    }
}
