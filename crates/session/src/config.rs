//! The `[agent]` section: who answers, and how it takes turns.

use std::time::Duration;

use dialogue::Policy;
use serde::Deserialize;

/// What the agent is told when neither the configuration nor the model says anything else.
const INSTRUCTIONS: &str = "You are Antiphon, a friendly voice assistant on a phone call. You speak aloud, so answer \
    in one or two short, plain spoken sentences. Never use lists, markdown, code or emoji. If you do not know \
    something, say so. If a request is unclear, ask one short question back.";

/// The agent that answers calls.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AgentConfig {
    /// The system prompt; none takes the one that suits the language model.
    pub instructions: Option<String>,
    /// The most tokens of an answer: a guard against a model that does not stop.
    pub max_reply_tokens: u32,
    /// Sampling temperature; 0 always picks the likeliest word.
    pub temperature: f32,
    /// The voice's name; none takes the provider's default.
    pub voice: Option<String>,
    /// Speaking rate; 1 is normal.
    pub speed: f32,
    /// BCP 47 tag of the caller's language; none lets the recogniser choose.
    pub language: Option<String>,
    /// When a turn is over and what interrupts.
    pub turn_taking: TurnTaking,
}

impl Default for AgentConfig {
    fn default() -> Self {
        Self {
            instructions: None,
            max_reply_tokens: 160,
            temperature: 0.0,
            voice: None,
            speed: 1.0,
            language: None,
            turn_taking: TurnTaking::default(),
        }
    }
}

impl AgentConfig {
    /// The system prompt that is used.
    pub fn system_prompt(&self) -> &str {
        self.instructions.as_deref().unwrap_or(INSTRUCTIONS)
    }
}

/// The `[agent.turn_taking]` section.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TurnTaking {
    /// The least silence before a turn is over, in milliseconds.
    pub min_silence_ms: u64,
    /// The most silence to wait for somebody who sounds unfinished, in milliseconds.
    pub max_silence_ms: u64,
    /// From this probability on, the end-of-turn model is believed that the turn is complete.
    pub completeness_threshold: f32,
    /// How long the caller must speak over the agent to interrupt it, in milliseconds.
    pub interrupt_after_ms: u64,
}

impl Default for TurnTaking {
    fn default() -> Self {
        let policy = Policy::default();
        let ms = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        Self {
            min_silence_ms: ms(policy.min_silence),
            max_silence_ms: ms(policy.max_silence),
            completeness_threshold: policy.completeness_threshold,
            interrupt_after_ms: ms(policy.interrupt_after),
        }
    }
}

impl TurnTaking {
    /// The engine's policy with these figures.
    pub(crate) fn policy(&self) -> Policy {
        Policy {
            min_silence: Duration::from_millis(self.min_silence_ms),
            max_silence: Duration::from_millis(self.max_silence_ms),
            completeness_threshold: self.completeness_threshold,
            interrupt_after: Duration::from_millis(self.interrupt_after_ms),
            ..Policy::default()
        }
    }
}
