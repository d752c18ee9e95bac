//! What the last words tell about whether a sentence can end here. Tables, not a model: they cost nothing and every
//! entry can be argued about.

/// How the words so far end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// With a question mark.
    Question,
    /// With the mark of another finished sentence.
    Sentence,
    /// With no mark.
    Open,
    /// With a comma. Recognisers set one in almost as many finished turns as in others.
    Comma,
    /// With a word that only begins a talk, and nothing else.
    Opening,
    /// With a word that seldom ends a sentence.
    Leaning,
    /// With a word that must be followed by another.
    Hanging,
    /// Within digits, letters or an address that are being dictated.
    Dictating,
}

/// Words that open something: whoever says one as the last has not finished, unless it is a question ("don't they?").
/// English, German, French, Spanish. Words that also end sentences are [`LEANING`] or left out ("so", "up", "it").
const OPENING: [&str; 99] = [
    "a", "an", "the", "and", "but", "or", "nor", "because", "if", "when", "while", "although", "since", "unless",
    "until", "whether", "of", "from", "with", "into", "than", "as", "my", "your", "his", "our", "their", "its", "i",
    "we", "they", "he", "she", "let's", "you're", "we're", "they're", "he's", "she's", "there's", "that's", "what's",
    "who's", "i'm", "i'd", "i'll", "i've", "it's", "very", "to", "um", "uh", "uhm", "er", "erm", "hmm", "like",
    "every", "some", // English
    "und", "oder", "aber", "weil", "wenn", "dass", "der", "die", "das", "den", "dem", "ein", "eine", "einen", "mit",
    "von", "für", "ich", "äh", "ähm", // German
    "et", "ou", "mais", "parce", "que", "le", "la", "les", "un", "une", "de", "du", "des", "avec", "pour", "je",
    "euh", // French
    "y", "o", "porque", // Spanish
];
/// Words that end a sentence now and then ("I have", "come in"), and far more often do not: of 400 finished turns in
/// recordings 6 ended with one, of 1,070 cut off between two words 120.
const LEANING: [&str; 31] = [
    "be", "been", "has", "have", "had", "must", "might", "would", "could", "should", "not", "just", "even", "only",
    "for", "about", "at", "by", "in", "that", "this", "these", "those", "which", "where", "who", "what", "get", "got",
    "then", "any",
];
/// Forms of "be": behind a pronoun they end many a sentence ("what it is"), behind other words hardly ever ("my name is").
const BEING: [&str; 5] = ["is", "are", "was", "were", "am"];
const PRONOUNS: [&str; 10] = ["i", "you", "he", "she", "it", "we", "they", "that", "this", "there"];
/// Words with which people begin.
const GREETINGS: [&str; 11] =
    ["hello", "hi", "hey", "so", "well", "hallo", "bonjour", "hola", "ciao", "good", "morning"];
/// Words for digits.
const DIGITS: [&str; 12] =
    ["zero", "oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "double"];
/// Digits in a row from which somebody dictates.
const DICTATED: usize = 3;

/// Reads how `text` ends.
pub(super) fn ending(text: &str) -> Ending {
    let text = text.trim_end();
    let last = text.chars().last().unwrap_or(' ');
    let trails_off = text.ends_with("...") || last == '…' || matches!(last, '-' | '–' | '—');
    let words: Vec<String> = text.split_whitespace().rev().take(DICTATED).map(bare).collect();
    let Some(word) = words.first() else { return Ending::Open };
    if matches!(last, '?' | '？' | '؟') {
        return if is_dictation(&words) { Ending::Dictating } else { Ending::Question };
    }
    let behind_noun = |other: &String| !PRONOUNS.contains(&other.as_str());
    let names = BEING.contains(&word.as_str()) && words.get(1).is_some_and(behind_noun);
    if trails_off || names || OPENING.contains(&word.as_str()) {
        return Ending::Hanging;
    }
    if is_dictation(&words) {
        return Ending::Dictating;
    }
    if is_opening_alone(text) {
        return Ending::Opening;
    }
    if LEANING.contains(&word.as_str()) {
        return Ending::Leaning;
    }
    match last {
        ',' | ';' | ':' | '，' | '、' => Ending::Comma,
        '.' | '!' | '。' | '！' | '।' => Ending::Sentence,
        _ => Ending::Open,
    }
}

/// "Hello." and nothing else: people wait for no answer before they say why they call.
fn is_opening_alone(text: &str) -> bool {
    let words: Vec<String> = text.split_whitespace().map(bare).collect();
    words.len() <= 2 && words.iter().all(|word| GREETINGS.contains(&word.as_str()))
}

fn is_dictation(last_words: &[String]) -> bool {
    let Some(last) = last_words.first() else { return false };
    let written = last.chars().filter(char::is_ascii_digit).count() >= DICTATED;
    let spoken = last_words.len() == DICTATED && last_words.iter().all(|word| is_digit_or_letter(word));
    let address = matches!(last.as_str(), "at" | "dot" | "underscore" | "dash") || last.ends_with('@');
    written || spoken || address
}

fn is_digit_or_letter(word: &str) -> bool {
    let short = word.chars().count() <= 2 && word.chars().all(|c| c.is_ascii_digit());
    let letter = word.chars().count() == 1 && word.chars().all(char::is_alphabetic);
    short || letter || DIGITS.contains(&word)
}

fn bare(word: &str) -> String {
    word.trim_matches(|c: char| !c.is_alphanumeric() && c != '\'' && c != '@').to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::{Ending, ending};

    #[test]
    fn endings_are_read() {
        let table = [
            ("Should I get a dog?", Ending::Question),
            ("Is it safe to swim in the Seine.", Ending::Sentence),
            ("I would like a dog and", Ending::Hanging),
            ("I would like to", Ending::Hanging),
            ("Well, um.", Ending::Hanging),
            ("The order number is...", Ending::Hanging),
            ("If it rains,", Ending::Comma),
            ("Hello.", Ending::Opening),
            ("Hello John.", Ending::Sentence),
            ("Yes.", Ending::Sentence),
            ("They like it, don't they?", Ending::Question),
            ("I want to go where they", Ending::Hanging),
            ("I don't know what it is.", Ending::Sentence),
            ("He is not", Ending::Leaning),
            ("You're", Ending::Hanging),
            ("My name is", Ending::Hanging),
            ("The keys are", Ending::Hanging),
            ("He is taller than I was.", Ending::Sentence),
            ("Tell me more", Ending::Open),
            ("It is four eight two", Ending::Dictating),
            ("It is 4 8 2", Ending::Dictating),
            ("My order is 48213.", Ending::Dictating),
            ("John dot", Ending::Dictating),
            ("Ich möchte ein", Ending::Hanging),
            ("", Ending::Open),
        ];
        for (text, expected) in table {
            assert_eq!(ending(text), expected, "{text:?}");
        }
    }
}
