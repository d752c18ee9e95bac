//! What takes the floor from the agent, and what only sounds like it.
//!
//! Barging in has two stages. After [`BargeIn::min_speech`] the agent's voice is held: it falls silent at once, but
//! nothing is lost. Then the words decide: an assent or a noise lets the voice go on where it stopped, anything else
//! takes the floor. So people feel heard at once, and an "uh-huh" costs half a sentence nothing.

use std::time::Duration;

/// The figures of barging in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BargeIn {
    /// How much speech over the agent holds its voice. Four windows of the detector (128 ms) reach this: more than a
    /// click, and well inside the 300 ms after which people feel ignored.
    pub min_speech: Duration,
    /// How many words of substance take the floor; 0 takes it with the first sound.
    pub min_words: u32,
    /// So much speech takes the floor before any word is understood. Assents are shorter: "yeah, right, okay" lasts
    /// 0.7 to 0.9 s.
    pub max_overlap: Duration,
    /// How long the voice is held for words that do not come.
    pub words_deadline: Duration,
    /// Whether speech interrupts at all; "stop" and typed words always do.
    pub enabled: bool,
}

impl Default for BargeIn {
    fn default() -> Self {
        Self {
            min_speech: Duration::from_millis(120),
            min_words: 1,
            max_overlap: Duration::from_millis(1_000),
            words_deadline: Duration::from_millis(800),
            enabled: true,
        }
    }
}

/// What the words say about the floor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claim {
    /// The speaker wants the floor.
    Takes,
    /// Assent, laughter or noise: the agent may go on.
    Leaves,
}

impl BargeIn {
    /// Reads what somebody said over the agent.
    pub(crate) fn claim(&self, words: &str) -> Claim {
        let substance = words.split_whitespace().map(bare).filter(|word| !word.is_empty() && !is_assent(word)).count();
        // A word of command needs no company.
        let command = words.split_whitespace().map(bare).any(|word| COMMANDS.contains(&word.as_str()));
        let enough = substance >= usize::try_from(self.min_words.max(1)).unwrap_or(usize::MAX);
        if command || enough { Claim::Takes } else { Claim::Leaves }
    }
}

/// Words that go along with what is said, and the noises that recognisers write for them.
const ASSENTS: [&str; 53] = [
    "uh", "huh", "uh-huh", "uhhuh", "mm", "mmm", "hm", "hmm", "mhm", "mm-hmm", "mmhmm", "mm-hm", "um", "uhm", "er",
    "ah", "aha", "oh", "ooh", "wow", "yeah", "yea", "yep", "yup", "yes", "ok", "okay", "right", "alright", "sure",
    "cool", "nice", "great", "good", "exactly", "totally", "indeed", "true", "haha", "ha", "hehe", "really", "gotcha",
    "ja", "genau", "klar", "oui", "d'accord", "sí", "si", "claro", "vale", "ach",
];
/// Words that take the floor alone.
const COMMANDS: [&str; 10] = ["stop", "wait", "no", "hold", "pause", "quiet", "halt", "stopp", "attends", "espera"];

fn is_assent(word: &str) -> bool {
    ASSENTS.contains(&word)
}

fn bare(word: &str) -> String {
    word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::{BargeIn, Claim};

    #[test]
    fn assents_leave_the_floor_and_words_take_it() {
        let table = [
            ("", Claim::Leaves),
            ("Uh-huh.", Claim::Leaves),
            ("Yeah, right. Okay!", Claim::Leaves),
            ("Mm-hmm", Claim::Leaves),
            ("Okay, but what about cats?", Claim::Takes),
            ("Stop.", Claim::Takes),
            ("No", Claim::Takes),
            ("Tuesday", Claim::Takes),
        ];
        for (words, expected) in table {
            assert_eq!(BargeIn::default().claim(words), expected, "{words:?}");
        }
        let deaf = BargeIn { min_words: 2, ..BargeIn::default() };
        assert_eq!(deaf.claim("Tuesday"), Claim::Leaves);
        assert_eq!(deaf.claim("Stop."), Claim::Takes, "a command needs no company");
    }
}
