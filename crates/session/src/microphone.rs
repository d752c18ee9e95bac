//! The caller's side: packets to samples, samples to windows, windows to speech, speech to the recogniser.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use audio::jitter::Arrivals;
use audio::leg::{FRAME_MS, OpusFrame};
use audio::mend::{Mended, Mender};
use audio::opus::OpusError;
use dialogue::{PauseId, Timestamp};
use providers::live::Ear;
use providers::stt::{SpeechToText, SttEvent, SttInput, SttOptions, SttStream};
use providers::vad::{SAMPLE_RATE_HZ, UNREAD_LIMIT, VadStream, VoiceActivity, WINDOW_SAMPLES};

use tokio::sync::mpsc::error::TrySendError;

use crate::AgentConfig;
use crate::echo_guard::EchoGuard;
use crate::loudspeaker::Loudspeaker;
use crate::speech::{Change, SpeechWatch};

/// How long a window lasts.
pub(crate) const WINDOW: Duration = Duration::from_millis(WINDOW_SAMPLES as u64 * 1_000 / SAMPLE_RATE_HZ as u64);
/// Windows kept until speech is believed, so that soft first sounds reach the recogniser: 192 ms before the first one
/// that holds speech. Found with three recorded questions at three offsets each: with less, first words were lost; with more, the recogniser
/// took the silence for one ("She'll get" for "Should I get").
const LEAD_IN_WINDOWS: usize = 7;
/// What the end-of-turn model hears: its last 8 s are all that matters.
const UTTERANCE_SAMPLES: usize = 8 * SAMPLE_RATE_HZ as usize;
/// A speaker whose packets stop (mute, silence suppression, a dead network) is taken for silent after this long.
const STARVED_AFTER: Duration = Duration::from_millis(80);
/// On a network that jitters, packets may be so much later without anything being wrong.
const MAX_JITTER: Duration = Duration::from_millis(200);
/// Inputs that wait for a slow recogniser: 15 s of windows, as long as its longest segment.
const BACKLOG_INPUTS: usize = 480;
/// Windows that wait for the detector: 4 s. They come in a burst when a network or a hand-over held them up.
const WAITING_WINDOWS: usize = 128;
const FRAME: Duration = Duration::from_millis(FRAME_MS as u64);
const FRAME_SAMPLES: usize = (SAMPLE_RATE_HZ / 1_000 * FRAME_MS) as usize;

/// What the microphone has to say.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Heard {
    Speech(Change),
    Words { text: String, settled: Option<PauseId> },
    WordsFailed,
}

pub(crate) struct Microphone {
    mender: Mender,
    arrivals: Arrivals,
    /// What a packet held, until it has passed the guard.
    decoded: Vec<f32>,
    guard: EchoGuard,
    vad: VadStream,
    stt: SttStream,
    /// A speech-native model's, that hears what the recogniser hears.
    ear: Option<Ear>,
    /// A model's streams end with it.
    models: (Arc<dyn VoiceActivity>, Arc<dyn SpeechToText>),
    /// What the recogniser had no room for yet.
    backlog: VecDeque<SttInput>,
    watch: SpeechWatch,
    /// Samples that do not fill a window yet.
    partial: Vec<f32>,
    /// Windows that the detector has not been given yet.
    waiting: VecDeque<Window>,
    /// Windows whose probability is awaited, in order.
    awaited: VecDeque<Window>,
    lead_in: VecDeque<Arc<[f32]>>,
    utterance: VecDeque<f32>,
    /// Utterances ended whose last word is still to come; what comes before it is about the past.
    finals_due: u32,
    /// When the next packet is overdue.
    overdue: Option<Timestamp>,
}

struct Window {
    ended: Timestamp,
    samples: Arc<[f32]>,
}

