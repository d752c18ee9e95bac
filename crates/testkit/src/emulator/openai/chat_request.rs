//! What a request for a chat completion holds, and the mistakes for which OpenAI refuses it.

use serde::Deserialize;
use serde_json::Value;

use crate::emulator::answer::Question;
use crate::emulator::refusal::Refusal;

#[derive(Deserialize)]
pub(super) struct ChatRequest {
    pub(super) model: String,
    messages: Vec<MessageWire>,
    #[serde(default)]
    pub(super) stream: bool,
    stream_options: Option<StreamOptions>,
    #[serde(default)]
    tools: Vec<ToolWire>,
    max_tokens: Option<usize>,
    max_completion_tokens: Option<usize>,
}

#[derive(Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: bool,
}

#[derive(Deserialize)]
struct MessageWire {
    role: String,
    /// A text, or parts with texts.
    content: Option<Value>,
    #[serde(default)]
    tool_calls: Vec<CallWire>,
    tool_call_id: Option<String>,
}

#[derive(Deserialize)]
struct CallWire {
    id: String,
}

#[derive(Deserialize)]
struct ToolWire {
    function: FunctionWire,
}

#[derive(Deserialize)]
struct FunctionWire {
    name: String,
}

impl ChatRequest {
    pub(super) fn wants_usage(&self) -> bool {
        self.stream_options.as_ref().is_some_and(|options| options.include_usage)
    }

    /// What is asked, if it is well formed.
    pub(super) fn question(&self) -> Result<Question, Refusal> {
        self.check()?;
        let last = self.messages.last().filter(|message| message.role == "tool");
        let said = self.messages.iter().rev().find(|message| message.role == "user");
        let words: usize = self.messages.iter().map(|message| message.text().split_whitespace().count()).sum();
        Ok(Question {
            said: said.map(MessageWire::text).unwrap_or_default(),
            tool_output: last.map(MessageWire::text),
            tools: self.tools.iter().map(|tool| tool.function.name.clone()).collect(),
            prompt_tokens: words,
            max_tokens: self.max_completion_tokens.or(self.max_tokens),
        })
    }

    fn check(&self) -> Result<(), Refusal> {
        if self.messages.is_empty() {
            let message = "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty \
                           array instead.";
            return Err(Refusal::invalid(message));
        }
        let mut unanswered: Vec<&str> = Vec::new();
        for (index, message) in self.messages.iter().enumerate() {
            match message.role.as_str() {
                "tool" => {
                    let answers = |id: &&str| message.tool_call_id.as_deref() == Some(*id);
                    let Some(at) = unanswered.iter().position(answers) else { return Err(lonely_result(index)) };
                    unanswered.swap_remove(at);
                }
                "system" | "developer" | "user" | "assistant" => {
                    refuse_unanswered(&unanswered)?;
                    unanswered = message.tool_calls.iter().map(|call| call.id.as_str()).collect();
                }
                other => return Err(unknown_role(other, index)),
            }
        }
        refuse_unanswered(&unanswered)
    }
}

fn lonely_result(index: usize) -> Refusal {
    Refusal::invalid(format!(
        "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'. \
         (messages.[{index}].role)"
    ))
}

fn unknown_role(role: &str, index: usize) -> Refusal {
    Refusal::invalid(format!(
        "Invalid value: '{role}'. Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and \
         'developer'. (messages[{index}].role)"
    ))
}

fn refuse_unanswered(calls: &[&str]) -> Result<(), Refusal> {
    if calls.is_empty() {
        return Ok(());
    }
    Err(Refusal::invalid(format!(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. \
         The following tool_call_ids did not have response messages: {}",
        calls.join(", ")
    )))
}

impl MessageWire {
    fn text(&self) -> String {
        match &self.content {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Array(parts)) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
            Some(_) | None => String::new(),
        }
    }
}
