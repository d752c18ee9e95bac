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
    /// Reads all that somebody said over the agent up to a pause, in so much time.
    /// `own` is what was played of the agent's voice: nothing else can come back.
    pub(crate) fn claim(&self, words: &str, spoken: Duration, own: &str) -> Claim {
        let words = Words::of(words);
        let assent = may_be_assented_to(own);
        match self.claim_of(&words, own, self.min_words.max(1)) {
            Claim::Takes if assent && spoken < MISHEARD_BELOW && words.may_be_misheard() => Claim::Leaves,
            // Who was cut off goes on: the recogniser made "Very good" of "or a cat".
            Claim::Leaves if !assent && words.has_phrase => Claim::Takes,
            claim @ (Claim::Takes | Claim::Leaves | Claim::Echo) => claim,
        }
    }

    /// Reads what somebody is saying over the agent. Running words are often wrong in their beginning ("I'll" for "Oh,
    /// really?", "It hurts" for "uh-huh"), so it takes more of them; the voice is held meanwhile.
    pub(crate) fn running_claim(&self, words: &str, own: &str) -> Claim {
        let enough = if may_be_assented_to(own) { RUNNING_WORDS_MISHEARD } else { RUNNING_WORDS };
        self.claim_of(&Words::of(words), own, self.min_words.max(enough))
    }

    fn claim_of(&self, words: &Words, own: &str, enough: u32) -> Claim {
        if self.echo_gate && is_echo(&words.all, own) {
            return Claim::Echo;
        }
        // A word of command needs no company.
        let enough = words.substance.len() >= usize::try_from(enough).unwrap_or(usize::MAX);
        if enough || words.command() { Claim::Takes } else { Claim::Leaves }
    }
}

/// What was said, as words in small letters.
struct Words {
    all: Vec<String>,
    /// Those that are no assent.
    substance: Vec<String>,
    /// Whether an assent of several words is among them.
    has_phrase: bool,
}

impl Words {
    fn of(text: &str) -> Self {
        let all: Vec<String> = text.split_whitespace().map(bare).filter(|word| !word.is_empty()).collect();
        let mut substance = Vec::new();
        let mut has_phrase = false;
        let mut rest = all.as_slice();
        while let Some((word, tail)) = rest.split_first() {
            if let Some(phrase) = PHRASES.iter().find(|phrase| begins_with(rest, phrase)) {
                rest = &rest[phrase.split(' ').count()..];
                has_phrase = true;
                continue;
            }
            if !ASSENTS.contains(&word.as_str()) {
                substance.push(word.clone());
            }
            rest = tail;
        }
        Self { all, substance, has_phrase }
    }

    fn command(&self) -> bool {
        self.all.iter().any(|word| COMMANDS.contains(&word.as_str()))
    }

    /// One or two little words that nobody interrupts with: what recognisers make of an "uh-huh".
    fn may_be_misheard(&self) -> bool {
        self.substance.len() <= MISHEARD_WORDS && self.substance.iter().all(|word| LITTLE.contains(&word.as_str()))
    }
}

/// Whether enough of the agent was heard that somebody may say "uh-huh" to it.
fn may_be_assented_to(own: &str) -> bool {
    own.split_whitespace().count() >= ASSENTED_WORDS
}

fn begins_with(words: &[String], phrase: &str) -> bool {
    let mut words = words.iter();
    phrase.split(' ').all(|expected| words.next().is_some_and(|word| word == expected))
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
/// How many where they may be a misheard assent.
const RUNNING_WORDS_MISHEARD: u32 = 3;
/// Nobody assents before so many words were heard. Who was cut off goes on sooner than that.
const ASSENTED_WORDS: usize = 3;
/// An "uh-huh" lasts 0.3 to 0.6 s.
const MISHEARD_BELOW: Duration = Duration::from_millis(700);
/// What recognisers hear in it: "If her", "I'm", "It".
const MISHEARD_WORDS: usize = 2;
/// Words that ask for nothing and answer nothing by themselves.
const LITTLE: [&str; 26] = [
    "a", "an", "the", "if", "in", "it", "it's", "is", "its", "he", "she", "her", "his", "him", "of", "to", "at", "as",
    "and", "or", "i", "i'm", "i'll", "am", "be", "for",
];
/// Words that take the floor alone.
const COMMANDS: [&str; 10] = ["stop", "wait", "no", "hold", "pause", "quiet", "halt", "stopp", "attends", "espera"];

fn bare(word: &str) -> String {
    word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{BargeIn, Claim};

    const LONG: Duration = Duration::from_secs(1);

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
            ("I see a problem", Claim::Takes),
            ("If her,", Claim::Takes),
        ];
        for (words, expected) in table {
            assert_eq!(BargeIn::default().claim(words, LONG, ""), expected, "{words:?}");
        }
        let own = "The river rises in the hills behind the village.";
        assert_eq!(BargeIn::default().claim("the river rises in the hill", LONG, own), Claim::Echo);
        assert_eq!(BargeIn::default().claim("which river do you mean", LONG, own), Claim::Takes);
        assert_eq!(BargeIn::default().claim("in the sun", LONG, "It is so in the hills."), Claim::Takes);
        let deaf = BargeIn { min_words: 2, ..BargeIn::default() };
        assert_eq!(deaf.claim("Tuesday", LONG, ""), Claim::Leaves);
        assert_eq!(BargeIn::default().running_claim("I'll", ""), Claim::Leaves, "running words are often wrong");
        assert_eq!(deaf.claim("Stop.", LONG, ""), Claim::Takes, "a command needs no company");
    }

    #[test]
    fn assents_of_several_words_need_something_to_assent_to() {
        for words in ["I see.", "I see, I see", "Okay, I see.", "Very good."] {
            assert_eq!(BargeIn::default().claim(words, LONG, "Once upon a time"), Claim::Leaves, "{words:?}");
            assert_eq!(BargeIn::default().claim(words, LONG, "Once upon"), Claim::Takes, "{words:?}");
        }
    }

    #[test]
    fn little_words_in_little_time_are_a_misheard_assent() {
        let table = [
            ("If her,", Claim::Leaves),
            ("I'm", Claim::Leaves),
            ("Yeah, if it", Claim::Leaves),
            ("Stop it", Claim::Takes),
            ("No", Claim::Takes),
            ("But", Claim::Takes),
            ("Why?", Claim::Takes),
            ("Two", Claim::Takes),
            ("It hurts", Claim::Takes),
            ("If it is", Claim::Takes),
        ];
        let (short, own) = (Duration::from_millis(450), "Once upon a time");
        for (words, expected) in table {
            assert_eq!(BargeIn::default().claim(words, short, own), expected, "{words:?}");
        }
        assert_eq!(BargeIn::default().running_claim("It hurts", own), Claim::Leaves);
        assert_eq!(
            BargeIn::default().claim("if it", short, "Once upon"),
            Claim::Takes,
            "who was cut off goes on at once"
        );
        assert_eq!(BargeIn::default().running_claim("for two", "Once upon"), Claim::Takes);
    }
}
