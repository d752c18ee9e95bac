//! Facts: what happened in a conversation, for the store, the client and anyone downstream.

use crate::{CloseReason, Timestamp, ToolCall, ToolOutcome, ToolRunId, TurnId, TurnTimings};

/// Something that is now true of the conversation.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// The agent's state changed.
    StateChanged(AgentState),
    /// The caller began to speak.
    SpeechStarted {
        /// The turn these words belong to.
        turn: TurnId,
        /// When.
        at: Timestamp,
    },
    /// The running transcript of the caller's words; replaces the last one.
    PartialTranscript {
        /// The turn these words belong to.
        turn: TurnId,
        /// The words so far.
        text: String,
    },
    /// The caller's turn is over: these are the words.
    TurnCommitted {
        /// The turn.
        turn: TurnId,
        /// When the speech ended.
        speech_ended: Timestamp,
        /// The words.
        user_text: String,
    },
    /// What was taken for speech held no words; the turn goes to the next speech.
    SpeechDiscarded {
        /// The turn that it would have been.
        turn: TurnId,
    },
    /// An answer is under way.
    ReplyStarted {
        /// The turn.
        turn: TurnId,
    },
    /// A sentence starts to play.
    SentenceStarted {
        /// The turn.
        turn: TurnId,
        /// Its words.
        text: String,
    },
    /// The agent stopped speaking to learn whether the caller takes the floor.
    ReplyHeld {
        /// The turn.
        turn: TurnId,
    },
    /// The caller did not take the floor: the agent goes on where it stopped.
    ReplyResumed {
        /// The turn.
        turn: TurnId,
    },
    /// A tool was called for this turn.
    ToolCalled {
        /// The turn.
        turn: TurnId,
        /// This run.
        run: ToolRunId,
        /// The call.
        call: ToolCall,
    },
    /// A tool gave its result, or was given up. Comes once for each [`Fact::ToolCalled`], at the latest when the
    /// conversation ends.
    ToolReturned {
        /// The turn that it was called for.
        turn: TurnId,
        /// The run.
        run: ToolRunId,
        /// The model's id of the call.
        call_id: String,
        /// What the model is told.
        output: String,
        /// How the call came out.
        outcome: ToolOutcome,
    },
    /// Nobody has spoken for a while.
    Idle,
    /// The turn is over; this is its record. Sent once for each reply that was started.
    TurnEnded(TurnRecord),
    /// The conversation is over.
    Closed(CloseReason),
}

/// What the agent is doing, as a person would say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AgentState {
    /// Waiting for the caller, or hearing them.
    Listening,
    /// Preparing an answer.
    Thinking,
    /// Speaking.
    Speaking,
}

/// One turn, complete.
#[derive(Debug, Clone, PartialEq)]
pub struct TurnRecord {
    /// The turn.
    pub turn: TurnId,
    /// How it ended.
    pub status: TurnStatus,
    /// The caller's words; empty if the agent spoke of its own accord.
    pub user_text: String,
    /// All that the agent wrote.
    pub agent_text: String,
    /// What the caller heard of it.
    pub heard_text: String,
    /// Milliseconds of the agent's voice that were played.
    pub heard_ms: u32,
    /// When what happened.
    pub timings: TurnTimings,
    /// The tools that were called, in order, and where between the words.
    pub tools: Vec<ToolPlace>,
}

/// Where in a turn's words a tool was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ToolPlace {
    /// The run.
    pub run: ToolRunId,
    /// So many characters of [`TurnRecord::heard_text`] came before it.
    pub heard_before: usize,
}

/// How a turn ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TurnStatus {
    /// The answer was heard to its end.
    Completed,
    /// The caller interrupted, or hung up.
    Interrupted,
    /// There was no answer.
    Failed,
}
