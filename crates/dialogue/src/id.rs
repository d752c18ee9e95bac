//! Ids within one conversation. Each counts up and is never used twice.

/// A turn: the caller's words and the agent's answer to them. Counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TurnId(pub u32);

/// An attempt at answering a turn. Counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Attempt(pub u32);

/// A pause in the caller's speech.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PauseId(pub u32);

/// A spoken piece of an answer: a sentence, or its first clause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SentenceId {
    /// The turn that is answered.
    pub turn: TurnId,
    /// Which attempt at it.
    pub attempt: Attempt,
    /// The piece within the attempt, counted from 0.
    pub index: u32,
}

/// One run of a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ToolRunId(pub u32);
