//! What each written form becomes. [`say`] looks at the next words and tries the forms in turn, the narrowest first.

use super::numbers::{cardinal, digits, ordinal, written, year};

/// Abbreviations with their full stop, which does not end the sentence.
const ABBREVIATIONS: [(&str, &str); 21] = [
    ("mr.", "mister"),
    ("mrs.", "missus"),
    ("ms.", "miz"),
    ("dr.", "doctor"),
    ("prof.", "professor"),
    ("st.", "street"),
    ("ave.", "avenue"),
    ("rd.", "road"),
    ("blvd.", "boulevard"),
    ("jr.", "junior"),
    ("sr.", "senior"),
    ("vs.", "versus"),
    ("e.g.", "for example"),
    ("i.e.", "that is"),
    ("etc.", "et cetera"),
    ("approx.", "approximately"),
    ("dept.", "department"),
    ("est.", "established"),
    ("a.m.", "a m"),
    ("p.m.", "p m"),
    ("u.s.", "u s"),
];
/// Units written right after a number or as a word of their own behind one: the mark, one, many.
const UNITS: [(&str, &str, &str); 30] = [
    ("km/h", "kilometer per hour", "kilometers per hour"),
    ("mph", "mile per hour", "miles per hour"),
    ("°c", "degree celsius", "degrees celsius"),
    ("°f", "degree fahrenheit", "degrees fahrenheit"),
    ("°", "degree", "degrees"),
    ("km", "kilometer", "kilometers"),
    ("cm", "centimeter", "centimeters"),
    ("mm", "millimeter", "millimeters"),
    ("kg", "kilogram", "kilograms"),
    ("mg", "milligram", "milligrams"),
    ("lb", "pound", "pounds"),
    ("lbs", "pound", "pounds"),
    ("oz", "ounce", "ounces"),
    ("ml", "milliliter", "milliliters"),
    ("ft", "foot", "feet"),
    ("kb", "kilobyte", "kilobytes"),
    ("mb", "megabyte", "megabytes"),
    ("gb", "gigabyte", "gigabytes"),
    ("tb", "terabyte", "terabytes"),
    ("hz", "hertz", "hertz"),
    ("khz", "kilohertz", "kilohertz"),
    ("mhz", "megahertz", "megahertz"),
    ("ghz", "gigahertz", "gigahertz"),
    ("kwh", "kilowatt hour", "kilowatt hours"),
    ("ms", "millisecond", "milliseconds"),
    ("min", "minute", "minutes"),
    ("hr", "hour", "hours"),
    ("hrs", "hour", "hours"),
    ("am", "a m", "a m"),
    ("pm", "p m", "p m"),
];
/// Currencies: the mark, one, many, and the hundredth part.
const CURRENCIES: [(char, &str, &str, &str, &str); 3] = [
    ('$', "dollar", "dollars", "cent", "cents"),
    ('€', "euro", "euros", "cent", "cents"),
    ('£', "pound", "pounds", "penny", "pence"),
];
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
const SCALES: [&str; 4] = ["thousand", "million", "billion", "trillion"];
/// Numbers of four digits in this range are years when nothing says otherwise.
const YEARS: std::ops::RangeInclusive<u64> = 1100..=2099;

/// How the first of `words` is said, and how many words that took.
pub(super) fn say(words: &[&str]) -> (String, usize) {
    let Some(word) = words.first() else { return (String::new(), 1) };
    let next = words.get(1).copied().unwrap_or_default();
    if let Some(full) = abbreviation(word, next) {
        return (full, 1);
    }
    if let Some(said) = area_code(word, next) {
        return (said, 2);
    }
    let core = word.trim_matches(|c: char| ",;:!?()'\"*~`".contains(c)).trim_end_matches('.');
    // A word of nothing but marks is kept when they are pauses, and said when they are signs.
    let Some(start) = word.find(core).filter(|_| !core.is_empty()) else { return (lone_mark(word), 1) };
    let after = closing(&word[start + core.len()..]);
    let next_core = next.trim_end_matches(|c: char| ",;:!?.)".contains(c));
    let (said, taken) = match two_words(core, next_core) {
        Some(said) => (said, 2),
        None => (one_word(core), 1),
    };
    let after = if taken == 2 { closing(&next[next_core.len()..]) } else { after };
    (format!("{said}{after}"), taken)
}

