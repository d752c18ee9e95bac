//! Voices in a row. Within a call a voice stays: it changes only where it fails.

mod order;
mod rest;

pub(crate) use rest::after as unspoken;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use audio::resample::Resampler;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::health::Permit;
use super::{Consumed, FixedLines, Link, ResilienceConfig, next_link};
use crate::tasks::Tasks;
use crate::tts::{SpeechRequest, TextToSpeech, TtsEvent};
use crate::{Failure, Remedy};
use order::{Order, Place};

/// Pieces of audio that wait for a slow reader.
const EVENTS: usize = 16;

/// Several voices as one. A sentence that breaks off is gone on with by the next voice, from about the word that was not
/// spoken any more; a word may be lost there, none is said twice.
pub struct TtsChain {
    links: Arc<[Link<dyn TextToSpeech>]>,
    /// The first link that this call has not given up.
    voice: Arc<AtomicUsize>,
    order: Arc<Order>,
    limits: Limits,
    fixed: Option<FixedLines>,
    tasks: Arc<Tasks>,
}

/// How long a voice may be silent.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// Before its first sound, counted from when the voice has nothing older of this call to say.
    sound: Duration,
    /// Within a sentence.
    stall: Duration,
}

impl TtsChain {
    /// Voices in the order in which they are asked. One that is silent for too long is replaced. All audio comes at the
    /// rate of the first one.
    #[must_use]
    pub fn new(links: Vec<Link<dyn TextToSpeech>>, config: &ResilienceConfig) -> Self {
        let limits = Limits { sound: config.sound_deadline, stall: config.stall_deadline };
        let (voice, order, tasks) = (Arc::default(), Arc::default(), Arc::default());
        Self { links: links.into(), voice, order, limits, fixed: None, tasks }
    }

    /// The same, that speaks these lines from memory once the first voice has spoken them.
    #[must_use]
    pub fn with_fixed_lines(self, lines: FixedLines) -> Self {
        Self { fixed: Some(lines), ..self }
    }
}

impl TextToSpeech for TtsChain {
    fn name(&self) -> &'static str {
        "chain.tts"
    }

    fn sample_rate_hz(&self) -> u32 {
        self.links.first().map_or(DEFAULT_RATE_HZ, |link| link.provider.sample_rate_hz())
    }

    fn speak(&self, request: SpeechRequest) -> mpsc::Receiver<TtsEvent> {
        let (listener, events) = mpsc::channel(EVENTS);
        let mut sentence = Sentence {
            links: Arc::clone(&self.links),
            voice: Arc::clone(&self.voice),
            place: self.order.next(),
            limits: self.limits,
            rate_hz: self.sample_rate_hz(),
            listener: listener.clone(),
            fixed: self.fixed_line(&request),
            request,
        };
        let voice = self.voice.load(Ordering::Relaxed);
        if voice == 0 && sentence.fixed.as_ref().is_some_and(Fixed::is_known) {
            self.tasks.spawn(sentence.remember());
            return events;
        }
        // Asked here and not in the task, so that voices get the sentences in their order.
        let first = sentence.ask(voice);
        self.tasks.spawn(async move {
            tokio::select! {
                biased;
                () = listener.closed() => {}
                () = sentence.run(first) => {}
            }
        });
        events
    }

    fn for_call(&self) -> Option<Arc<dyn TextToSpeech>> {
        let (links, fixed, tasks) = (Arc::clone(&self.links), self.fixed.clone(), Arc::clone(&self.tasks));
        let (voice, order) = (Arc::default(), Arc::default());
        Some(Arc::new(Self { links, voice, order, limits: self.limits, fixed, tasks }))
    }
}

impl TtsChain {
    fn fixed_line(&self, request: &SpeechRequest) -> Option<Fixed> {
        let lines = self.fixed.clone().filter(|lines| lines.has(request))?;
        let provider = self.links.first()?.health.name().to_owned();
        Some(Fixed { lines, provider, whole: request.clone(), take: Vec::new() })
    }
}

/// The rate of a chain without links, which says nothing at any rate.
const DEFAULT_RATE_HZ: u32 = 24_000;

struct Sentence {
    links: Arc<[Link<dyn TextToSpeech>]>,
    voice: Arc<AtomicUsize>,
    /// Among the sentences of the call.
    place: Place,
    limits: Limits,
    /// What is still to be said.
    request: SpeechRequest,
    rate_hz: u32,
    listener: mpsc::Sender<TtsEvent>,
    fixed: Option<Fixed>,
}

/// A line that may be kept, or is.
struct Fixed {
    lines: FixedLines,
    /// The first voice: only what it speaks is kept, so that a stand-in is never heard again when it is back.
    provider: String,
    whole: SpeechRequest,
    /// What was said of it until now.
    take: Vec<f32>,
}

impl Fixed {
    fn is_known(&self) -> bool {
        self.known().is_some()
    }

    fn known(&self) -> Option<Arc<[f32]>> {
        self.lines.recall(&self.provider, &self.whole)
    }

    fn keep(self) {
        self.lines.keep(&self.provider, &self.whole, self.take);
    }
}

