//! Numbers in words.

const ONES: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 10] = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const SCALES: [(u64, &str); 5] = [
    (1_000_000_000_000_000, "quadrillion"),
    (1_000_000_000_000, "trillion"),
    (1_000_000_000, "billion"),
    (1_000_000, "million"),
    (1_000, "thousand"),
];
/// Ordinals that do not just add "th".
const ORDINALS: [(&str, &str); 8] = [
    ("one", "first"),
    ("two", "second"),
    ("three", "third"),
    ("five", "fifth"),
    ("eight", "eighth"),
    ("nine", "ninth"),
    ("twelve", "twelfth"),
    ("zero", "zeroth"),
];
/// Longer numbers are read digit by digit, as nobody follows a quintillion.
const LONGEST_CARDINAL: usize = 15;

/// `1234` as "one thousand two hundred thirty four".
pub(super) fn cardinal(value: u64) -> String {
    let mut words = Vec::new();
    let mut rest = value;
    for (scale, name) in SCALES {
        if rest >= scale {
            words.push(cardinal(rest / scale));
            words.push(name.to_owned());
            rest %= scale;
        }
    }
    if rest >= 100 {
        words.push(format!("{} hundred", small(rest / 100)));
        rest %= 100;
    }
    if rest > 0 || words.is_empty() {
        words.push(small(rest));
    }
    words.join(" ")
}

/// `21` as "twenty first".
pub(super) fn ordinal(value: u64) -> String {
    let words = cardinal(value);
    let (front, last) = words.rsplit_once(' ').map_or(("", words.as_str()), |(front, last)| (front, last));
    let last = match ORDINALS.iter().find(|(plain, _)| *plain == last) {
        Some((_, special)) => (*special).to_owned(),
        None => last.strip_suffix('y').map_or_else(|| format!("{last}th"), |stem| format!("{stem}ieth")),
    };
    format!("{front} {last}").trim().to_owned()
}

/// `2026` as "twenty twenty six", `1905` as "nineteen oh five", `2005` as "two thousand five".
pub(super) fn year(value: u64) -> String {
    match (value / 100, value % 100) {
        (century, 0) if century % 10 == 0 => cardinal(value),
        (20, low @ 1..=9) => format!("two thousand {}", small(low)),
        (century, 0) => format!("{} hundred", small(century)),
        (century, low @ 1..=9) => format!("{} oh {}", small(century), small(low)),
        (century, low) => format!("{} {}", small(century), small(low)),
    }
}

/// `2 0 5` as "two oh five" is for telephones; plain digits are "two zero five".
pub(super) fn digits(text: &str) -> String {
    let words = text.chars().filter_map(|c| c.to_digit(10)).map(|digit| ONES[digit as usize]);
    words.collect::<Vec<_>>().join(" ")
}

/// A number as it is written: digits with thousands marks and a decimal point, such as `1,234.50`. None when `text`
/// is anything else.
pub(super) fn written(text: &str) -> Option<String> {
    let (sign, text) = match text.strip_prefix(['-', '−']) {
        Some(rest) => ("minus ", rest),
        None => ("", text),
    };
    let (whole, fraction) = text.split_once('.').map_or((text, None), |(whole, part)| (whole, Some(part)));
    let has_marks = whole.contains(',');
    let plain = whole.replace(',', "");
    let is_number = plain.bytes().all(|b| b.is_ascii_digit()) && !(plain.is_empty() && fraction.is_none());
    let good_marks = !has_marks || whole.split(',').skip(1).all(|group| group.len() == 3);
    let good_fraction = fraction.is_none_or(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    if !(is_number && good_marks && good_fraction) {
        return None;
    }
    let reads_as_digits = plain.len() > LONGEST_CARDINAL || (plain.len() > 1 && plain.starts_with('0'));
    let words = match plain.parse::<u64>() {
        Ok(_) if reads_as_digits => digits(&plain),
        Ok(value) => cardinal(value),
        Err(_) if plain.is_empty() => "zero".to_owned(),
        Err(_) => digits(&plain),
    };
    Some(match fraction {
        Some(part) => format!("{sign}{words} point {}", digits(part)),
        None => format!("{sign}{words}"),
    })
}

/// Below 100.
fn small(value: u64) -> String {
    let value = usize::try_from(value % 100).unwrap_or(0);
    match (value / 10, value % 10) {
        (0 | 1, _) => ONES[value].to_owned(),
        (tens, 0) => TENS[tens].to_owned(),
        (tens, ones) => format!("{} {}", TENS[tens], ONES[ones]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_words() {
        for (value, words) in [
            (0, "zero"),
            (13, "thirteen"),
            (40, "forty"),
            (100, "one hundred"),
            (1_234, "one thousand two hundred thirty four"),
            (2_000_001, "two million one"),
        ] {
            assert_eq!(cardinal(value), words);
        }
        for (value, words) in [(1, "first"), (20, "twentieth"), (22, "twenty second"), (100, "one hundredth")] {
            assert_eq!(ordinal(value), words);
        }
        for (value, words) in [
            (1905, "nineteen oh five"),
            (1999, "nineteen ninety nine"),
            (2000, "two thousand"),
            (2005, "two thousand five"),
            (2026, "twenty twenty six"),
            (1800, "eighteen hundred"),
        ] {
            assert_eq!(year(value), words);
        }
        assert_eq!(written("1,234.50").as_deref(), Some("one thousand two hundred thirty four point five zero"));
        assert_eq!(written("-7").as_deref(), Some("minus seven"));
        assert_eq!(written("007").as_deref(), Some("zero zero seven"));
        assert_eq!(written(".5").as_deref(), Some("zero point five"));
        for text in ["", "-", ".", "1.", "1,23", "12a", "1.2.3", "1e5"] {
            assert_eq!(written(text), None, "{text:?}");
        }
        assert!(written(&"9".repeat(40)).is_some());
    }
}
