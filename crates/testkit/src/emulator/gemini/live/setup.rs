//! The first message of a Live conversation.

use serde_json::Value;

use crate::emulator::gemini::{field, list};
use crate::emulator::log::Exchange;

/// Live models; any other is not found.
const MODELS: [&str; 3] = ["gemini-3.8-live", "gemini-3.1-flash-live-preview", "gemini-live-2.5-flash-native-audio"];
/// How long a pause ends a turn, unless the client says otherwise.
const SILENCE_MS: u32 = 500;

#[derive(Debug)]
pub(super) struct Setup {
    pub(super) tools: Vec<String>,
    /// It answers aloud, not in text.
    pub(super) speaks: bool,
    pub(super) detects_turns: bool,
    pub(super) interrupts: bool,
    pub(super) silence_ms: u32,
    pub(super) transcribes_input: bool,
    pub(super) transcribes_output: bool,
    pub(super) resumes: bool,
    /// The first contents are what was said before, and are not answered.
    pub(super) begins_with_history: bool,
}

impl Setup {
    /// Reads it, or says why the conversation cannot begin.
    pub(super) fn new(message: &Value, exchange: &Exchange) -> Result<Self, String> {
        let setup = field(message, "setup");
        if !setup.is_object() {
            return Err("setup must be the first message and only the first message.".to_owned());
        }
        exchange.note("setup", setup.clone());
        let model = setup["model"].as_str().unwrap_or_default();
        let name = model.rsplit('/').next().unwrap_or_default();
        if !MODELS.contains(&name) {
            return Err(format!(
                "{model} is not found for API version v1beta, or is not supported for bidiGenerateContent."
            ));
        }
        let modalities = list(field(field(setup, "generationConfig"), "responseModalities"));
        let speaks = !modalities.iter().any(|modality| modality == "TEXT");
        if !speaks && name != "gemini-3.1-flash-live-preview" {
            return Err("Cannot extract text from a non-text response: this model answers in AUDIO only.".to_owned());
        }
        let resumption = field(setup, "sessionResumption");
        if resumption["handle"].as_str().is_some_and(|handle| handle != super::HANDLE) {
            return Err("Request contains an invalid argument: the session handle is unknown or expired.".to_owned());
        }
        let input = field(setup, "realtimeInputConfig");
        let detection = field(input, "automaticActivityDetection");
        let silence = field(detection, "silenceDurationMs").as_u64().and_then(|ms| ms.try_into().ok());
        let declarations = list(&setup["tools"]).iter().flat_map(|tool| list(field(tool, "functionDeclarations")));
        Ok(Self {
            tools: declarations.filter_map(|tool| tool["name"].as_str()).map(str::to_owned).collect(),
            speaks,
            detects_turns: detection["disabled"] != true,
            interrupts: field(input, "activityHandling") != "NO_INTERRUPTION",
            silence_ms: silence.unwrap_or(SILENCE_MS),
            transcribes_input: field(setup, "inputAudioTranscription").is_object(),
            transcribes_output: field(setup, "outputAudioTranscription").is_object(),
            resumes: resumption.is_object(),
            begins_with_history: field(field(setup, "historyConfig"), "initialHistoryInClientContent") == true,
        })
    }
}
