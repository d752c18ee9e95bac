//! The `[agent.turn_taking]` and `[agent.barge_in]` sections, in the words of the OpenAI Realtime API.

use std::time::Duration;

use dialogue::{BargeIn, Endpointing, Fused, Policy};
use serde::{Deserialize, Serialize};

/// When the caller's turn is over.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct TurnTaking {
    /// Which strategy decides.
    pub mode: Mode,
    /// `semantic_vad`: how soon it answers.
    pub eagerness: Eagerness,
    /// `server_vad`: the silence that ends a turn, in milliseconds.
    pub silence_duration_ms: u64,
    /// `semantic_vad`: the least silence before a turn is over, in milliseconds.
    pub min_silence_ms: Option<u64>,
    /// `semantic_vad`: the most silence to wait for somebody who sounds unfinished, in milliseconds.
    pub max_silence_ms: Option<u64>,
    /// `semantic_vad`: from this probability on, the turn is taken for complete.
    pub completeness_threshold: Option<f32>,
    /// Whether an answer is started before the turn is decided.
    pub start_ahead: bool,
}

/// Which strategy decides that a turn is over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Voice activity, end-of-turn model, words and the speaker's pace together.
    #[default]
    SemanticVad,
    /// A fixed silence.
    ServerVad,
    /// The client commits: push-to-talk.
    Manual,
}

/// How soon `semantic_vad` answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Eagerness {
    /// Takes its time: for dictation and for people who think aloud.
    Low,
    /// The same as `auto`.
    Medium,
    /// Answers soon, and cuts people off more often.
    High,
    /// The balance that was measured.
    #[default]
    Auto,
}

impl Default for TurnTaking {
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            eagerness: Eagerness::default(),
            silence_duration_ms: 500,
            min_silence_ms: None,
            max_silence_ms: None,
            completeness_threshold: None,
            start_ahead: Policy::default().start_ahead,
        }
    }
}

impl TurnTaking {
    pub(super) fn endpointing(&self) -> Endpointing {
        match self.mode {
            Mode::ServerVad => Endpointing::Silence(Duration::from_millis(self.silence_duration_ms)),
            Mode::Manual => Endpointing::Manual,
            Mode::SemanticVad => {
                let preset = self.eagerness.preset();
                let or = |ms: Option<u64>, preset: Duration| ms.map_or(preset, Duration::from_millis);
                let min_silence = or(self.min_silence_ms, preset.min_silence);
                Endpointing::Fused(Fused {
                    min_silence,
                    max_silence: or(self.max_silence_ms, preset.max_silence).max(min_silence),
                    threshold: self.completeness_threshold.unwrap_or(preset.threshold),
                })
            }
        }
    }
}

impl Eagerness {
    fn preset(self) -> Fused {
        let balanced = Fused::default();
        match self {
            Self::Low => {
                Fused { min_silence: Duration::from_millis(700), max_silence: Duration::from_millis(1_400), ..balanced }
            }
            Self::Medium | Self::Auto => balanced,
            Self::High => Fused {
                min_silence: Duration::from_millis(300),
                max_silence: Duration::from_millis(460),
                threshold: 0.8,
            },
        }
    }
}

/// What interrupts the agent.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct BargeInConfig {
    /// Whether speech interrupts at all.
    pub enabled: bool,
    /// How long the caller must speak over the agent to silence it, in milliseconds.
    pub min_speech_ms: u64,
    /// How many words, assents not counted, take the floor.
    pub min_words: u32,
    /// So much speech takes the floor before any word is understood, in milliseconds.
    pub max_overlap_ms: u64,
    /// Whether our own voice coming back through the caller's loudspeaker is kept from interrupting.
    pub echo_gate: bool,
}

impl Default for BargeInConfig {
    fn default() -> Self {
        let BargeIn { min_speech, min_words, max_overlap, echo_gate, enabled, .. } = BargeIn::default();
        let ms = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        Self { enabled, min_speech_ms: ms(min_speech), min_words, max_overlap_ms: ms(max_overlap), echo_gate }
    }
}

impl BargeInConfig {
    pub(super) fn barge_in(&self) -> BargeIn {
        BargeIn {
            enabled: self.enabled,
            min_speech: Duration::from_millis(self.min_speech_ms),
            min_words: self.min_words,
            max_overlap: Duration::from_millis(self.max_overlap_ms),
            echo_gate: self.echo_gate,
            ..BargeIn::default()
        }
    }
}
