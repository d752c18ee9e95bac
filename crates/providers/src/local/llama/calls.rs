//! Tells words from calls of tools while a model writes: no markup of a call ever reaches the voice.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Deserialize;
use serde_json::Value;

use super::chat::{CALL_CLOSES, CALL_OPENS};
use crate::llm::ToolCall;

/// A call that grows beyond this is no call: arguments are a few words.
const MAX_CALL_BYTES: usize = 16 * 1024;
/// Numbers the calls of this process, so that ids are unique within each conversation.
static NEXT_CALL: AtomicU64 = AtomicU64::new(1);

/// A stretch of what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Written {
    Text(String),
    Call(ToolCall),
}

/// Watches one answer's text.
#[derive(Debug, Default)]
pub(super) struct CallWatch {
    /// Text that may still turn out to open or to be a call.
    pending: String,
    within: bool,
    /// Whether any text was given away: a call without marks can only be the whole answer.
    begun: bool,
}

#[derive(Deserialize)]
struct WireCall {
    name: String,
    #[serde(default)]
    arguments: Value,
}

impl CallWatch {
    /// Takes more text; gives what is known to be words or calls.
    pub(super) fn push(&mut self, text: &str) -> Vec<Written> {
        self.pending.push_str(text);
        let mut written = Vec::new();
        if self.is_bare() {
            return written;
        }
        loop {
            let mark = if self.within { CALL_CLOSES } else { CALL_OPENS };
            let Some(at) = self.pending.find(mark) else { break };
            let rest = self.pending.split_off(at + mark.len());
            let before = std::mem::replace(&mut self.pending, rest);
            self.close(&before[..at], &mut written);
            self.within = !self.within;
        }
        if !self.within {
            let kept = opening_suffix(&self.pending);
            let rest = self.pending.split_off(self.pending.len() - kept);
            let words = std::mem::replace(&mut self.pending, rest);
            self.begun |= !words.trim().is_empty();
            push_words(words, &mut written);
        } else if self.pending.len() > MAX_CALL_BYTES {
            tracing::warn!("a tool call that did not end was dropped");
            self.pending.clear();
        }
        written
    }

    /// The answer is over. A last call may lack its closing mark.
    pub(super) fn finish(&mut self) -> Vec<Written> {
        let bare = self.is_bare();
        let rest = std::mem::take(&mut self.pending);
        let mut written = Vec::new();
        if bare && let Some(call) = read_call(rest.trim().trim_start_matches("```json").trim_matches('`')) {
            return vec![Written::Call(call)];
        }
        self.close(&rest, &mut written);
        self.within = false;
        written
    }

    /// Small models forget the marks: an answer that begins as JSON is a call, for no words begin so.
    fn is_bare(&self) -> bool {
        let start = self.pending.trim_start();
        let json =
            start.starts_with('{') || start.starts_with("```") || (!start.is_empty() && "```".starts_with(start));
        !self.begun && !self.within && json && self.pending.len() <= MAX_CALL_BYTES
    }

    fn close(&self, stretch: &str, written: &mut Vec<Written>) {
        if self.within {
            written.extend(read_call(stretch).map(Written::Call));
        } else {
            push_words(stretch.to_owned(), written);
        }
    }
}

fn push_words(words: String, written: &mut Vec<Written>) {
    if !words.is_empty() {
        written.push(Written::Text(words));
    }
}

/// How many bytes at the end may be the beginning of a call's mark.
fn opening_suffix(text: &str) -> usize {
    (1..CALL_OPENS.len()).rev().find(|&length| text.ends_with(&CALL_OPENS[..length])).unwrap_or(0)
}

/// A call that cannot be read is left out: the same prompt would give the same call again.
fn read_call(text: &str) -> Option<ToolCall> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    // Small models go on and make the result up: only the call itself counts.
    match serde_json::Deserializer::from_str(text).into_iter::<WireCall>().next()? {
        Ok(call) => {
            let arguments = match call.arguments {
                // Some models write the arguments as a string of JSON.
                Value::String(text) => text,
                Value::Null => "{}".to_owned(),
                other => other.to_string(),
            };
            let id = format!("call_{}", NEXT_CALL.fetch_add(1, Ordering::Relaxed));
            Some(ToolCall { id, name: call.name, arguments })
        }
        Err(cause) => {
            tracing::warn!(%cause, "a tool call could not be read");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CallWatch, Written};

    fn read(text: &str, size: usize) -> (String, Vec<(String, String)>) {
        let mut watch = CallWatch::default();
        let chars: Vec<char> = text.chars().collect();
        let mut written: Vec<Written> =
            chars.chunks(size).flat_map(|chunk| watch.push(&chunk.iter().collect::<String>())).collect();
        written.extend(watch.finish());
        let mut words = String::new();
        let mut calls = Vec::new();
        for stretch in written {
            match stretch {
                Written::Text(text) => words.push_str(&text),
                Written::Call(call) => calls.push((call.name, call.arguments)),
            }
        }
        (words, calls)
    }

    #[test]
    fn calls_are_found_however_the_text_is_cut() {
        let text = "Let me look. <tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Paris\"}}\n</tool_call>\
                    <tool_call>{\"name\": \"time\"}</tool_call> a <b";
        for size in 1..20 {
            let (words, calls) = read(text, size);
            assert_eq!(words, "Let me look.  a <b", "in chunks of {size}");
            assert_eq!(
                calls,
                [("weather".to_owned(), "{\"city\":\"Paris\"}".to_owned()), ("time".to_owned(), "{}".to_owned())]
            );
        }
    }

    #[test]
    fn a_last_call_may_lack_its_end_and_a_broken_one_is_left_out() {
        assert_eq!(read("<tool_call>{\"name\": \"time\", \"arguments\": \"{}\"}", 3).1.len(), 1);
        assert_eq!(read("Well. <tool_call>{\"name\": </tool_call>", 3), ("Well. ".to_owned(), vec![]));
    }

    #[test]
    fn a_call_without_marks_is_one_too() {
        for text in ["{\"name\": \"time\", \"arguments\": {}}", "```json\n{\"name\": \"time\"}\n```"] {
            assert_eq!(read(text, 4), (String::new(), vec![("time".to_owned(), "{}".to_owned())]));
        }
        let made_up = "{\"name\": \"time\", \"arguments\": {}} {\"response\": \"noon\"}";
        assert_eq!(read(made_up, 4), (String::new(), vec![("time".to_owned(), "{}".to_owned())]));
        assert_eq!(read("{ well, no call", 4).0, "{ well, no call");
    }

    #[test]
    fn words_are_not_held_back() {
        let mut watch = CallWatch::default();
        assert_eq!(watch.push("a < b"), [Written::Text("a < b".to_owned())]);
        assert_eq!(watch.push(" <"), [Written::Text(" ".to_owned())]);
        assert_eq!(watch.push("3"), [Written::Text("<3".to_owned())]);
    }
}