fn abbreviation(word: &str, next: &str) -> Option<String> {
    let bare = word.trim_start_matches('(');
    let stop = bare.find(|c: char| ",;:!?)".contains(c)).unwrap_or(bare.len());
    let (abbreviated, after) = bare.split_at(stop);
    let (mark, full) = ABBREVIATIONS.iter().find(|(mark, _)| mark.eq_ignore_ascii_case(abbreviated))?;
    // In front of a name it is a saint, behind one a street.
    let full = if *mark == "st." && next.starts_with(char::is_uppercase) { "saint" } else { full };
    // The stop of an abbreviation that ends the text ends the sentence too, except in a name or an address.
    let stop = if next.is_empty() && matches!(*mark, "etc." | "a.m." | "p.m.") { "." } else { "" };
    Some(format!("{full}{stop}{}", closing(after)))
}

/// `(555) 867-5309`.
fn area_code(word: &str, next: &str) -> Option<String> {
    let code = word.strip_prefix('(')?.strip_suffix(')')?;
    let number = next.trim_end_matches(|c: char| ",;:!?.".contains(c));
    let is_code = code.len() == 3 && is_digits(code);
    let said = phone(number).filter(|_| is_code)?;
    Some(format!("{}, {said}{}", digits(code), closing(&next[number.len()..])))
}

/// Forms whose meaning spans two words: `$3 million`, `10 km/h`, `3:30 pm`.
fn two_words(word: &str, next: &str) -> Option<String> {
    if let Some((symbol, amount)) = currency(word)
        && SCALES.contains(&next.to_lowercase().as_str())
    {
        return Some(format!("{} {} {}", written(amount)?, next.to_lowercase(), symbol.2));
    }
    let unit = UNITS.iter().find(|(mark, ..)| mark.eq_ignore_ascii_case(next))?;
    // "am" is a verb too, and "ms", "min" and "hr" only count after a number.
    let said = clock(word).or_else(|| written(word))?;
    Some(format!("{said} {}", if word == "1" { unit.1 } else { unit.2 }))
}

fn one_word(word: &str) -> String {
    let forms: [fn(&str) -> Option<String>; 15] = [
        plain_word,
        address,
        iso_date,
        money,
        percent,
        clock,
        phone,
        fraction,
        ordinal_form,
        decade,
        number,
        range,
        measure,
        house_number,
        dotted,
    ];
    forms.iter().find_map(|form| form(word)).unwrap_or_else(|| in_pieces(word))
}

/// A word that needs nothing.
fn plain_word(word: &str) -> Option<String> {
    word.chars().all(|c| c.is_alphabetic() || "'-.".contains(c)).then(|| word.to_owned())
}

/// E-mail and web addresses.
fn address(word: &str) -> Option<String> {
    let bare = word.strip_prefix("https://").or_else(|| word.strip_prefix("http://"));
    let has_scheme = bare.is_some();
    let bare = bare.unwrap_or(word);
    let bare = bare.strip_prefix("www.").unwrap_or(bare);
    let is_mail = bare.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.'));
    if !has_scheme && !is_mail && !word.starts_with("www.") {
        return None;
    }
    let bare = bare.split(['?', '#']).next().unwrap_or(bare).trim_end_matches('/');
    let mut said = String::new();
    for c in bare.chars() {
        match c {
            '.' => said.push_str(" dot "),
            '/' => said.push_str(" slash "),
            '@' => said.push_str(" at "),
            '-' => said.push_str(" dash "),
            '_' => said.push_str(" underscore "),
            ':' => said.push_str(" colon "),
            c if c.is_alphanumeric() => said.push(c),
            _ => said.push(' '),
        }
    }
    let said = said.split_whitespace().map(in_pieces).collect::<Vec<_>>();
    Some(said.join(" "))
}

/// `2026-11-22`.
fn iso_date(word: &str) -> Option<String> {
    let mut parts = word.split('-');
    let (y, m, d) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || y.len() != 4 || m.len() != 2 || d.len() != 2 {
        return None;
    }
    let (y, m, d) = (y.parse().ok()?, m.parse::<usize>().ok()?, d.parse().ok()?);
    let month = MONTHS.get(m.checked_sub(1)?)?;
    (1..=31).contains(&d).then(|| format!("{month} {}, {}", ordinal(d), year(y)))
}

