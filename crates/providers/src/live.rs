//! Speech-native models: they hear the caller and answer aloud, in one.
//!
//! [`LiveModel`] is what a vendor's adapter gives: a conversation as a pair of channels. The vendor's own turn-taking is
//! switched off; when a turn is over, what interrupts and what is remembered our engine decides, as for any other agent.
//! [`Live`] makes of one such conversation what a call needs: an ear for the microphone, a language model and a voice,
//! with the agent's own language model and voice behind them for when it fails. `conversation` is the task in between.

mod call;
mod conversation;
mod cut;
mod earshot;
mod known;
mod link;
mod track;
mod voice;

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::Failure;
use crate::llm::{Finish, Message, ToolCall, ToolSpec, Usage};

pub use call::{Call, Ear, Live, Opening};

/// The rate of the audio that these models hear.
pub const SAMPLE_RATE_HZ: u32 = 16_000;

/// A speech-native model, shared by all sessions.
pub trait LiveModel: Send + Sync + 'static {
    /// The name in metrics and spans, such as `openai.realtime`.
    fn name(&self) -> &'static str;
    /// The rate at which it speaks, in Hz; one that Opus takes.
    fn sample_rate_hz(&self) -> u32;
    /// Whether it can forget what it said and was not heard: [`LiveInput::Heard`] does that. A conversation with one that
    /// cannot goes on in a new one when an answer was called off or cut.
    fn can_forget(&self) -> bool;
    /// Opens a conversation. Dropping the stream ends it.
    fn open(&self, request: LiveRequest) -> LiveStream;
}

/// How a conversation begins.
#[derive(Debug, Clone, Default)]
pub struct LiveRequest {
    /// The system prompt.
    pub instructions: String,
    /// What was said before, without the system prompt.
    pub history: Vec<Message>,
    /// The tools that the model may call.
    pub tools: Vec<ToolSpec>,
    /// The voice's name; none takes the default.
    pub voice: Option<String>,
    /// BCP 47 tag of the caller's language; none lets the model choose.
    pub language: Option<String>,
    /// What [`LiveEvent::Expires`] gave: the vendor still knows `history` then.
    pub resume: Option<String>,
}

/// A conversation with a speech-native model.
#[derive(Debug)]
pub struct LiveStream {
    /// What happens on our side. Bounded; senders wait.
    pub input: mpsc::Sender<LiveInput>,
    /// What the model says.
    pub events: mpsc::Receiver<LiveEvent>,
}

/// What goes into a conversation.
#[derive(Debug, Clone, PartialEq)]
pub enum LiveInput {
    /// Speech: mono samples in −1..1 at [`SAMPLE_RATE_HZ`].
    Audio(Arc<[f32]>),
    /// The audio since the last answer was asked for was nothing. Who cannot take it back lets it be a part of what is
    /// said next.
    Discard,
    /// Something that is remembered, without an answer.
    Remember(Message),
    /// The caller typed; an answer is asked for with [`Self::Answer`].
    Text(String),
    /// What tools gave back; an answer is asked for with [`Self::Answer`].
    ToolResults(Vec<ToolResult>),
    /// Answer all that came since the last answer. What is said then bears this number; numbers grow.
    Answer(u32),
    /// Stop the answer that is under way. Not sent to who cannot forget.
    Cancel,
    /// Of the last answer only so much was heard; forget the rest. Known some time after [`Self::Cancel`]: what the
    /// caller heard is told by the playout, not by whoever cancels.
    Heard {
        /// Milliseconds of its audio.
        ms: u32,
    },
}

/// What a tool gave back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolResult {
    /// The call's id.
    pub call_id: String,
    /// The tool's name.
    pub name: String,
    /// The result, or what went wrong.
    pub output: String,
}

/// What a conversation gives back.
#[derive(Debug, Clone)]
pub enum LiveEvent {
    /// Something of an answer.
    Said {
        /// The number of the answer, from [`LiveInput::Answer`].
        answer: u32,
        /// What.
        said: Said,
    },
    /// The conversation is about to reach a limit: it should go on in another one.
    Expires {
        /// With this in [`LiveRequest::resume`] the vendor goes on from where it is.
        resume: Option<String>,
    },
    /// The conversation failed, and is over.
    Failed(Failure),
}

/// What a model says. An answer ends with `Done` or `Blocked`.
#[derive(Debug, Clone)]
pub enum Said {
    /// The next piece of what is being said, as text. It and the audio come each in an order of its own.
    Text(String),
    /// The next samples, mono, −1..1.
    Audio(Arc<[f32]>),
    /// The model calls a tool; it runs after `Done`.
    ToolCall(ToolCall),
    /// The answer is complete.
    Done {
        /// Why it ended.
        finish: Finish,
        /// Tokens read and written.
        usage: Usage,
    },
    /// The vendor's guard against misuse refused to answer; these words may be said instead.
    Blocked(String),
}
