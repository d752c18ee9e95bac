//! The marks that the phonemiser can take. Markdown and emoji are gone by now: the turn-taking engine takes them out of
//! everything that is spoken. What is left here is a guard, so that no stray sign ends a sentence's sound.

/// `text` on one line, with marks and signs that the rest of this module knows; others become spaces.
pub(super) fn known(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut quoted = false;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if !plain.trim_end().is_empty() {
            // A list's lines are items to be told apart.
            let ends = plain.trim_end().ends_with(['.', '!', '?', ',', ';', ':', '…']);
            plain.push_str(if ends { " " } else { ". " });
        }
        let mut last = ' ';
        for c in line.chars() {
            match c {
                '"' | '″' if !quoted && last.is_ascii_digit() => plain.push_str(inches(&plain)),
                '"' => {
                    quoted = !quoted;
                    plain.push(' ');
                }
                c => plain.push(known_mark(c)),
            }
            last = c;
        }
    }
    plain
}

/// The mark of inches behind a number; behind feet (`5'10"`) it goes without saying.
fn inches(before: &str) -> &'static str {
    let word = before.rsplit(char::is_whitespace).next().unwrap_or_default();
    if word.contains('\'') { "" } else { " inch " }
}

fn known_mark(c: char) -> char {
    match c {
        '‘' | '’' | 'ʼ' | '′' => '\'',
        '“' | '”' | '«' | '»' | '„' => ' ',
        '\u{2010}' | '\u{2011}' | '−' => '-',
        '\u{a0}' | '\u{202f}' => ' ',
        '–' | '—' | '…' | '-' | '\'' | '.' | ',' | ';' | ':' | '!' | '?' | '(' | ')' | '/' => c,
        '%' | '&' | '@' | '+' | '=' | '#' | '°' | '_' | '×' | '<' | '>' | '~' | '*' | '^' | '§' | '№' => c,
        '$' | '€' | '£' | '¥' | '₹' | '₩' | '₽' | '₺' | '¢' => c,
        '±' | '≤' | '≥' | '≠' | '≈' | '→' | '⇒' | '÷' | '√' | '∞' => c,
        c if c.is_alphanumeric() || c.is_whitespace() => c,
        // A combining accent belongs to the letter before it.
        '\u{0300}'..='\u{036F}' => c,
        _ => ' ',
    }
}

#[cfg(test)]
mod tests {
    use super::known;

    #[test]
    fn marks_become_such_as_the_phonemiser_knows() {
        for (text, plain) in [
            ("one\n\ntwo.\nthree", "one. two. three"),
            ("quoted 🎉 “text” «or» \"so\"", "quoted text or so"),
            ("an array[0] | `code`", "an array 0 code"),
            ("don’t 5 − 3", "don't 5 - 3"),
            ("a 27\" screen, \"at 9\"", "a 27 inch screen, at 9"),
            ("He is 5′10″.", "He is 5'10."),
        ] {
            let marks = known(text).split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(marks, plain);
        }
    }
}
