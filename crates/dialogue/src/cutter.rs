//! Cuts a stream of text into pieces that can be spoken alone: the first clause early, then whole sentences.
//!
//! The first piece decides how soon the caller hears something, so it may end at a comma; the later ones are spoken
//! while something else plays, so they keep the melody of whole sentences. [`markup`] takes away what is written for the
//! eye, before anything is cut: the pieces are what is spoken, remembered and shown. Every decision is made as a
//! character comes, so it does not matter how the text is chopped on its way here.

mod abbreviations;
mod markup;
mod openings;
mod plain;
mod tags;
#[cfg(test)]
mod tests;
mod weight;

use abbreviations::{Stop, Verdict, stop_behind, verdict};
use markup::Markup;
use plain::is_break;
use weight::{WORD, is_hiragana, is_ideographic, word_quarters};

/// The fewest words of a first piece that ends at a clause mark. Fewer sound chopped ("Well,").
const FIRST_CLAUSE_WORDS: usize = 3;
/// The fewest words of a first piece that ends before one of [`OPENERS`].
const FIRST_PHRASE_WORDS: usize = 4;
/// Words before which a speaker may breathe: they open a clause or a phrase of their own. Words of other languages are
/// in it as long as they mean nothing else in English.
const OPENERS: [&str; 39] = [
    "and", "but", "or", "because", "so", "if", "when", "while", "although", "since", "unless", "until", "with", "for",
    "from", "in", "on", "at", "und", "oder", "aber", "weil", "wenn", "dass", "mit", "für", "mais", "parce", "avec",
    "quand", "pero", "porque", "cuando", "aunque", "perché", "quando", "omdat", "maar", "wanneer",
];
/// A first piece without any mark is cut at this many words, so that a long opening does not keep the caller waiting.
const FIRST_PIECE_WORDS: usize = 14;
/// The most characters of a piece: what a voice model makes in one go. It ends with a word.
const PIECE_CHARS: usize = 280;
/// What is still no word by then is cut wherever it is.
const UNBROKEN_CHARS: usize = 2 * PIECE_CHARS;
/// Marks behind which a sentence is over. A full stop needs a closer look.
const TERMINATORS: &str = "!?…؟۔।॥።។။‽";
/// Marks of scripts without spaces: what stands behind them is the next sentence.
const WIDE_TERMINATORS: &str = "。！？｡";
const CLAUSE_MARKS: &str = ",;:—–،؛";
const WIDE_CLAUSE_MARKS: &str = "，、；：";
/// They close what the sentence opened, so they belong to it.
const CLOSERS: &str = "\"'”’»)）」』】〉》";
/// Said in place of an answer that is nothing but code.
const CODE_LEFT_OUT: &str = "I have left the code out.";

/// The cutter of one answer.
#[derive(Debug, Clone, Default)]
pub struct SentenceCutter {
    markup: Markup,
    pending: String,
    pieces: usize,
}