impl Microphone {
    pub(crate) fn new(
        vad: Arc<dyn VoiceActivity>,
        stt: Arc<dyn SpeechToText>,
        language: Option<String>,
        ear: Option<Ear>,
    ) -> Result<Self, OpusError> {
        Ok(Self {
            mender: Mender::new(SAMPLE_RATE_HZ)?,
            arrivals: Arrivals::default(),
            decoded: Vec::new(),
            guard: EchoGuard::new()?,
            vad: vad.open(),
            stt: stt.open(SttOptions { language }),
            ear,
            models: (vad, stt),
            backlog: VecDeque::new(),
            watch: SpeechWatch::default(),
            partial: Vec::with_capacity(WINDOW_SAMPLES * 2),
            waiting: VecDeque::new(),
            awaited: VecDeque::new(),
            lead_in: VecDeque::new(),
            utterance: VecDeque::new(),
            finals_due: 0,
            overdue: None,
        })
    }

    /// Takes a packet, without what `loudspeaker` adds to it. A damaged or lost one is mended.
    pub(crate) fn packet(&mut self, now: Timestamp, frame: &OpusFrame, loudspeaker: &mut Loudspeaker) {
        if !frame.payload.is_empty() {
            self.arrivals.note(frame.rtp_time, now.as_micros());
        }
        let jitter = Duration::from_micros(self.arrivals.spread_us()).min(MAX_JITTER);
        self.overdue = Some(now + STARVED_AFTER + jitter);
        self.decoded.clear();
        let left_out = self.mender.frame(frame, &mut self.decoded);
        self.partial.resize(self.partial.len() + left_out, 0.0);
        self.guard.pass(&self.decoded, loudspeaker, &mut self.partial);
        self.cut_windows(now);
    }

    /// What was missing of the packets, and filled in.
    pub(crate) fn mended(&self) -> Mended {
        self.mender.mended()
    }

    /// When the next packet of somebody who speaks is overdue.
    pub(crate) fn starved_at(&self) -> Option<Timestamp> {
        self.overdue.filter(|_| self.watch.is_speaking())
    }

    /// Stands in for a packet that does not come: silence.
    pub(crate) fn silence(&mut self, now: Timestamp) {
        self.overdue = Some(now + FRAME);
        self.mender.silence_stood_in();
        self.partial.resize(self.partial.len() + FRAME_SAMPLES, 0.0);
        self.cut_windows(now);
    }

    /// Asks for all words up to here, and gives the audio for the end-of-turn model.
    pub(crate) fn settle(&mut self, pause: PauseId) -> Vec<f32> {
        self.tell(SttInput::Pause(pause.0));
        self.utterance.iter().copied().collect()
    }

    /// The caller's turn is over; what follows is the next utterance.
    pub(crate) fn end_utterance(&mut self) {
        self.finals_due += 1;
        self.utterance.clear();
        self.tell(SttInput::Commit);
    }

    /// What was heard was no turn.
    pub(crate) fn discard_utterance(&mut self) {
        self.utterance.clear();
        self.tell(SttInput::Reset);
        self.ear.iter().for_each(Ear::discard);
    }

    /// The agent's turn is over, or was called off.
    pub(crate) fn floor_is_free(&self) {
        self.ear.iter().for_each(Ear::rest);
    }

    /// Another agent answers from here on.
    pub(crate) fn answered_by(&self, agent: &AgentConfig) {
        self.ear.iter().for_each(|ear| ear.speak_as(agent.voice.clone()));
    }

    /// The next news. Waits for the models; cancel safe.
    pub(crate) async fn news(&mut self) -> Heard {
        loop {
            tokio::select! {
                Some(probability) = self.vad.probabilities.recv() => {
                    if let Some(change) = self.judge_window(probability) {
                        return Heard::Speech(change);
                    }
                }
                Some(event) = self.stt.events.recv() => {
                    if let Some(heard) = self.words(event) {
                        return heard;
                    }
                }
                else => return std::future::pending().await,
            }
        }
    }

