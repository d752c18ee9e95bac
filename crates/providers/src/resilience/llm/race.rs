//! Who says the first word. The next model is asked when one fails, and beside it when it is slow.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::super::health::Permit;
use super::super::{Link, next_link};
use crate::llm::{LanguageModel, LlmEvent, LlmRequest};
use crate::{Failure, Remedy};

/// The models that were not asked yet.
pub(super) struct Race {
    links: Arc<[Link<dyn LanguageModel>]>,
    hedge_after: Duration,
    next: usize,
}

/// A model that answers. Dropping it cancels the answer.
pub(super) struct Running {
    /// The first event, until somebody takes it.
    pub(super) first: Option<LlmEvent>,
    pub(super) events: mpsc::Receiver<LlmEvent>,
    pub(super) permit: Permit,
    model: &'static str,
}

impl Running {
    /// Counts the failure and gives it back.
    pub(super) fn failed(self, failure: Failure) -> Failure {
        if failure.remedy != Remedy::GiveUp {
            self.permit.failed(&failure);
        }
        failure
    }

    /// The stream ended without a last word.
    pub(super) fn vanished(self) -> Failure {
        let failure = Failure::new(self.model, Remedy::Retry, "the answer broke off");
        self.failed(failure)
    }

    /// Nothing came for too long.
    pub(super) fn stalled(self) -> Failure {
        let failure = Failure::new(self.model, Remedy::Retry, "the answer stood still");
        self.failed(failure)
    }
}

impl Race {
    pub(super) fn new(links: Arc<[Link<dyn LanguageModel>]>, hedge_after: Duration) -> Self {
        Self { links, hedge_after, next: 0 }
    }

    /// The model that says the first word to `request`; the last failure if all that were left failed before one; none
    /// if no model was left.
    pub(super) async fn first(&mut self, request: &LlmRequest) -> Option<Result<Running, Failure>> {
        let goes_on = self.next > 0;
        let begun = self.ask(request)?;
        if goes_on {
            begun.permit.takes_over();
        }
        let mut racing = vec![begun];
        let mut hedge_at = Instant::now() + self.hedge_after;
        loop {
            let hedging = !self.hedge_after.is_zero() && self.next < self.links.len();
            let (at, event) = tokio::select! {
                biased;
                first = first_of(&mut racing) => first,
                () = sleep_until(hedge_at), if hedging => {
                    tracing::info!(provider = racing[0].permit.name(), "no word yet: another model is asked too");
                    racing.extend(self.ask(request));
                    hedge_at = Instant::now() + self.hedge_after;
                    continue;
                }
            };
            let running = racing.swap_remove(at);
            let failure = match event {
                Some(LlmEvent::Failed(failure)) => running.failed(failure),
                None => running.vanished(),
                Some(event @ (LlmEvent::Text(_) | LlmEvent::ToolCall(_) | LlmEvent::Done { .. })) => {
                    racing.into_iter().for_each(|slower| slower.permit.overtaken());
                    let mut running = running;
                    running.permit.answered();
                    running.first = Some(event);
                    return Some(Ok(running));
                }
            };
            if failure.remedy == Remedy::GiveUp {
                return Some(Err(failure));
            }
            if racing.is_empty() {
                let Some(next) = self.ask(request) else { return Some(Err(failure)) };
                next.permit.takes_over();
                racing.push(next);
                hedge_at = Instant::now() + self.hedge_after;
            }
        }
    }

    fn ask(&mut self, request: &LlmRequest) -> Option<Running> {
        let (at, permit) = next_link(&self.links, self.next)?;
        self.next = at + 1;
        let provider = &self.links[at].provider;
        Some(Running { first: None, events: provider.reply(request.clone()), permit, model: provider.name() })
    }
}

/// The first event of any, with whose it is.
async fn first_of(racing: &mut [Running]) -> (usize, Option<LlmEvent>) {
    poll_fn(|context| {
        let ready = racing.iter_mut().enumerate().find_map(|(at, running)| match running.events.poll_recv(context) {
            Poll::Ready(event) => Some((at, event)),
            Poll::Pending => None,
        });
        ready.map_or(Poll::Pending, Poll::Ready)
    })
    .await
}