type Currency = (char, &'static str, &'static str, &'static str, &'static str);

fn currency(word: &str) -> Option<(&'static Currency, &str)> {
    let symbol = CURRENCIES.iter().find(|currency| word.starts_with(currency.0))?;
    Some((symbol, &word[symbol.0.len_utf8()..]))
}

/// `$9.99`, `€20`, `$5k`.
fn money(word: &str) -> Option<String> {
    let (&(_, one, many, part, parts), amount) = currency(word)?;
    let scale = match amount.chars().last()? {
        'k' | 'K' => Some("thousand"),
        'm' | 'M' => Some("million"),
        'b' | 'B' => Some("billion"),
        _ => None,
    };
    if let Some(scale) = scale {
        return Some(format!("{} {scale} {one}", written(&amount[..amount.len() - 1])?));
    }
    let Some((whole, hundredths)) = amount.split_once('.').filter(|(_, hundredths)| hundredths.len() == 2) else {
        return Some(format!("{} {}", written(amount)?, if amount == "1" { one } else { many }));
    };
    let hundredths: u64 = hundredths.parse().ok()?;
    let main = format!("{} {}", written(whole)?, if whole == "1" { one } else { many });
    let rest = format!("{} {}", cardinal(hundredths), if hundredths == 1 { part } else { parts });
    Some(match (whole, hundredths) {
        (_, 0) => main,
        ("0", _) => rest,
        _ => format!("{main} and {rest}"),
    })
}

fn percent(word: &str) -> Option<String> {
    Some(format!("{} percent", written(word.strip_suffix('%')?)?))
}

/// `3:30`, `10:05`, `7:00`, also with `am` or `pm` attached.
fn clock(word: &str) -> Option<String> {
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
        Some(half) => format!("{said} {} m", &half[..1]),
        None => said,
    })
}

/// Groups of digits with dashes, and long bare numbers: digit by digit, with a breath between groups.
fn phone(word: &str) -> Option<String> {
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

fn ordinal_form(word: &str) -> Option<String> {
    let lower = word.to_ascii_lowercase();
    let number = ["st", "nd", "rd", "th"].into_iter().find_map(|suffix| lower.strip_suffix(suffix))?;
    if !is_digits(number) {
        return None;
    }
    Some(ordinal(number.parse().ok()?))
}

/// `1990s`, `80s`.
fn decade(word: &str) -> Option<String> {
    let number = word.strip_suffix('s').filter(|number| is_digits(number) && number.ends_with('0'))?;
    let value: u64 = number.parse().ok()?;
    let said = if YEARS.contains(&value) { year(value) } else { cardinal(value) };
    Some(match said.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None => format!("{said}s"),
    })
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

/// `5-10`, `9am–5pm`, `1990-1995`: both sides hold a number that stands for itself.
fn range(word: &str) -> Option<String> {
    let (from, to) = word.split_once(['-', '–', '—'])?;
    let side = |side: &str| {
        let is_quantity = side.starts_with(|c: char| c.is_ascii_digit() || "$€£".contains(c));
        let forms: [fn(&str) -> Option<String>; 5] = [clock, money, percent, number, measure];
        forms.iter().find_map(|form| form(side)).filter(|_| is_quantity)
    };
    Some(format!("{} to {}", side(from)?, side(to)?))
}

/// `5km`, `20°C`, `9am`.
fn measure(word: &str) -> Option<String> {
    let unit_at = word.find(|c: char| !(c.is_ascii_digit() || ".,-−".contains(c)))?;
    let (amount, mark) = word.split_at(unit_at);
    let unit = UNITS.iter().find(|(name, ..)| name.eq_ignore_ascii_case(mark))?;
    Some(format!("{} {}", written(amount)?, if amount == "1" { unit.1 } else { unit.2 }))
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

/// Anything else: runs of letters and of digits, and the signs between them by name.
fn in_pieces(word: &str) -> String {
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
        ',' => ",",
        _ => "",
    }
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
