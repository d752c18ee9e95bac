//! Understands an answer of `streamGenerateContent`.

use std::sync::Arc;

use super::signatures::{Kept, Signatures};
use super::wire::{Chunk, FunctionCall, Part, UsageMetadata};
use crate::llm::{Finish, LlmEvent, ToolCall, Usage};
use crate::remote::{Progress, Reader, Refusal, Unreadable, code_of};

/// The most calls of one answer.
const MAX_CALLS: usize = 64;

#[derive(Debug)]
pub(super) struct GeminiReader {
    /// How many messages were before this answer: makes the ids of calls that have none unlike those of other answers.
    messages_before: usize,
    conversation: String,
    signatures: Arc<Signatures>,
    calls: Vec<(ToolCall, Kept)>,
    finish: Option<Finish>,
    usage: Usage,
}

impl GeminiReader {
    pub(super) fn new(messages_before: usize, conversation: String, signatures: Arc<Signatures>) -> Self {
        let (calls, finish, usage) = (Vec::new(), None, Usage::default());
        Self { messages_before, conversation, signatures, calls, finish, usage }
    }

    fn part(&mut self, part: Part, out: &mut Vec<LlmEvent>) -> Result<(), Unreadable> {
        if let Some(call) = part.function_call {
            if self.calls.len() >= MAX_CALLS {
                return Err(Unreadable::Stopped("too many calls".to_owned()));
            }
            self.call(call, part.thought_signature);
        }
        // A thought is nobody's business.
        if let Some(words) = part.text.filter(|words| !part.thought && !words.is_empty()) {
            out.push(LlmEvent::Text(words));
        }
        Ok(())
    }

    fn call(&mut self, call: FunctionCall, signature: Option<String>) {
        let given = call.id.filter(|id| !id.is_empty());
        let is_vendors_id = given.is_some();
        let id = given.unwrap_or_else(|| format!("call_{}_{}", self.messages_before, self.calls.len()));
        let arguments = serde_json::Value::Object(call.args.unwrap_or_default()).to_string();
        let kept = Kept { id: id.clone(), is_vendors_id, signature };
        self.calls.push((ToolCall { id, name: call.name, arguments }, kept));
    }

    fn end(&mut self, reason: &str) -> Result<(), Unreadable> {
        match reason {
            "MAX_TOKENS" => self.finish = Some(Finish::Length),
            reason if is_block(reason) => return Err(Unreadable::Blocked(reason.to_owned())),
            "MALFORMED_FUNCTION_CALL"
            | "MALFORMED_RESPONSE"
            | "UNEXPECTED_TOOL_CALL"
            | "TOO_MANY_TOOL_CALLS"
            | "MISSING_THOUGHT_SIGNATURE"
            | "LANGUAGE"
            | "OTHER" => {
                return Err(Unreadable::Stopped(reason.to_owned()));
            }
            "FINISH_REASON_UNSPECIFIED" => {}
            // `STOP`, and whatever will be thought of for a plain end.
            _ => self.finish = Some(Finish::Stop),
        }
        Ok(())
    }
}

/// Reasons that no other try and no other vendor would make better.
fn is_block(reason: &str) -> bool {
    matches!(
        reason,
        "SAFETY" | "RECITATION" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII" | "MODEL_ARMOR" | "JAILBREAK"
    ) || reason.starts_with("IMAGE_")
}

impl Reader for GeminiReader {
    fn read(&mut self, data: &str, out: &mut Vec<LlmEvent>) -> Result<Progress, Unreadable> {
        let chunk: Chunk = serde_json::from_str(data)?;
        if let Some(error) = chunk.error {
            return Err(Unreadable::Refused(Refusal::of_error(&error)));
        }
        let has_usage = chunk.usage_metadata.is_some();
        if let Some(usage) = chunk.usage_metadata {
            self.usage = usage.into();
        }
        // A refused question comes as a success without any candidate.
        if let Some(reason) = chunk.prompt_feedback.and_then(|feedback| feedback.block_reason) {
            return Err(Unreadable::Blocked(word(&reason)));
        }
        if let Some(candidate) = chunk.candidates.into_iter().next() {
            for part in candidate.content.unwrap_or_default().parts {
                self.part(part, out)?;
            }
            if let Some(reason) = candidate.finish_reason {
                self.end(&word(&reason))?;
            }
        }
        Ok(match self.finish {
            Some(_) if has_usage => Progress::Complete,
            Some(_) => Progress::Worded,
            None => Progress::GoesOn,
        })
    }

    fn finish(self, out: &mut Vec<LlmEvent>) -> Option<(Finish, Usage)> {
        let finish = self.finish?;
        if self.calls.is_empty() {
            return Some((finish, self.usage));
        }
        let (calls, kept): (Vec<_>, Vec<_>) = self.calls.into_iter().unzip();
        self.signatures.keep(&self.conversation, kept);
        out.extend(calls.into_iter().map(LlmEvent::ToolCall));
        Some((Finish::ToolCalls, self.usage))
    }
}

impl From<UsageMetadata> for Usage {
    fn from(usage: UsageMetadata) -> Self {
        Self {
            prompt_tokens: usage.prompt_token_count,
            cached_tokens: usage.cached_content_token_count,
            completion_tokens: usage.candidates_token_count.saturating_add(usage.thoughts_token_count),
        }
    }
}

fn word(reason: &str) -> String {
    code_of(reason).unwrap_or_else(|| "OTHER".to_owned())
}
