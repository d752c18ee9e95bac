//! From sentences to Opus packets: asks the voice model ahead, encodes frame by frame, and tells the engine.

use std::collections::VecDeque;
use std::sync::Arc;

use audio::leg::{Clip, FRAME_MS, ToCaller};
use audio::opus::{Encoder, EncoderConfig, OpusError};
use dialogue::{Attempt, SentenceId, TurnId, VoiceEvent};
use providers::tts::{SpeechRequest, TextToSpeech, TtsEvent};
use tokio::sync::mpsc;

use crate::AgentConfig;
use crate::outbox::Outbox;

pub(crate) struct Voice {
    model: Arc<dyn TextToSpeech>,
    voice: Option<String>,
    speed: f32,
    encoder: Encoder,
    /// The answer that is encoded.
    encoded: Option<Encoded>,
    /// Sentences in the order they are spoken; the first one is being encoded.
    queue: VecDeque<Sentence>,
}

/// An answer that is encoded, and the encoder as it was before, if there was memory for that.
struct Encoded {
    answer: (TurnId, Attempt),
    before: Option<Encoder>,
}

struct Sentence {
    id: SentenceId,
    events: mpsc::Receiver<TtsEvent>,
    /// Samples that are not encoded yet.
    samples: VecDeque<f32>,
    made: Made,
    frames: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Made {
    Nothing,
    Some,
    All,
    /// Not all, and no more will come.
    Part,
}

impl Made {
    fn is_final(self) -> bool {
        matches!(self, Self::All | Self::Part)
    }
}

/// The next bit of work.
pub(crate) enum Step {
    Take(Option<TtsEvent>),
    Encode,
}

/// Beyond this, copies take more from the voice itself than they give.
const MAX_EXPECTED_LOSS_PERCENT: u8 = 25;

impl Voice {
    pub(crate) fn new(model: Arc<dyn TextToSpeech>, config: &AgentConfig) -> Result<Self, OpusError> {
        let encoder = Encoder::new(&EncoderConfig { rate_hz: model.sample_rate_hz(), ..EncoderConfig::default() })?;
        let (voice, speed, queue) = (config.voice.clone(), config.speed, VecDeque::new());
        Ok(Self { model, voice, speed, encoder, encoded: None, queue })
    }

    /// From the next sentence on, this agent's voice is used.
    pub(crate) fn speak_as(&mut self, agent: &AgentConfig) {
        self.voice.clone_from(&agent.voice);
        self.speed = agent.speed;
    }

    /// From the next frame on, the voice is guarded against this loss; it never goes unguarded.
    pub(crate) fn expect_loss(&mut self, percent: u8) {
        let percent = percent.clamp(EncoderConfig::default().expected_loss_percent, MAX_EXPECTED_LOSS_PERCENT);
        if let Err(error) = self.encoder.expect_loss(percent) {
            tracing::error!(%error, "the voice could not be guarded better");
        }
    }

    pub(crate) fn speak(&mut self, id: SentenceId, text: String) {
        let request = SpeechRequest { text, voice: self.voice.clone(), speed: self.speed };
        let events = self.model.speak(request);
        self.queue.push_back(Sentence { id, events, samples: VecDeque::new(), made: Made::Nothing, frames: 0 });
    }

    /// Forgets an answer; `outbox` tells whether the caller may have heard of it. Frames that never leave must not be what
    /// the next ones are coded from: a caller's decoder does not know them, and would begin the next answer with up to
    /// 200 ms of noise.
    pub(crate) fn cancel(&mut self, turn: TurnId, attempt: Attempt, outbox: &Outbox) {
        self.queue.retain(|sentence| (sentence.id.turn, sentence.id.attempt) != (turn, attempt));
        let Some(Encoded { before, .. }) = self.encoded.take_if(|encoded| encoded.answer == (turn, attempt)) else {
            return;
        };
        match before {
            Some(before) if !outbox.has_released(turn, attempt) => self.encoder = before,
            // How many frames left is not known here. Decoders conceal the pause that follows, which brings them close
            // to a fresh start.
            Some(_) | None => self.encoder.reset(),
        }
    }

    /// Waits until there is something to do; for ever while there is nothing to say. Cancel safe.
    pub(crate) async fn ready(&mut self) -> Step {
        let frame_samples = self.encoder.frame_samples();
        match self.queue.front_mut() {
            Some(sentence) if sentence.samples.len() < frame_samples && !sentence.made.is_final() => {
                Step::Take(sentence.events.recv().await)
            }
            Some(_) => {
                // A voice model gives whole seconds at once. Who takes the first packet was woken on this very thread, and
                // runs only when this task lets go of it; without that the packet waits until all are encoded.
                tokio::task::yield_now().await;
                Step::Encode
            }
            None => std::future::pending().await,
        }
    }

    /// Does what [`Self::ready`] found: takes audio from the model, or encodes a frame of it (about 150 µs of work) into `outbox`.
    pub(crate) fn step(&mut self, step: Step, outbox: &mut Outbox) -> Option<(SentenceId, VoiceEvent)> {
        match step {
            Step::Take(event) => self.take(event),
            Step::Encode => self.encode(outbox),
        }
    }

    fn take(&mut self, event: Option<TtsEvent>) -> Option<(SentenceId, VoiceEvent)> {
        let sentence = self.queue.front_mut()?;
        match event {
            Some(TtsEvent::Audio(samples)) => {
                sentence.samples.extend(samples.iter());
                let first = sentence.made == Made::Nothing;
                sentence.made = Made::Some;
                first.then_some((sentence.id, VoiceEvent::FirstAudio))
            }
            Some(TtsEvent::Done) => {
                sentence.made = Made::All;
                None
            }
            Some(TtsEvent::Failed(failure)) => {
                tracing::warn!(provider = failure.provider, cause = %failure.message, "a sentence could not be spoken");
                self.fail()
            }
            None => self.fail(),
        }
    }

