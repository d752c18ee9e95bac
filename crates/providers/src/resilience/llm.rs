//! Language models in a row. The slow one is raced by the next; the one that breaks off is gone on for.
//!
//! Text that was given out counts as said, since nobody here knows what was played. So who takes over is told what was
//! said already, and what it repeats all the same is left out ([`seam`]). Words leave whole, and calls of tools only
//! with the last event, so that a half answer leaves nothing behind that the other half contradicts.

mod given;
mod race;
mod seam;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;

use super::{Link, ResilienceConfig};
use crate::llm::{LanguageModel, LlmEvent, LlmRequest};
use crate::tasks::Tasks;
use crate::{Failure, Remedy};
use given::Given;
use race::{Race, Running};

/// Events that wait for a slow reader.
const EVENTS: usize = 64;

/// Several language models as one. The first that may be asked answers.
pub struct LlmChain {
    links: Arc<[Link<dyn LanguageModel>]>,
    hedge_after: Duration,
    stall_deadline: Duration,
    tasks: Tasks,
}

impl LlmChain {
    /// Models in the order in which they are asked. One without a first word is raced by the next; one that stands
    /// still in mid-answer is taken over.
    #[must_use]
    pub fn new(links: Vec<Link<dyn LanguageModel>>, config: &ResilienceConfig) -> Self {
        let ResilienceConfig { hedge_after, stall_deadline, .. } = *config;
        Self { links: links.into(), hedge_after, stall_deadline, tasks: Tasks::default() }
    }
}

impl LanguageModel for LlmChain {
    fn name(&self) -> &'static str {
        "chain.llm"
    }

    fn reply(&self, request: LlmRequest) -> mpsc::Receiver<LlmEvent> {
        let (sender, events) = mpsc::channel(EVENTS);
        let answer = Answer {
            race: Race::new(Arc::clone(&self.links), self.hedge_after),
            stall_deadline: self.stall_deadline,
            request,
            given: Given::default(),
            listener: sender.clone(),
        };
        self.tasks.spawn(async move {
            tokio::select! {
                biased;
                // Nobody listens: everything that runs is dropped, and so cancelled.
                () = sender.closed() => {}
                () = answer.run() => {}
            }
        });
        events
    }

    fn prepare(&self, request: LlmRequest) {
        // Only the first reads ahead: the others are asked seldom, and reading is work.
        if let Some(link) = self.links.first() {
            link.provider.prepare(request);
        }
    }

    fn release(&self, conversation: &str) {
        self.links.iter().for_each(|link| link.provider.release(conversation));
    }
}

/// One answer, by as many models as it takes.
struct Answer {
    race: Race,
    stall_deadline: Duration,
    request: LlmRequest,
    given: Given,
    listener: mpsc::Sender<LlmEvent>,
}

impl Answer {
    async fn run(mut self) {
        let mut last = Failure::new("chain.llm", Remedy::Retry, "no language model is configured");
        while let Some(won) = self.race.first(&self.given.continued(&self.request)).await {
            let outcome = match won {
                Ok(running) => self.give(running).await,
                Err(failure) => Err(failure),
            };
            match outcome {
                Ok(()) => return,
                Err(failure) if failure.remedy == Remedy::GiveUp => {
                    self.tell(LlmEvent::Failed(failure)).await;
                    return;
                }
                Err(failure) => last = failure,
            }
        }
        self.tell(LlmEvent::Failed(last)).await;
    }

    /// Hands on what this model writes, to its end.
    async fn give(&mut self, mut running: Running) -> Result<(), Failure> {
        self.given.begin();
        let mut calls = Vec::new();
        let mut next = running.first.take();
        loop {
            match next {
                Some(LlmEvent::Text(text)) => {
                    let whole = self.given.take(&text);
                    self.tell_text(whole).await;
                }
                Some(LlmEvent::ToolCall(call)) => calls.push(call),
                Some(LlmEvent::Done { finish, usage }) => {
                    let rest = self.given.finish();
                    self.tell_text(rest).await;
                    for call in calls {
                        self.tell(LlmEvent::ToolCall(call)).await;
                    }
                    running.permit.consumed(usage.into());
                    running.permit.succeeded();
                    self.tell(LlmEvent::Done { finish, usage }).await;
                    return Ok(());
                }
                Some(LlmEvent::Failed(failure)) => return Err(running.failed(failure)),
                None => return Err(running.vanished()),
            }
            next = match timeout(self.stall_deadline, running.events.recv()).await {
                Ok(event) => event,
                Err(_) => return Err(running.stalled()),
            };
        }
    }

    async fn tell_text(&self, text: String) {
        if !text.is_empty() {
            self.tell(LlmEvent::Text(text)).await;
        }
    }

    async fn tell(&self, event: LlmEvent) {
        // Nobody listens any more: the task is about to be dropped.
        let _ = self.listener.send(event).await;
    }
}
