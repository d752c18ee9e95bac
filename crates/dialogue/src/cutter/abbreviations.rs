//! Full stops that end no sentence, in English, German, French, Spanish, Italian, Portuguese and Dutch.
//!
//! The languages share one table, since an answer may hold several; a word that ends sentences in one of them ("me.",
//! "es.", "on.") is in none of the lists.

use super::openings::{Opening, opening};

/// They stand before what they belong to: a sentence never ends with one.
const BEFORE_MORE: [&str; 107] = [
    // English
    "approx", "capt", "cf", "col", "dept", "dr", "drs", "est", "gen", "gov", "hon", "lt", "messrs", "mr", "mrs", "ms",
    "mt", "pres", "prof", "rep", "rev", "sen", "sgt", "st", "viz", "vs", // German
    "allg", "bspw", "bzgl", "bzw", "ca", "dipl", "evtl", "exkl", "fr", "frl", "geb", "gegr", "ggf", "hl", "hr", "inkl",
    "insb", "sog", "u", "v", "vgl", "z", "zzgl", // French
    "env", "mlle", "mlles", "mm", "mme", "mmes", "pr", "ste", // Spanish and Portuguese
    "aprox", "av", "avda", "d", "dña", "dra", "dras", "eng", "exma", "exmo", "ing", "lic", "profa", "sr", "sra",
    "sras", "sres", "srs", "srta", "uds", "vds", // Italian
    "arch", "avv", "dott", "dott.ssa", "geom", "prof.ssa", "sig", "sig.na", "sig.ra", "sigg", // Dutch
    "bijv", "bv", "dhr", "ds", "evt", "excl", "incl", "jl", "mej", "mevr", "mw", "zgn",
    // Of two words, and references
    "c.-à-d", "i", "n", "p.es", "p.ej", "p.ex", "tel",
];
/// They close a list, and with it often the sentence: a capital behind them tells.
const MAY_END: [&str; 6] = ["al", "ecc", "enz", "etc", "usf", "usw"];
/// Parts of times, names and amounts, behind which names stand too ("5 p.m. Monday", "3 Mio. Euro"): only a word that
/// usually opens a sentence tells.
const MAY_END_BEFORE_NAMES: [&str; 16] =
    ["a.m", "ave", "blvd", "co", "corp", "ee.uu", "inc", "jh", "jr", "ltd", "mio", "mrd", "p.m", "rd", "str", "v.chr"];
/// They stand before a number; before anything else they are words that end a sentence ("No.").
const BEFORE_NUMBER: [&str; 47] = [
    "abs", "apr", "art", "aug", "avr", "bd", "blz", "bl", "cap", "cf", "chap", "dec", "dez", "déc", "ed", "feb",
    "febr", "févr", "fig", "jan", "janv", "juil", "jul", "jun", "kap", "mrt", "no", "nos", "nov", "nr", "num", "núm",
    "oct", "okt", "p", "pag", "pág", "pp", "s", "sec", "sept", "sep", "set", "ver", "vol", "out", "dic",
];
/// Shortened words that are words of their own, but not behind these: "par ex.", "per es.".
const BEHIND_OTHERS: [(&str, &str); 8] = [
    ("ad", "es"),
    ("p.", "es"),
    ("p.", "ex"),
    ("par", "ex"),
    ("per", "es"),
    ("por", "ej"),
    ("por", "ex"),
    ("v.", "chr"),
];
/// What follows a German "22." within a sentence, as far as it is written with a capital.
const BEHIND_ORDINALS: [&str; 24] = [
    "April",
    "August",
    "Dezember",
    "Etage",
    "Februar",
    "Geburtstag",
    "Januar",
    "Jahrestag",
    "Jahrhundert",
    "Juli",
    "Juni",
    "Kapitel",
    "Klasse",
    "Mai",
    "Mal",
    "März",
    "November",
    "Oktober",
    "Platz",
    "September",
    "Stock",
    "Tag",
    "Woche",
    "Stunde",
];

/// What the full stop behind a word means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// The sentence is over.
    Ends,
    /// The word is shortened, and more belongs to it.
    Never,
    /// The word is shortened; the sentence is over if a new one begins behind it.
    EndsBeforeCapital,
    /// The word is shortened; the sentence is over if the next word usually opens one.
    EndsBeforeOpening,
    /// The sentence is over, unless a number follows.
    EndsUnlessNumber,
    /// A number, perhaps "the 22nd" as German writes it.
    Ordinal,
}

