//! Summaries of old turns, written by the language model beside the conversation.

use std::sync::Arc;

use dialogue::Entry;
use providers::llm::{LanguageModel, LlmEvent, LlmRequest, Message};
use tokio::sync::mpsc;

const TASK: &str = "You keep the notes of a phone call. Write what follows in at most five short sentences, in the \
    language of the call. Keep names, numbers, dates, wishes, decisions and open questions. Add nothing.";
/// A summary is a fraction of what it stands for.
const MAX_TOKENS: u32 = 220;

/// Writes one summary at a time.
pub(crate) struct Memory {
    model: Arc<dyn LanguageModel>,
    conversation: String,
    under_way: Option<UnderWay>,
}

struct UnderWay {
    events: mpsc::Receiver<LlmEvent>,
    text: String,
}

impl Memory {
    pub(crate) fn new(model: Arc<dyn LanguageModel>, conversation: &str) -> Self {
        // A key of its own: the conversation's cache stays as it is.
        Self { model, conversation: format!("{conversation}/summary"), under_way: None }
    }

    pub(crate) fn summarise(&mut self, entries: &[Entry]) {
        let request = LlmRequest {
            conversation: self.conversation.clone(),
            messages: vec![Message::System(TASK.to_owned()), Message::User(minutes(entries))],
            tools: Vec::new(),
            max_tokens: MAX_TOKENS,
            temperature: 0.0,
        };
        self.under_way = Some(UnderWay { events: self.model.reply(request), text: String::new() });
    }

    /// The next finished summary, or none where it failed; waits for ever while none is written. Cancel safe.
    pub(crate) async fn summary(&mut self) -> Option<String> {
        let Some(UnderWay { events, text }) = &mut self.under_way else { return std::future::pending().await };
        let finished = loop {
            match events.recv().await {
                Some(LlmEvent::Text(piece)) => text.push_str(&piece),
                Some(LlmEvent::Done { .. }) => break true,
                Some(LlmEvent::ToolCall(_)) => {}
                Some(LlmEvent::Failed(failure)) => {
                    tracing::warn!(provider = failure.provider, cause = %failure.message, "no summary was written");
                    break false;
                }
                None => break false,
            }
        };
        let text = self.under_way.take().map(|done| done.text.trim().to_owned()).unwrap_or_default();
        self.model.release(&self.conversation);
        (finished && !text.is_empty()).then_some(text)
    }
}

fn minutes(entries: &[Entry]) -> String {
    let line = |entry: &Entry| match entry {
        Entry::Said { speaker: dialogue::Speaker::Caller, text } => format!("Caller: {text}"),
        Entry::Said { speaker: dialogue::Speaker::Agent, text } => format!("Agent: {text}"),
        Entry::ToolCalled(call) => format!("Agent looked up: {}({})", call.name, call.arguments),
        Entry::ToolReturned { name, output, .. } | Entry::ToolNews { name, output } => format!("{name}: {output}"),
        Entry::Summary(text) => format!("Before: {text}"),
    };
    entries.iter().map(line).collect::<Vec<_>>().join("\n")
}
