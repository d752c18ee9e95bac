//! What happened: the engine's whole input.

use std::time::Duration;

use crate::{
    Attempt, CloseReason, Line, PauseId, SentenceId, Timer, Timestamp, ToolCall, ToolManner, ToolOutput, ToolRunId,
    TurnId,
};

/// Something that happened outside the engine.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Audio flows both ways: the conversation begins.
    Connected,
    /// Voice activity: the caller speaks, since `onset`.
    SpeechStarted {
        /// When the speech began; a little before the event.
        onset: Timestamp,
    },
    /// Voice activity: the caller goes on speaking. Sent again and again between the start and the pause.
    SpeechGoesOn {
        /// How much speech there was since the start, gaps left out.
        spoken: Duration,
    },
    /// Voice activity: the caller fell silent and may have finished.
    SpeechPaused {
        /// When the speech ended; the detector's hang-over before the event.
        ended: Timestamp,
    },
    /// The recogniser's running transcript of all that the caller said since the last turn.
    Words {
        /// The words.
        text: String,
        /// The pause up to which these words cover the audio; none for a running partial.
        settled: Option<PauseId>,
    },
    /// The recogniser gave up on this utterance.
    WordsFailed,
    /// The end-of-turn model's verdict on a pause: 0 goes on, 1 is finished.
    PauseScored {
        /// The pause that was scored.
        pause: PauseId,
        /// The probability that the turn is complete.
        completeness: f32,
    },
    /// The caller typed instead of speaking.
    Typed {
        /// The words.
        text: String,
    },
    /// The caller pressed a key of the telephone's keypad: `0`–`9`, `*`, `#`, `A`–`D`. `#` ends an entry.
    Digit(char),
    /// The client says that the caller's turn is over now (push-to-talk released).
    Commit,
    /// The agent is to say these words, as soon as nobody speaks.
    Say(Line),
    /// A tool gave its result.
    ToolReturned {
        /// The run.
        run: ToolRunId,
        /// The result.
        output: ToolOutput,
    },
    /// The summary that [`crate::Action::Summarise`] asked for; none if none could be had.
    Summarised(Option<String>),
    /// The agent changed: from now on these figures hold.
    PolicyChanged(Box<crate::Policy>),
    /// The caller (or the client) asks the agent to be silent now.
    StopSpeaking,
    /// News of an answer that is being written.
    Reply {
        /// The turn it answers.
        turn: TurnId,
        /// Which attempt.
        attempt: Attempt,
        /// What happened.
        event: ReplyEvent,
    },
    /// News of a sentence that is being made into audio.
    Voice {
        /// The sentence.
        sentence: SentenceId,
        /// What happened.
        event: VoiceEvent,
    },
    /// News of what the caller hears.
    Playout(PlayoutEvent),
    /// A deadline of [`crate::Dialogue::next_deadline`] has passed.
    Deadline(Timer),
    /// The call is over or is to be over.
    HangUp(CloseReason),
}

/// How an answer comes along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplyEvent {
    /// More text.
    Text(String),
    /// The model calls a tool. It runs once the turn is decided.
    ToolCall {
        /// The call.
        call: ToolCall,
        /// How the tool goes together with a conversation.
        manner: ToolManner,
    },
    /// The answer is complete.
    Done,
    /// The provider failed, and the same request may succeed when sent again.
    FailedRetryable,
    /// The provider failed for good.
    Failed,
}

/// How a sentence's audio comes along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VoiceEvent {
    /// The first samples are there.
    FirstAudio,
    /// Where each word of the sentence ends, in milliseconds from its start; one figure for each word between spaces.
    WordEnds(Vec<u32>),
    /// All samples are there.
    Done {
        /// How long the sentence lasts.
        duration_ms: u32,
    },
    /// The voice broke off within the sentence, and no other goes on for it: these samples are all.
    BrokeOff {
        /// How long they last.
        duration_ms: u32,
    },
    /// The sentence cannot be spoken.
    Failed,
}

/// How far the caller has heard the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlayoutEvent {
    /// The first frame of a sentence left.
    Started(SentenceId),
    /// A sentence has been played up to here.
    Reached {
        /// The sentence.
        sentence: SentenceId,
        /// Milliseconds of it that were played.
        heard_ms: u32,
    },
    /// The last frame of a sentence left.
    Finished(SentenceId),
    /// A hold took effect.
    Held {
        /// The sentence that was stopped, and the milliseconds of it that were played.
        at: Option<(SentenceId, u32)>,
    },
    /// A flush took effect.
    Flushed {
        /// The sentence that was cut, and the milliseconds of it that were played.
        cut: Option<(SentenceId, u32)>,
    },
}