impl SentenceCutter {
    /// Takes more text; gives the pieces that it completed.
    pub fn push(&mut self, text: &str) -> Vec<String> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        for c in text.chars() {
            self.markup.push(c, &mut plain);
            self.read(&plain, &mut pieces);
        }
        pieces
    }

    /// The text is over; gives what is left.
    pub fn finish(&mut self) -> Vec<String> {
        let mut pieces = Vec::new();
        let mut rest = String::new();
        self.markup.finish(&mut rest);
        self.read(&rest, &mut pieces);
        self.cut(self.pending.len(), &mut pieces);
        if self.pieces == 0 && self.markup.has_left_code_out() {
            self.pieces += 1;
            pieces.push(CODE_LEFT_OUT.to_owned());
        }
        pieces
    }

    fn read(&mut self, plain: &str, pieces: &mut Vec<String>) {
        for c in plain.chars() {
            if let Some(at) = self.boundary_before(c) {
                self.cut(at, pieces);
            }
            if !(self.pending.is_empty() && is_break(c)) {
                self.pending.push(c);
            }
        }
    }

    /// Cuts the pending text at a byte. Marks alone are no piece.
    fn cut(&mut self, at: usize, pieces: &mut Vec<String>) {
        let rest = self.pending.split_off(at);
        let piece = std::mem::replace(&mut self.pending, rest);
        let piece = piece.trim();
        if piece.chars().any(char::is_alphanumeric) {
            self.pieces += 1;
            pieces.push(piece.to_owned());
        }
    }

    /// The byte at which the pending text is cut, now that `c` is known to come next.
    fn boundary_before(&self, c: char) -> Option<usize> {
        let text = self.pending.as_str();
        if c == '\n' {
            return Some(text.len());
        }
        let word_start = text.trim_end_matches(|c| !is_break(c)).len();
        if let Some(at) = earlier_stop(text, word_start, c) {
            return Some(at);
        }
        let whole = Some(text.len());
        if !is_break(c) {
            let ends = self.wide_mark_ends(text, c) || self.first_phrase_ends_unspaced(text, c);
            return whole.filter(|_| ends || (text.len() >= UNBROKEN_CHARS && weight::length(text) >= UNBROKEN_CHARS));
        }
        if sentence_end(text) == SentenceEnd::Here || self.clause_ends(text, CLAUSE_MARKS) {
            return whole;
        }
        if self.pieces == 0 {
            let phrase_words = word_quarters(&text[..word_start]);
            if phrase_words >= FIRST_PHRASE_WORDS * WORD && OPENERS.contains(&&text[word_start..]) {
                return Some(word_start);
            }
            if word_quarters(text) >= FIRST_PIECE_WORDS * WORD {
                return whole;
            }
        }
        whole.filter(|_| weight::length(text) >= PIECE_CHARS).map(|end| last_clause_end(text).unwrap_or(end))
    }

    /// True if the first piece may end with the clause that `text` ends with.
    fn clause_ends(&self, text: &str, marks: &str) -> bool {
        self.pieces == 0 && text.ends_with(|c| marks.contains(c)) && word_quarters(text) >= FIRST_CLAUSE_WORDS * WORD
    }

    /// Wide marks need no space behind them, nor do others before an ideogram.
    fn wide_mark_ends(&self, text: &str, next: char) -> bool {
        if CLOSERS.contains(next) || WIDE_TERMINATORS.contains(next) || TERMINATORS.contains(next) {
            return false;
        }
        let core = text.trim_end_matches(|c| CLOSERS.contains(c));
        let ends = core.ends_with(|c| WIDE_TERMINATORS.contains(c));
        let ends_before_ideogram = is_ideographic(next) && core.ends_with(['!', '?', '…']);
        ends || ends_before_ideogram || self.clause_ends(text, WIDE_CLAUSE_MARKS)
    }

    /// A long opening without spaces may end where the particles of a phrase end.
    fn first_phrase_ends_unspaced(&self, text: &str, next: char) -> bool {
        self.pieces == 0
            && is_ideographic(next)
            && !is_hiragana(next)
            && text.ends_with(is_hiragana)
            && word_quarters(text) >= FIRST_PIECE_WORDS * WORD
    }
}

/// `text` as it is spoken, in one piece: for lines that are said whole.
#[must_use]
pub fn plain_text(text: &str) -> String {
    let mut markup = Markup::default();
    let (mut plain, mut part) = (String::new(), String::new());
    for c in text.chars() {
        markup.push(c, &mut part);
        plain.push_str(&part);
    }
    markup.finish(&mut part);
    plain.push_str(&part);
    plain.trim().replace('\n', " ")
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SentenceEnd {
    No,
    Here,
    /// The next word tells.
    Perhaps(Stop),
}

/// Whether a sentence ends with `text`, behind which white space stands.
fn sentence_end(text: &str) -> SentenceEnd {
    let core = text.trim_end_matches(|c: char| CLOSERS.contains(c) || c.is_whitespace());
    let closed = core.len() < text.trim_end().len();
    let Some(mark) = core.chars().next_back() else { return SentenceEnd::No };
    let before = &core[..core.len() - mark.len_utf8()];
    if TERMINATORS.contains(mark) || WIDE_TERMINATORS.contains(mark) {
        // French sets a space before its marks, and one more before the quotation mark that closes.
        let spaced = !closed && before.ends_with(char::is_whitespace);
        return if spaced { SentenceEnd::Perhaps(Stop::EndsBeforeCapital) } else { SentenceEnd::Here };
    }
    if mark != '.' {
        return SentenceEnd::No;
    }
    match stop_behind(before) {
        Stop::Ends => SentenceEnd::Here,
        Stop::Never => SentenceEnd::No,
        stop => SentenceEnd::Perhaps(stop),
    }
}

/// The start of the last word, if the doubtful stop before it turns out to end a sentence now that `c` comes.
fn earlier_stop(text: &str, word_start: usize, c: char) -> Option<usize> {
    let before = text[..word_start].trim_end();
    let SentenceEnd::Perhaps(stop) = sentence_end(before) else { return None };
    let mut word = text[word_start..].to_owned();
    if !is_break(c) {
        word.push(c);
    }
    if word.is_empty() || word.starts_with(|c| CLOSERS.contains(c)) {
        return None;
    }
    (verdict(stop, &word, is_break(c)) == Verdict::Ends).then_some(word_start)
}

/// The end of the last clause of `text`, if it is in its second half.
fn last_clause_end(text: &str) -> Option<usize> {
    let end = |(at, mark): (usize, char)| at + mark.len_utf8();
    let ends_clause = |at: usize| text[at..].starts_with(is_break);
    let mut marks = text.char_indices().rev().filter(|(_, c)| CLAUSE_MARKS.contains(*c)).map(end);
    marks.find(|at| ends_clause(*at)).filter(|at| *at > text.len() / 2)
}
