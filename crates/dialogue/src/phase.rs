//! The states of a conversation. A state carries its data, so that no two flags have to agree.

use crate::reply::Reply;
use crate::{PauseId, Timestamp};

/// What the agent is doing.
#[derive(Debug)]
pub(crate) enum Phase {
    /// Waiting for the caller, or hearing them.
    Listening,
    /// The caller fell silent: is the turn over?
    Deciding(Deciding),
    /// The turn is over; its answer is not heard yet.
    Thinking(Reply),
    /// The answer is heard.
    Speaking(Reply),
    /// The answer was cut; waiting to learn where.
    Yielding(Reply),
    /// The conversation is over.
    Closed,
}

/// A pause that may be the end of the caller's turn.
#[derive(Debug)]
pub(crate) struct Deciding {
    pub(crate) pause: PauseId,
    pub(crate) speech_ended: Timestamp,
    pub(crate) completeness: Option<f32>,
    /// All words up to this pause, once they are known, and since when.
    pub(crate) words: Option<(String, Timestamp)>,
    /// When the silence was long enough; set while only the words are missing.
    pub(crate) decided: Option<Timestamp>,
    /// An answer started ahead of the decision.
    pub(crate) ahead: Option<Reply>,
}

impl Deciding {
    pub(crate) fn new(pause: PauseId, speech_ended: Timestamp) -> Self {
        Self { pause, speech_ended, completeness: None, words: None, decided: None, ahead: None }
    }
}

/// What the caller is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ear {
    /// Silent since the last turn.
    Silent,
    /// Speaking.
    Speaking,
    /// Silent after speech that no turn has taken up.
    Paused { ended: Timestamp },
}

impl Phase {
    /// The answer that is under way, decided or not.
    pub(crate) fn reply_mut(&mut self) -> Option<&mut Reply> {
        match self {
            Self::Thinking(reply) | Self::Speaking(reply) | Self::Yielding(reply) => Some(reply),
            Self::Deciding(deciding) => deciding.ahead.as_mut(),
            Self::Listening | Self::Closed => None,
        }
    }
}