/// A voice that speaks. Dropping it cancels the sentence.
struct Speaking {
    link: usize,
    events: mpsc::Receiver<TtsEvent>,
    permit: Permit,
}

impl Sentence {
    fn ask(&mut self, from: usize) -> Option<Speaking> {
        let (link, permit) = next_link(&self.links, from)?;
        permit.consumed(Consumed::speech(&self.request.text));
        // The name is the first voice's; the others have names of their own.
        let voice = self.request.voice.clone().filter(|_| link == 0);
        let events = self.links[link].provider.speak(SpeechRequest { voice, ..self.request.clone() });
        Some(Speaking { link, events, permit })
    }

    async fn run(mut self, mut next: Option<Speaking>) {
        let mut last = Failure::new("chain.tts", Remedy::Retry, "no voice is configured");
        while let Some(speaking) = next {
            let link = speaking.link;
            match self.give(speaking).await {
                Ok(()) => {
                    self.tell(TtsEvent::Done).await;
                    if let Some(fixed) = self.fixed.filter(|_| link == 0) {
                        fixed.keep();
                    }
                    return;
                }
                Err(failure) => last = failure,
            }
            if self.request.text.is_empty() {
                self.tell(TtsEvent::Done).await;
                return;
            }
            if last.remedy == Remedy::GiveUp {
                break;
            }
            self.voice.fetch_max((link + 1).min(self.links.len() - 1), Ordering::Relaxed);
            next = if link + 1 < self.links.len() { self.ask(link + 1) } else { None };
            next.iter().for_each(|speaking| speaking.permit.takes_over());
        }
        // Nobody can speak; perhaps somebody could, once.
        if self.fixed.as_ref().is_some_and(|fixed| fixed.whole.text == self.request.text && fixed.is_known()) {
            self.remember().await;
        } else {
            self.tell(TtsEvent::Failed(last)).await;
        }
    }

    /// Speaks the fixed line from memory.
    async fn remember(self) {
        if let Some(audio) = self.fixed.as_ref().and_then(Fixed::known) {
            self.tell(TtsEvent::Audio(audio)).await;
        }
        self.tell(TtsEvent::Done).await;
    }

    /// Hands on what this voice says, to its end. When it breaks off, `request` holds what it did not say.
    async fn give(&mut self, mut speaking: Speaking) -> Result<(), Failure> {
        let provider = &self.links[speaking.link].provider;
        let (name, from_hz) = (provider.name(), provider.sample_rate_hz());
        let mut resampler = Resampler::new(from_hz, self.rate_hz);
        let mut spoken_samples = 0;
        let failure = loop {
            let begun = spoken_samples > 0;
            match self.next_event(&mut speaking, begun).await {
                Ok(Some(TtsEvent::Audio(samples))) => {
                    speaking.permit.answered();
                    spoken_samples += samples.len();
                    let mut out = Vec::new();
                    resampler.process(&samples, &mut out);
                    self.tell_audio(out).await;
                }
                Ok(Some(TtsEvent::Done)) => {
                    let mut out = Vec::new();
                    resampler.finish(&mut out);
                    self.tell_audio(out).await;
                    speaking.permit.succeeded();
                    return Ok(());
                }
                Ok(Some(TtsEvent::Failed(failure))) => break failure,
                Ok(None) => break Failure::new(name, Remedy::Retry, "the sentence broke off"),
                Err(cause) => break Failure::new(name, Remedy::Retry, cause),
            }
        };
        if spoken_samples > 0 {
            let spoken_ms = spoken_samples as u64 * 1_000 / u64::from(from_hz);
            self.request.text = rest::after(&self.request.text, spoken_ms, self.request.speed);
        }
        if failure.remedy != Remedy::GiveUp {
            speaking.permit.failed(&failure);
        }
        Err(failure)
    }

    /// The next event, or why it is not waited for any longer. The last voice may begin late: slow is better than nothing.
    async fn next_event(&mut self, speaking: &mut Speaking, begun: bool) -> Result<Option<TtsEvent>, &'static str> {
        let events = &mut speaking.events;
        if begun {
            return timeout(self.limits.stall, events.recv()).await.map_err(|_| "the sentence stood still");
        }
        if speaking.link + 1 == self.links.len() {
            return Ok(events.recv().await);
        }
        tokio::select! {
            biased;
            event = events.recv() => return Ok(event),
            // Voices speak in order: one that is still at an older sentence is not silent.
            () = self.place.reached() => {}
        }
        timeout(self.limits.sound, events.recv()).await.map_err(|_| "no sound came in time")
    }

    async fn tell_audio(&mut self, samples: Vec<f32>) {
        if !samples.is_empty() {
            if let Some(fixed) = &mut self.fixed {
                fixed.take.extend_from_slice(&samples);
            }
            self.tell(TtsEvent::Audio(samples.into())).await;
        }
    }

    async fn tell(&self, event: TtsEvent) {
        // Nobody listens any more: the task is about to be dropped.
        let _ = self.listener.send(event).await;
    }
}
