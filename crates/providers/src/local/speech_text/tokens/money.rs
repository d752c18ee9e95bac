//! Money: with a sign before or behind it, or with a currency's code.

use crate::local::speech_text::numbers::{cardinal, written};

/// A currency: one, many, and the hundredth part.
#[derive(Debug, Clone, Copy)]
struct Currency {
    one: &'static str,
    many: &'static str,
    part: &'static str,
    parts: &'static str,
}

const fn currency(one: &'static str, many: &'static str, part: &'static str, parts: &'static str) -> Currency {
    Currency { one, many, part, parts }
}

const DOLLAR: Currency = currency("dollar", "dollars", "cent", "cents");
const EURO: Currency = currency("euro", "euros", "cent", "cents");
const POUND: Currency = currency("pound", "pounds", "penny", "pence");
const YEN: Currency = currency("yen", "yen", "sen", "sen");
const RUPEE: Currency = currency("rupee", "rupees", "paisa", "paise");
/// Signs, the longer ones first.
const SIGNS: [(&str, Currency); 12] = [
    ("US$", DOLLAR),
    ("C$", currency("canadian dollar", "canadian dollars", "cent", "cents")),
    ("A$", currency("australian dollar", "australian dollars", "cent", "cents")),
    ("R$", currency("real", "reals", "centavo", "centavos")),
    ("$", DOLLAR),
    ("€", EURO),
    ("£", POUND),
    ("¥", YEN),
    ("₹", RUPEE),
    ("₩", currency("won", "won", "jeon", "jeon")),
    ("₽", currency("ruble", "rubles", "kopek", "kopeks")),
    ("₺", currency("lira", "lira", "kurush", "kurush")),
];
const CODES: [(&str, Currency); 9] = [
    ("USD", DOLLAR),
    ("EUR", EURO),
    ("GBP", POUND),
    ("JPY", YEN),
    ("INR", RUPEE),
    ("CHF", currency("swiss franc", "swiss francs", "rappen", "rappen")),
    ("CAD", currency("canadian dollar", "canadian dollars", "cent", "cents")),
    ("AUD", currency("australian dollar", "australian dollars", "cent", "cents")),
    ("BRL", currency("real", "reals", "centavo", "centavos")),
];
const SCALES: [&str; 4] = ["thousand", "million", "billion", "trillion"];
/// What is written for a scale, behind an amount.
const SHORT_SCALES: [(&str, &str); 9] = [
    ("bn", "billion"),
    ("mn", "million"),
    ("tn", "trillion"),
    ("k", "thousand"),
    ("K", "thousand"),
    ("m", "million"),
    ("M", "million"),
    ("b", "billion"),
    ("B", "billion"),
];

/// `$9.99`, `€20`, `$5k`, `20€`, `€3,50`, `-$5`.
pub(super) fn money(word: &str) -> Option<String> {
    if let Some((sign, amount)) = word.split_once('-').filter(|(sign, _)| SIGNS.iter().any(|(known, _)| known == sign))
    {
        return Some(format!("minus {}", money(&format!("{sign}{amount}"))?));
    }
    if let Some(rest) = word.strip_prefix('-') {
        return Some(format!("minus {}", money(rest).filter(|_| !rest.starts_with('-'))?));
    }
    let (currency, amount) = signed(word)?;
    amount_in(currency, amount)
}

/// `$3 million`, `$1.2 bn`, `USD 40`, `40 EUR`, `20 €`; `word` and `next` have no marks behind them.
pub(super) fn two_words(word: &str, next: &str) -> Option<String> {
    if let Some((currency, amount)) = signed(word) {
        let scale = scale_named(next)?;
        let said = match amount.split_once(['-', '–']) {
            Some((from, to)) => format!("{} to {}", written(from)?, written(to)?),
            None => written(amount)?,
        };
        return Some(format!("{said} {scale} {}", currency.many));
    }
    if let Some((_, currency)) = CODES.iter().find(|(code, _)| *code == word) {
        return amount_in(*currency, next).filter(|_| next.starts_with(|c: char| c.is_ascii_digit()));
    }
    let signs = SIGNS.iter().chain(&CODES);
    let (_, currency) = signs.into_iter().find(|(sign, _)| *sign == next)?;
    amount_in(*currency, word).filter(|_| word.starts_with(|c: char| c.is_ascii_digit()))
}

