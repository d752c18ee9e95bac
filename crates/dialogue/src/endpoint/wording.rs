//! What the last words tell about whether a sentence can end here. Tables, not a model: they cost nothing and every
//! entry can be argued about.

/// How the words so far end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// With the mark of a finished sentence.
    Sentence,
    /// With no mark.
    Open,
    /// With a comma: the recogniser heard that something follows. Or with a word that only begins a talk.
    Comma,
    /// With a word that must be followed by another.
    Hanging,
    /// Within digits, letters or an address that are being dictated.
    Dictating,
}

/// Words that open something: whoever says one as the last has not finished. English, German, French, Spanish.
/// Words that also end sentences ("that", "on", "in", "so") are left out.
const OPENING: [&str; 94] = [
    "a", "an", "the", "and", "but", "or", "nor", "because", "if", "when", "while", "although", "since", "unless",
    "until", "whether", "of", "from", "with", "into", "than", "as", "my", "your", "his", "our", "their", "its", "i",
    "we", "they", "he", "she", "is", "are", "was", "were", "am", "i'm", "i'd", "i'll", "i've", "it's", "very", "to",
    "um", "uh", "uhm", "er", "erm", "hmm", "like", "every", "some", // English
    "und", "oder", "aber", "weil", "wenn", "dass", "der", "die", "das", "den", "dem", "ein", "eine", "einen", "mit",
    "von", "für", "ich", "äh", "ähm", // German
    "et", "ou", "mais", "parce", "que", "le", "la", "les", "un", "une", "de", "du", "des", "avec", "pour", "je",
    "euh", // French
    "y", "o", "porque", // Spanish
];
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
    if trails_off || OPENING.contains(&word.as_str()) {
        return Ending::Hanging;
    }
    if is_dictation(&words) {
        return Ending::Dictating;
    }
    if matches!(last, ',' | ';' | ':' | '，' | '、') || (last != '?' && is_opening_alone(text)) {
        return Ending::Comma;
    }
    match last {
        '.' | '!' | '?' | '。' | '！' | '？' | '।' | '؟' => Ending::Sentence,
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
            ("Should I get a dog?", Ending::Sentence),
            ("Is it safe to swim in the Seine.", Ending::Sentence),
            ("I would like a dog and", Ending::Hanging),
            ("I would like to", Ending::Hanging),
            ("Well, um.", Ending::Hanging),
            ("The order number is...", Ending::Hanging),
            ("If it rains,", Ending::Comma),
            ("Hello.", Ending::Comma),
            ("Hello John.", Ending::Sentence),
            ("Yes.", Ending::Sentence),
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
