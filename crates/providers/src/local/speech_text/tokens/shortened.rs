//! Abbreviations, initials and Roman numerals.

use super::{closing, core_and_after};
use crate::local::speech_text::numbers::{cardinal, ordinal};

/// Abbreviations with their full stop, which does not end the sentence.
const ABBREVIATIONS: [(&str, &str); 41] = [
    ("mr.", "mister"),
    ("mrs.", "missus"),
    ("ms.", "miz"),
    ("dr.", "doctor"),
    ("prof.", "professor"),
    ("capt.", "captain"),
    ("col.", "colonel"),
    ("gen.", "general"),
    ("gov.", "governor"),
    ("lt.", "lieutenant"),
    ("rev.", "reverend"),
    ("sen.", "senator"),
    ("sgt.", "sergeant"),
    ("st.", "street"),
    ("ave.", "avenue"),
    ("rd.", "road"),
    ("blvd.", "boulevard"),
    ("apt.", "apartment"),
    ("mt.", "mount"),
    ("jr.", "junior"),
    ("sr.", "senior"),
    ("inc.", "incorporated"),
    ("ltd.", "limited"),
    ("corp.", "corporation"),
    ("vs.", "versus"),
    ("vs", "versus"),
    ("e.g.", "for example"),
    ("i.e.", "that is"),
    ("etc.", "et cetera"),
    ("etc", "et cetera"),
    ("approx.", "approximately"),
    ("dept.", "department"),
    ("est.", "established"),
    ("max.", "maximum"),
    ("min.", "minimum"),
    ("incl.", "including"),
    ("w/", "with"),
    ("w/o", "without"),
    ("ph.d.", "P H D"),
    ("a.m.", "A M"),
    ("p.m.", "P M"),
];
/// What they are before a number; before anything else they are words at a sentence's end.
const BEFORE_NUMBER: [(&str, &str); 10] = [
    ("no.", "number"),
    ("nr.", "number"),
    ("№", "number"),
    ("p.", "page"),
    ("pp.", "pages"),
    ("fig.", "figure"),
    ("vol.", "volume"),
    ("ch.", "chapter"),
    ("sec.", "section"),
    ("art.", "article"),
];
/// Abbreviations that end a sentence as often as not.
const MAY_END: [&str; 9] = ["etc.", "a.m.", "p.m.", "inc.", "ltd.", "corp.", "jr.", "sr.", "ph.d."];
/// Rulers and popes, who are counted by ordinals: "Henry the eighth".
const RULERS: [&str; 28] = [
    "Alexander",
    "Benedict",
    "Catherine",
    "Charles",
    "Christian",
    "Edward",
    "Elizabeth",
    "Francis",
    "Frederick",
    "George",
    "Gregory",
    "Henry",
    "Innocent",
    "Ivan",
    "James",
    "John",
    "Leo",
    "Louis",
    "Napoleon",
    "Paul",
    "Pius",
    "Richard",
    "Nicholas",
    "Peter",
    "Philip",
    "Urban",
    "Wilhelm",
    "William",
];
/// What is counted with Roman numerals, so that one letter is a number too.
const COUNTED: [&str; 16] = [
    "Act", "Appendix", "Article", "Book", "Chapter", "Class", "Level", "Part", "Phase", "Scene", "Section", "Stage",
    "Title", "Type", "Volume", "War",
];

/// `Mr.`, `e.g.`, `No. 5`, `U.S.`
pub(super) fn abbreviation(word: &str, next: &str) -> Option<String> {
    let bare = word.trim_start_matches('(');
    let stop = bare.find(|c: char| ",;:!?)".contains(c)).unwrap_or(bare.len());
    let (short, after) = bare.split_at(stop);
    let numbered = next.trim_start_matches('#').starts_with(|c: char| c.is_ascii_digit());
    let before_number = BEFORE_NUMBER.iter().filter(|_| numbered && after.is_empty());
    let mut known = ABBREVIATIONS.iter().chain(before_number);
    let (mark, full) = match known.find(|(mark, _)| mark.eq_ignore_ascii_case(short)) {
        Some((mark, full)) => (*mark, (*full).to_owned()),
        None => ("", initials(short, next)?),
    };
    // In front of a name it is a saint, behind one a street.
    let full = if mark == "st." && next.starts_with(char::is_uppercase) { "saint".to_owned() } else { full };
    // The stop of an abbreviation that ends the text ends the sentence too, except in a name or an address.
    let ends = next.is_empty() && (mark.is_empty() || MAY_END.contains(&mark)) && short.ends_with('.');
    let stop = if ends && after.is_empty() { "." } else { "" };
    Some(format!("{full}{stop}{}", closing(after)))
}

/// `U.S.`, `J.R.R.`, and the `J.` of a name: letters, without their stops.
fn initials(word: &str, next: &str) -> Option<String> {
    let letters: Vec<&str> = word.strip_suffix('.').unwrap_or(word).split('.').collect();
    let are_letters = letters.iter().all(|part| part.len() == 1 && part.chars().all(|c| c.is_ascii_uppercase()));
    let of_name = word.ends_with('.') && word != "I." && next.starts_with(char::is_uppercase);
    (are_letters && (letters.len() > 1 || of_name)).then(|| letters.join(" "))
}

/// `Henry VIII`, `Chapter IV`, `World War II`.
pub(super) fn roman(words: &[&str]) -> Option<(String, usize)> {
    let (name, next) = (*words.first()?, *words.get(1)?);
    let (numeral, after) = core_and_after(next);
    // Of a possessive only the numeral counts: "Henry VIII's".
    let (numeral, possessive) = numeral.strip_suffix("'s").map_or((numeral, ""), |numeral| (numeral, "'s"));
    let value = roman_value(numeral)?;
    let is_name = name.starts_with(char::is_uppercase) && name.len() >= 3 && name.chars().all(char::is_alphabetic);
    let counted = COUNTED.contains(&name);
    let ruler = RULERS.contains(&name);
    // One letter is more often a word or a name: "Then I", "Malcolm X".
    let is_number = numeral.len() > 1 || counted || (ruler && numeral != "I");
    if !is_name || !is_number {
        return None;
    }
    let said = if ruler { format!("the {}", ordinal(value)) } else { cardinal(value) };
    Some((format!("{name} {said}{possessive}{}", closing(after)), 2))
}

/// Numerals below 40; longer ones look like other abbreviations ("CD", "MIX").
fn roman_value(numeral: &str) -> Option<u64> {
    let tens = numeral.bytes().take_while(|b| *b == b'X').count();
    let ones = ["", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX"];
    let value = 10 * tens + ones.iter().position(|ones| *ones == &numeral[tens..])?;
    (1..40).contains(&value).then(|| u64::try_from(value).ok()).flatten()
}