    fn cut_windows(&mut self, now: Timestamp) {
        let mut rest = self.partial.as_slice();
        while let Some((window, tail)) = rest.split_first_chunk::<WINDOW_SAMPLES>() {
            rest = tail;
            self.waiting.push_back(Window { ended: now, samples: Arc::from(window.as_slice()) });
            if self.waiting.len() > WAITING_WINDOWS {
                // A detector that cannot keep up: late verdicts are worse than none.
                self.waiting.pop_front();
            }
        }
        self.partial = rest.to_vec();
        self.ask_detector();
    }

    /// Gives the detector as much as it takes.
    fn ask_detector(&mut self) {
        while self.awaited.len() < UNREAD_LIMIT
            && let Some(window) = self.waiting.pop_front()
        {
            let mut samples = Box::new([0.0; WINDOW_SAMPLES]);
            samples.copy_from_slice(&window.samples);
            match self.vad.windows.try_send(samples) {
                Ok(()) => self.awaited.push_back(window),
                Err(TrySendError::Full(_)) => return self.waiting.push_front(window),
                Err(TrySendError::Closed(_)) => {
                    tracing::error!("the voice activity detector failed; the call goes on with a new stream of it");
                    // Nothing is heard of what it was asked. One that fails at once is asked again with the next window.
                    self.awaited.clear();
                    self.vad = self.models.0.open();
                    return self.waiting.push_front(window);
                }
            }
        }
    }

    fn judge_window(&mut self, probability: f32) -> Option<Change> {
        let window = self.awaited.pop_front()?;
        self.ask_detector();
        let change = self.watch.window(window.ended - WINDOW, window.ended, probability);
        self.lead_in.push_back(window.samples);
        if self.watch.is_speaking() || matches!(change, Some(Change::Paused { .. })) {
            self.feed_recogniser();
        } else if self.lead_in.len() > LEAD_IN_WINDOWS {
            self.lead_in.pop_front();
        }
        change
    }

    /// Passes on all that is kept: the lead-in when speech begins, then window after window.
    fn feed_recogniser(&mut self) {
        for samples in std::mem::take(&mut self.lead_in) {
            self.utterance.extend(samples.iter());
            self.ear.iter().for_each(|ear| ear.hear(Arc::clone(&samples)));
            self.tell(SttInput::Audio(samples));
        }
        let excess = self.utterance.len().saturating_sub(UTTERANCE_SAMPLES);
        self.utterance.drain(..excess);
    }

    fn words(&mut self, event: SttEvent) -> Option<Heard> {
        match event {
            SttEvent::Final { .. } => {
                self.finals_due = self.finals_due.saturating_sub(1);
                None
            }
            // Settled words name their pause, so the engine knows what they are about.
            SttEvent::Partial { text, settled: Some(mark) } => {
                Some(Heard::Words { text, settled: Some(PauseId(mark)) })
            }
            SttEvent::Partial { text, settled: None } => {
                (self.finals_due == 0).then_some(Heard::Words { text, settled: None })
            }
            SttEvent::Failed(failure) => {
                let failure = failure.0;
                tracing::warn!(provider = failure.provider, cause = %failure.message, "the words were not understood");
                if self.finals_due > 0 {
                    self.finals_due -= 1;
                    return None;
                }
                Some(Heard::WordsFailed)
            }
        }
    }

    /// Hands over in order what the recogniser has room for; the rest goes with the next call, a window later.
    fn tell(&mut self, input: SttInput) {
        self.backlog.push_back(input);
        while let Some(input) = self.backlog.pop_front() {
            match self.stt.input.try_send(input) {
                Ok(()) => {}
                Err(TrySendError::Full(input)) => {
                    self.backlog.push_front(input);
                    break;
                }
                Err(TrySendError::Closed(_)) => {
                    tracing::error!("the speech recogniser is gone");
                    self.backlog.clear();
                }
            }
        }
        if self.backlog.len() > BACKLOG_INPUTS {
            tracing::warn!("the speech recogniser cannot keep up; its oldest audio is dropped");
            self.backlog.pop_front();
        }
    }
}

#[cfg(test)]
mod tests;