/// What the next word says about a stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Ends,
    GoesOn,
    /// More of the word must come.
    Unknown,
}

/// What the full stop behind `before` means.
pub(super) fn stop_behind(before: &str) -> Stop {
    let word = before.rsplit(super::plain::is_break).next().unwrap_or(before);
    let alone = before.trim() == word;
    let word = word.trim_start_matches(|c: char| "([{\"'“„«‘‚¿¡".contains(c) || c.is_whitespace());
    let lower = word.to_lowercase();
    let name = lower.as_str();
    if word.is_empty() || word.ends_with('.') {
        return Stop::Ends;
    }
    if word.chars().all(|c| c.is_ascii_digit()) {
        let is_ordinal = word.parse::<u32>().is_ok_and(|number| (1..=31).contains(&number)) && word.len() <= 2;
        return match (alone, is_ordinal) {
            (true, _) if word.len() <= 3 => Stop::Never,
            (_, true) => Stop::Ordinal,
            _ => Stop::Ends,
        };
    }
    let mut words = before.split_whitespace().rev().skip(1);
    let other = words.next().unwrap_or_default().to_lowercase();
    // "d. h.", "u. a."
    let second_letter = word.chars().count() == 1 && other.chars().count() == 2 && other.ends_with('.');
    if second_letter || BEHIND_OTHERS.contains(&(other.as_str(), name)) {
        return Stop::Never;
    }
    if MAY_END.contains(&name) || is_roman(word) {
        Stop::EndsBeforeCapital
    } else if MAY_END_BEFORE_NAMES.contains(&name) {
        Stop::EndsBeforeOpening
    } else if is_initials(word) || (BEFORE_MORE.contains(&name) && word != "I") {
        Stop::Never
    } else if BEFORE_NUMBER.contains(&name) {
        Stop::EndsUnlessNumber
    } else {
        Stop::Ends
    }
}

/// What the word behind a stop, of which `word` has come, says about it.
pub(super) fn verdict(stop: Stop, word: &str, complete: bool) -> Verdict {
    let bare = word.trim_start_matches(|c: char| "([{\"'“„«‘‚¿¡".contains(c));
    let Some(first) = bare.chars().next() else {
        return if complete { Verdict::Ends } else { Verdict::Unknown };
    };
    let goes_on = first.is_lowercase() || first.is_numeric();
    let known = |goes_on: bool| if goes_on { Verdict::GoesOn } else { Verdict::Ends };
    match stop {
        Stop::Ends => Verdict::Ends,
        Stop::Never => Verdict::GoesOn,
        Stop::EndsBeforeCapital => known(goes_on),
        Stop::EndsBeforeOpening if goes_on => Verdict::GoesOn,
        Stop::EndsBeforeOpening => match opening(bare, complete) {
            Opening::Sentence => Verdict::Ends,
            Opening::Name => Verdict::GoesOn,
            Opening::Unknown => Verdict::Unknown,
        },
        Stop::EndsUnlessNumber if is_roman_start(bare) && !complete => Verdict::Unknown,
        Stop::EndsUnlessNumber => known(goes_on || is_roman(bare.trim_end_matches(['.', ',']))),
        Stop::Ordinal if goes_on => Verdict::GoesOn,
        Stop::Ordinal => {
            let bare = bare.trim_end_matches([',', '.', '!', '?', ';', ':']);
            let may_become = BEHIND_ORDINALS.iter().any(|noun| noun.starts_with(bare));
            match complete {
                true => known(BEHIND_ORDINALS.contains(&bare)),
                false if may_become => Verdict::Unknown,
                false => Verdict::Ends,
            }
        }
    }
}

/// `J`, `z.B`, `U.S`, `d.w.z`: letters and stops in turn.
fn is_initials(word: &str) -> bool {
    let mut parts = word.split('.');
    let is_letter = |part: &str| {
        let mut letters = part.chars();
        letters.next().is_some_and(char::is_alphabetic) && letters.next().is_none()
    };
    let dotted = word.contains('.') && parts.all(is_letter);
    let initial = word != "I" && word.chars().all(char::is_uppercase) && word.chars().count() == 1;
    dotted || initial
}

/// Roman numerals of two letters or more: one letter is an initial.
fn is_roman(word: &str) -> bool {
    word.len() > 1 && is_roman_start(word)
}

fn is_roman_start(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| "IVXLC".contains(c))
}
