//! A language model behind `/chat/completions`.
//!
//! `wire` holds what travels, `reader` understands an answer.

mod reader;
mod wire;

use serde_json::{Map, Value};
use tokio::sync::mpsc;

use self::reader::ChatReader;
use super::config::{ChatConfig, TokenLimitKey};
use crate::llm::{LanguageModel, LlmEvent, LlmRequest};
use crate::remote::{Ask, Endpoint, Tasks, merge};

const PROVIDER: &str = "openai.chat";
/// Events that wait for a slow listener; then the vendor's stream waits too.
const EVENTS_LIMIT: usize = 64;

/// A language model. Answers end with it.
#[derive(Debug)]
pub struct Chat {
    endpoint: Endpoint,
    config: ChatConfig,
    tasks: Tasks,
}

impl Chat {
    /// A model at an address. Reaches nobody yet.
    #[must_use]
    pub fn new(endpoint: Endpoint, config: ChatConfig) -> Self {
        Self { endpoint, config, tasks: Tasks::default() }
    }

    fn body(&self, request: &LlmRequest) -> Map<String, Value> {
        let limit = Some(request.max_tokens.saturating_add(self.config.thinking_tokens));
        let (max_tokens, max_completion_tokens) = match self.config.token_limit_key {
            TokenLimitKey::MaxTokens => (limit, None),
            TokenLimitKey::MaxCompletionTokens => (None, limit),
        };
        let body = wire::Request {
            model: &self.config.model,
            messages: wire::messages(&request.messages),
            stream: true,
            stream_options: wire::StreamOptions { include_usage: true },
            max_tokens,
            max_completion_tokens,
            temperature: self.config.send_temperature.then(|| request.decimal_temperature()),
            tools: request.tools.iter().map(wire::Tool::from).collect(),
        };
        let mut body = match serde_json::to_value(body) {
            Ok(Value::Object(body)) => body,
            Ok(_) | Err(_) => Map::new(),
        };
        merge(&mut body, &self.config.extra);
        body
    }
}

impl LanguageModel for Chat {
    fn name(&self) -> &'static str {
        PROVIDER
    }

    fn reply(&self, request: LlmRequest) -> mpsc::Receiver<LlmEvent> {
        let (sender, events) = mpsc::channel(EVENTS_LIMIT);
        let ask = Ask {
            provider: PROVIDER,
            request: self.endpoint.post("chat/completions").json(&self.body(&request)),
            endpoint: self.endpoint.clone(),
            blocked_answer: self.config.blocked_answer.clone(),
        };
        self.tasks.spawn(ask.run(ChatReader::new(request.messages.len()), sender));
        events
    }

    fn prepare(&self, _request: LlmRequest) {}

    fn release(&self, _conversation: &str) {}
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Chat;
    use crate::llm::{LlmRequest, Message, ToolCall, ToolSpec};
    use crate::openai::{ChatConfig, TokenLimitKey};
    use crate::remote::{Auth, Deadlines, Endpoint};

    fn chat(config: ChatConfig) -> Chat {
        let endpoint = Endpoint::new("http://localhost/v1", &Auth::None, Deadlines::default());
        Chat::new(endpoint.expect("an address"), ChatConfig { model: "m".to_owned(), ..config })
    }

    fn request(messages: Vec<Message>) -> LlmRequest {
        let tool = ToolSpec { name: "look".to_owned(), description: "Looks.".to_owned(), parameters: json!({}) };
        LlmRequest { conversation: "1".to_owned(), messages, tools: vec![tool], max_tokens: 160, temperature: 0.7 }
    }

    #[test]
    fn a_request_is_what_the_vendor_documents() {
        let call =
            |id: &str| ToolCall { id: id.to_owned(), name: "look".to_owned(), arguments: "{\"at\":1}".to_owned() };
        let body = chat(ChatConfig::default()).body(&request(vec![
            Message::System("Be kind.".to_owned()),
            Message::System("Before: names.".to_owned()),
            Message::Assistant { text: "Hello.".to_owned(), calls: Vec::new() },
            Message::User("Look!".to_owned()),
            Message::Assistant { text: String::new(), calls: vec![call("a")] },
            Message::ToolResult { call_id: "a".to_owned(), name: "look".to_owned(), output: "a cat".to_owned() },
            Message::Assistant { text: String::new(), calls: Vec::new() },
        ]));
        assert_eq!(
            Value::Object(body),
            json!({"model": "m", "stream": true, "stream_options": {"include_usage": true}, "max_tokens": 160,
                   "temperature": 0.7,
                   "messages": [
                       {"role": "system", "content": "Be kind.\n\nBefore: names."},
                       {"role": "assistant", "content": "Hello."},
                       {"role": "user", "content": "Look!"},
                       {"role": "assistant", "content": null, "tool_calls": [
                           {"id": "a", "type": "function", "function": {"name": "look", "arguments": "{\"at\":1}"}}]},
                       {"role": "tool", "tool_call_id": "a", "content": "a cat"}],
                   "tools": [{"type": "function",
                              "function": {"name": "look", "description": "Looks.", "parameters": {}}}]})
        );
    }

    #[test]
    fn what_servers_disagree_about_is_configuration() {
        let extra = json!({"reasoning_effort": "low"}).as_object().expect("an object").clone();
        let key = TokenLimitKey::MaxCompletionTokens;
        let config = ChatConfig { token_limit_key: key, send_temperature: false, extra, ..ChatConfig::default() };
        let body = chat(config).body(&LlmRequest { tools: Vec::new(), ..request(Vec::new()) });
        assert_eq!(body["max_completion_tokens"], 160);
        assert_eq!(body["reasoning_effort"], "low");
        for absent in ["max_tokens", "temperature", "tools"] {
            assert_eq!(body.get(absent), None::<&Value>, "{absent}");
        }
    }
}
