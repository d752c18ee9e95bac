//! From messages to the tokens of a prompt.
//!
//! The model's own chat template decides what stands between the messages. It is rendered with a placeholder for each
//! text, and markup and texts are tokenised apart. So a caller who says `<|im_end|>` cannot forge a turn, an earlier
//! turn always becomes the same tokens whatever follows it, and the place where a text ends is known exactly.
//! [`fit`] decides which turns go when a conversation outgrows its share of the context.

use llama_cpp_2::model::{LlamaChatMessage, LlamaChatTemplate, LlamaModel};
use llama_cpp_2::token::LlamaToken;

use super::chat::{self, Role};
use crate::llm::LlmRequest;

/// Frames the number of a message in the rendered template; private-use characters, which no template contains.
const PLACEHOLDER: (char, char) = ('\u{e000}', '\u{e001}');
/// Tokens of markup per message, as an estimate: ChatML takes five, Llama 3 six. Rendering checks it.
const MARKUP_TOKENS: usize = 8;
/// Dropping turns costs an evaluation of what stays, or at least a shift of the cache, so more than needed is
/// dropped at once: down to three quarters of the limit.
const KEEP_NUMERATOR: usize = 3;
const KEEP_DENOMINATOR: usize = 4;

/// Reasoning models are told that they have thought already: a caller waits, and thoughts are not for speaking.
const NO_THOUGHTS: &str = "<think>\n\n</think>\n\n";

/// Tokens to evaluate before the model can answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Prompt {
    /// All tokens, the first position first.
    pub(super) tokens: Vec<LlamaToken>,
    /// How many of them are the instructions, which all conversations may share.
    pub(super) instructions: usize,
    /// How many messages after the instructions were left out to make it fit.
    pub(super) dropped: usize,
}

/// Which part of a conversation a prompt holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// Everything, and the beginning of the answer.
    Reply,
    /// What can already be evaluated while the last text may still grow.
    Prepare,
}

/// The limits a prompt has to keep.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// The most tokens of the prompt.
    pub(super) tokens: usize,
    /// How many messages the prompt before left out.
    pub(super) dropped: usize,
}

/// The template cannot be rendered.
#[derive(Debug, thiserror::Error)]
#[error("render the chat template: {0}")]
pub(super) struct PromptError(String);

/// Makes prompts for one model.
#[derive(Debug)]
pub(super) struct Prompter<'model> {
    model: &'model LlamaModel,
    template: LlamaChatTemplate,
    /// Follows the template's own beginning of an answer.
    opening: &'static str,
}

/// A stretch of the rendered template.
enum Piece {
    Markup(Vec<LlamaToken>),
    Text(usize),
}

impl<'model> Prompter<'model> {
    /// Takes the model's own template and tries it.
    pub(super) fn new(model: &'model LlamaModel) -> Result<Self, PromptError> {
        let template = model.chat_template(None).map_err(|error| PromptError(error.to_string()))?;
        let thinks = template.to_str().is_ok_and(|text| text.contains("enable_thinking"));
        let prompter = Self { model, template, opening: if thinks { NO_THOUGHTS } else { "" } };
        prompter.render(&[Role::System, Role::User], Extent::Reply)?;
        Ok(prompter)
    }

    /// The prompt for these messages. It always fits: what is too long loses its oldest turns, then parts of its
    /// texts.
    pub(super) fn prompt(&self, request: &LlmRequest, extent: Extent, limits: Limits) -> Result<Prompt, PromptError> {
        let (mut roles, mut texts) = self.tokenise(&chat::lines(&request.messages, &request.tools));
        if extent == Extent::Prepare && roles.last() != Some(&Role::User) {
            roles.push(Role::User);
            texts.push(Vec::new());
        }
        let mut dropped = fit(&roles, &texts, limits);
        loop {
            let kept = kept_messages(&roles, dropped);
            let kept_roles: Vec<Role> = kept.iter().map(|&index| roles[index]).collect();
            let mut kept_texts: Vec<Vec<LlamaToken>> = kept.iter().map(|&index| texts[index].clone()).collect();
            let pieces = self.render(&kept_roles, extent)?;
            let markup: usize = pieces.iter().map(Piece::markup_tokens).sum();
            let total = markup + kept_texts.iter().map(Vec::len).sum::<usize>();
            if total > limits.tokens {
                if let Some(more) = next_turn(&roles, dropped) {
                    dropped = more;
                    continue;
                }
                shorten(&kept_roles, &mut kept_texts, limits.tokens.saturating_sub(markup));
            }
            return Ok(join(&pieces, &kept_roles, &kept_texts, extent, dropped));
        }
    }

