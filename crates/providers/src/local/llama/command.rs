//! What the engine is asked to do.

use tokio::sync::mpsc;

use super::replace;
use crate::Failure;
use crate::llm::{LlmEvent, LlmRequest};

/// The longest answer, whatever the request says. Bounds the event channel.
const MAX_ANSWER_TOKENS: u32 = 4096;

/// A command.
#[derive(Debug)]
pub(super) enum Command {
    Reply(Reply),
    Prepare(LlmRequest),
    Release(String),
}

/// A request for an answer and where it goes.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) request: LlmRequest,
    pub(super) events: mpsc::Sender<LlmEvent>,
}

impl Command {
    /// Tells the caller that the engine will not do it.
    pub(super) fn refuse(self, reason: &str) {
        match self {
            Self::Reply(reply) => reply.fail(replace(reason)),
            Self::Prepare(_) | Self::Release(_) => {}
        }
    }
}

impl Reply {
    /// The channel holds an event per token, the rest at the end and the last one, so the engine never waits for a slow reader.
    pub(super) fn new(mut request: LlmRequest) -> (Self, mpsc::Receiver<LlmEvent>) {
        request.max_tokens = request.max_tokens.clamp(1, MAX_ANSWER_TOKENS);
        let (events, receiver) = mpsc::channel(request.max_tokens as usize + 3);
        (Self { request, events }, receiver)
    }

    /// Tells the caller that there will be no answer.
    pub(super) fn fail(self, failure: Failure) {
        // A closed channel means that nobody waits for the answer.
        let _ = self.events.try_send(LlmEvent::Failed(failure));
    }
}
