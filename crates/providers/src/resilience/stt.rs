//! Recognisers in a row. All speech without a final transcript is kept, so whoever takes over hears it from its start.

mod kept;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::health::Permit;
use super::{Consumed, Link, ResilienceConfig, next_link};
use crate::stt::{self, FailureEvent, SpeechToText, SttEvent, SttInput, SttOptions, SttStream};
use crate::tasks::Tasks;
use crate::{Failure, Remedy};
use kept::Kept;

/// Inputs that wait for the chain: it never waits itself, so these are few.
const INPUTS: usize = 64;
/// Events that wait for a slow reader.
const EVENTS: usize = 64;

/// How much faster than spoken a recogniser takes what it has missed: Google is sent no more.
const CATCH_UP: u32 = 4;
/// How long nobody is asked after everybody has failed.
const REST: Duration = Duration::from_secs(1);

/// Several recognisers as one. A call begins with the first that may be asked, and keeps one until it fails.
pub struct SttChain {
    links: Arc<[Link<dyn SpeechToText>]>,
    words_deadline: Duration,
    tasks: Tasks,
}

impl SttChain {
    /// Recognisers in the order in which they are asked. One that leaves a pause or a commit without words for
    /// `words_deadline` is replaced.
    #[must_use]
    pub fn new(links: Vec<Link<dyn SpeechToText>>, config: &ResilienceConfig) -> Self {
        Self { links: links.into(), words_deadline: config.words_deadline, tasks: Tasks::default() }
    }
}

impl SpeechToText for SttChain {
    fn name(&self) -> &'static str {
        "chain.stt"
    }

    fn open(&self, options: SttOptions) -> SttStream {
        let (input, inputs) = mpsc::channel(INPUTS);
        let (listener, events) = mpsc::channel(EVENTS);
        let ear = Ear {
            links: Arc::clone(&self.links),
            words_deadline: self.words_deadline,
            options,
            listener: listener.clone(),
            kept: Kept::default(),
            due: None,
            suspect: None,
            catches_up_until: Instant::now(),
        };
        self.tasks.spawn(async move {
            tokio::select! {
                biased;
                () = listener.closed() => {}
                () = ear.run(inputs) => {}
            }
        });
        SttStream { input, events }
    }
}

/// One speaker's recognisers.
struct Ear {
    links: Arc<[Link<dyn SpeechToText>]>,
    words_deadline: Duration,
    options: SttOptions,
    listener: mpsc::Sender<SttEvent>,
    kept: Kept,
    /// When the words that were asked for are overdue.
    due: Option<Instant>,
    /// Until then the recogniser hears what it has missed.
    catches_up_until: Instant,
    /// One that had no words, and why it was replaced.
    suspect: Option<(Permit, Failure)>,
}

/// The recogniser that listens. Dropping it closes its stream.
struct Listening {
    link: usize,
    stream: SttStream,
    permit: Permit,
}

/// What ends a recogniser's service.
enum Over {
    /// The call.
    Call,
    /// A failure, which another one may make good.
    Failed(Failure),
    /// No words. It failed only if another one hears some: noise has none.
    Wordless(Failure),
}

impl Ear {
    async fn run(mut self, mut inputs: mpsc::Receiver<SttInput>) {
        let mut next = self.open(0);
        while let Some(mut listening) = next {
            let link = listening.link;
            let is_last = link + 1 == self.links.len();
            let failure = match self.listen(&mut listening, &mut inputs).await {
                Over::Call => return,
                Over::Wordless(failure) if !is_last => {
                    self.suspect = Some((listening.permit, failure.clone()));
                    failure
                }
                Over::Failed(failure) | Over::Wordless(failure) => {
                    listening.permit.failed(&failure);
                    failure
                }
            };
            self.kept.rewind();
            self.catches_up_until = Instant::now() + self.kept.lasts() / CATCH_UP;
            next = if is_last {
                // Nobody is left: this utterance is lost, and the next one is for whoever has recovered.
                self.kept.drop_oldest();
                self.due = None;
                self.tell(SttEvent::Failed(FailureEvent(failure))).await;
                if self.rest(&mut inputs).await.is_none() {
                    return;
                }
                self.open(0)
            } else {
                self.open(link + 1)
            };
            next.iter().for_each(|listening| listening.permit.takes_over());
        }
    }