    /// Gives up a sentence; what was already encoded of it is still played, and then it is over.
    fn fail(&mut self) -> Option<(SentenceId, VoiceEvent)> {
        let sentence = self.queue.front_mut()?;
        if sentence.frames > 0 {
            sentence.made = Made::Part;
            return None;
        }
        let id = sentence.id;
        self.queue.pop_front();
        Some((id, VoiceEvent::Failed))
    }

    fn encode(&mut self, outbox: &mut Outbox) -> Option<(SentenceId, VoiceEvent)> {
        let frame_samples = self.encoder.frame_samples();
        let sentence = self.queue.front_mut()?;
        let clip = clip_of(sentence.id);
        let answer = (sentence.id.turn, sentence.id.attempt);
        if self.encoded.as_ref().is_none_or(|encoded| encoded.answer != answer) {
            self.encoded = Some(Encoded { answer, before: self.encoder.copy().ok() });
        }
        let take = frame_samples.min(sentence.samples.len());
        if take == frame_samples || (take > 0 && sentence.made.is_final()) {
            let mut frame: Vec<f32> = sentence.samples.drain(..take).collect();
            frame.resize(frame_samples, 0.0);
            match self.encoder.encode(&frame) {
                Ok(payload) => {
                    sentence.frames += 1;
                    outbox.send_voice(clip, ToCaller::Voice { clip, payload });
                }
                Err(error) => tracing::error!(%error, "the voice could not be encoded"),
            }
        }
        if !sentence.samples.is_empty() || !sentence.made.is_final() {
            return None;
        }
        let (id, made, duration_ms) = (sentence.id, sentence.made, sentence.frames * FRAME_MS);
        if duration_ms > 0 {
            outbox.send_voice(clip, ToCaller::EndOfClip(clip));
        }
        self.queue.pop_front();
        let event = match made {
            Made::Part => VoiceEvent::BrokeOff { duration_ms },
            Made::All | Made::Nothing | Made::Some => VoiceEvent::Done { duration_ms },
        };
        Some((id, event))
    }
}

pub(crate) fn clip_of(sentence: SentenceId) -> Clip {
    Clip { turn: sentence.turn.0, attempt: sentence.attempt.0, sentence: sentence.index }
}

pub(crate) fn sentence_of(clip: Clip) -> SentenceId {
    SentenceId { turn: TurnId(clip.turn), attempt: Attempt(clip.attempt), index: clip.sentence }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use audio::leg::ToCaller;
    use bytes::Bytes;
    use dialogue::{Attempt, SentenceId, TurnId, VoiceEvent};
    use testkit::scripted::Murmur;
    use tokio::sync::mpsc;

    use super::Voice;
    use crate::AgentConfig;
    use crate::outbox::Outbox;

    /// A voice, and what leaves of it.
    struct Rig {
        voice: Voice,
        outbox: Outbox,
        sent: mpsc::Receiver<ToCaller>,
    }

    impl Rig {
        fn new() -> Self {
            let (link, sent) = mpsc::channel(1_000);
            let voice = Voice::new(Arc::new(Murmur), &AgentConfig::default()).expect("a voice");
            Self { voice, outbox: Outbox::new(link), sent }
        }

        async fn encode(&mut self, turn: u32, attempt: u32, index: u32) {
            let id = SentenceId { turn: TurnId(turn), attempt: Attempt(attempt), index };
            self.voice.speak(id, format!("sentence {index}"));
            loop {
                let step = self.voice.ready().await;
                if let Some((_, VoiceEvent::Done { .. })) = self.voice.step(step, &mut self.outbox) {
                    return;
                }
            }
        }

        fn cancel(&mut self, turn: u32, attempt: u32) {
            self.voice.cancel(TurnId(turn), Attempt(attempt), &self.outbox);
            self.outbox.cancel(TurnId(turn), Attempt(attempt));
        }

        /// The packets that leave when this answer is released.
        async fn release(&mut self, turn: u32, attempt: u32) -> Vec<Bytes> {
            self.outbox.release(TurnId(turn), Attempt(attempt));
            self.outbox.forward().await;
            let mut packets = Vec::new();
            while let Ok(message) = self.sent.try_recv() {
                if let ToCaller::Voice { payload, .. } = message {
                    packets.push(payload);
                }
            }
            packets
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_coded_as_if_what_never_left_had_never_been() {
        let mut plain = Rig::new();
        plain.encode(2, 1, 0).await;
        plain.release(2, 1).await;
        plain.encode(3, 2, 1).await;
        let expected = plain.release(3, 2).await;

        let mut rig = Rig::new();
        rig.encode(2, 1, 0).await;
        rig.release(2, 1).await;
        rig.encode(3, 1, 5).await;
        rig.cancel(3, 1);
        rig.encode(3, 2, 1).await;
        assert_eq!(rig.release(3, 2).await, expected);
        assert!(expected.len() > 20, "{}", expected.len());

        let mut alone = Rig::new();
        alone.encode(3, 2, 1).await;
        assert_ne!(alone.release(3, 2).await, expected, "it goes on from the answer before");
    }

    #[tokio::test(start_paused = true)]
    async fn behind_an_interruption_the_voice_is_coded_afresh() {
        let mut rig = Rig::new();
        rig.encode(2, 1, 5).await;
        rig.release(2, 1).await;
        rig.cancel(2, 1);
        rig.encode(3, 1, 1).await;
        let mut fresh = Rig::new();
        fresh.encode(3, 1, 1).await;
        assert_eq!(rig.release(3, 1).await, fresh.release(3, 1).await);
    }
}
