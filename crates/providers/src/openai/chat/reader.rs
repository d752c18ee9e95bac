//! Understands an answer of `/chat/completions`.

use super::wire::{CallDelta, Chunk};
use crate::llm::{Finish, LlmEvent, ToolCall, Usage};
use crate::remote::{Progress, Reader, Refusal, Unreadable, code_of};

/// Says that nothing more is to come.
const DONE: &str = "[DONE]";
/// The most calls of one answer, and the longest arguments of one.
const MAX_CALLS: usize = 64;
const MAX_ARGUMENT_BYTES: usize = 256 * 1024;

#[derive(Debug)]
pub(super) struct ChatReader {
    /// How many messages were before this answer: makes the ids of calls that have none unlike those of other answers.
    messages_before: usize,
    calls: Vec<PartialCall>,
    finish: Option<Finish>,
    usage: Usage,
}

/// A call whose arguments come in pieces.
#[derive(Debug)]
struct PartialCall {
    index: Option<usize>,
    id: Option<String>,
    name: String,
    arguments: String,
}

impl ChatReader {
    pub(super) fn new(messages_before: usize) -> Self {
        Self { messages_before, calls: Vec::new(), finish: None, usage: Usage::default() }
    }

    /// Pieces belong together by their index; servers that send none send whole calls.
    fn add(&mut self, delta: CallDelta) -> Result<(), Unreadable> {
        let function = delta.function.unwrap_or_default();
        let name = function.name.unwrap_or_default();
        let known = self.calls.iter().position(|call| delta.index.is_some() && call.index == delta.index);
        let call = match known {
            Some(position) => &mut self.calls[position],
            None if self.calls.len() >= MAX_CALLS => return Err(Unreadable::Stopped("too many calls".to_owned())),
            None => self.calls.push_mut(PartialCall {
                index: delta.index,
                id: None,
                name: String::new(),
                arguments: String::new(),
            }),
        };
        if let Some(id) = delta.id.filter(|id| !id.is_empty()) {
            call.id.get_or_insert(id);
        }
        // Some servers repeat the name with every piece.
        if call.name.is_empty() {
            call.name = name;
        }
        call.arguments.push_str(&function.arguments.unwrap_or_default());
        if call.arguments.len() > MAX_ARGUMENT_BYTES {
            return Err(Unreadable::Stopped("arguments too long".to_owned()));
        }
        Ok(())
    }

    fn end(&mut self, reason: &str) -> Result<(), Unreadable> {
        self.finish = Some(match reason {
            "length" => Finish::Length,
            "content_filter" => return Err(Unreadable::Blocked(reason.to_owned())),
            "error" => return Err(Unreadable::Stopped(reason.to_owned())),
            // Servers call a plain end by many names, and an end for a call by that of a plain one.
            _ => Finish::Stop,
        });
        Ok(())
    }
}

impl Reader for ChatReader {
    fn read(&mut self, data: &str, out: &mut Vec<LlmEvent>) -> Result<Progress, Unreadable> {
        if data.trim() == DONE {
            return Ok(Progress::Complete);
        }
        let chunk: Chunk = serde_json::from_str(data)?;
        if let Some(error) = chunk.error {
            return Err(Unreadable::Refused(Refusal::of_error(&error)));
        }
        let has_usage = chunk.usage.is_some();
        if let Some(usage) = chunk.usage {
            self.usage = Usage {
                prompt_tokens: usage.prompt_tokens.unwrap_or(0),
                cached_tokens: usage.prompt_tokens_details.and_then(|details| details.cached_tokens).unwrap_or(0),
                completion_tokens: usage.completion_tokens.unwrap_or(0),
            };
        }
        // The event that counts tokens has no choice at all; of several only the first was asked for.
        if let Some(choice) = chunk.choices.into_iter().next() {
            let delta = choice.delta.unwrap_or_default();
            // A refusal is an answer: the model says in its own words that it will not.
            let words = [delta.content, delta.refusal].into_iter().flatten().filter(|words| !words.is_empty());
            out.extend(words.map(LlmEvent::Text));
            for call in delta.tool_calls.into_iter().flatten() {
                self.add(call)?;
                // Long arguments take their time, and nothing of them is told before they are whole.
                out.push(LlmEvent::Text(String::new()));
            }
            if let Some(reason) = choice.finish_reason.filter(|reason| !reason.is_empty()) {
                self.end(code_of(&reason).as_deref().unwrap_or("other"))?;
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
        // Arguments that were cut off would be wrong ones.
        if finish == Finish::Length {
            return Some((finish, self.usage));
        }
        for (position, call) in self.calls.into_iter().enumerate() {
            let id = call.id.unwrap_or_else(|| format!("call_{}_{position}", self.messages_before));
            let arguments = if call.arguments.trim().is_empty() { "{}".to_owned() } else { call.arguments };
            out.push(LlmEvent::ToolCall(ToolCall { id, name: call.name, arguments }));
        }
        Some((Finish::ToolCalls, self.usage))
    }
}

#[cfg(test)]
mod tests {
    use super::ChatReader;
    use crate::llm::LlmEvent;
    use crate::remote::Reader as _;

    #[test]
    fn every_piece_of_a_call_is_a_sign_of_life() {
        let mut reader = ChatReader::new(0);
        let mut told = Vec::new();
        for piece in ["{\"a\":", "1}"] {
            let function = serde_json::json!({"name": "look", "arguments": piece});
            let delta = serde_json::json!({"tool_calls": [{"index": 0, "id": "1", "function": function}]});
            let chunk = serde_json::json!({"choices": [{"delta": delta}]}).to_string();
            reader.read(&chunk, &mut told).expect("it is a chunk");
        }
        assert_eq!(told.len(), 2);
        assert!(told.iter().all(|event| matches!(event, LlmEvent::Text(text) if text.is_empty())), "{told:?}");
    }
}
