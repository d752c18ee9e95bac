//! An answer while it is written: sampling, text, and its end.

use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::sampling::LlamaSampler;
use llama_cpp_2::token::LlamaToken;
use llama_cpp_2::vocab::LlamaVocab;
use tokio::sync::mpsc;

use super::calls::{CallWatch, Written};
use super::text::CharacterBuffer;
use crate::Failure;
use crate::llm::{Finish, LlmEvent, Usage};

/// Candidates that sampling considers.
const TOP_K: i32 = 40;
/// The likeliest candidates that together have this probability.
const TOP_P: f32 = 0.9;
/// Makes tokens of this answer slightly less likely again; small models else fall into loops. More than 1.1 makes
/// the 0.5B avoid the names it has just said.
const REPEAT_PENALTY: f32 = 1.05;
/// How far back the penalty looks, about one long answer.
const REPEAT_TOKENS: i32 = 64;
/// llama.cpp's own sign for "draw a seed".
const RANDOM_SEED: u32 = u32::MAX;

/// An answer that somebody waits for.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) prompt: Vec<LlamaToken>,
    pub(super) usage: Usage,
    /// Sampled, but not yet evaluated.
    pub(super) next: Option<LlamaToken>,
    max_tokens: u32,
    sampler: LlamaSampler,
    text: CharacterBuffer,
    /// Looks for calls of tools; none where there are no tools.
    calls: Option<CallWatch>,
    called: bool,
    events: mpsc::Sender<LlmEvent>,
}

/// Whether an answer goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// It has a next token to evaluate.
    More,
    /// It is complete, or nobody listens any more.
    Over,
}

/// How to write an answer.
pub(super) struct Style {
    pub(super) temperature: f32,
    pub(super) seed: Option<u32>,
    pub(super) vocabulary: i32,
}

impl Answer {
    /// An answer to this prompt, of which `cached` tokens are evaluated already.
    pub(super) fn new(
        prompt: Vec<LlamaToken>,
        cached: usize,
        max_tokens: u32,
        style: &Style,
        events: mpsc::Sender<LlmEvent>,
    ) -> Self {
        let usage = Usage { prompt_tokens: count(prompt.len()), cached_tokens: count(cached), completion_tokens: 0 };
        let sampler = sampler(style);
        Self {
            prompt,
            usage,
            next: None,
            max_tokens,
            sampler,
            text: CharacterBuffer::default(),
            calls: None,
            called: false,
            events,
        }
    }

    /// With an eye on calls of tools.
    pub(super) fn watching(self, calls: Option<CallWatch>) -> Self {
        Self { calls, ..self }
    }

    /// Whether nobody listens any more.
    pub(super) fn is_cancelled(&self) -> bool {
        self.events.is_closed()
    }

    /// Samples from output `output` of the last step and sends what can be said.
    pub(super) fn advance(&mut self, context: &LlamaContext<'_>, vocab: &LlamaVocab<'_>, output: i32) -> Progress {
        let token = self.sampler.sample(context, output);
        if vocab.is_eog(token) || vocab.is_control(token) {
            return self.finish(Finish::Stop);
        }
        self.usage.completion_tokens += 1;
        let text = self.text.push(&vocab.token_to_piece(token, false, None));
        let mut written = match &mut self.calls {
            Some(calls) => calls.push(&text),
            None => Vec::new(),
        };
        // Also where the words are kept back since they may be a call: a sign of life.
        if written.is_empty() {
            let words = if self.calls.is_some() { String::new() } else { text };
            written.push(Written::Text(words));
        }
        if self.send_all(written) == Progress::Over {
            return Progress::Over;
        }
        if self.usage.completion_tokens >= self.max_tokens {
            return self.finish(Finish::Length);
        }
        self.next = Some(token);
        Progress::More
    }

    /// Ends the answer with a failure.
    pub(super) fn fail(self, failure: Failure) {
        self.send(LlmEvent::Failed(failure));
    }

    fn finish(&mut self, finish: Finish) -> Progress {
        let last = self.calls.as_mut().map(CallWatch::finish).unwrap_or_default();
        self.send_all(last);
        let finish = if self.called { Finish::ToolCalls } else { finish };
        self.send(LlmEvent::Done { finish, usage: self.usage });
        Progress::Over
    }

    fn send_all(&mut self, written: Vec<Written>) -> Progress {
        for stretch in written {
            let event = match stretch {
                Written::Text(text) => LlmEvent::Text(text),
                Written::Call(call) => {
                    self.called = true;
                    LlmEvent::ToolCall(call)
                }
            };
            if self.send(event) == Progress::Over {
                return Progress::Over;
            }
        }
        Progress::More
    }

    /// The channel holds an event for each token of the longest answer, so it is full only when closed.
    fn send(&self, event: LlmEvent) -> Progress {
        match self.events.try_send(event) {
            Ok(()) => Progress::More,
            Err(_) => Progress::Over,
        }
    }
}

/// The 40 likeliest come first, so that all else looks at 40 candidates and not at the whole vocabulary.
fn sampler(style: &Style) -> LlamaSampler {
    if style.temperature.is_nan() || style.temperature <= 0.0 {
        return LlamaSampler::greedy();
    }
    let chain = [
        LlamaSampler::top_k(TOP_K),
        LlamaSampler::penalties(style.vocabulary, REPEAT_TOKENS, REPEAT_PENALTY, 0.0, 0.0),
        LlamaSampler::top_p(TOP_P, 1),
        LlamaSampler::temp(style.temperature),
        LlamaSampler::dist(style.seed.unwrap_or(RANDOM_SEED)),
    ];
    LlamaSampler::chain(chain, true)
}

/// Token counts are far below the limit of the type.
fn count(tokens: usize) -> u32 {
    u32::try_from(tokens).unwrap_or(u32::MAX)
}
