//! The states of a conversation: what the agent does, and what the caller does. A state carries its data, so that no
//! two flags have to agree.

use std::time::Duration;

use crate::endpoint::{Evidence, Pace};
use crate::reply::Reply;
use crate::{PauseId, Timestamp};

/// What the agent is doing.
#[derive(Debug)]
pub(crate) enum Phase {
    /// Waiting for the caller, or hearing them.
    Listening,
    /// The caller fell silent: is the turn over? Holds the answer that was started ahead of the decision.
    Deciding { ahead: Option<Reply> },
    /// The turn is over; its answer is not heard yet.
    Thinking(Reply),
    /// The answer is heard.
    Speaking(Reply),
    /// The caller speaks over the answer: the voice is held until it is known who has the floor.
    Holding(Reply),
    /// The answer was cut; waiting to learn where.
    Yielding(Reply),
    /// The conversation is over.
    Closed,
}

/// What the caller is doing.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Ear {
    /// Silent since the last turn.
    Silent,
    /// Speaking.
    Speaking { onset: Timestamp, spoken: Duration },
    /// Silent after speech that no turn has taken up.
    Paused(Pause),
}

/// A pause that may be the end of the caller's turn, with all that is known of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pause {
    pub(crate) id: PauseId,
    /// When the speech before it began.
    pub(crate) onset: Timestamp,
    pub(crate) ended: Timestamp,
    /// The end-of-turn model's verdict.
    pub(crate) completeness: Option<f32>,
    /// All words up to this pause, once they are known, and since when.
    pub(crate) words: Option<(String, Timestamp)>,
    /// When the silence was long enough; set while only the words are missing.
    pub(crate) decided: Option<Timestamp>,
    pub(crate) relation: Relation,
}

/// How the speech before a pause stood to the agent's voice and to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    /// The caller had the floor.
    OwnFloor,
    /// The agent was speaking and had more to say: an assent is no turn.
    OverAgent,
    /// The client says that the turn is over.
    Committed,
}

impl Pause {
    pub(crate) fn new(id: PauseId, onset: Timestamp, ended: Timestamp, relation: Relation) -> Self {
        Self { id, onset, ended, completeness: None, words: None, decided: None, relation }
    }

    /// How long the speech before it lasted.
    pub(crate) fn spoken(&self) -> Duration {
        self.ended.since(self.onset)
    }

    pub(crate) fn evidence<'a>(&'a self, pace: &'a Pace) -> Evidence<'a> {
        let words = self.words.as_ref().map(|(words, _)| words.as_str());
        Evidence { completeness: self.completeness, words, pace }
    }
}

impl Phase {
    /// The answer that is under way, decided or not.
    pub(crate) fn reply_mut(&mut self) -> Option<&mut Reply> {
        match self {
            Self::Thinking(reply) | Self::Speaking(reply) | Self::Holding(reply) | Self::Yielding(reply) => Some(reply),
            Self::Deciding { ahead } => ahead.as_mut(),
            Self::Listening | Self::Closed => None,
        }
    }

    /// The answer that has the floor: decided, and not being cut.
    pub(crate) fn standing(&self) -> Option<&Reply> {
        match self {
            Self::Thinking(reply) | Self::Speaking(reply) | Self::Holding(reply) => Some(reply),
            Self::Listening | Self::Deciding { .. } | Self::Yielding(_) | Self::Closed => None,
        }
    }
}
