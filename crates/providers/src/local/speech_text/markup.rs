//! Strips what is written for the eye: markdown, code marks, emoji, HTML-like tags.

/// Plain sentences from `text`: one line, words and marks that a voice can use.
pub(super) fn strip(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for line in text.lines() {
        let line = unquote_line(line.trim());
        let line = unlink(line);
        let kept: String = line.chars().map(spoken_mark).collect();
        let kept = kept.trim();
        if kept.is_empty() {
            continue;
        }
        if !plain.is_empty() {
            // A list's lines are items to be told apart.
            let ends = plain.ends_with(['.', '!', '?', ',', ';', ':', '…']);
            plain.push_str(if ends { " " } else { ". " });
        }
        plain.push_str(kept);
    }
    plain
}

/// Without the marks of headings, quotations, bullets and fences at the line's start.
fn unquote_line(line: &str) -> &str {
    if line.starts_with("```") || line.starts_with("~~~") || line.chars().all(|c| "-=*_ |:".contains(c)) {
        return "";
    }
    let line = line.trim_start_matches('>').trim_start();
    let heading = line.trim_start_matches('#');
    let line = if heading.starts_with(' ') { heading.trim_start() } else { line };
    ["- ", "* ", "+ ", "• ", "[ ] ", "[x] "].iter().fold(line, |line, mark| line.strip_prefix(mark).unwrap_or(line))
}

/// `[text](address)` becomes its text; square brackets elsewhere become spaces, since the phonemiser reads them as
/// instructions.
fn unlink(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('[') {
        plain.push_str(before.strip_suffix('!').unwrap_or(before));
        let link = after.split_once("](").and_then(|(text, tail)| Some((text, tail.split_once(')')?.1)));
        match link.filter(|(text, _)| !text.contains(['[', ']'])) {
            Some((text, tail)) => {
                plain.push_str(text);
                rest = tail;
            }
            None => {
                plain.push(' ');
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    plain
}

/// The mark as a voice takes it: curly becomes straight, what cannot be said becomes a space.
fn spoken_mark(c: char) -> char {
    match c {
        '‘' | '’' | 'ʼ' => '\'',
        '“' | '”' | '«' | '»' | '"' => ' ',
        '–' | '—' | '…' => c,
        '\u{2010}' | '\u{2011}' => '-',
        '−' => '-',
        '-' | '\'' | '.' | ',' | ';' | ':' | '!' | '?' | '(' | ')' | '/' => c,
        '$' | '€' | '£' | '%' | '&' | '@' | '+' | '=' | '#' | '°' | '_' | '×' | '<' | '>' | '~' | '*' => c,
        c if c.is_alphanumeric() || c.is_whitespace() => c,
        // A combining accent belongs to the letter before it.
        '\u{0300}'..='\u{036F}' => c,
        _ => ' ',
    }
}

#[cfg(test)]
mod tests {
    use super::strip;

    #[test]
    fn markup_is_not_spoken() {
        for (text, plain) in [
            ("# Title\n\nHello **there**", "Title. Hello **there**"),
            ("- one\n- two", "one. two"),
            ("See [the docs](https://example.com/x) now", "See the docs now"),
            ("> quoted 🎉 “text”", "quoted text"),
            ("```rust\nlet x\n```", "let x"),
            ("an array[0]", "an array 0"),
        ] {
            let stripped = strip(text).split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(stripped, plain);
        }
    }
}
