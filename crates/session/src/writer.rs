//! Runs the language model for the one answer that is under way.

use std::sync::Arc;

use dialogue::{Attempt, Entry, ReplyEvent, Speaker, TurnId};
use providers::Remedy;
use providers::llm::{LanguageModel, LlmEvent, LlmRequest, Message, Role};
use tokio::sync::mpsc;

use crate::AgentConfig;

pub(crate) struct Writer {
    model: Arc<dyn LanguageModel>,
    conversation: String,
    config: AgentConfig,
    under_way: Option<UnderWay>,
}

struct UnderWay {
    turn: TurnId,
    attempt: Attempt,
    events: mpsc::Receiver<LlmEvent>,
}

impl Writer {
    pub(crate) fn new(model: Arc<dyn LanguageModel>, conversation: String, config: AgentConfig) -> Self {
        Self { model, conversation, config, under_way: None }
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
    pub(crate) async fn news(&mut self) -> (TurnId, Attempt, ReplyEvent) {
        let Some(UnderWay { turn, attempt, events }) = &mut self.under_way else {
            return std::future::pending().await;
        };
        let (turn, attempt) = (*turn, *attempt);
        let event = match events.recv().await {
            Some(LlmEvent::Text(text)) => return (turn, attempt, ReplyEvent::Text(text)),
            Some(LlmEvent::Done { usage, .. }) => {
                tracing::debug!(
                    prompt_tokens = usage.prompt_tokens,
                    cached_tokens = usage.cached_tokens,
                    completion_tokens = usage.completion_tokens,
                    "the answer is written"
                );
                ReplyEvent::Done
            }
            Some(LlmEvent::Failed(failure)) => {
                tracing::warn!(provider = failure.provider, cause = %failure.message, "the answer failed");
                match failure.remedy {
                    Remedy::Retry | Remedy::Replace => ReplyEvent::FailedRetryable,
                    Remedy::GiveUp => ReplyEvent::Failed,
                }
            }
            // An end without a last word is a failure: the model's thread is gone or the vendor hung up.
            None => ReplyEvent::FailedRetryable,
        };
        self.under_way = None;
        (turn, attempt, event)
    }

    fn request(&self, prompt: &[Entry]) -> LlmRequest {
        let system = Message { role: Role::System, text: self.config.system_prompt().to_owned() };
        let turns = prompt.iter().map(|entry| Message {
            role: match entry.speaker {
                Speaker::Caller => Role::User,
                Speaker::Agent => Role::Assistant,
            },
            text: entry.text.clone(),
        });
        LlmRequest {
            conversation: self.conversation.clone(),
            messages: std::iter::once(system).chain(turns).collect(),
            max_tokens: self.config.max_reply_tokens,
            temperature: self.config.temperature,
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.model.release(&self.conversation);
    }
}
