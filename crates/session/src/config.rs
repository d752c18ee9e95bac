//! The `[agent]` sections: who answers, and how.

mod choice;
mod turn_taking;

use std::time::Duration;

use dialogue::{IdlePrompt, Initiative, Limit, Line, Policy, ToolPolicy, plain_text};
use serde::{Deserialize, Serialize};

pub use choice::{Choice, LOCAL};
pub use turn_taking::{BargeInConfig, Eagerness, Mode, TurnTaking};

/// What the agent is told when neither the configuration nor the model says anything else.
const INSTRUCTIONS: &str = "You are Antiphon, a friendly voice assistant on a phone call. You speak aloud, so answer \
    in one or two short, plain spoken sentences. Never use lists, markdown, code or emoji. If you do not know \
    something, say so. If a request is unclear, ask one short question back.";

/// An agent that answers calls.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct AgentConfig {
    /// What it is there for, in a sentence: other agents hand calls over by it, and people choose by it.
    pub description: String,
    /// The system prompt; none takes the one that suits the language model.
    pub instructions: Option<String>,
    /// Said when a call begins; none waits for the caller.
    pub greeting: Option<String>,
    /// Said when a call goes on with an earlier conversation; none waits for the caller.
    pub welcome_back: Option<String>,
    /// Whether the caller may cut the greeting short.
    pub greeting_interruptible: bool,
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
    /// Who understands the caller.
    pub stt: Choice,
    /// Who answers.
    pub llm: Choice,
    /// Who speaks.
    pub tts: Choice,
    /// Who hears and answers aloud in one: a vendor of the configuration with a speech-native model. `llm` and `tts` then
    /// stand behind it, and `voice` is one of its voices. None leaves it to the three.
    pub live: Option<String>,
    /// The tools it may use, by name. `end_call` and `current_time` are built in.
    pub tools: Vec<String>,
    /// The agents to which it may hand a call over, by name.
    pub hand_off: Vec<String>,
    /// Said while tools run in silence, one after the other.
    pub fillers: Vec<String>,
    /// From how many characters on old parts of a conversation are summarised.
    pub memory_chars: usize,
    /// When a turn is over.
    pub turn_taking: TurnTaking,
    /// What interrupts the agent.
    pub barge_in: BargeInConfig,
    /// What it says when nobody speaks; none waits for ever.
    pub idle: Option<IdleConfig>,
    /// How long a conversation may last; none never ends it.
    pub limit: Option<LimitConfig>,
}

impl Default for AgentConfig {
    fn default() -> Self {
        let policy = Policy::default();
        Self {
            description: String::new(),
            instructions: None,
            greeting: None,
            welcome_back: None,
            greeting_interruptible: true,
            max_reply_tokens: 160,
            temperature: 0.0,
            voice: None,
            speed: 1.0,
            language: None,
            stt: Choice::default(),
            llm: Choice::default(),
            tts: Choice::default(),
            live: None,
            tools: Vec::new(),
            hand_off: Vec::new(),
            fillers: policy.tools.fillers,
            memory_chars: policy.memory_chars,
            turn_taking: TurnTaking::default(),
            barge_in: BargeInConfig::default(),
            idle: None,
            limit: None,
        }
    }
}

/// "Are you still there?"
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct IdleConfig {
    /// How long nobody has spoken, in milliseconds.
    pub after_ms: u64,
    /// What is said then.
    pub text: String,
    /// How many times it is said before the agent hangs up.
    pub times: u32,
    /// Said before it hangs up; empty hangs up without a word.
    pub farewell: String,
}

impl Default for IdleConfig {
    fn default() -> Self {
        Self {
            after_ms: 15_000,
            text: "Are you still there?".to_owned(),
            times: 2,
            farewell: "I will hang up now. Goodbye.".to_owned(),
        }
    }
}

/// The longest conversation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitConfig {
    /// How long it may last, in milliseconds.
    pub after_ms: u64,
    /// Said before the agent hangs up; empty hangs up without a word.
    pub farewell: String,
}

impl Default for LimitConfig {
    fn default() -> Self {
        Self { after_ms: 3_600_000, farewell: "Our time is up. Thank you for the talk, and goodbye.".to_owned() }
    }
}

impl AgentConfig {
    /// The system prompt that is used.
    pub fn system_prompt(&self) -> &str {
        self.instructions.as_deref().unwrap_or(INSTRUCTIONS)
    }

    /// What it says word for word as it is configured, as a voice is given it.
    #[must_use]
    pub fn fixed_lines(&self) -> Vec<String> {
        let Policy { apology, initiative, tools, .. } = self.policy();
        let Initiative { greeting, welcome_back, idle, limit } = initiative;
        let mut lines = vec![apology];
        lines.extend(greeting.into_iter().chain(welcome_back).map(|line| line.text));
        lines.extend(idle.into_iter().flat_map(|idle| [idle.text, idle.farewell]));
        lines.extend(limit.map(|limit| limit.farewell));
        lines.extend(tools.fillers);
        lines.iter().map(|line| plain_text(line)).filter(|line| !line.is_empty()).collect()
    }

    /// The engine's figures for this agent.
    pub(crate) fn policy(&self) -> Policy {
        Policy {
            endpointing: self.turn_taking.endpointing(),
            barge_in: self.barge_in.barge_in(),
            start_ahead: self.turn_taking.start_ahead,
            initiative: self.initiative(),
            tools: ToolPolicy { fillers: self.fillers.clone(), ..ToolPolicy::default() },
            memory_chars: self.memory_chars,
            ..Policy::default()
        }
    }

    fn initiative(&self) -> Initiative {
        let opening = |text: &String| Line { text: text.clone(), interruptible: self.greeting_interruptible };
        let greeting = self.greeting.as_ref().map(opening);
        let welcome_back = self.welcome_back.as_ref().map(opening);
        let idle = self.idle.clone().map(|idle| IdlePrompt {
            after: Duration::from_millis(idle.after_ms),
            text: idle.text,
            times: idle.times,
            farewell: idle.farewell,
        });
        let limit = self.limit.clone();
        let limit = limit.map(|limit| Limit { after: Duration::from_millis(limit.after_ms), farewell: limit.farewell });
        Initiative { greeting, welcome_back, idle, limit }
    }
}
