//! Words with signs in them: powers, fractions of one character, and whatever is left.

use crate::local::speech_text::numbers::{digits, ordinal, written};

use super::number;

/// Fractions of one character: the mark, how it is said alone, how behind a number.
const FRACTIONS: [(char, &str, &str); 9] = [
    ('½', "one half", "a half"),
    ('¼', "one quarter", "a quarter"),
    ('¾', "three quarters", "three quarters"),
    ('⅓', "one third", "a third"),
    ('⅔', "two thirds", "two thirds"),
    ('⅕', "one fifth", "a fifth"),
    ('⅙', "one sixth", "a sixth"),
    ('⅛', "one eighth", "an eighth"),
    ('⅜', "three eighths", "three eighths"),
];

/// `½`, `1½`.
pub(super) fn vulgar_fraction(word: &str) -> Option<String> {
    let (_, alone, behind) = FRACTIONS.iter().find(|(mark, ..)| word.ends_with(*mark))?;
    let whole = &word[..word.len() - word.chars().next_back()?.len_utf8()];
    if whole.is_empty() {
        return Some((*alone).to_owned());
    }
    Some(format!("{} and {behind}", written(whole)?))
}

/// `½` behind a number: "a half".
pub(super) fn behind_number(word: &str) -> Option<&'static str> {
    let mut chars = word.chars();
    let (mark, None) = (chars.next()?, chars.next()) else { return None };
    FRACTIONS.iter().find(|(known, ..)| *known == mark).map(|(.., behind)| *behind)
}

/// `10^6`, `x^2`, `2^-3`.
pub(super) fn power(word: &str) -> Option<String> {
    let (base, exponent) = word.split_once('^')?;
    let base = base.trim_end_matches(['(', ')']);
    let exponent = exponent.trim_matches(|c| "(){}".contains(c));
    if base.is_empty() {
        return None;
    }
    let said = match exponent {
        "2" => "squared".to_owned(),
        "3" => "cubed".to_owned(),
        _ => match exponent.parse::<u64>() {
            Ok(value @ 4..=99) => format!("to the {}", ordinal(value)),
            _ => format!("to the power of {}", written(exponent).unwrap_or_else(|| in_pieces(exponent))),
        },
    };
    Some(format!("{} {said}", in_pieces(base)))
}

/// `C#`, as the language and the note are called; `~5` and `±5` with the number behind them.
pub(super) fn signed(word: &str) -> Option<String> {
    if let Some(letter) = word.strip_suffix('#').filter(|letter| letter.len() == 1) {
        return letter.starts_with(|c: char| c.is_ascii_uppercase()).then(|| format!("{letter} sharp"));
    }
    let mark = word.chars().next().filter(|mark| "±~≈≤≥<>".contains(*mark))?;
    let rest = &word[mark.len_utf8()..];
    let name = if mark == '~' { "about" } else { sign(mark) };
    rest.starts_with(|c: char| c.is_alphanumeric() || "$€£-".contains(c))
        .then(|| format!("{name} {}", super::one_word(rest)))
}

/// Anything else: runs of letters and of digits, and the signs between them by name.
pub(super) fn in_pieces(word: &str) -> String {
    let mut said: Vec<String> = Vec::new();
    let mut rest = word;
    while let Some(first) = rest.chars().next() {
        let kind = kind(first);
        let end = rest.find(|c| kind != self::kind(c) || kind == Kind::Sign).unwrap_or(rest.len());
        let end = if kind == Kind::Sign { first.len_utf8() } else { end };
        let (piece, after) = rest.split_at(end);
        match kind {
            Kind::Letters => said.push(piece.trim_matches('\'').to_owned()),
            Kind::Digits => said.push(number(piece).unwrap_or_else(|| digits(piece))),
            Kind::Sign => said.push(sign(first).to_owned()),
        }
        rest = after;
    }
    said.retain(|piece| !piece.is_empty());
    said.join(" ")
}

#[derive(PartialEq, Eq, Clone, Copy)]
enum Kind {
    Letters,
    Digits,
    Sign,
}

fn kind(c: char) -> Kind {
    match c {
        c if c.is_ascii_digit() => Kind::Digits,
        c if c.is_alphabetic() || c == '\'' => Kind::Letters,
        _ => Kind::Sign,
    }
}

/// A sign's name, or nothing for one that only separates.
fn sign(c: char) -> &'static str {
    match c {
        '&' => "and",
        '@' => "at",
        '+' => "plus",
        '=' => "equals",
        '%' => "percent",
        '°' => "degrees",
        '×' => "times",
        '<' => "less than",
        '>' => "greater than",
        '$' => "dollars",
        '€' => "euros",
        '£' => "pounds",
        '¥' => "yen",
        '₹' => "rupees",
        '¢' => "cents",
        '±' => "plus or minus",
        '≤' => "less than or equal to",
        '≥' => "greater than or equal to",
        '≠' => "not equal to",
        '≈' => "about",
        '→' | '⇒' => "to",
        '÷' => "divided by",
        '√' => "the square root of",
        '∞' => "infinity",
        '^' => "to the power of",
        '§' => "section",
        '№' => "number",
        '¹' => "to the power of one",
        '²' => "squared",
        '³' => "cubed",
        '⁴' => "to the power of four",
        '⁵' => "to the power of five",
        '⁶' => "to the power of six",
        '⁷' => "to the power of seven",
        '⁸' => "to the power of eight",
        '⁹' => "to the power of nine",
        ',' => ",",
        _ => "",
    }
}