    /// Surrounding blanks go: some templates strip them, and a partial transcript may end in one.
    fn tokenise(&self, lines: &[chat::Line]) -> (Vec<Role>, Vec<Vec<LlamaToken>>) {
        let vocab = self.model.vocab();
        lines.iter().map(|line| (line.role, vocab.tokenize(line.text.trim().as_bytes(), false, false))).unzip()
    }

    fn render(&self, roles: &[Role], extent: Extent) -> Result<Vec<Piece>, PromptError> {
        let messages: Result<Vec<_>, _> = roles
            .iter()
            .enumerate()
            .map(|(index, role)| LlamaChatMessage::new(role_name(*role).to_owned(), placeholder(index)))
            .collect();
        let messages = messages.map_err(|error| PromptError(error.to_string()))?;
        let rendered = self
            .model
            .apply_chat_template(&self.template, &messages, extent == Extent::Reply)
            .map_err(|error| PromptError(error.to_string()))?;
        Ok(self.pieces(&match extent {
            Extent::Reply => rendered + self.opening,
            Extent::Prepare => rendered,
        }))
    }

    fn pieces(&self, rendered: &str) -> Vec<Piece> {
        let vocab = self.model.vocab();
        let mut pieces = Vec::new();
        if vocab.should_add_bos() {
            pieces.push(Piece::Markup(vec![vocab.bos()]));
        }
        let mut rest = rendered;
        while let Some((markup, index, after)) = split_at_placeholder(rest) {
            pieces.push(Piece::Markup(vocab.tokenize(markup.as_bytes(), false, true)));
            pieces.push(Piece::Text(index));
            rest = after;
        }
        pieces.push(Piece::Markup(vocab.tokenize(rest.as_bytes(), false, true)));
        pieces
    }
}

impl Piece {
    fn markup_tokens(&self) -> usize {
        match self {
            Self::Markup(tokens) => tokens.len(),
            Self::Text(_) => 0,
        }
    }
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::System => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
    }
}

fn placeholder(index: usize) -> String {
    format!("{}{index}{}", PLACEHOLDER.0, PLACEHOLDER.1)
}

fn split_at_placeholder(text: &str) -> Option<(&str, usize, &str)> {
    let (markup, rest) = text.split_once(PLACEHOLDER.0)?;
    let (index, after) = rest.split_once(PLACEHOLDER.1)?;
    Some((markup, index.parse().ok()?, after))
}

/// Puts texts between the markup. A prompt to prepare ends one token before the end of its last text, because more
/// words may turn the last token into another one.
fn join(pieces: &[Piece], roles: &[Role], texts: &[Vec<LlamaToken>], extent: Extent, dropped: usize) -> Prompt {
    let mut prompt = Prompt { tokens: Vec::new(), instructions: 0, dropped };
    let has_instructions = roles.first() == Some(&Role::System);
    for piece in pieces {
        match piece {
            Piece::Markup(tokens) => prompt.tokens.extend(tokens),
            Piece::Text(index) => {
                let Some(text) = texts.get(*index) else { continue };
                if has_instructions && *index == 1 {
                    prompt.instructions = prompt.tokens.len();
                }
                if extent == Extent::Prepare && index + 1 == texts.len() {
                    prompt.tokens.extend(&text[..text.len().saturating_sub(1)]);
                    break;
                }
                prompt.tokens.extend(text);
            }
        }
    }
    prompt
}

