//! The voice of a call: the model's own for what it said itself, another one for everything else.
//!
//! No [`TtsChain`](crate::resilience::TtsChain): there a voice that fails is given up for the rest of the call, and this one
//! does not fail when it declines a greeting.

use std::sync::Arc;

use audio::resample::Resampler;
use tokio::sync::mpsc;

use super::conversation::Ask;
use super::track::Piece;
use crate::resilience::unspoken;
use crate::tasks::Tasks;
use crate::tts::{SpeechRequest, TextToSpeech, TtsEvent};
use crate::{Failure, Remedy};

/// Pieces of audio that wait for a slow listener.
const EVENTS: usize = 16;

pub(super) struct LiveVoice {
    pub(super) name: &'static str,
    pub(super) rate_hz: u32,
    pub(super) asks: mpsc::Sender<Ask>,
    pub(super) behind: Arc<dyn TextToSpeech>,
    pub(super) tasks: Arc<Tasks>,
}

impl TextToSpeech for LiveVoice {
    fn name(&self) -> &'static str {
        self.name
    }

    fn sample_rate_hz(&self) -> u32 {
        self.rate_hz
    }

    fn speak(&self, request: SpeechRequest) -> mpsc::Receiver<TtsEvent> {
        let (listener, events) = mpsc::channel(EVENTS);
        let (sender, pieces) = mpsc::channel(EVENTS);
        // Asked here and not in the task, so that sentences come in their order. Who cannot be asked has declined.
        drop(self.asks.try_send(Ask::Speak(request.text.clone(), sender)));
        let sentence = Sentence {
            // The name is one of the model's voices.
            request: SpeechRequest { voice: None, ..request },
            rate_hz: self.rate_hz,
            behind: Arc::clone(&self.behind),
            listener: listener.clone(),
        };
        self.tasks.spawn(async move {
            tokio::select! {
                biased;
                () = listener.closed() => {}
                () = sentence.run(pieces) => {}
            }
        });
        events
    }
}

struct Sentence {
    request: SpeechRequest,
    rate_hz: u32,
    behind: Arc<dyn TextToSpeech>,
    listener: mpsc::Sender<TtsEvent>,
}

impl Sentence {
    async fn run(mut self, mut pieces: mpsc::Receiver<Piece>) {
        let mut spoken = 0;
        loop {
            match pieces.recv().await {
                Some(Piece::Audio(samples)) => {
                    spoken += samples.len();
                    self.tell(TtsEvent::Audio(samples)).await;
                }
                Some(Piece::Done) => return self.tell(TtsEvent::Done).await,
                Some(Piece::Declined) | None => break,
            }
        }
        if spoken > 0 {
            let spoken_ms = spoken as u64 * 1_000 / u64::from(self.rate_hz);
            self.request.text = unspoken(&self.request.text, spoken_ms, 1.0);
        }
        if self.request.text.is_empty() {
            return self.tell(TtsEvent::Done).await;
        }
        self.go_on_behind().await;
    }

    /// The other voice says what is left.
    async fn go_on_behind(self) {
        let mut resampler = Resampler::new(self.behind.sample_rate_hz(), self.rate_hz);
        let mut events = self.behind.speak(self.request.clone());
        while let Some(event) = events.recv().await {
            let mut out = Vec::new();
            match event {
                TtsEvent::Audio(samples) => {
                    resampler.process(&samples, &mut out);
                    self.tell_audio(out).await;
                }
                TtsEvent::Done => {
                    resampler.finish(&mut out);
                    self.tell_audio(out).await;
                    return self.tell(TtsEvent::Done).await;
                }
                TtsEvent::Failed(failure) => return self.tell(TtsEvent::Failed(failure)).await,
            }
        }
        let failure = Failure::new(self.behind.name(), Remedy::Retry, "the sentence broke off");
        self.tell(TtsEvent::Failed(failure)).await;
    }

    async fn tell_audio(&self, samples: Vec<f32>) {
        if !samples.is_empty() {
            self.tell(TtsEvent::Audio(samples.into())).await;
        }
    }

    async fn tell(&self, event: TtsEvent) {
        // Nobody listens any more: the task is about to be dropped.
        let _ = self.listener.send(event).await;
    }
}
