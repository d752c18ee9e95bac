//! What is to be done: the engine's whole output.

use crate::{Attempt, Entry, Fact, PauseId, SentenceId, ToolCall, ToolRunId, TurnId};

/// Something to be done outside the engine, in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Judge a pause: settle the words so far and score whether the turn is complete.
    JudgePause(PauseId),
    /// The caller's turn is over: the recogniser starts the next utterance.
    EndUtterance,
    /// What was heard was no turn: the recogniser forgets it.
    DiscardUtterance,
    /// A hint for the language model: these messages will soon begin a prompt.
    Prepare {
        /// What was said and heard, the caller's unfinished words last.
        prompt: Vec<Entry>,
    },
    /// Write an answer.
    StartReply {
        /// The turn to answer.
        turn: TurnId,
        /// Which attempt.
        attempt: Attempt,
        /// What was said and heard, the caller's words last.
        prompt: Vec<Entry>,
    },
    /// Stop writing and speaking this answer.
    CancelReply {
        /// The turn.
        turn: TurnId,
        /// Which attempt.
        attempt: Attempt,
    },
    /// Make a sentence into audio, after the ones before it. It is held back until its attempt is released.
    Speak {
        /// The sentence.
        sentence: SentenceId,
        /// Its words.
        text: String,
    },
    /// The turn is decided: let this attempt's audio go to the caller.
    Release {
        /// The turn.
        turn: TurnId,
        /// Which attempt.
        attempt: Attempt,
    },
    /// Drop all audio that was not yet played; answered by [`crate::PlayoutEvent::Flushed`].
    FlushPlayout,
    /// Fall silent at once and keep what is queued; answered by [`crate::PlayoutEvent::Held`].
    HoldPlayout,
    /// Go on where the hold began.
    ResumePlayout,
    /// Run a tool; answered by [`crate::Event::ToolReturned`].
    RunTool {
        /// This run.
        run: ToolRunId,
        /// The turn that it is for.
        turn: TurnId,
        /// What to call.
        call: ToolCall,
    },
    /// Give up a tool's run; no answer is expected.
    CancelTool(ToolRunId),
    /// Say in short what these oldest entries say; answered by [`crate::Event::Summarised`].
    Summarise {
        /// The entries.
        entries: Vec<Entry>,
    },
    /// Tell everyone who listens.
    Announce(Fact),
    /// The conversation is over; nothing follows.
    Close(CloseReason),
}

/// Why a conversation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CloseReason {
    /// The caller hung up.
    CallerHungUp,
    /// The agent hung up.
    AgentHungUp,
    /// The connection was lost.
    ConnectionLost,
    /// The server stops.
    Shutdown,
    /// The agent could not go on.
    Failed,
}
