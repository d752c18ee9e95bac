//! Makes written text speakable: numbers, times, money, abbreviations, addresses and marks become words.
//!
//! Pure, English. The phonemiser knows words but stumbles over what people write instead of them ("3:30" fails its
//! whole sentence, "221B" loses its digits), so no digit and no symbol is left to it. Read [`speakable`] first;
//! `tokens` says what each written form becomes, `numbers` and `markup` do what they are called.

mod markup;
mod numbers;
mod tokens;

/// A clause longer than this is cut at its marks, so that the first sound does not wait for the last word.
const LONG_CHARS: usize = 140;

/// `text` as it is said aloud. Empty when there is nothing to say.
pub(crate) fn speakable(text: &str) -> String {
    let plain = markup::strip(text);
    let words: Vec<&str> = plain.split_whitespace().collect();
    let mut spoken = String::with_capacity(plain.len() * 2);
    let mut at = 0;
    while at < words.len() {
        let (said, taken) = tokens::say(&words[at..]);
        push_word(&mut spoken, &said);
        at += taken;
    }
    spoken
}

/// Sentences, and of long ones their clauses, in the order in which they are said.
pub(crate) fn clauses(speakable: &str) -> Vec<String> {
    let mut clauses = Vec::new();
    for sentence in split_after(speakable, &['.', '!', '?', '…']) {
        if sentence.len() <= LONG_CHARS {
            clauses.push(sentence);
            continue;
        }
        let mut clause = String::new();
        for part in split_after(&sentence, &[',', ';', ':', '—']) {
            if !clause.is_empty() && clause.len() + part.len() > LONG_CHARS {
                clauses.push(std::mem::take(&mut clause));
            }
            push_word(&mut clause, &part);
        }
        clauses.push(clause);
    }
    clauses.retain(|clause| clause.chars().any(char::is_alphabetic));
    clauses
}

/// Parts that end with one of `marks` before a space.
fn split_after(text: &str, marks: &[char]) -> Vec<String> {
    let mut parts = vec![String::new()];
    for word in text.split_whitespace() {
        let part = parts.last_mut().expect("there is always a part");
        push_word(part, word);
        if word.trim_end_matches([')', '\'']).ends_with(marks) {
            parts.push(String::new());
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

fn push_word(text: &mut String, word: &str) {
    let word = word.trim();
    // A mark on its own joins the word before it.
    if !text.is_empty() && !word.is_empty() && !word.starts_with([',', '.', '!', '?', ';']) {
        text.push(' ');
    }
    text.push_str(word);
}

#[cfg(test)]
mod tests {
    use super::{clauses, speakable};

    /// Each written form that a reply may hold, and how it is said.
    #[test]
    fn written_forms_are_said() {
        for (written, said) in [
            ("I have 3 cats.", "I have three cats."),
            ("It costs 1,250 in all.", "It costs one thousand two hundred fifty in all."),
            ("Pi is 3.14, roughly.", "Pi is three point one four, roughly."),
            ("The 1st, 2nd and 23rd.", "The first, second and twenty third."),
            ("In 1984 and 2026.", "In nineteen eighty four and twenty twenty six."),
            ("The 1990s were fun.", "The nineteen nineties were fun."),
            ("Up 12.5% today!", "Up twelve point five percent today!"),
            ("It is $9.99 now.", "It is nine dollars and ninety nine cents now."),
            ("It is $1.", "It is one dollar."),
            ("About $3 million a year", "About three million dollars a year"),
            ("€20 or £5.50?", "twenty euros or five pounds and fifty pence?"),
            ("A $5k budget", "A five thousand dollar budget"),
            ("Meet at 3:30 pm.", "Meet at three thirty p m."),
            ("At 10:05 or 7:00, ok?", "At ten oh five or seven o'clock, ok?"),
            ("Open 9am-5pm", "Open nine a m to five p m"),
            ("Call 555-0123 now", "Call five five five, zero one two three now"),
            ("Call (555) 867-5309.", "Call five five five, eight six seven, five three zero nine."),
            ("+1-800-555-0199", "plus one, eight zero zero, five five five, zero one nine nine"),
            ("221B Baker St.", "two twenty one B Baker street"),
            ("Mr. and Mrs. Smith met Dr. Who", "mister and missus Smith met doctor Who"),
            ("St. Louis", "saint Louis"),
            ("Fruit, e.g. apples, etc.", "Fruit, for example apples, et cetera."),
            ("Tom & Jerry", "Tom and Jerry"),
            ("2 + 2 = 4", "two plus two equals four"),
            ("5 x 3, 6 * 7", "five x three, six times seven"),
            ("Write to ann@example.com today", "Write to ann at example dot com today"),
            ("See https://www.example.org/docs/start.", "See example dot org slash docs slash start."),
            ("It is 20°C or -5 degrees", "It is twenty degrees celsius or minus five degrees"),
            ("Run 5km at 10 km/h", "Run five kilometers at ten kilometers per hour"),
            ("8GB of RAM", "eight gigabytes of RAM"),
            ("Pages 5-10", "Pages five to ten"),
            ("1/2 cup and 3/4 cup", "one half cup and three quarters cup"),
            ("Open 24/7", "Open twenty four seven"),
            ("and/or", "and or"),
            ("Version 1.2.3 is out", "Version one point two point three is out"),
            ("Room #12", "Room number twelve"),
            ("On 2026-11-22 we", "On november twenty second, twenty twenty six we"),
            ("**Bold** and `code` and _this_", "Bold and code and this"),
            ("snake_case", "snake case"),
            ("COVID-19", "COVID nineteen"),
            ("a well-known 20-year-old", "a well-known twenty year old"),
            ("agent 007", "agent zero zero seven"),
            ("3D and 4K and H2O", "three D and four K and H two O"),
            ("Wait... what?!", "Wait... what?!"),
            ("don’t “stop”", "don't stop"),
            ("Yes 👍🎉", "Yes"),
            ("❤️", ""),
            ("...", "..."),
            ("", ""),
        ] {
            assert_eq!(speakable(written), said, "{written:?}");
        }
    }

    #[test]
    fn no_text_breaks_it() {
        for text in ["$", "%%", "1:", ":30", "$$5", "1-", "--", "5/0", "#", "@", "a@", "://", "9".repeat(60).as_str()] {
            assert!(!speakable(text).contains(|c: char| c.is_ascii_digit()), "{text:?}");
        }
    }

    #[test]
    fn long_sentences_are_cut_at_their_clauses() {
        let long = "this part goes on for a good while without an end, ".repeat(5);
        let cut = clauses(&format!("Short one. {long} done. ... Last?"));
        assert_eq!(cut.first().map(String::as_str), Some("Short one."));
        assert_eq!(cut.last().map(String::as_str), Some("Last?"));
        assert!(cut.len() > 3 && cut.iter().all(|clause| clause.len() <= super::LONG_CHARS), "{cut:?}");
    }
}
