//! Gemini through `streamGenerateContent`.
//!
//! `wire` holds what travels, `reader` understands an answer, `signatures` keeps what Google wants back with every call
//! of a tool.

mod reader;
mod signatures;
mod wire;

use std::sync::Arc;

use serde_json::{Map, Value};
use tokio::sync::mpsc;

use self::reader::GeminiReader;
use self::signatures::Signatures;
use super::config::GeminiConfig;
use crate::llm::{LanguageModel, LlmEvent, LlmRequest};
use crate::remote::{Ask, Endpoint, Tasks, merge};

const PROVIDER: &str = "google.gemini";
/// Events that wait for a slow listener; then the vendor's stream waits too.
const EVENTS_LIMIT: usize = 64;

/// Where Vertex AI serves a project's models. `global` and the multi-regions `us` and `eu` have addresses of their own.
#[must_use]
pub fn vertex_base(project: &str, location: &str) -> String {
    let host = match location {
        "global" => "aiplatform.googleapis.com".to_owned(),
        "us" | "eu" => format!("aiplatform.{location}.rep.googleapis.com"),
        region => format!("{region}-aiplatform.googleapis.com"),
    };
    format!("https://{host}/v1/projects/{project}/locations/{location}/publishers/google")
}

/// A Gemini model. Answers end with it.
#[derive(Debug)]
pub struct Gemini {
    endpoint: Endpoint,
    config: GeminiConfig,
    signatures: Arc<Signatures>,
    tasks: Tasks,
}

impl Gemini {
    /// A model at an address: that of an API version, such as `https://generativelanguage.googleapis.com/v1beta`, or
    /// [`vertex_base`]. Reaches nobody yet.
    #[must_use]
    pub fn new(endpoint: Endpoint, config: GeminiConfig) -> Self {
        Self { endpoint, config, signatures: Arc::default(), tasks: Tasks::default() }
    }

    fn body(&self, request: &LlmRequest) -> Map<String, Value> {
        let config = &self.config;
        let written = wire::Written {
            // Older models know no signatures.
            wants_signatures: !config.model.starts_with("gemini-1") && !config.model.starts_with("gemini-2"),
            kept: &self.signatures.of(&request.conversation),
        };
        let (system, contents) = written.contents(&request.messages);
        let body = wire::Request {
            contents,
            system_instruction: system,
            tools: wire::tools(&request.tools),
            generation_config: wire::GenerationConfig {
                max_output_tokens: request.max_tokens.saturating_add(config.thinking_tokens),
                temperature: config.send_temperature.then(|| request.decimal_temperature()),
                thinking_config: config
                    .thinking_level
                    .map(|level| wire::ThinkingConfig { thinking_level: level.as_str() }),
            },
        };
        let mut body = match serde_json::to_value(body) {
            Ok(Value::Object(body)) => body,
            Ok(_) | Err(_) => Map::new(),
        };
        merge(&mut body, &config.extra);
        body
    }
}

impl LanguageModel for Gemini {
    fn name(&self) -> &'static str {
        PROVIDER
    }

    fn reply(&self, request: LlmRequest) -> mpsc::Receiver<LlmEvent> {
        let (sender, events) = mpsc::channel(EVENTS_LIMIT);
        let path = format!("models/{}:streamGenerateContent", self.config.model);
        let ask = Ask {
            provider: PROVIDER,
            request: self.endpoint.post_with_query(&path, ("alt", "sse")).json(&self.body(&request)),
            endpoint: self.endpoint.clone(),
            blocked_answer: self.config.blocked_answer.clone(),
        };
        let signatures = Arc::clone(&self.signatures);
        let reader = GeminiReader::new(request.messages.len(), request.conversation, signatures);
        self.tasks.spawn(ask.run(reader, sender));
        events
    }

    fn prepare(&self, _request: LlmRequest) {}

    fn release(&self, conversation: &str) {
        self.signatures.forget(conversation);
    }
}

#[cfg(test)]
mod tests;
