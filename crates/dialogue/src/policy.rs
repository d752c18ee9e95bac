//! How the engine takes turns: every tuned number in one place.

use std::time::Duration;

/// The figures of turn-taking.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// The least silence before a turn is over, however complete it sounds. Below 200 ms people feel cut off.
    pub min_silence: Duration,
    /// The most silence to wait for somebody who sounds unfinished.
    pub max_silence: Duration,
    /// From this completeness on a pause is taken for the end of the turn. 0.5 is the model's own threshold.
    pub completeness_threshold: f32,
    /// How much speech over the agent interrupts it. Four windows of the detector (128 ms) reach this: more than a
    /// cough, and well inside the 300 ms after which people feel ignored.
    pub interrupt_after: Duration,
    /// How long to wait for the words once the turn is decided.
    pub words_deadline: Duration,
    /// How long an answer may take to its first audio before it is given up.
    pub reply_deadline: Duration,
    /// How long to wait for the word that a flush took effect.
    pub flush_deadline: Duration,
    /// How many times an answer is tried before the apology.
    pub max_attempts: u32,
    /// Spoken when no answer can be had.
    pub apology: String,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            min_silence: Duration::from_millis(200),
            max_silence: Duration::from_millis(1_200),
            completeness_threshold: 0.5,
            interrupt_after: Duration::from_millis(120),
            words_deadline: Duration::from_secs(5),
            reply_deadline: Duration::from_secs(20),
            flush_deadline: Duration::from_millis(500),
            max_attempts: 2,
            apology: "Sorry, I could not think of an answer just now. Could you say that again?".to_owned(),
        }
    }
}
