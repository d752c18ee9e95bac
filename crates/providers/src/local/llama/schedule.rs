//! Who gets how many tokens in the next step. Pure arithmetic.
//!
//! Answers come first: each that is being written advances by a token in every step. Prompts are read beside them in
//! chunks that do not stall them. Preparations get what is left over, and wait while a caller waits for first words.

/// Tokens read in one step when no answer is being written. A step cannot be interrupted, so this bounds how long a
/// cancellation or a new request waits: about 1.5 s for the 0.5B on one core. With 32 or 16 tokens it read 20 to 30 %
/// slower (0.5B, one thread, a busy machine).
pub(super) const READ_ALONE: usize = 64;
/// Tokens read in one step beside answers being written. Speech takes about five tokens a second, so an answer may
/// slow down to that once it has its first words.
const READ_BESIDE: usize = 32;
/// Tokens prepared in one step when nothing else is to be done. A reply that comes meanwhile waits for the step, so it is
/// short: 0.2 s for the 1.5B on two cores, reckoned from its reading speed.
const PREPARE_ALONE: usize = 8;
/// Tokens prepared in one step beside answers being written.
const PREPARE_BESIDE: usize = 8;
/// An answer with fewer tokens than this has not given its first clause to the voice yet: nothing is prepared
/// beside it.
const FIRST_CLAUSE_TOKENS: u32 = 12;

/// What a slot has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Load {
    /// Nothing.
    Idle,
    /// An answer's next token; so many are written.
    Write(u32),
    /// So many tokens of a prompt that a caller waits for.
    Read(usize),
    /// So many tokens of a prompt that may be wanted soon.
    Prepare(usize),
}

/// How many tokens each slot gets in the next step.
pub(super) fn share_out(loads: &[Load]) -> Vec<usize> {
    let writing = loads.iter().any(|load| matches!(load, Load::Write(_)));
    let urgent = loads.iter().any(|load| match load {
        Load::Read(_) => true,
        Load::Write(written) => *written < FIRST_CLAUSE_TOKENS,
        Load::Idle | Load::Prepare(_) => false,
    });
    let mut read = Budget(if writing { READ_BESIDE } else { READ_ALONE });
    let mut prepare = Budget(match (urgent, writing) {
        (true, _) => 0,
        (false, true) => PREPARE_BESIDE,
        (false, false) => PREPARE_ALONE,
    });
    let mut shares = vec![0; loads.len()];
    // The prompt with least left goes first: the short rest of a prepared one must not wait behind a long one.
    let mut order: Vec<usize> = (0..loads.len()).collect();
    order.sort_by_key(|&index| left(loads[index]));
    for index in order {
        shares[index] = match loads[index] {
            Load::Idle => 0,
            Load::Write(_) => 1,
            Load::Read(left) => read.take(left),
            Load::Prepare(left) => prepare.take(left),
        };
    }
    shares
}

fn left(load: Load) -> usize {
    match load {
        Load::Idle | Load::Write(_) => 0,
        Load::Read(left) | Load::Prepare(left) => left,
    }
}

struct Budget(usize);

impl Budget {
    fn take(&mut self, wanted: usize) -> usize {
        let given = wanted.min(self.0);
        self.0 -= given;
        given
    }
}

#[cfg(test)]
mod tests {
    use super::Load::{Idle, Prepare, Read, Write};
    use super::*;

    #[test]
    fn every_answer_gets_its_token_beside_a_small_chunk_of_reading() {
        assert_eq!(share_out(&[Write(1), Read(500), Write(40), Idle]), [1, READ_BESIDE, 1, 0]);
    }

    #[test]
    fn the_prompt_with_least_left_is_read_first() {
        assert_eq!(share_out(&[Read(500), Read(5)]), [READ_ALONE - 5, 5]);
    }

    #[test]
    fn preparing_waits_for_first_words() {
        assert_eq!(share_out(&[Prepare(100)]), [PREPARE_ALONE]);
        assert_eq!(share_out(&[Prepare(100), Read(1)]), [0, 1]);
        assert_eq!(share_out(&[Prepare(100), Write(FIRST_CLAUSE_TOKENS - 1)]), [0, 1]);
        assert_eq!(share_out(&[Prepare(100), Write(FIRST_CLAUSE_TOKENS)]), [PREPARE_BESIDE, 1]);
    }
}
