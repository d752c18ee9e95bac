//! One turn after the other: speak, wait for the answer, measure.

use std::time::Duration;

use audio::leg::FRAME_MS;
use audio::opus::{Encoder, EncoderConfig, OpusError};
use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

use super::ear::Ear;
use super::line::{Line, LineError};
use super::record::{self, Latest, RecordError};
use super::speech::{FRAME_SAMPLES, RATE_HZ, Utterance};
use crate::tasks::Tasks;
use crate::wire::{Turn, TurnStatus};

/// Silence before the first word: as long as a person takes who hears that the line is open.
const LEAD_IN: Duration = Duration::from_millis(600);
/// An answer is over when nothing was heard for this long; pauses between sentences are shorter.
const ANSWER_OVER_AFTER: Duration = Duration::from_millis(500);
/// When nothing more was recorded by then, the last words were taken for noise.
const ANSWER_DUE_AFTER: Duration = Duration::from_secs(4);
/// The server must have understood by then.
const UNDERSTOOD_WITHIN: Duration = Duration::from_secs(30);
/// The answer must have ended by then.
const ANSWERED_WITHIN: Duration = Duration::from_secs(120);

/// The conversation went wrong. Each message follows "failed to".
#[derive(Debug, thiserror::Error)]
pub enum TalkError {
    /// libopus refuses.
    #[error("code the audio: {0}")]
    Opus(#[from] OpusError),
    /// The connection was lost.
    #[error(transparent)]
    Line(#[from] LineError),
    /// The conversation cannot be read back.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// No turn came of what was said.
    #[error(
        "be understood: the server recorded no words within {} s of the speech; check that the file holds clear speech \
         and that the server does not run with --agent echo",
        UNDERSTOOD_WITHIN.as_secs()
    )]
    NotUnderstood,
    /// The agent gave up.
    #[error("get an answer: the agent could not answer; the server's log says why")]
    Failed,
    /// The answer did not end.
    #[error("hear the answer to its end: it was not over after {} s", ANSWERED_WITHIN.as_secs())]
    Endless,
    /// The server says that it answered, and nothing arrived.
    #[error(
        "hear the answer: the server spoke, but no audio arrived; check that UDP reaches media.udp_listen and back"
    )]
    Inaudible,
}

/// A conversation that was held.
pub(super) struct Held {
    pub(super) id: String,
    pub(super) turns: Vec<Spoken>,
    /// What was heard, at [`super::ear::RATE_HZ`].
    pub(super) reply: Vec<f32>,
}

/// A turn, with what the caller measured of it.
pub(super) struct Spoken {
    pub(super) turn: Turn,
    /// Last speech sent to first voice received.
    pub(super) voice_to_voice_ms: Option<u64>,
}

/// Says every utterance, `repeat` times over.
pub(super) async fn hold(
    line: &mut Line,
    tasks: &Tasks,
    utterances: &[Utterance],
    repeat: u32,
) -> Result<Held, TalkError> {
    let (latest, conversation) = watch::channel(Ok(None));
    tasks.spawn(record::follow(line.client(), line.conversation_url(), latest));
    let mut talk = Talk::new(line, conversation)?;
    talk.stay_silent(LEAD_IN).await?;
    for _ in 0..repeat {
        for utterance in utterances {
            talk.take_turn(utterance).await?;
        }
    }
    Ok(talk.into_held())
}

struct Talk<'a> {
    line: &'a mut Line,
    conversation: watch::Receiver<Latest>,
    encoder: Encoder,
    ear: Ear,
    pace: Interval,
    turns: Vec<Spoken>,
    /// When each turn was first seen in the server's record.
    seen: Vec<Instant>,
}

impl<'a> Talk<'a> {
    fn new(line: &'a mut Line, conversation: watch::Receiver<Latest>) -> Result<Self, OpusError> {
        let mut pace = interval(Duration::from_millis(FRAME_MS.into()));
        // A microphone does not skip: what was late follows at once.
        pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let config = EncoderConfig { rate_hz: RATE_HZ, ..EncoderConfig::default() };
        Ok(Self {
            line,
            conversation,
            encoder: Encoder::new(&config)?,
            ear: Ear::new()?,
            pace,
            turns: Vec::new(),
            seen: Vec::new(),
        })
    }

