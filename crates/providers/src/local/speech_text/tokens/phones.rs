//! Telephone numbers: digit by digit, with a breath between groups.

use super::{closing, core_and_after, is_digits};
use crate::local::speech_text::numbers::digits;

/// Groups of digits with dashes, and long bare numbers: digit by digit, with a breath between groups.
pub(super) fn phone(word: &str) -> Option<String> {
    let (plus, number) = word.strip_prefix('+').map_or((false, word), |number| (true, number));
    let groups: Vec<&str> = number.split(['-', '.']).collect();
    if !groups.iter().all(|group| is_digits(group)) {
        return None;
    }
    let count: usize = groups.iter().map(|group| group.len()).sum();
    let is_phone = match groups.as_slice() {
        [_] => plus && count >= 7,
        [first, second] => number.contains('-') && first.len() == 3 && second.len() == 4,
        [.., last] => number.contains('-') && last.len() >= 3 && count >= 7,
        [] => false,
    };
    let said: Vec<String> = groups.iter().map(|group| digits(group)).collect();
    is_phone.then(|| format!("{}{}", if plus { "plus " } else { "" }, said.join(", ")))
}

/// Numbers in groups with spaces between: `(555) 867-5309`, `+44 20 7946 0958`, `06 12 34 56 78`.
pub(super) fn spaced(words: &[&str]) -> Option<(String, usize)> {
    let (first, second) = (*words.first()?, *words.get(1)?);
    let (second_core, after) = core_and_after(second);
    if let Some(code) = first.strip_prefix('(').and_then(|code| code.strip_suffix(')'))
        && code.len() == 3
        && is_digits(code)
    {
        let said = phone(second_core)?;
        return Some((format!("{}, {said}{}", digits(code), closing(after)), 2));
    }
    let is_start = first.starts_with(['+', '0']) && first.len() >= 2;
    let start = first.strip_prefix('+').unwrap_or(first);
    if !(is_start && start.split('-').all(is_digits)) {
        return None;
    }
    let mut said = digits(start);
    let (mut taken, mut count) = (1, start.len());
    let mut last_after = "";
    for word in &words[1..] {
        let (core, after) = core_and_after(word);
        // "(0)30", of which the zero is dialled at home only, is read as it stands.
        let group = core.replace(')', "");
        if !group.split('-').all(is_digits) || !last_after.is_empty() {
            break;
        }
        said = format!("{said}, {}", digits(&group));
        (taken, count, last_after) = (taken + 1, count + group.len(), after.trim_start_matches(')'));
    }
    let plus = if first.starts_with('+') { "plus " } else { "" };
    let is_phone = taken > 1 && (7..=16).contains(&count);
    is_phone.then(|| (format!("{plus}{said}{}", closing(last_after)), taken))
}
