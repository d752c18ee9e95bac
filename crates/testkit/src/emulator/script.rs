//! What an emulator says, how fast, and where it draws the line.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;

/// Everything about an emulator that a test decides ahead. The default answers at once, by rule, with the vendors' own
/// limits, to any key.
#[derive(Debug, Clone, Default)]
pub struct Script {
    /// What the language models answer, in order. When they are used up, the rule answers: `You said: …`, a call of
    /// a tool for `call NAME {…}`, and `The tool says: …` after a tool.
    pub replies: Vec<Reply>,
    /// What utterances without [tones](super::tone) are taken for, in order; afterwards a line of the emulator's own.
    pub transcripts: Vec<String>,
    /// How fast answers come.
    pub pace: Pace,
    /// Where a vendor would refuse.
    pub limits: Limits,
    /// The keys and tokens that are let in; with none given, any will do.
    pub keys: Vec<String>,
}

/// One answer of a language model.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// It speaks.
    Text(String),
    /// It calls tools.
    Calls {
        /// What it says first; may be empty.
        saying: String,
        /// The calls, in order.
        calls: Vec<Call>,
    },
    /// The vendor's filter answers instead.
    Blocked,
}

/// A call of a tool.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The tool's name.
    pub name: String,
    /// Its arguments, a JSON object.
    pub arguments: Value,
}

/// How long the emulated models take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pace {
    /// From the request to the first word of a language model.
    pub first_token: Duration,
    /// From one word to the next.
    pub token: Duration,
    /// From a sentence to its first audio.
    pub first_audio: Duration,
    /// From one piece of audio (200 ms long) to the next.
    pub audio_piece: Duration,
    /// From the end of an utterance to its transcript.
    pub transcript: Duration,
}

impl Pace {
    /// As the vendors were in the autumn of 2026: a language model's first word after 250 ms and 40 words a second,
    /// a voice's first audio after 180 ms and five times faster than it is spoken, a transcript after 200 ms.
    pub const LIFELIKE: Self = Self {
        first_token: Duration::from_millis(250),
        token: Duration::from_millis(25),
        first_audio: Duration::from_millis(180),
        audio_piece: Duration::from_millis(40),
        transcript: Duration::from_millis(200),
    };
}

/// Where the vendors refuse. A test that waits for one makes it small.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest streaming recognition.
    pub recognition: Duration,
    /// The longest time without a message in a streaming recognition.
    pub recognition_idle: Duration,
    /// The most audio in one message of a streaming recognition.
    pub audio_message_bytes: usize,
    /// How far audio may run ahead of the clock in a streaming recognition. Google says "approximately real time"
    /// and publishes no figure; this lets a client replay what it kept across a change of streams.
    pub audio_ahead: Duration,
    /// The longest time without text in a streaming synthesis.
    pub synthesis_idle: Duration,
    /// The most streaming syntheses at a time: Google's quota of a project.
    pub syntheses: usize,
    /// The most text in one request for speech.
    pub speech_text_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            recognition: Duration::from_secs(300),
            recognition_idle: Duration::from_secs(10),
            audio_message_bytes: 25_600,
            audio_ahead: Duration::from_secs(15),
            synthesis_idle: Duration::from_secs(5),
            syntheses: 100,
            speech_text_bytes: 5_000,
        }
    }
}

/// What is left of the lines, behind a lock, since requests take them and tests add to them.
#[derive(Debug)]
pub(super) struct Lines(Mutex<Left>);

#[derive(Debug)]
struct Left {
    replies: VecDeque<Reply>,
    transcripts: VecDeque<String>,
}

impl Lines {
    pub(super) fn new(replies: Vec<Reply>, transcripts: Vec<String>) -> Self {
        Self(Mutex::new(Left { replies: replies.into(), transcripts: transcripts.into() }))
    }

    pub(super) fn next_reply(&self) -> Option<Reply> {
        self.left().replies.pop_front()
    }

    pub(super) fn next_transcript(&self) -> Option<String> {
        self.left().transcripts.pop_front()
    }

    pub(super) fn add_reply(&self, reply: Reply) {
        self.left().replies.push_back(reply);
    }

    pub(super) fn add_transcript(&self, transcript: String) {
        self.left().transcripts.push_back(transcript);
    }

    fn left(&self) -> MutexGuard<'_, Left> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
