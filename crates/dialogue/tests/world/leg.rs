//! The caller's leg: plays what is released, one sentence after the other, and tells how far.

use std::collections::VecDeque;
use std::time::Duration;

use dialogue::{Attempt, PlayoutEvent, SentenceId, Timestamp, TurnId};

const MARK_EVERY: Duration = Duration::from_millis(100);

#[derive(Default)]
pub(super) struct Leg {
    queue: VecDeque<Queued>,
    playing: Option<Playing>,
    released: Option<(TurnId, Attempt)>,
    held: bool,
}

struct Queued {
    sentence: SentenceId,
    duration_ms: u32,
    made: Timestamp,
}

struct Playing {
    sentence: SentenceId,
    duration_ms: u32,
    played: Duration,
    since: Timestamp,
    next_mark: Timestamp,
}

impl Leg {
    pub(super) fn queue(&mut self, sentence: SentenceId, duration_ms: u32, made: Timestamp) {
        self.queue.push_back(Queued { sentence, duration_ms, made });
    }

    pub(super) fn release(&mut self, turn: TurnId, attempt: Attempt) {
        self.released = Some((turn, attempt));
    }

    /// What is held back of an attempt never leaves; what left is only stopped by a flush.
    pub(super) fn cancel(&mut self, turn: TurnId, attempt: Attempt) {
        self.queue.retain(|queued| (queued.sentence.turn, queued.sentence.attempt) != (turn, attempt));
    }

    pub(super) fn flush(&mut self, now: Timestamp) -> Option<(SentenceId, u32)> {
        self.held = false;
        let cut = self.position(now);
        self.playing = None;
        cut
    }

    pub(super) fn hold(&mut self, now: Timestamp) -> Option<(SentenceId, u32)> {
        let at = self.position(now);
        if let (Some(playing), Some((_, ms))) = (&mut self.playing, at) {
            playing.played = Duration::from_millis(ms.into());
        }
        self.held = true;
        at
    }

    pub(super) fn resume(&mut self, now: Timestamp) {
        if std::mem::replace(&mut self.held, false)
            && let Some(playing) = &mut self.playing
        {
            (playing.since, playing.next_mark) = (now, now + MARK_EVERY);
        }
    }

    fn position(&self, now: Timestamp) -> Option<(SentenceId, u32)> {
        let playing = self.playing.as_ref()?;
        let ms = (playing.played + if self.held { Duration::ZERO } else { now.since(playing.since) }).as_millis();
        Some((playing.sentence, u32::try_from(ms).unwrap().min(playing.duration_ms)))
    }

    /// When the next mark is due.
    pub(super) fn next_at(&self) -> Option<Timestamp> {
        if self.held {
            return None;
        }
        match &self.playing {
            Some(playing) => Some(playing.next_mark.min(playing.ends())),
            None => self.playable().map(|queued| queued.made),
        }
    }

    fn playable(&self) -> Option<&Queued> {
        self.queue.front().filter(|queued| self.released == Some((queued.sentence.turn, queued.sentence.attempt)))
    }

    /// The next mark, if it is due.
    pub(super) fn play(&mut self, now: Timestamp) -> Option<PlayoutEvent> {
        if self.held {
            return None;
        }
        if let Some(playing) = &mut self.playing {
            let sentence = playing.sentence;
            if playing.ends() <= now {
                self.playing = None;
                return Some(PlayoutEvent::Finished(sentence));
            }
            if playing.next_mark <= now {
                playing.next_mark = now + MARK_EVERY;
                let (_, heard_ms) = self.position(now)?;
                return Some(PlayoutEvent::Reached { sentence, heard_ms });
            }
            return None;
        }
        self.playable().filter(|queued| queued.made <= now)?;
        let Queued { sentence, duration_ms, .. } = self.queue.pop_front()?;
        let next_mark = now + MARK_EVERY;
        self.playing = Some(Playing { sentence, duration_ms, played: Duration::ZERO, since: now, next_mark });
        Some(PlayoutEvent::Started(sentence))
    }
}

impl Playing {
    fn ends(&self) -> Timestamp {
        self.since + Duration::from_millis(self.duration_ms.into()).saturating_sub(self.played)
    }
}
