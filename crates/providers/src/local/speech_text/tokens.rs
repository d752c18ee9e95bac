//! What each written form becomes. [`say`] looks at the next words and tries the forms in turn, the narrowest first.

mod addresses;
mod dates;
mod money;
mod phones;
mod shortened;
mod signs;
mod units;

use super::numbers::{cardinal, ordinal, written, year};
use dates::YEARS;

/// A form of several words: how it is said, and how many words that took.
type Phrase = fn(&[&str]) -> Option<(String, usize)>;

/// How the first of `words` is said, and how many words that took.
pub(super) fn say(words: &[&str]) -> (String, usize) {
    let Some(word) = words.first() else { return (String::new(), 1) };
    let next = words.get(1).copied().unwrap_or_default();
    let phrases: [Phrase; 3] = [dates::month_date, phones::spaced, shortened::roman];
    if let Some(phrase) = phrases.iter().find_map(|phrase| phrase(words)) {
        return phrase;
    }
    if let Some(full) = shortened::abbreviation(word, next) {
        return (full, 1);
    }
    let (core, after) = core_and_after(word);
    if core.is_empty() {
        // A word of nothing but marks is kept when they are pauses, and said when they are signs.
        return (lone_mark(word), 1);
    }
    if core == *word && is_digits(core) && next == "-" && words.get(2).is_some_and(|third| starts_with_digit(third)) {
        return (format!("{} minus", one_word(core)), 2);
    }
    let (next_core, next_after) = core_and_after(next);
    let pair = two_words(core, next_core).filter(|_| after.is_empty() && next.starts_with(next_core));
    match pair {
        Some(said) => (format!("{said}{}", closing(next_after)), 2),
        None => {
            let before_noun = money::before_noun(core, next).filter(|_| after.is_empty());
            (format!("{}{}", before_noun.unwrap_or_else(|| one_word(core)), closing(after)), 1)
        }
    }
}

/// A word without the marks around it, and the marks behind it.
fn core_and_after(word: &str) -> (&str, &str) {
    let core = word.trim_matches(|c: char| ",;:!?()'\"*~".contains(c)).trim_end_matches('.');
    // "~5" is about five, and the mark of feet belongs to its number.
    let is_about = word.starts_with('~') && starts_with_digit(&word[1..]);
    let feet = core.len() + 1;
    match word.find(core).filter(|_| !core.is_empty()) {
        Some(start) if is_about => (&word[..start + core.len()], &word[start + core.len()..]),
        Some(0) if is_digits(core) && word[core.len()..].starts_with('\'') => word.split_at(feet),
        Some(start) => (&word[start..start + core.len()], &word[start + core.len()..]),
        None => ("", word),
    }
}

/// Forms whose meaning spans two words: `$3 million`, `10 km/h`, `3:30 pm`, `3–5 pm`.
fn two_words(word: &str, next: &str) -> Option<String> {
    if let Some(said) = money::two_words(word, next) {
        return Some(said);
    }
    if let Some(rest) = word.strip_prefix(['~', '±', '≈']) {
        let name = if word.starts_with('±') { "plus or minus" } else { "about" };
        return Some(format!("{name} {}", two_words(rest, next)?));
    }
    if let (true, Some(whole), Some(half)) = (is_digits(word), written(word), signs::behind_number(next)) {
        return Some(format!("{whole} and {half}"));
    }
    let unit = units::unit(word, next)?;
    // "am" is a verb too, and "ms", "min" and "hr" only count after a number.
    let said = dates::clock(word).or_else(|| written(word)).or_else(|| range(word)).or_else(|| fraction_alone(word))?;
    Some(format!("{said} {unit}"))
}

fn one_word(word: &str) -> String {
    let forms: [fn(&str) -> Option<String>; 24] = [
        addresses::file,
        plain_word,
        addresses::address,
        addresses::hashtag,
        dates::date,
        money::money,
        percent,
        dates::clock,
        phones::phone,
        fraction,
        ordinal_form,
        dates::decade,
        number,
        range,
        units::measure,
        units::feet,
        house_number,
        dotted,
        signs::vulgar_fraction,
        signs::power,
        signs::signed,
        quarter,
        ratio,
        joined,
    ];
    forms.iter().find_map(|form| form(word)).unwrap_or_else(|| signs::in_pieces(word))
}

/// A word that needs nothing.
fn plain_word(word: &str) -> Option<String> {
    word.chars().all(|c| c.is_alphabetic() || "'-.".contains(c)).then(|| word.to_owned())
}

fn percent(word: &str) -> Option<String> {
    Some(format!("{} percent", written(word.strip_suffix('%')?)?))
}

