//! What waits to go to the caller: held voice until its attempt is released, then everything in order.

use std::collections::VecDeque;

use audio::leg::{Clip, Memo, ToCaller};
use dialogue::{Attempt, TurnId};
use tokio::sync::mpsc;

use crate::loudspeaker::Loudspeaker;

pub(crate) struct Outbox {
    link: mpsc::Sender<ToCaller>,
    ready: VecDeque<ToCaller>,
    held: VecDeque<ToCaller>,
    released: Option<(TurnId, Attempt)>,
    loudspeaker: Loudspeaker,
}

impl Outbox {
    pub(crate) fn new(link: mpsc::Sender<ToCaller>) -> Self {
        Self {
            link,
            ready: VecDeque::new(),
            held: VecDeque::new(),
            released: None,
            loudspeaker: Loudspeaker::default(),
        }
    }

    /// Where everything that left is heard.
    pub(crate) fn loudspeaker(&mut self) -> &mut Loudspeaker {
        &mut self.loudspeaker
    }

    /// Queues a message of any kind behind what is ready.
    pub(crate) fn send(&mut self, message: ToCaller) {
        self.ready.push_back(message);
    }

    /// Queues voice, or its words; it waits until its attempt is released.
    pub(crate) fn send_voice(&mut self, clip: Clip, message: ToCaller) {
        let released = self.released == Some((TurnId(clip.turn), Attempt(clip.attempt)));
        let queue = if released { &mut self.ready } else { &mut self.held };
        queue.push_back(message);
    }

    pub(crate) fn release(&mut self, turn: TurnId, attempt: Attempt) {
        self.released = Some((turn, attempt));
        for message in std::mem::take(&mut self.held) {
            if attempt_of(&message) == Some((turn, attempt)) {
                self.ready.push_back(message);
            }
        }
    }

    /// Whether the voice of an attempt may have left.
    pub(crate) fn has_released(&self, turn: TurnId, attempt: Attempt) -> bool {
        self.released == Some((turn, attempt))
    }

    /// Drops the voice of an attempt that did not leave yet.
    pub(crate) fn cancel(&mut self, turn: TurnId, attempt: Attempt) {
        let other = |message: &ToCaller| attempt_of(message) != Some((turn, attempt));
        self.held.retain(other);
        self.ready.retain(other);
        self.released.take_if(|released| *released == (turn, attempt));
    }

    /// Moves what is ready to the link as far as there is room; waits for room, or for ever if nothing is ready.
    /// Cancel safe. Gives false once the link is gone.
    pub(crate) async fn forward(&mut self) -> bool {
        if self.ready.is_empty() {
            return std::future::pending().await;
        }
        match self.link.reserve().await {
            Ok(permit) => {
                if let Some(message) = self.ready.pop_front() {
                    leave(&mut self.loudspeaker, permit, message);
                }
            }
            Err(mpsc::error::SendError(())) => {
                self.ready.clear();
                return false;
            }
        }
        self.flush();
        true
    }

    /// Moves as much as there is room for, without waiting.
    pub(crate) fn flush(&mut self) {
        while !self.ready.is_empty()
            && let Ok(permit) = self.link.try_reserve()
            && let Some(message) = self.ready.pop_front()
        {
            leave(&mut self.loudspeaker, permit, message);
        }
    }
}

fn leave(loudspeaker: &mut Loudspeaker, permit: mpsc::Permit<'_, ToCaller>, message: ToCaller) {
    match &message {
        ToCaller::Voice { clip, payload } => loudspeaker.sent(*clip, payload.clone()),
        ToCaller::Resume => loudspeaker.resumed(),
        ToCaller::EndOfClip(_)
        | ToCaller::Flush
        | ToCaller::Hold
        | ToCaller::Message(_)
        | ToCaller::Hangup
        | ToCaller::Keep(_) => {}
    }
    permit.send(message);
}

fn attempt_of(message: &ToCaller) -> Option<(TurnId, Attempt)> {
    match message {
        ToCaller::Voice { clip, .. } | ToCaller::EndOfClip(clip) | ToCaller::Keep(Memo::Words { clip, .. }) => {
            Some((TurnId(clip.turn), Attempt(clip.attempt)))
        }
        ToCaller::Flush
        | ToCaller::Hold
        | ToCaller::Resume
        | ToCaller::Message(_)
        | ToCaller::Hangup
        | ToCaller::Keep(Memo::TurnsBefore(_) | Memo::Notice(_)) => None,
    }
}