/// `$5k` in "a $5k budget": before a noun nothing is many.
pub(super) fn before_noun(word: &str, next: &str) -> Option<String> {
    const NO_NOUNS: [&str; 22] = [
        "a", "after", "and", "as", "at", "before", "but", "by", "each", "for", "from", "in", "is", "less", "more",
        "of", "on", "or", "per", "to", "was", "with",
    ];
    let is_noun = next.starts_with(|c: char| c.is_ascii_lowercase()) && !NO_NOUNS.contains(&next);
    let (currency, amount) = signed(word).filter(|_| is_noun)?;
    let (amount, scale) = scaled(amount)?;
    Some(format!("{} {scale} {}", written(amount)?, currency.one))
}

/// `$5-10`: both sides count the same thing.
pub(super) fn range(from: &str, to: &str) -> Option<String> {
    let (currency, from) = signed(from)?;
    let to = signed(to).map_or(to, |(_, amount)| amount);
    if let Some((to, scale)) = scaled(to) {
        let from = scaled(from).map_or(from, |(from, _)| from);
        return Some(format!("{} to {} {scale} {}", written(from)?, written(to)?, currency.many));
    }
    Some(format!("{} to {}", written(from)?, amount_in(currency, to)?))
}

/// The currency whose sign stands before or behind the amount.
fn signed(word: &str) -> Option<(Currency, &str)> {
    let before = SIGNS.iter().find_map(|(sign, currency)| Some((*currency, word.strip_prefix(sign)?)));
    before
        .or_else(|| SIGNS.iter().find_map(|(sign, currency)| Some((*currency, word.strip_suffix(sign)?))))
        .filter(|(_, amount)| amount.starts_with(|c: char| c.is_ascii_digit() || c == '.'))
}

fn scaled(amount: &str) -> Option<(&str, &'static str)> {
    SHORT_SCALES.iter().find_map(|(short, scale)| Some((amount.strip_suffix(short)?, *scale)))
}

fn scale_named(word: &str) -> Option<&'static str> {
    let named = SCALES.iter().find(|scale| scale.eq_ignore_ascii_case(word)).copied();
    named.or_else(|| SHORT_SCALES.iter().find(|(short, _)| *short == word).map(|(_, scale)| *scale))
}

fn amount_in(currency: Currency, amount: &str) -> Option<String> {
    if let Some((amount, scale)) = scaled(amount) {
        return Some(format!("{} {scale} {}", written(amount)?, currency.many));
    }
    let name = |amount: &str| if amount == "1" { currency.one } else { currency.many };
    let Some((whole, hundredths)) = hundredths(amount) else {
        return Some(format!("{} {}", written(amount)?, name(amount)));
    };
    let count: u64 = hundredths.parse().ok()?;
    let main = format!("{} {}", written(&whole)?, name(&whole));
    let rest = format!("{} {}", cardinal(count), if count == 1 { currency.part } else { currency.parts });
    Some(match (whole.as_str(), count) {
        (_, 0) => main,
        ("0", _) => rest,
        _ => format!("{main} and {rest}"),
    })
}

/// `9.99`, `1,250.00`, and as much of Europe writes it `3,50`, `1.250,00`: the whole with commas, and the hundredths.
fn hundredths(amount: &str) -> Option<(String, &str)> {
    let at = amount.rfind(['.', ','])?;
    let (whole, part) = (&amount[..at], &amount[at + 1..]);
    let marks = if amount[at..].starts_with(',') { '.' } else { ',' };
    // The other mark groups the thousands; the same mark twice is no decimal point.
    let is_whole = !whole.contains(amount[at..].chars().next()?);
    (part.len() == 2 && super::is_digits(part) && is_whole).then(|| (whole.replace(marks, ","), part))
}
