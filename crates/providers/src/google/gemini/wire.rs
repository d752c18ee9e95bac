//! What travels to and from `streamGenerateContent`.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::signatures::Kept;
use crate::llm::{Message, ToolCall, ToolSpec};

/// Stands for a signature that nobody has any more, such as after a restart. Google documents it.
const NO_SIGNATURE: &str = "skip_thought_signature_validator";
/// Google wants a conversation to begin and to end with the user; where ours does not, nobody says this.
const NOTHING: &str = ".";

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    pub contents: Vec<Content>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_instruction: Option<Content>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<Tool>,
    pub generation_config: GenerationConfig,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GenerationConfig {
    pub max_output_tokens: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thinking_config: Option<ThinkingConfig>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ThinkingConfig {
    pub thinking_level: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tool {
    function_declarations: Vec<Declaration>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Declaration {
    name: String,
    description: String,
    // `parameters` takes a part of JSON Schema only.
    parameters_json_schema: Value,
}

#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Content {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    pub parts: Vec<Part>,
}

#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Part {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The text is a thought and not for the caller.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub thought: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function_call: Option<FunctionCall>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function_response: Option<FunctionResponse>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thought_signature: Option<String>,
}

#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct FunctionCall {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub name: String,
    pub args: Option<Map<String, Value>>,
}

#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct FunctionResponse {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub name: String,
    pub response: Map<String, Value>,
}

/// One event of an answer. Whatever is left out is taken for nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Chunk {
    pub candidates: Vec<Candidate>,
    pub prompt_feedback: Option<PromptFeedback>,
    pub usage_metadata: Option<UsageMetadata>,
    pub error: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Candidate {
    pub content: Option<Content>,
    pub finish_reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct PromptFeedback {
    pub block_reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct UsageMetadata {
    pub prompt_token_count: u32,
    pub cached_content_token_count: u32,
    pub candidates_token_count: u32,
    pub thoughts_token_count: u32,
}

/// Who says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    User,
    Model,
}

impl Role {
    fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Model => "model",
        }
    }
}

/// How messages are written for Google.
pub(super) struct Written<'a> {
    /// Whether the model refuses calls without a signature.
    pub wants_signatures: bool,
    /// What came with the calls, by their ids.
    pub kept: &'a HashMap<String, Kept>,
}

impl Written<'_> {
    /// The instructions, and the rest: the parts of one speaker in a row are one content.
    pub(super) fn contents(&self, messages: &[Message]) -> (Option<Content>, Vec<Content>) {
        let (mut system, mut contents) = (Vec::new(), Vec::new());
        for message in messages {
            match message {
                Message::System(words) => system.push(text(words)),
                Message::User(words) => add(&mut contents, Role::User, [text(words)]),
                Message::Assistant { text: words, calls } => {
                    let words = (!words.is_empty()).then(|| text(words));
                    let calls = calls.iter().map(|call| self.call(call));
                    add(&mut contents, Role::Model, words.into_iter().chain(calls));
                }
                Message::ToolResult { call_id, name, output } => {
                    add(&mut contents, Role::User, [self.result(call_id, name, output)]);
                }
            }
        }
        let is_users = |content: Option<&Content>| content.and_then(|content| content.role.as_deref()) == Some("user");
        if !is_users(contents.first()) {
            contents.insert(0, content(Role::User, vec![text(NOTHING)]));
        }
        if !is_users(contents.last()) {
            contents.push(content(Role::User, vec![text(NOTHING)]));
        }
        ((!system.is_empty()).then_some(Content { role: None, parts: system }), contents)
    }

    fn call(&self, call: &ToolCall) -> Part {
        let kept = self.kept.get(&call.id);
        let signature = kept.and_then(|kept| kept.signature.clone());
        // What a model wrote as arguments was an object; anything else was no call.
        let args = serde_json::from_str(&call.arguments).unwrap_or_default();
        Part {
            function_call: Some(FunctionCall { id: self.id(&call.id), name: call.name.clone(), args: Some(args) }),
            thought_signature: signature.or_else(|| self.wants_signatures.then(|| NO_SIGNATURE.to_owned())),
            ..Part::default()
        }
    }

    fn result(&self, call_id: &str, name: &str, output: &str) -> Part {
        let response = Map::from_iter([("output".to_owned(), json!(output))]);
        let response = FunctionResponse { id: self.id(call_id), name: name.to_owned(), response };
        Part { function_response: Some(response), ..Part::default() }
    }

    /// An id of our own would mean nothing to Google, and some of its interfaces know no ids.
    fn id(&self, call_id: &str) -> Option<String> {
        self.kept.get(call_id).filter(|kept| kept.is_vendors_id).map(|kept| kept.id.clone())
    }
}

fn text(words: &str) -> Part {
    Part { text: Some(words.to_owned()), ..Part::default() }
}

fn content(role: Role, parts: Vec<Part>) -> Content {
    Content { role: Some(role.as_str().to_owned()), parts }
}

fn add(contents: &mut Vec<Content>, role: Role, parts: impl IntoIterator<Item = Part>) {
    let mut parts = parts.into_iter().peekable();
    if parts.peek().is_none() {
        return;
    }
    match contents.last_mut() {
        Some(last) if last.role.as_deref() == Some(role.as_str()) => last.parts.extend(parts),
        _ => contents.push(content(role, parts.collect())),
    }
}

pub(super) fn tools(tools: &[ToolSpec]) -> Vec<Tool> {
    let declaration = |tool: &ToolSpec| Declaration {
        name: tool.name.clone(),
        description: tool.description.clone(),
        parameters_json_schema: tool.parameters.clone(),
    };
    let function_declarations: Vec<Declaration> = tools.iter().map(declaration).collect();
    if function_declarations.is_empty() { Vec::new() } else { vec![Tool { function_declarations }] }
}
