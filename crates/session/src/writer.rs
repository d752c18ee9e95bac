//! Runs the language model for the one answer that is under way.

use std::sync::Arc;

use dialogue::{Attempt, Entry, Speaker, TurnId};
use providers::Remedy;
use providers::llm::{LanguageModel, LlmEvent, LlmRequest, Message, ToolCall, ToolSpec};
use tokio::sync::mpsc;

use crate::AgentConfig;

pub(crate) struct Writer {
    model: Arc<dyn LanguageModel>,
    conversation: String,
    agent: AgentConfig,
    tools: Vec<ToolSpec>,
    under_way: Option<UnderWay>,
}

struct UnderWay {
    turn: TurnId,
    attempt: Attempt,
    events: mpsc::Receiver<LlmEvent>,
}

/// What comes of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Written {
    Text(String),
    ToolCall(ToolCall),
    Done,
    FailedRetryable,
    Failed,
}

impl Writer {
    pub(crate) fn new(model: Arc<dyn LanguageModel>, conversation: String, agent: AgentConfig) -> Self {
        Self { model, conversation, agent, tools: Vec::new(), under_way: None }
    }

    /// From the next request on, this agent answers with these tools.
    pub(crate) fn equip(&mut self, agent: AgentConfig, tools: Vec<ToolSpec>) {
        self.agent = agent;
        self.tools = tools;
    }

    /// Lets the model read what will begin the next prompt.
    pub(crate) fn prepare(&self, prompt: &[Entry]) {
        self.model.prepare(self.request(prompt));
    }

    pub(crate) fn start(&mut self, turn: TurnId, attempt: Attempt, prompt: &[Entry]) {
        let events = self.model.reply(self.request(prompt));
        self.under_way = Some(UnderWay { turn, attempt, events });
    }

    pub(crate) fn cancel(&mut self, turn: TurnId, attempt: Attempt) {
        self.under_way.take_if(|u| (u.turn, u.attempt) == (turn, attempt));
    }

    /// The next news of the answer; waits for ever while none is written. Cancel safe.
    pub(crate) async fn news(&mut self) -> (TurnId, Attempt, Written) {
        let Some(UnderWay { turn, attempt, events }) = &mut self.under_way else {
            return std::future::pending().await;
        };
        let (turn, attempt) = (*turn, *attempt);
        let last = match events.recv().await {
            Some(LlmEvent::Text(text)) => return (turn, attempt, Written::Text(text)),
            Some(LlmEvent::ToolCall(call)) => return (turn, attempt, Written::ToolCall(call)),
            Some(LlmEvent::Done { usage, .. }) => {
                tracing::debug!(
                    prompt_tokens = usage.prompt_tokens,
                    cached_tokens = usage.cached_tokens,
                    completion_tokens = usage.completion_tokens,
                    "the answer is written"
                );
                Written::Done
            }
            Some(LlmEvent::Failed(failure)) => {
                tracing::warn!(provider = failure.provider, cause = %failure.message, "the answer failed");
                match failure.remedy {
                    Remedy::Retry | Remedy::Replace => Written::FailedRetryable,
                    Remedy::GiveUp => Written::Failed,
                }
            }
            // An end without a last word is a failure: the model's thread is gone or the vendor hung up.
            None => Written::FailedRetryable,
        };
        self.under_way = None;
        (turn, attempt, last)
    }

    fn request(&self, prompt: &[Entry]) -> LlmRequest {
        LlmRequest {
            conversation: self.conversation.clone(),
            messages: messages(self.agent.system_prompt(), prompt),
            tools: self.tools.clone(),
            max_tokens: self.agent.max_reply_tokens,
            temperature: self.agent.temperature,
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.model.release(&self.conversation);
    }
}

/// A prompt as models take it: calls of one answer belong to one message, their results follow.
fn messages(system: &str, prompt: &[Entry]) -> Vec<Message> {
    let mut messages = vec![Message::System(system.to_owned())];
    for entry in prompt {
        match entry {
            Entry::Said { speaker: Speaker::Caller, text } => messages.push(Message::User(text.clone())),
            Entry::Said { speaker: Speaker::Agent, text } => {
                messages.push(Message::Assistant { text: text.clone(), calls: Vec::new() });
            }
            Entry::ToolCalled(call) => {
                let call = ToolCall { id: call.id.clone(), name: call.name.clone(), arguments: call.arguments.clone() };
                match messages.last_mut() {
                    Some(Message::Assistant { calls, .. }) => calls.push(call),
                    _ => messages.push(Message::Assistant { text: String::new(), calls: vec![call] }),
                }
            }
            Entry::ToolReturned { id, name, output } => {
                messages.push(Message::ToolResult { call_id: id.clone(), name: name.clone(), output: output.clone() });
            }
            Entry::ToolNews { name, output } => messages.push(Message::User(format!(
                "[The tool {name} that you called earlier has now returned: {output} Tell me, if it matters.]"
            ))),
            Entry::Summary(text) => messages.push(Message::System(format!("What was said before: {text}"))),
        }
    }
    messages
}
