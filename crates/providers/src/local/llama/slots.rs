//! Which conversation owns which sequence of the cache, and what each sequence holds.
//!
//! Bookkeeping only: [`super::engine`] carries out on the cache what is decided here. A slot is a sequence of
//! llama.cpp's cache; its tokens are exactly those evaluated for it, position by position.

use llama_cpp_2::token::LlamaToken;

/// A shift of the cache spares evaluating what follows the gap. It costs one pass over the cache's keys, about
/// the evaluation of this many tokens.
const WORTH_A_SHIFT: usize = 48;

/// One sequence of the cache.
#[derive(Debug, Default)]
pub(super) struct Slot {
    /// The conversation it is kept for; none when it is free.
    pub(super) conversation: Option<String>,
    /// The tokens evaluated, by position.
    pub(super) tokens: Vec<LlamaToken>,
    /// How many of its first tokens may lie in cells that other sequences use too. These cannot be shifted.
    pub(super) shared: usize,
    /// How many of its first tokens are instructions: all that stays when the conversation ends.
    pub(super) instructions: usize,
    /// How many messages the last prompt left out.
    pub(super) dropped: usize,
    /// When it was last used, in requests.
    pub(super) last_used: u64,
}

/// How to make a slot's sequence begin like a prompt. Carried out in this order: copy, remove, truncate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reuse {
    /// Take this many first tokens from this other slot.
    pub(super) copy: Option<(usize, usize)>,
    /// Remove these positions and move what follows forward.
    pub(super) gap: Option<(usize, usize)>,
    /// How many tokens of the prompt are then there.
    pub(super) kept: usize,
}

/// How many tokens two sequences have in common from their beginning.
pub(super) fn common_prefix(left: &[LlamaToken], right: &[LlamaToken]) -> usize {
    left.iter().zip(right).take_while(|(left, right)| left == right).count()
}

/// Finds the slot for a conversation among those that are not busy: its own, else a free one (the one that shares
/// most with the prompt), else the one unused for longest. None if all are busy.
pub(super) fn choose(
    slots: &[Slot],
    busy: impl Fn(usize) -> bool,
    conversation: &str,
    prompt: &[LlamaToken],
) -> Option<usize> {
    let own = slots.iter().position(|slot| slot.conversation.as_deref() == Some(conversation));
    if own.is_some() {
        return own;
    }
    let idle = || slots.iter().enumerate().filter(|(index, _)| !busy(*index));
    let free = idle()
        .filter(|(_, slot)| slot.conversation.is_none())
        .max_by_key(|(_, slot)| common_prefix(&slot.tokens, prompt));
    free.or_else(|| idle().min_by_key(|(_, slot)| slot.last_used)).map(|(index, _)| index)
}

/// Decides how slot `index` comes to hold as much of the prompt as possible. The last token is always evaluated
/// anew, because sampling needs its logits.
pub(super) fn reuse(slots: &[Slot], index: usize, prompt: &[LlamaToken]) -> Reuse {
    let most = prompt.len().saturating_sub(1);
    let own = &slots[index];
    let prefix = common_prefix(&own.tokens, prompt).min(most);
    let shifted = gap(own, prefix, &prompt[..most]);
    let kept = shifted.map_or(prefix, |(_, kept)| kept);
    let donor = slots
        .iter()
        .enumerate()
        .filter(|(other, _)| *other != index)
        .map(|(other, slot)| (other, common_prefix(&slot.tokens, prompt).min(most)))
        .max_by_key(|(_, tokens)| *tokens)
        .filter(|(_, tokens)| *tokens > kept);
    match donor {
        Some((other, tokens)) => Reuse { copy: Some((other, tokens)), gap: None, kept: tokens },
        None => Reuse { copy: None, gap: shifted.map(|(gap, _)| gap), kept },
    }
}

/// Looks for turns dropped from the prompt that the slot still holds: a gap after which the slot goes on like the
/// prompt. Returns the gap and how many tokens are usable once it is closed.
fn gap(slot: &Slot, prefix: usize, prompt: &[LlamaToken]) -> Option<((usize, usize), usize)> {
    let wanted = &prompt[prefix..];
    let start = prefix + 1;
    (start..slot.tokens.len().saturating_sub(WORTH_A_SHIFT)).filter(|&end| end >= slot.shared).find_map(|end| {
        let same = common_prefix(&slot.tokens[end..], wanted);
        (same >= WORTH_A_SHIFT).then_some(((prefix, end), prefix + same))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(range: std::ops::Range<i32>) -> Vec<LlamaToken> {
        range.map(LlamaToken).collect()
    }

    fn slot(conversation: Option<&str>, tokens: Vec<LlamaToken>, last_used: u64) -> Slot {
        Slot { conversation: conversation.map(str::to_owned), tokens, last_used, ..Slot::default() }
    }

    #[test]
    fn a_conversation_keeps_its_slot_even_while_that_is_busy() {
        let slots = [slot(None, vec![], 0), slot(Some("a"), tokens(0..4), 1)];
        assert_eq!(choose(&slots, |_| true, "a", &tokens(0..9)), Some(1));
        assert_eq!(choose(&slots, |_| true, "b", &tokens(0..9)), None);
    }

    #[test]
    fn a_free_slot_with_the_same_beginning_goes_first_then_the_longest_unused() {
        let slots = [slot(Some("a"), vec![], 2), slot(None, vec![], 0), slot(None, tokens(0..4), 0)];
        assert_eq!(choose(&slots, |_| false, "c", &tokens(0..9)), Some(2));
        let slots = [slot(Some("a"), vec![], 2), slot(Some("b"), vec![], 1)];
        assert_eq!(choose(&slots, |_| false, "c", &tokens(0..9)), Some(1));
        assert_eq!(choose(&slots, |index| index == 1, "c", &tokens(0..9)), Some(0));
    }

    #[test]
    fn the_last_token_is_always_evaluated_anew() {
        let slots = [slot(Some("a"), tokens(0..9), 0)];
        assert_eq!(reuse(&slots, 0, &tokens(0..9)), Reuse { copy: None, gap: None, kept: 8 });
    }

    #[test]
    fn a_longer_beginning_is_copied_from_another_slot() {
        let slots = [slot(None, tokens(0..2), 0), slot(Some("a"), tokens(0..6), 0)];
        assert_eq!(reuse(&slots, 0, &tokens(0..9)), Reuse { copy: Some((1, 6)), gap: None, kept: 6 });
        assert_eq!(reuse(&slots, 1, &tokens(0..9)), Reuse { copy: None, gap: None, kept: 6 });
    }

    #[test]
    fn dropped_turns_become_a_gap_unless_their_cells_are_shared() {
        let mut slots = [slot(Some("a"), tokens(0..200), 0)];
        let prompt: Vec<_> = [tokens(0..20), tokens(80..200), tokens(300..320)].concat();
        assert_eq!(reuse(&slots, 0, &prompt), Reuse { copy: None, gap: Some((20, 80)), kept: 140 });
        slots[0].shared = 120;
        assert_eq!(reuse(&slots, 0, &prompt), Reuse { copy: None, gap: None, kept: 20 });
    }
}