/// How many messages after the instructions to leave out, always up to a word of the caller's and never the last.
/// The choice of the prompt before stays as long as it is enough, so that the cache stays valid from turn to turn.
fn fit(roles: &[Role], texts: &[Vec<LlamaToken>], limits: Limits) -> usize {
    let cost = |index: usize| texts[index].len() + MARKUP_TOKENS;
    let total = |dropped: usize| kept_messages(roles, dropped).into_iter().map(cost).sum::<usize>() + MARKUP_TOKENS;
    if total(0) <= limits.tokens {
        return 0;
    }
    let last = roles.len().saturating_sub(instruction_messages(roles) + 1);
    let before = limits.dropped.min(last);
    if before > 0 && total(before) <= limits.tokens {
        return before;
    }
    let mut dropped = before;
    while total(dropped) * KEEP_DENOMINATOR > limits.tokens * KEEP_NUMERATOR {
        let Some(more) = next_turn(roles, dropped) else { break };
        dropped = more;
    }
    dropped
}

/// The next larger number of messages to leave out: up to the caller's next words.
fn next_turn(roles: &[Role], dropped: usize) -> Option<usize> {
    let turns = roles.get(instruction_messages(roles)..)?;
    (dropped + 1..turns.len()).find(|&index| turns[index] == Role::User)
}

/// Instructions are the system message at the beginning, if there is one.
fn instruction_messages(roles: &[Role]) -> usize {
    usize::from(roles.first() == Some(&Role::System))
}

fn kept_messages(roles: &[Role], dropped: usize) -> Vec<usize> {
    let instructions = instruction_messages(roles);
    (0..instructions).chain(instructions + dropped..roles.len()).collect()
}

/// Shortens texts that do not fit even without earlier turns: instructions keep their beginning and at most half of
/// the room, the last message keeps its end.
fn shorten(roles: &[Role], texts: &mut [Vec<LlamaToken>], room: usize) {
    let mut room = room;
    let instructions = instruction_messages(roles);
    for text in &mut texts[..instructions] {
        text.truncate(room / 2);
        room -= text.len();
    }
    for text in texts[instructions..].iter_mut().rev() {
        let excess = text.len().saturating_sub(room);
        text.drain(..excess);
        room -= text.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Roles by letter, ten tokens each.
    fn conversation(letters: &str) -> (Vec<Role>, Vec<Vec<LlamaToken>>) {
        let role = |letter| match letter {
            's' => Role::System,
            'u' => Role::User,
            _ => Role::Assistant,
        };
        letters.chars().map(|letter| (role(letter), vec![LlamaToken(1); 10])).unzip()
    }

    fn dropped(letters: &str, tokens: usize, dropped: usize) -> usize {
        let (roles, texts) = conversation(letters);
        fit(&roles, &texts, Limits { tokens, dropped })
    }

    #[test]
    fn a_conversation_that_fits_keeps_all() {
        assert_eq!(dropped("suauau", 1000, 0), 0);
        assert_eq!(dropped("suauau", 1000, 2), 0);
        assert_eq!(dropped("", 10, 0), 0);
    }

    #[test]
    fn oldest_turns_go_as_whole_pairs_and_the_last_words_stay() {
        assert_eq!(dropped("suauauau", 140, 0), 4);
        assert_eq!(dropped("suauauau", 20, 0), 6);
        assert_eq!(dropped("uau", 20, 0), 2);
        assert_eq!(dropped("su", 5, 0), 0);
    }

    #[test]
    fn the_same_turns_stay_dropped_while_that_is_enough() {
        let first = dropped("suauauau", 140, 0);
        assert_eq!(dropped("suauauauau", 140, first), first);
        assert!(dropped("suauauauauauau", 140, first) > first);
    }

    #[test]
    fn texts_are_shortened_when_nothing_else_is_left() {
        let (roles, mut texts) = conversation("su");
        shorten(&roles, &mut texts, 12);
        assert_eq!(texts.iter().map(Vec::len).collect::<Vec<_>>(), [6, 6]);
    }

    #[test]
    fn placeholders_are_found_in_order() {
        let text = format!("<user>{}<end>", placeholder(3));
        assert_eq!(split_at_placeholder(&text), Some(("<user>", 3, "<end>")));
        assert_eq!(split_at_placeholder("<end>"), None);
    }
}
