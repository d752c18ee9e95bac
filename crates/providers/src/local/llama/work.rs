//! What a slot is busy with, and what that means for the next step.

use llama_cpp_2::token::LlamaToken;

use super::answer::Answer;
use super::schedule::Load;
use super::slots::Slot;

/// What a slot is busy with.
#[derive(Debug)]
pub(super) enum Work {
    Idle,
    Preparing(Vec<LlamaToken>),
    Answering(Box<Answer>),
}

impl Work {
    /// What it asks of the next step.
    pub(super) fn load(&self, slot: &Slot) -> Load {
        match self {
            Self::Idle => Load::Idle,
            Self::Preparing(prompt) => Load::Prepare(prompt.len() - slot.tokens.len()),
            Self::Answering(answer) if answer.next.is_some() => Load::Write(answer.usage.completion_tokens),
            Self::Answering(answer) => Load::Read(answer.prompt.len() - slot.tokens.len()),
        }
    }

    /// The next tokens to evaluate.
    pub(super) fn tokens(&self, start: usize, share: usize) -> Vec<LlamaToken> {
        match self {
            Self::Idle => Vec::new(),
            Self::Preparing(prompt) => prompt[start..start + share].to_vec(),
            Self::Answering(answer) => match answer.next {
                Some(token) => vec![token],
                None => answer.prompt[start..start + share].to_vec(),
            },
        }
    }

    /// Whether something is sampled once `evaluated` tokens are.
    pub(super) fn wants_output(&self, evaluated: usize) -> bool {
        match self {
            Self::Idle | Self::Preparing(_) => false,
            Self::Answering(answer) => evaluated >= answer.prompt.len(),
        }
    }
}