/// `1/2`, `3/4`, `24/7`.
fn fraction(word: &str) -> Option<String> {
    let (above, below) = word.split_once('/')?;
    let (above, below) = (above.parse::<u64>().ok()?, below.parse::<u64>().ok()?);
    let name = match below {
        _ if above >= below => return Some(format!("{} {}", cardinal(above), cardinal(below))),
        2 => "half".to_owned(),
        4 => "quarter".to_owned(),
        _ => ordinal(below),
    };
    Some(format!("{} {name}{}", cardinal(above), if above == 1 { "" } else { "s" }))
}

/// `1/2` and `½` as amounts of a unit.
fn fraction_alone(word: &str) -> Option<String> {
    fraction(word).filter(|_| !word.starts_with("24/")).or_else(|| signs::vulgar_fraction(word))
}

/// `Q3`, `A4`, `F1`: a letter and a number.
fn quarter(word: &str) -> Option<String> {
    let (letter, count) = word.split_at_checked(1)?;
    let is_form = letter.bytes().all(|b| b.is_ascii_uppercase()) && is_digits(count) && count.len() <= 3;
    is_form.then(|| format!("{letter} {}", written(count).unwrap_or_default()))
}

/// `16:9`.
fn ratio(word: &str) -> Option<String> {
    let (one, other) = word.split_once(':')?;
    (is_digits(one) && is_digits(other)).then(|| Some(format!("{} to {}", written(one)?, written(other)?))).flatten()
}

/// `1st-class`, `mid-2020s`, `20-year-old`: each part for itself.
fn joined(word: &str) -> Option<String> {
    let parts: Vec<&str> = word.split('-').collect();
    let are_words = parts.len() > 1 && parts.iter().all(|part| part.starts_with(char::is_alphanumeric));
    are_words.then(|| parts.into_iter().map(one_word).collect::<Vec<_>>().join(" "))
}

fn ordinal_form(word: &str) -> Option<String> {
    let lower = word.to_ascii_lowercase();
    let number = ["st", "nd", "rd", "th"].into_iter().find_map(|suffix| lower.strip_suffix(suffix))?;
    if !is_digits(number) {
        return None;
    }
    Some(ordinal(number.parse().ok()?))
}

/// Plain numbers; four digits without a mark are a year.
fn number(word: &str) -> Option<String> {
    let is_year = word.len() == 4 && is_digits(word) && word.parse().is_ok_and(|value| YEARS.contains(&value));
    if is_year {
        return word.parse().ok().map(year);
    }
    match word.strip_prefix('#') {
        Some(rest) => Some(format!("number {}", written(rest)?)),
        None => match word.strip_prefix('+') {
            Some(rest) => Some(format!("plus {}", written(rest)?)),
            None => written(word),
        },
    }
}

/// `5-10`, `9am–5pm`, `1990-1995`, `$5-10`: both sides hold a number that stands for itself.
fn range(word: &str) -> Option<String> {
    let (from, to) = word.split_once(['-', '–', '—'])?;
    let (from, to) = (from.trim_end_matches(['-', '–', '—']), to.trim_start_matches(['-', '–', '—']));
    if let Some(said) = money::range(from, to) {
        return Some(said);
    }
    let side = |side: &str| {
        let is_quantity = starts_with_digit(side);
        let forms: [fn(&str) -> Option<String>; 5] = [dates::clock, money::money, percent, number, units::measure];
        forms.iter().find_map(|form| form(side)).filter(|_| is_quantity)
    };
    Some(format!("{} to {}", side(from)?, side(to)?))
}

/// `221B` is said in pairs: "two twenty one B".
fn house_number(word: &str) -> Option<String> {
    let (number, letter) = word.split_at_checked(3)?;
    if !is_digits(number) || letter.len() != 1 || !letter.starts_with(|c: char| c.is_ascii_uppercase()) {
        return None;
    }
    let value: u64 = number.parse().ok()?;
    let low = match value % 100 {
        0 => "hundred".to_owned(),
        low @ 1..=9 => format!("oh {}", cardinal(low)),
        low => cardinal(low),
    };
    Some(format!("{} {low} {letter}", cardinal(value / 100)))
}

/// `1.2.3`, `192.168.0.1`.
fn dotted(word: &str) -> Option<String> {
    let word = word.strip_prefix(['v', 'V']).unwrap_or(word);
    let parts: Vec<&str> = word.split('.').collect();
    let is_version = parts.len() > 2 && parts.iter().all(|part| is_digits(part));
    is_version.then(|| parts.into_iter().filter_map(written).collect::<Vec<_>>().join(" point "))
}

/// A word that is all marks: signs are said, pauses kept, the rest dropped.
fn lone_mark(word: &str) -> String {
    match word {
        "*" => "times".to_owned(),
        "-" | "–" | "—" => ",".to_owned(),
        _ => closing(word),
    }
}

/// Marks behind a word that mean something to a voice: pauses.
fn closing(marks: &str) -> String {
    marks.chars().filter(|c| ".,;:!?…".contains(*c)).collect()
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn starts_with_digit(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}
