//! The settings of a session, as the client's `session.update` leaves them.

use serde_json::{Value, json};

use super::response::Form;
use crate::emulator::spoken::RATE_HZ;

/// What a session is for.
#[derive(Debug)]
pub(super) enum Purpose {
    /// It answers, with this model.
    Conversation(String),
    /// It only understands.
    Transcription,
}

#[derive(Debug)]
pub(super) struct Settings {
    purpose: Purpose,
    /// All that the client ever set, laid over the defaults.
    session: Value,
    pub(super) detects_turns: bool,
    pub(super) silence_ms: u32,
    pub(super) responds: bool,
    pub(super) interrupts: bool,
    pub(super) transcribes: bool,
    pub(super) form: Form,
}

impl Settings {
    pub(super) fn new(purpose: Purpose) -> Self {
        let detection = json!({"type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300,
            "silence_duration_ms": 500, "create_response": true, "interrupt_response": true});
        let format = json!({"type": "audio/pcm", "rate": RATE_HZ});
        let input = json!({"format": format, "transcription": null, "noise_reduction": null,
            "turn_detection": detection});
        let session = match &purpose {
            Purpose::Conversation(model) => json!({
                "type": "realtime", "object": "realtime.session", "id": "sess_emulator", "model": model,
                "output_modalities": ["audio"], "instructions": "", "tools": [], "tool_choice": "auto",
                "audio": {"input": input, "output": {"format": format, "voice": "alloy", "speed": 1.0}},
            }),
            Purpose::Transcription => json!({
                "type": "transcription", "object": "realtime.transcription_session", "id": "sess_emulator",
                "audio": {"input": input},
            }),
        };
        let mut settings = Self {
            purpose,
            session,
            detects_turns: true,
            silence_ms: 500,
            responds: true,
            interrupts: true,
            transcribes: false,
            form: Form::Audio,
        };
        settings.read();
        settings
    }

    pub(super) fn described(&self) -> Value {
        self.session.clone()
    }

    /// The names of the tools.
    pub(super) fn tools(&self) -> Vec<String> {
        let tools = self.session["tools"].as_array().map(Vec::as_slice).unwrap_or_default();
        tools.iter().filter_map(|tool| tool["name"].as_str()).map(str::to_owned).collect()
    }

    /// Lays these settings over the old ones.
    ///
    /// # Errors
    /// What is wrong with them; then nothing has changed.
    pub(super) fn update(&mut self, session: &Value) -> Result<(), String> {
        let expected = match self.purpose {
            Purpose::Conversation(_) => "realtime",
            Purpose::Transcription => "transcription",
        };
        if session["type"] != expected {
            return Err(format!("Passing a session of another type than '{expected}' is not allowed."));
        }
        let formats = [&session["audio"]["input"]["format"], &session["audio"]["output"]["format"]];
        let is_ours = |format: &Value| format["type"] == "audio/pcm" && format["rate"] == RATE_HZ;
        if let Some(format) = formats.into_iter().find(|format| !format.is_null() && !is_ours(format)) {
            return Err(format!("The emulator does not have the format {format}."));
        }
        lay_over(&mut self.session, session);
        self.read();
        Ok(())
    }

    fn read(&mut self) {
        let input = &self.session["audio"]["input"];
        let detection = &input["turn_detection"];
        let is_on = |name: &str| detection[name].as_bool().unwrap_or(true);
        self.detects_turns = detection.is_object();
        self.silence_ms = detection["silence_duration_ms"].as_u64().and_then(|ms| ms.try_into().ok()).unwrap_or(500);
        self.transcribes = input["transcription"].is_object() || matches!(self.purpose, Purpose::Transcription);
        self.responds = is_on("create_response") && matches!(self.purpose, Purpose::Conversation(_));
        self.interrupts = is_on("interrupt_response");
        self.form = if self.session["output_modalities"] == json!(["text"]) { Form::Text } else { Form::Audio };
    }
}

/// Fields of objects are laid over one by one; anything else is replaced.
fn lay_over(below: &mut Value, above: &Value) {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => {
            for (name, value) in above {
                lay_over(below.entry(name).or_insert(Value::Null), value);
            }
        }
        (below, above) => *below = above.clone(),
    }
}
