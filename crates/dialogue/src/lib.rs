//! The turn-taking engine: a pure state machine that decides when to listen, answer, speak and yield.
//!
//! [`Dialogue`] takes `(time, event)` and gives actions; it never waits, reads a clock, logs or touches audio, so the
//! same trace always gives the same actions. Reading order: [`Event`] and [`Action`] are the vocabulary, `phase` names the
//! states, [`Dialogue`] moves between them, `reply` holds the answer that is under way with its playout ledger, and
//! [`Transcript`] keeps what was said and heard.

mod action;
mod barge_in;
mod cutter;
mod dialogue;
mod endpoint;
mod event;
mod fact;
mod id;
mod phase;
mod policy;
mod reply;
mod time;
mod timer;
mod timings;
mod tool;
mod transcript;

pub use action::{Action, CloseReason};
pub use barge_in::BargeIn;
pub use cutter::{SentenceCutter, plain_text};
pub use dialogue::{Counters, Dialogue};
pub use endpoint::{Endpointing, Fused};
pub use event::{Event, PlayoutEvent, ReplyEvent, VoiceEvent};
pub use fact::{AgentState, Fact, ToolPlace, TurnRecord, TurnStatus};
pub use id::{Attempt, PauseId, SentenceId, ToolRunId, TurnId};
pub use policy::{IdlePrompt, Initiative, Limit, Line, Policy, ToolPolicy};
pub use reply::heard_words;
pub use time::Timestamp;
pub use timer::Timer;
pub use timings::{StageTimes, TurnTimings};
pub use tool::{AfterTool, ToolCall, ToolManner, ToolOutcome, ToolOutput};
pub use transcript::{Entry, Speaker, Transcript};
