//! What takes the floor from the agent, and what only sounds like it.
//!
//! Barging in has two stages. After [`BargeIn::min_speech`] the agent's voice is held: it falls silent at once, but
//! nothing is lost. Then the words decide: an assent or a noise lets the voice go on where it stopped, anything else
//! takes the floor. So people feel heard at once, and an "uh-huh" costs half a sentence nothing.
//!
//! The agent's own voice, coming back through a loudspeaker, is known by its words: they are the ones that it is saying.

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
    /// Whether the agent's own words, coming back, are no interruption.
    pub echo_gate: bool,
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
            echo_gate: true,
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
    /// The agent hears itself.
    Echo,
}

impl BargeIn {
    /// Reads all that somebody said over the agent up to a pause.
    /// `own` is what was played of the agent's voice: nothing else can come back.
    pub(crate) fn claim(&self, words: &str, own: &str) -> Claim {
        self.claim_of(words, own, self.min_words.max(1))
    }

    /// Reads what somebody is saying over the agent. Running words are often wrong in their beginning ("I'll" for "Oh,
    /// really?"), so it takes more of them.
    pub(crate) fn running_claim(&self, words: &str, own: &str) -> Claim {
        self.claim_of(words, own, self.min_words.max(RUNNING_WORDS))
    }

    fn claim_of(&self, words: &str, own: &str, enough: u32) -> Claim {
        let words: Vec<String> = words.split_whitespace().map(bare).filter(|word| !word.is_empty()).collect();
        if self.echo_gate && is_echo(&words, own) {
            return Claim::Echo;
        }
        // A word of command needs no company.
        let command = words.iter().any(|word| COMMANDS.contains(&word.as_str()));
        let phrase = PHRASES.contains(&words.join(" ").as_str());
        let substance = words.iter().filter(|word| !is_assent(word)).count();
        let enough = substance >= usize::try_from(enough).unwrap_or(usize::MAX);
        if command || (enough && !phrase) { Claim::Takes } else { Claim::Leaves }
    }
}

/// Most of the words that carry meaning are the agent's own. Short words are everybody's.
fn is_echo(words: &[String], own: &str) -> bool {
    let own: Vec<String> = own.split_whitespace().map(bare).collect();
    let content = || words.iter().filter(|word| word.chars().count() >= CONTENT_CHARS);
    let echoed = content().filter(|word| own.contains(word)).count();
    echoed > 0 && echoed * 2 > content().count()
}

/// Words of so many letters carry meaning, more often than not.
const CONTENT_CHARS: usize = 4;
/// Words that go along with what is said, and the noises that recognisers write for them.
const ASSENTS: [&str; 54] = [
    "uh", "huh", "uh-huh", "uhhuh", "mm", "mmm", "hm", "hmm", "mhm", "mm-hmm", "mmhmm", "mm-hm", "mum", "um", "uhm",
    "er", "ah", "aha", "oh", "ooh", "wow", "yeah", "yea", "yep", "yup", "yes", "ok", "okay", "right", "alright",
    "sure", "cool", "nice", "great", "good", "exactly", "totally", "indeed", "true", "haha", "ha", "hehe", "really",
    "gotcha", "ja", "genau", "klar", "oui", "d'accord", "sí", "si", "claro", "vale", "ach",
];
/// Assents of several words.
const PHRASES: [&str; 9] =
    ["i see", "i know", "of course", "got it", "go on", "makes sense", "sounds good", "very good", "all right"];
/// How many running words of substance take the floor.
const RUNNING_WORDS: u32 = 2;
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
            ("I see.", Claim::Leaves),
            ("I see a problem", Claim::Takes),
        ];
        for (words, expected) in table {
            assert_eq!(BargeIn::default().claim(words, ""), expected, "{words:?}");
        }
        let own = "The river rises in the hills behind the village.";
        assert_eq!(BargeIn::default().claim("the river rises in the hill", own), Claim::Echo);
        assert_eq!(BargeIn::default().claim("which river do you mean", own), Claim::Takes);
        assert_eq!(BargeIn::default().claim("in the sun", "It is so in the hills."), Claim::Takes);
        let deaf = BargeIn { min_words: 2, ..BargeIn::default() };
        assert_eq!(deaf.claim("Tuesday", ""), Claim::Leaves);
        assert_eq!(BargeIn::default().running_claim("I'll", ""), Claim::Leaves, "running words are often wrong");
        assert_eq!(deaf.claim("Stop.", ""), Claim::Takes, "a command needs no company");
    }
}
