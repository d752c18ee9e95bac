//! A client's text in, what it asks for out.

use serde::Deserialize;
use serde_json::Value;

/// The largest client event. A page of typed text fits many times over.
const MAX_EVENT_BYTES: usize = 64 * 1024;
/// The most typed text for one turn, in bytes: as much as a person says in ten minutes.
const MAX_TYPED_BYTES: usize = 8 * 1024;

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Be silent now.
    StopSpeaking,
    /// Answer these typed words.
    Answer(String),
    /// The caller's turn is over now.
    Commit,
    /// The caller pressed a key.
    Digit(char),
    /// Show the session as it is. Sessions are fixed when the call is opened.
    ShowSession,
    /// Nothing to be done now.
    Nothing,
}

/// A client event that cannot be served. The call goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClientError {
    /// For programs.
    pub code: &'static str,
    /// For people.
    pub message: String,
    /// The field that is wrong.
    pub param: Option<String>,
    /// The event's own id.
    pub event_id: Option<String>,
}

/// Reads client events; keeps typed words until they are to be answered.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    typed: String,
}

#[derive(Deserialize)]
struct ItemCreate {
    item: Item,
}

#[derive(Deserialize)]
struct Item {
    #[serde(rename = "type")]
    kind: String,
    role: Option<String>,
    #[serde(default)]
    content: Vec<Content>,
}

#[derive(Deserialize)]
struct Content {
    #[serde(rename = "type")]
    kind: String,
    text: Option<String>,
}

impl Decoder {
    /// Reads one event.
    ///
    /// # Errors
    /// When it is no event, one that is not served here, or lacks a field.
    pub(crate) fn decode(&mut self, text: &str) -> Result<Wish, ClientError> {
        if text.len() > MAX_EVENT_BYTES {
            return Err(error("event_too_large", format!("events may have at most {MAX_EVENT_BYTES} bytes")));
        }
        let event: Value = serde_json::from_str(text)
            .map_err(|cause| error("invalid_json", format!("the event is not JSON: {cause}")))?;
        let event_id = event.get("event_id").and_then(Value::as_str).map(str::to_owned);
        self.wish(event).map_err(|cause| ClientError { event_id, ..cause })
    }

    fn wish(&mut self, event: Value) -> Result<Wish, ClientError> {
        let Some(kind) = event.get("type").and_then(Value::as_str) else {
            return Err(wrong_field("type", "the event has no type".to_owned()));
        };
        match kind {
            "output_audio_buffer.clear" | "response.cancel" => Ok(Wish::StopSpeaking),
            "input_audio_buffer.commit" => Ok(Wish::Commit),
            "antiphon.dtmf" => digit(&event),
            "session.update" => Ok(Wish::ShowSession),
            // Audio is understood as it comes in, so there is nothing to be cleared.
            "input_audio_buffer.clear" => Ok(Wish::Nothing),
            "conversation.item.create" => self.add_item(event),
            "response.create" => self.answer(),
            unknown => {
                let shown: String = unknown.chars().take(80).collect();
                Err(ClientError {
                    param: Some("type".to_owned()),
                    ..error("unknown_event", format!("events of type \"{shown}\" are not served here"))
                })
            }
        }
    }

    fn add_item(&mut self, event: Value) -> Result<Wish, ClientError> {
        let ItemCreate { item } = serde_json::from_value(event)
            .map_err(|cause| wrong_field("item", format!("the item cannot be read: {cause}")))?;
        if item.kind != "message" || item.role.as_deref() != Some("user") {
            return Err(wrong_field("item", "only messages of role \"user\" are served here".to_owned()));
        }
        for content in item.content {
            let ("input_text", Some(text)) = (content.kind.as_str(), content.text) else {
                return Err(wrong_field(
                    "item.content",
                    "only content of type \"input_text\" is served here".to_owned(),
                ));
            };
            self.add_text(text.trim())?;
        }
        Ok(Wish::Nothing)
    }

    fn add_text(&mut self, text: &str) -> Result<(), ClientError> {
        if self.typed.len() + text.len() > MAX_TYPED_BYTES {
            return Err(wrong_field(
                "item.content",
                format!("a turn may have at most {MAX_TYPED_BYTES} bytes of text"),
            ));
        }
        if !self.typed.is_empty() && !text.is_empty() {
            self.typed.push('\n');
        }
        self.typed.push_str(text);
        Ok(())
    }

