//! Days and times of day. Where a date can be read two ways, it is read as Americans write it, as the voice is theirs.

use super::{closing, core_and_after, is_digits};
use crate::local::speech_text::numbers::{cardinal, ordinal, year};

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
/// Numbers of four digits in this range are years when nothing says otherwise.
pub(super) const YEARS: std::ops::RangeInclusive<u64> = 1100..=2099;

/// `Nov 22, 2026`, `March 3rd`, `22 November 2026`, `Nov. 2026`.
pub(super) fn month_date(words: &[&str]) -> Option<(String, usize)> {
    let (first, second) = (*words.first()?, *words.get(1)?);
    let (second_core, second_after) = core_and_after(second);
    if let Some(name) = month(first) {
        if let Some(day) = day(second_core) {
            return Some(with_year(&format!("{name} {}", ordinal(day)), second_after, words.get(2)));
        }
        let said = year_of(second_core).filter(|_| !first.eq_ignore_ascii_case(name))?;
        return Some((format!("{name} {said}{}", closing(second_after)), 2));
    }
    let number = first.strip_suffix('.').unwrap_or(first);
    let day = day(number).filter(|_| is_digits(number))?;
    // Here the month's own stop is a closing mark.
    let name = month(second_core)?;
    let after = second_after.strip_prefix('.').filter(|_| !second_core.eq_ignore_ascii_case(name));
    Some(with_year(&format!("{name} {}", ordinal(day)), after.unwrap_or(second_after), words.get(2)))
}

fn with_year(date: &str, after: &str, next: Option<&&str>) -> (String, usize) {
    let (core, year_after) = next.map_or(("", ""), |next| core_and_after(next));
    match year_of(core).filter(|_| matches!(after, "" | "," | ".")) {
        Some(year) => (format!("{date}, {year}{}", closing(year_after)), 3),
        None => (format!("{date}{}", closing(after)), 2),
    }
}

/// A month's full name. Only with a capital: "may" and "march" are words too.
fn month(word: &str) -> Option<&'static str> {
    let bare = word.strip_suffix('.').unwrap_or(word);
    let name = bare.to_ascii_lowercase();
    let short = name.len() == 3 || name == "sept";
    let matches = |month: &&&str| ***month == name || (short && month.starts_with(&name));
    MONTHS.iter().find(matches).copied().filter(|_| bare.starts_with(|c: char| c.is_ascii_uppercase()))
}

fn day(word: &str) -> Option<u64> {
    let number = ["st", "nd", "rd", "th"].into_iter().find_map(|suffix| word.strip_suffix(suffix)).unwrap_or(word);
    (number.len() <= 2 && is_digits(number)).then(|| number.parse().ok()).flatten().filter(|day| (1..=31).contains(day))
}

fn year_of(word: &str) -> Option<String> {
    let value = word.parse().ok().filter(|value| word.len() == 4 && YEARS.contains(value))?;
    Some(year(value))
}

/// `2026-11-22`, `11/22/2026`, `22/11/26`, `22.11.2026`.
pub(super) fn date(word: &str) -> Option<String> {
    let mark = ['-', '/', '.'].into_iter().find(|mark| word.contains(*mark))?;
    let parts: Vec<&str> = word.split(mark).collect();
    let [first, second, third] = parts.as_slice() else { return None };
    if !parts.iter().all(|part| is_digits(part) && part.len() <= 4) {
        return None;
    }
    let value = |part: &str| part.parse::<u64>().ok();
    let (a, b, c) = (value(first)?, value(second)?, value(third)?);
    let (y, m, d) = match (mark, first.len(), third.len()) {
        ('-', 4, 2) => (a, b, c),
        ('/', 1 | 2, 4) if a > 12 => (c, b, a),
        ('/', 1 | 2, 4) => (c, a, b),
        ('/', 1 | 2, 2) if a > 12 => (2000 + c, b, a),
        ('/', 1 | 2, 2) => (2000 + c, a, b),
        ('.', 1 | 2, 4) => (c, b, a),
        _ => return None,
    };
    let month = MONTHS.get(usize::try_from(m).ok()?.checked_sub(1)?)?;
    let is_day = (1..=31).contains(&d) && (1000..=9999).contains(&y);
    is_day.then(|| format!("{month} {}, {}", ordinal(d), year(y)))
}

/// `3:30`, `10:05`, `7:00`, also with `am` or `pm` attached.
pub(super) fn clock(word: &str) -> Option<String> {
    let lower = word.to_ascii_lowercase();
    let half = ["am", "pm"].into_iter().find(|half| lower.ends_with(half));
    let time = &word[..word.len() - half.map_or(0, str::len)];
    let (hour, minute) = time.split_once(':')?;
    if hour.is_empty() || hour.len() > 2 || minute.len() != 2 || !is_digits(hour) || !is_digits(minute) {
        return None;
    }
    let (hour, minute) = (hour.parse::<u64>().ok()?, minute.parse::<u64>().ok()?);
    if hour > 24 || minute > 59 {
        return None;
    }
    let said = match (minute, half) {
        (0, None) => format!("{} o'clock", cardinal(hour)),
        (0, Some(_)) => cardinal(hour),
        (1..=9, _) => format!("{} oh {}", cardinal(hour), cardinal(minute)),
        _ => format!("{} {}", cardinal(hour), cardinal(minute)),
    };
    Some(match half {
        Some("am") => format!("{said} A M"),
        Some(_) => format!("{said} P M"),
        None => said,
    })
}

/// `1990s`, `80s`.
pub(super) fn decade(word: &str) -> Option<String> {
    let number = word.strip_suffix('s').filter(|number| is_digits(number) && number.ends_with('0'))?;
    let value: u64 = number.parse().ok()?;
    let said = if YEARS.contains(&value) { year(value) } else { cardinal(value) };
    Some(match said.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None => format!("{said}s"),
    })
}
