//! How the engine takes turns: every tuned number in one place, each strategy in its own file.

use std::time::Duration;

use crate::barge_in::BargeIn;
use crate::endpoint::Endpointing;

/// The figures of turn-taking.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// How the end of the caller's turn is found.
    pub endpointing: Endpointing,
    /// What takes the floor from the agent.
    pub barge_in: BargeIn,
    /// Whether an answer is started as soon as the words sound complete, ahead of the decision.
    pub start_ahead: bool,
    /// What the agent says of its own accord.
    pub initiative: Initiative,
    /// How tools run within a turn.
    pub tools: ToolPolicy,
    /// How long to wait for the words once the turn is decided.
    pub words_deadline: Duration,
    /// How long an answer may take to its first audio before it is given up.
    pub reply_deadline: Duration,
    /// How long to wait for the word that a flush took effect.
    pub flush_deadline: Duration,
    /// How long to wait for the next key of the telephone's keypad before those pressed count as said.
    pub digits_deadline: Duration,
    /// How many times an answer is tried before the apology.
    pub max_attempts: u32,
    /// Spoken when no answer can be had.
    pub apology: String,
    /// From how many characters on the oldest part of the transcript is summarised. A prompt of 4,000 characters is
    /// about 1,000 tokens: half of what the local model's context holds beside instructions, tools and an answer.
    pub memory_chars: usize,
}

/// What the agent says without being asked.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Initiative {
    /// Said when the call begins; none waits for the caller.
    pub greeting: Option<Line>,
    /// Said in its place when the call goes on with what was said before; none waits for the caller.
    pub welcome_back: Option<Line>,
    /// Said when nobody has spoken for a while; none waits for ever.
    pub idle: Option<IdlePrompt>,
    /// When a conversation has lasted long enough; none never ends it.
    pub limit: Option<Limit>,
}

/// Words of the agent that no model writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The words.
    pub text: String,
    /// Whether the caller may cut it short.
    pub interruptible: bool,
}

/// "Are you still there?"
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdlePrompt {
    /// How long nobody has spoken.
    pub after: Duration,
    /// The words.
    pub text: String,
    /// How many times it is said before the agent hangs up.
    pub times: u32,
    /// Said before hanging up; empty hangs up without a word.
    pub farewell: String,
}

/// The longest conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// How long it may last.
    pub after: Duration,
    /// Said before hanging up; empty hangs up without a word.
    pub farewell: String,
}

/// How tools run within a turn.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolPolicy {
    /// How often in one turn the model may call tools and go on: a guard against a model that calls for ever.
    pub max_rounds: u32,
    /// After this much silence while tools run the agent says that it is at it.
    pub filler_after: Duration,
    /// What it says then, in turn; empty stays silent.
    pub fillers: Vec<String>,
    /// After this long a tool is given up, whatever its own limit says.
    pub deadline: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            endpointing: Endpointing::default(),
            barge_in: BargeIn::default(),
            start_ahead: true,
            initiative: Initiative::default(),
            tools: ToolPolicy::default(),
            // A recogniser that is silent is replaced after 2.5 s, and the next one may be silent too.
            words_deadline: Duration::from_secs(8),
            reply_deadline: Duration::from_secs(20),
            flush_deadline: Duration::from_millis(500),
            digits_deadline: Duration::from_secs(2),
            max_attempts: 2,
            apology: "Sorry, I could not think of an answer just now. Could you say that again?".to_owned(),
            memory_chars: 4_000,
        }
    }
}

impl Default for ToolPolicy {
    fn default() -> Self {
        Self {
            max_rounds: 6,
            // A second of silence after a question is normal between people; two feel like a dead line.
            filler_after: Duration::from_millis(1_200),
            fillers: vec!["One moment, please.".to_owned(), "Still looking.".to_owned()],
            deadline: Duration::from_secs(60),
        }
    }
}