    fn answer(&mut self) -> Result<Wish, ClientError> {
        if self.typed.is_empty() {
            let message = "there is nothing to answer: speech is answered by itself, and typed text needs \
                           conversation.item.create first";
            return Err(error("nothing_to_answer", message.to_owned()));
        }
        Ok(Wish::Answer(std::mem::take(&mut self.typed)))
    }
}

fn digit(event: &Value) -> Result<Wish, ClientError> {
    let key = event.get("digit").and_then(Value::as_str).unwrap_or_default().to_ascii_uppercase();
    match key.chars().next() {
        Some(digit @ ('0'..='9' | '*' | '#' | 'A'..='D')) if key.len() == 1 => Ok(Wish::Digit(digit)),
        Some(_) | None => Err(wrong_field("digit", "digit must be one of 0 to 9, *, #, A to D".to_owned())),
    }
}

fn error(code: &'static str, message: String) -> ClientError {
    ClientError { code, message, param: None, event_id: None }
}

fn wrong_field(param: &str, message: String) -> ClientError {
    ClientError { param: Some(param.to_owned()), ..error("invalid_value", message) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Decoder, MAX_EVENT_BYTES, MAX_TYPED_BYTES, Wish};

    fn item(text: &str) -> String {
        json!({"type": "conversation.item.create", "item": {"type": "message", "role": "user",
               "content": [{"type": "input_text", "text": text}]}})
        .to_string()
    }

    #[test]
    fn the_voice_can_be_stopped() {
        for kind in ["output_audio_buffer.clear", "response.cancel"] {
            let wish = Decoder::default().decode(&json!({ "type": kind }).to_string());
            assert_eq!(wish, Ok(Wish::StopSpeaking));
        }
    }

    #[test]
    fn typed_text_waits_for_response_create() {
        let mut decoder = Decoder::default();
        assert_eq!(decoder.decode(&item("A dog")), Ok(Wish::Nothing));
        assert_eq!(decoder.decode(&item("or a cat?")), Ok(Wish::Nothing));
        let create = json!({"type": "response.create"}).to_string();
        assert_eq!(decoder.decode(&create), Ok(Wish::Answer("A dog\nor a cat?".to_owned())));
        assert_eq!(decoder.decode(&create).expect_err("answered already").code, "nothing_to_answer");
    }

    #[test]
    fn stock_clients_may_update_the_session() {
        let update = json!({"type": "session.update", "session": {"type": "realtime", "tracing": "auto"}}).to_string();
        assert_eq!(Decoder::default().decode(&update), Ok(Wish::ShowSession));
        let clear = json!({"type": "input_audio_buffer.clear"}).to_string();
        assert_eq!(Decoder::default().decode(&clear), Ok(Wish::Nothing));
    }

    #[test]
    fn a_client_may_commit_and_press_keys() {
        let decode = |event: serde_json::Value| Decoder::default().decode(&event.to_string());
        assert_eq!(decode(json!({"type": "input_audio_buffer.commit"})), Ok(Wish::Commit));
        assert_eq!(decode(json!({"type": "antiphon.dtmf", "digit": "#"})), Ok(Wish::Digit('#')));
        let refused = decode(json!({"type": "antiphon.dtmf", "digit": "12"})).expect_err("two keys at once");
        assert_eq!(refused.param.as_deref(), Some("digit"));
    }

    #[test]
    fn what_is_not_served_is_named() {
        let refused = |text: &str| Decoder::default().decode(text).expect_err("not served");
        let unknown = refused(r#"{"type": "response.dance", "event_id": "mine"}"#);
        assert_eq!((unknown.code, unknown.event_id.as_deref()), ("unknown_event", Some("mine")));
        assert!(unknown.message.contains("response.dance"), "{}", unknown.message);
        assert_eq!(refused("{").code, "invalid_json");
        assert_eq!(refused("[]").param.as_deref(), Some("type"));
        assert_eq!(refused(r#"{"type": "conversation.item.create"}"#).param.as_deref(), Some("item"));
        let tool = r#"{"type": "conversation.item.create", "item": {"type": "function_call_output"}}"#;
        assert_eq!(refused(tool).param.as_deref(), Some("item"));
        assert_eq!(refused(&item(&"a".repeat(MAX_TYPED_BYTES + 1))).param.as_deref(), Some("item.content"));
        assert_eq!(refused(&"x".repeat(MAX_EVENT_BYTES + 1)).code, "event_too_large");
    }
}
