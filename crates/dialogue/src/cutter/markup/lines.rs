//! The marks at the start of a line: headings, quotes, bullets, boxes to tick, rules, tables, definitions of links.

use super::{LABEL_BYTES, Markup, State};
use crate::cutter::plain::{is_invisible, is_picture};

/// Marks that may stand before the words of a line.
const MARKS: &str = "-=*_|:+>#•‣◦·";
/// Of a line of nothing but marks, more than this need not be kept: it is a rule.
const MARKS_BYTES: usize = 200;

impl Markup {
    pub(super) fn line_start(&mut self, mut marks: String, c: char) {
        if c == '\n' {
            return self.end_line();
        }
        if is_picture(c) || is_invisible(c) {
            // A picture before the words of a line is a bullet.
            marks.push(' ');
            self.state = State::LineStart { marks };
        } else if c.is_whitespace() || MARKS.contains(c) {
            if marks.len() < MARKS_BYTES {
                marks.push(c);
            }
            self.state = State::LineStart { marks };
        } else {
            let kept = said_of(&marks, c);
            self.number = c.is_ascii_digit().then_some(0).filter(|_| kept.is_empty());
            self.write_all(&kept);
            if c == '[' {
                self.state = State::Label { text: String::new() };
            } else {
                self.step(c);
            }
        }
    }

    pub(super) fn label(&mut self, mut text: String, c: char) {
        if c == ']' {
            self.state = State::Labelled { text };
        } else if matches!(c, '[' | '\n') || text.len() >= LABEL_BYTES {
            self.replay(&text);
            self.step(c);
        } else {
            text.push(c);
            self.state = State::Label { text };
        }
    }

    pub(super) fn after_label(&mut self, text: String, c: char) {
        let ticked = matches!(text.trim(), "" | "x" | "X" | "✓" | "✔");
        if c == ':' {
            self.state = State::Definition { label: text, target: String::new() };
        } else if ticked && c.is_whitespace() {
            self.state = State::default();
            self.step(c);
        } else if text.starts_with('^') {
            self.step(c);
        } else {
            self.replay(&text);
            self.step(']');
            self.step(c);
        }
    }

    /// `[label]: address` is a definition, and nothing of it is said. `[label]: words` is a line like others.
    pub(super) fn definition(&mut self, label: String, mut target: String, c: char) {
        let word = target.trim();
        let over = c == '\n' || (c.is_whitespace() && !word.is_empty()) || target.len() >= LABEL_BYTES;
        let points = word.contains("://") || word.starts_with(['/', '#', '<']) || word.starts_with("mailto:");
        if points && c != '\n' {
            self.state = State::Definition { label, target };
        } else if points {
            self.end_line();
        } else if over {
            if !label.starts_with('^') {
                self.replay(&label);
                self.step(':');
            }
            self.replay(&target);
            self.step(c);
        } else {
            target.push(c);
            self.state = State::Definition { label, target };
        }
    }
}

/// What is said of the marks before `first`, the first character of the words: signs that touch it, such as a minus.
fn said_of(marks: &str, first: char) -> String {
    let touching = marks.rsplit(|c: char| c.is_whitespace() || "*_|•‣◦·".contains(c)).next().unwrap_or_default();
    if first == '`' || first == '[' {
        return String::new();
    }
    let quotes = touching.trim_start_matches('>');
    match touching {
        "#" if first.is_alphanumeric() => touching.to_owned(),
        ">" if !first.is_ascii_digit() => String::new(),
        _ if touching.contains('#') => String::new(),
        // `>=` and `->` are signs, `>>` is a quotation in a quotation.
        _ if touching.starts_with('>') && !quotes.starts_with('=') && quotes.len() < touching.len() - 1 => {
            quotes.to_owned()
        }
        _ => touching.to_owned(),
    }
}