    fn open(&mut self, from: usize) -> Option<Listening> {
        let (link, permit) = next_link(&self.links, from)?;
        let stream = self.links[link].provider.open(self.options.clone());
        Some(Listening { link, stream, permit })
    }

    /// Only listens for a while, so that providers that are all down are not asked in a circle. None once the call is
    /// over.
    async fn rest(&mut self, inputs: &mut mpsc::Receiver<SttInput>) -> Option<()> {
        let until = Instant::now() + REST;
        loop {
            tokio::select! {
                biased;
                () = sleep_until(until) => return Some(()),
                input = inputs.recv() => self.kept.push(input?),
            }
        }
    }

    /// Passes everything both ways until the recogniser fails or the call is over.
    async fn listen(&mut self, listening: &mut Listening, inputs: &mut mpsc::Receiver<SttInput>) -> Over {
        let name = self.links[listening.link].provider.name();
        loop {
            let due = self.due;
            tokio::select! {
                biased;
                event = listening.stream.events.recv() => {
                    let Some(event) = event else { return Over::Failed(broken(name, "the stream broke off")) };
                    if let Some(failure) = self.pass(event, &mut listening.permit).await {
                        return Over::Failed(failure);
                    }
                }
                room = listening.stream.input.reserve(), if self.kept.has_unsent() => {
                    let Ok(room) = room else { return Over::Failed(broken(name, "the stream was closed")) };
                    if let Some(input) = self.kept.next_unsent() {
                        match &input {
                            SttInput::Audio(samples) => listening.permit.consumed(Consumed::audio(stt::lasts(samples.len()))),
                            SttInput::Pause(_) | SttInput::Commit => {
                                self.due = Some(self.overdue_at());
                                listening.permit.asked();
                            }
                            SttInput::Reset => {}
                        }
                        room.send(input);
                    }
                }
                input = inputs.recv() => match input {
                    Some(input) => self.kept.push(input),
                    None => return Over::Call,
                },
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    self.due = None;
                    return Over::Wordless(broken(name, "no words came in time"));
                }
            }
        }
    }

    /// Passes an event on; gives the failure that ends this recogniser's service.
    async fn pass(&mut self, event: SttEvent, permit: &mut Permit) -> Option<Failure> {
        match &event {
            SttEvent::Partial { settled: None, .. } => {}
            SttEvent::Partial { text, settled: Some(mark) } => {
                permit.answered();
                self.convict(text);
                self.answered(Some(*mark));
            }
            SttEvent::Final { text } => {
                permit.answered();
                permit.succeeded();
                self.convict(text);
                self.suspect = None;
                self.kept.drop_oldest();
                self.answered(None);
            }
            SttEvent::Failed(FailureEvent(failure)) if failure.remedy == Remedy::GiveUp => {
                self.kept.drop_oldest();
                self.answered(None);
            }
            SttEvent::Failed(FailureEvent(failure)) => return Some(failure.clone()),
        }
        self.tell(event).await;
        None
    }

    /// Words were heard: who had none failed.
    fn convict(&mut self, text: &str) {
        if !text.trim().is_empty()
            && let Some((suspect, failure)) = self.suspect.take()
        {
            suspect.failed(&failure);
        }
    }

    /// Something was answered, of pauses those up to this mark; the wait for what else was asked begins anew.
    fn answered(&mut self, mark: Option<u32>) {
        self.due = self.kept.awaits_after(mark).then(|| self.overdue_at());
    }

    fn overdue_at(&self) -> Instant {
        self.catches_up_until.max(Instant::now()) + self.words_deadline
    }

    async fn tell(&self, event: SttEvent) {
        // Nobody listens any more: the task is about to be dropped.
        let _ = self.listener.send(event).await;
    }
}

fn broken(provider: &'static str, message: &str) -> Failure {
    Failure::new(provider, Remedy::Retry, message)
}