    async fn stay_silent(&mut self, span: Duration) -> Result<(), TalkError> {
        let until = Instant::now() + span;
        while Instant::now() < until {
            self.pass_frame(None).await?;
        }
        Ok(())
    }

    async fn take_turn(&mut self, utterance: &Utterance) -> Result<(), TalkError> {
        let spoken_at = self.speak(utterance).await?;
        while !self.is_answered(spoken_at)? {
            self.pass_frame(None).await?;
        }
        let first_heard = self.ear.first_heard().filter(|_| self.is_seen_after(spoken_at));
        let answered = first_heard.map(|first| whole_ms(first.duration_since(spoken_at)));
        let new = self.new_turns();
        self.turns.extend(new.into_iter().map(|turn| Spoken { turn, voice_to_voice_ms: None }));
        let Some(last) = self.turns.last_mut() else { return Err(TalkError::NotUnderstood) };
        last.voice_to_voice_ms = answered;
        match last.turn.status {
            TurnStatus::Failed => Err(TalkError::Failed),
            TurnStatus::Completed if self.ear.has_heard_nothing() => Err(TalkError::Inaudible),
            TurnStatus::Completed | TurnStatus::Interrupted | TurnStatus::InProgress => Ok(()),
        }
    }

    /// Says it; returns when its last word was sent.
    async fn speak(&mut self, utterance: &Utterance) -> Result<Instant, TalkError> {
        let mut spoken_at = Instant::now();
        for (index, frame) in utterance.frames.iter().enumerate() {
            self.pass_frame(Some(frame)).await?;
            if index == utterance.last_speech {
                spoken_at = Instant::now();
                self.ear.listen();
            }
        }
        Ok(spoken_at)
    }

    /// Waits until the next frame is due and sends it, silence for none; hears what arrives meanwhile.
    async fn pass_frame(&mut self, frame: Option<&[f32]>) -> Result<(), TalkError> {
        let recorded = self.recorded();
        self.seen.resize(recorded.max(self.seen.len()), Instant::now());
        let packet = self.encoder.encode(frame.unwrap_or(&[0.0; FRAME_SAMPLES]))?;
        loop {
            tokio::select! {
                biased;
                heard = self.line.next_packet() => {
                    let (arrived, packet) = heard?;
                    self.ear.hear(&packet, arrived);
                }
                _ = self.pace.tick() => {
                    self.line.send(packet);
                    return Ok(());
                }
            }
        }
    }

    fn is_answered(&self, spoken_at: Instant) -> Result<bool, TalkError> {
        let now = Instant::now();
        let waited = now.duration_since(spoken_at);
        if let Err(cause) = &*self.conversation.borrow() {
            return Err(cause.clone().into());
        }
        let new = self.new_turns();
        let Some(last) = new.last() else {
            return if waited > UNDERSTOOD_WITHIN { Err(TalkError::NotUnderstood) } else { Ok(false) };
        };
        if waited > ANSWERED_WITHIN {
            return Err(TalkError::Endless);
        }
        let is_over = last.status != TurnStatus::InProgress && self.ear.silent_for(now, ANSWER_OVER_AFTER);
        let is_the_answer =
            last.status == TurnStatus::Completed && self.is_seen_after(spoken_at) && self.ear.first_heard().is_some();
        Ok(is_over && (is_the_answer || waited > ANSWER_DUE_AFTER))
    }

    /// Whether the latest turn holds the utterance's last words. One that was recorded before they were sent began at
    /// a pause, and the rest is still to be answered.
    fn is_seen_after(&self, spoken_at: Instant) -> bool {
        self.seen.last().is_some_and(|seen| *seen >= spoken_at)
    }

    /// Turns that the server has recorded since the last utterance.
    fn new_turns(&self) -> Vec<Turn> {
        match &*self.conversation.borrow() {
            Ok(Some(conversation)) => conversation.turns.iter().flatten().skip(self.turns.len()).cloned().collect(),
            Ok(None) | Err(_) => Vec::new(),
        }
    }

    /// How many turns the server has recorded.
    fn recorded(&self) -> usize {
        match &*self.conversation.borrow() {
            Ok(Some(conversation)) => conversation.turns.as_ref().map_or(0, Vec::len),
            Ok(None) | Err(_) => 0,
        }
    }

    fn into_held(self) -> Held {
        Held { id: self.line.conversation_id().to_owned(), turns: self.turns, reply: self.ear.into_heard() }
    }
}

fn whole_ms(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
