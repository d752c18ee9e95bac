//! Makes written text speakable: numbers, times, money, abbreviations, addresses and marks become words.
//!
//! Pure, English. The phonemiser knows words but stumbles over what people write instead of them ("3:30" fails its
//! whole sentence, "221B" loses its digits), so no digit and no symbol is left to it. Read [`speakable`] first;
//! `tokens` says what each written form becomes, `numbers` and `marks` do what they are called.

mod marks;
mod numbers;
mod tokens;

#[cfg(test)]
mod tests;

/// A clause longer than this is cut at its marks, so that the first sound does not wait for the last word.
const LONG_CHARS: usize = 140;

/// `text` as it is said aloud. Empty when there is nothing to say.
pub(crate) fn speakable(text: &str) -> String {
    let plain = marks::known(text);
    let words: Vec<&str> = plain.split_whitespace().collect();
    let mut spoken = String::with_capacity(plain.len() * 2);
    let mut at = 0;
    while at < words.len() {
        let (mut said, taken) = tokens::say(&words[at..]);
        if at == 0 && words.len() > 1 && is_item_number(words[0]) {
            // Its stop would part the number from its item.
            said = said.replace('.', ",");
        }
        push_word(&mut spoken, &said);
        at += taken;
    }
    spoken
}

/// `2.` as it begins an item of a list.
fn is_item_number(word: &str) -> bool {
    word.strip_suffix('.').is_some_and(|number| number.len() <= 3 && number.bytes().all(|b| b.is_ascii_digit()))
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
