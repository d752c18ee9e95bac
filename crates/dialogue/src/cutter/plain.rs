//! The last sieve before text is words: emoji and invisible characters go, white space is one space.

use std::ops::RangeInclusive;

/// Characters that are pictures: emoji, dingbats, shapes, box drawing, icons of private fonts.
const PICTURES: [RangeInclusive<char>; 19] = [
    '\u{a9}'..='\u{a9}',
    '\u{ae}'..='\u{ae}',
    '\u{20e3}'..='\u{20e3}',
    '\u{2122}'..='\u{2122}',
    '\u{2139}'..='\u{2139}',
    '\u{2194}'..='\u{2199}',
    '\u{21a9}'..='\u{21aa}',
    '\u{231a}'..='\u{231b}',
    '\u{2328}'..='\u{2328}',
    '\u{23cf}'..='\u{23cf}',
    '\u{23e9}'..='\u{23fa}',
    '\u{24c2}'..='\u{24c2}',
    '\u{2500}'..='\u{27bf}',
    '\u{2b00}'..='\u{2bff}',
    '\u{3030}'..='\u{3030}',
    '\u{303d}'..='\u{303d}',
    '\u{3297}'..='\u{3299}',
    '\u{e000}'..='\u{f8ff}',
    '\u{1f000}'..='\u{1fbff}',
];
/// Characters without shape or sound: variation selectors, tags of flags, zero-width spaces, direction marks.
const INVISIBLE: [RangeInclusive<char>; 9] = [
    '\u{ad}'..='\u{ad}',
    '\u{200b}'..='\u{200b}',
    '\u{200e}'..='\u{200f}',
    '\u{202a}'..='\u{202e}',
    '\u{2060}'..='\u{2064}',
    '\u{2066}'..='\u{2069}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{feff}'..='\u{feff}',
    '\u{e0000}'..='\u{e01ef}',
];
/// Joins emoji to one, but also letters of some scripts.
const JOINER: char = '\u{200d}';

/// True for what is seen and never said.
pub(super) fn is_picture(c: char) -> bool {
    PICTURES.iter().any(|range| range.contains(&c))
}

/// True for what leaves no trace at all.
pub(super) fn is_invisible(c: char) -> bool {
    INVISIBLE.iter().any(|range| range.contains(&c))
}

/// White space at which words end. The kinds that do not break belong to what stands around them, as in `10 000`.
pub(super) fn is_break(c: char) -> bool {
    c.is_whitespace() && !matches!(c, '\u{a0}' | '\u{202f}' | '\u{2007}')
}

/// Plain text that grows: no pictures, no double spaces, no empty lines.
#[derive(Debug, Clone)]
pub(super) struct Plain {
    text: String,
    last: char,
    /// A space that is written with the next word. One behind a mark is written at once: it may end a sentence.
    space_due: bool,
    /// Whether a picture was taken away since the last character.
    removed: bool,
    /// The start of the word that is being written.
    word: String,
}

/// More of a word does not matter to what it is.
const WORD_BYTES: usize = 80;

impl Default for Plain {
    fn default() -> Self {
        Self { text: String::new(), last: '\n', space_due: false, removed: false, word: String::new() }
    }
}

impl Plain {
    /// The last character of the text, a new line at its start. A space that is due counts.
    pub(super) fn last(&self) -> char {
        if self.space_due { ' ' } else { self.last }
    }

    /// Whether the word that is being written is a web address, whose signs belong to it.
    pub(super) fn in_address(&self) -> bool {
        !self.last().is_whitespace() && (self.word.contains("://") || self.word.starts_with("www."))
    }

    /// All text since the last call, in the place of what `into` holds.
    pub(super) fn take_into(&mut self, into: &mut String) {
        into.clear();
        std::mem::swap(&mut self.text, into);
    }

    pub(super) fn put(&mut self, c: char) {
        if is_picture(c) || (c == JOINER && self.removed) {
            self.removed = true;
        } else if c == '\n' {
            self.end_line();
        } else if is_break(c) || c.is_control() {
            self.space();
        } else if !is_invisible(c) {
            self.character(c);
        }
    }

    /// A comma between two cells of a table, unless another mark stands there already.
    pub(super) fn comma(&mut self) {
        if self.last.is_alphanumeric() || matches!(self.last, ')' | '"' | '%') {
            self.space_due = false;
            self.character(',');
        }
        self.space();
    }

    fn character(&mut self, c: char) {
        let joins = self.removed && matches!(c, '.' | ',' | '!' | '?' | ';' | ':');
        if std::mem::take(&mut self.space_due) && !joins {
            self.text.push(' ');
            self.word.clear();
        }
        if self.last.is_whitespace() {
            self.word.clear();
        }
        if self.word.len() < WORD_BYTES {
            self.word.push(c);
        }
        self.text.push(c);
        (self.last, self.removed) = (c, false);
    }

    fn space(&mut self) {
        if self.last.is_alphanumeric() {
            self.space_due = true;
        } else if !self.last.is_whitespace() {
            self.text.push(' ');
            self.last = ' ';
        }
    }

    fn end_line(&mut self) {
        self.space_due = false;
        if self.last != '\n' {
            self.text.push('\n');
            self.last = '\n';
        }
    }
}
