//! Cuts a stream of text into pieces that can be spoken alone: the first clause early, then whole sentences.
//!
//! The first piece decides how soon the caller hears something, so it may end at a comma; the later ones are spoken
//! while something else plays, so they keep the melody of whole sentences.

/// The fewest words of a first piece that ends at a clause mark. Fewer sound chopped ("Well,").
const FIRST_CLAUSE_WORDS: usize = 3;
/// The fewest words of a first piece that ends before one of [`OPENERS`].
const FIRST_PHRASE_WORDS: usize = 4;
/// Words before which a speaker may breathe: they open a clause or a phrase of their own.
const OPENERS: [&str; 18] = [
    "and", "but", "or", "because", "so", "if", "when", "while", "although", "since", "unless", "until", "with", "for",
    "from", "in", "on", "at",
];
/// A first piece without any mark is cut at this many words, so that a long opening does not keep the caller waiting.
const FIRST_PIECE_WORDS: usize = 14;
/// The most characters of a piece: what a voice model makes in one go.
const PIECE_CHARS: usize = 280;
/// Words whose full stop does not end a sentence.
const ABBREVIATIONS: [&str; 16] =
    ["mr", "mrs", "ms", "dr", "prof", "st", "vs", "etc", "e.g", "i.e", "no", "inc", "ltd", "jr", "sr", "approx"];

/// The cutter of one answer.
#[derive(Debug, Clone, Default)]
pub struct SentenceCutter {
    pending: String,
    pieces: usize,
}

impl SentenceCutter {
    /// Takes more text; gives the pieces that it completed.
    pub fn push(&mut self, text: &str) -> Vec<String> {
        self.pending.push_str(text);
        let mut pieces = Vec::new();
        while let Some(end) = self.next_cut() {
            let rest = self.pending.split_off(end);
            let piece = std::mem::replace(&mut self.pending, rest);
            self.take(&piece, &mut pieces);
        }
        pieces
    }

    /// The text is over; gives what is left.
    pub fn finish(&mut self) -> Option<String> {
        let mut pieces = Vec::new();
        let rest = std::mem::take(&mut self.pending);
        self.take(&rest, &mut pieces);
        pieces.pop()
    }

    fn take(&mut self, piece: &str, pieces: &mut Vec<String>) {
        let piece = piece.trim();
        if piece.chars().any(char::is_alphanumeric) {
            self.pieces += 1;
            pieces.push(piece.to_owned());
        }
    }

    /// The byte at which the pending text can be cut, if there is one yet.
    fn next_cut(&self) -> Option<usize> {
        let text = self.pending.as_str();
        let mut words = 0;
        let mut in_word = false;
        let mut word_start = 0;
        for (chars, (at, mark)) in text.char_indices().enumerate() {
            let end = at + mark.len_utf8();
            if in_word && mark.is_whitespace() {
                if self.pieces == 0 && words >= FIRST_PHRASE_WORDS && is_opener(&text[word_start..at]) {
                    return Some(word_start);
                }
                words += 1;
            }
            if !in_word && !mark.is_whitespace() {
                word_start = at;
            }
            in_word = !mark.is_whitespace();
            if mark == '\n' && at > 0 {
                return Some(end);
            }
            if followed_by_space(text, end) && self.ends_piece(text, at, mark, words + 1) {
                return Some(end);
            }
            let too_long = chars + 1 >= PIECE_CHARS || (self.pieces == 0 && words >= FIRST_PIECE_WORDS);
            if too_long && mark.is_whitespace() {
                return Some(end);
            }
        }
        None
    }

    fn ends_piece(&self, text: &str, at: usize, mark: char, words: usize) -> bool {
        match mark {
            '!' | '?' | '…' => true,
            '.' => !is_abbreviation(&text[..at]),
            ',' | ';' | ':' | '—' | '–' => self.pieces == 0 && words >= FIRST_CLAUSE_WORDS,
            '"' | '”' | ')' => text[..at].ends_with(['.', '!', '?']),
            _ => false,
        }
    }
}

/// A mark ends a piece only once the next character is known to be white space: "3.5" and "10:30" stay whole.
fn followed_by_space(text: &str, end: usize) -> bool {
    text[end..].chars().next().is_some_and(char::is_whitespace)
}

fn is_opener(word: &str) -> bool {
    OPENERS.contains(&word)
}

fn is_abbreviation(before: &str) -> bool {
    let word = before.rsplit(char::is_whitespace).next().unwrap_or(before).trim_start_matches(['(', '"', '“']);
    let lower = word.to_lowercase();
    let initial = word.chars().count() == 1 && word.chars().all(char::is_uppercase) && word != "I";
    let numbering = !word.is_empty() && word.chars().all(|c| c.is_ascii_digit()) && before.trim() == word;
    initial || numbering || ABBREVIATIONS.contains(&lower.as_str())
}

#[cfg(test)]
mod tests {
    use super::SentenceCutter;

    fn cut(text: &str) -> Vec<String> {
        // One character at a time is how a slow model writes, and the hardest case.
        let mut cutter = SentenceCutter::default();
        let mut pieces: Vec<String> = text.chars().flat_map(|c| cutter.push(&c.to_string())).collect();
        pieces.extend(cutter.finish());
        pieces
    }

    #[test]
    fn the_first_clause_comes_early_and_later_sentences_stay_whole() {
        assert_eq!(
            cut("Dogs are great company, but they need walks. Cats are calmer, and they sleep a lot."),
            ["Dogs are great company,", "but they need walks.", "Cats are calmer, and they sleep a lot."]
        );
    }

    #[test]
    fn the_first_piece_may_end_where_a_speaker_breathes() {
        assert_eq!(
            cut("The cat is generally healthier and more independent. It sleeps a lot and eats a lot."),
            ["The cat is generally healthier", "and more independent.", "It sleeps a lot and eats a lot."]
        );
        assert_eq!(cut("I am sorry and sad."), ["I am sorry and sad."]);
    }

    #[test]
    fn a_very_short_opening_is_not_chopped_off() {
        assert_eq!(cut("Well, that depends. Yes."), ["Well, that depends.", "Yes."]);
    }

    #[test]
    fn numbers_times_and_abbreviations_stay_whole() {
        assert_eq!(cut("Dr. Smith paid 3.50 by 10:30 today. Good."), ["Dr. Smith paid 3.50 by 10:30 today.", "Good."]);
        assert_eq!(cut("It was J. R. Tolkien who wrote it."), ["It was J. R. Tolkien who wrote it."]);
    }

    #[test]
    fn lists_are_cut_at_lines_and_marks_alone_are_dropped() {
        assert_eq!(cut("1. First thing\n2. Second thing\n***\n"), ["1. First thing", "2. Second thing"]);
    }

    #[test]
    fn a_long_opening_without_marks_is_cut_at_a_word() {
        let pieces = cut(&"word ".repeat(40));
        assert_eq!(pieces[0].split(' ').count(), 14);
    }

    #[test]
    fn nothing_is_lost_or_said_twice() {
        let text = "Yes! I think so: \"Go.\" he said (twice.) and then… silence? No — never; e.g. today.";
        assert_eq!(cut(text).join(" "), text);
    }

    #[test]
    fn pieces_are_bounded_whatever_comes() {
        assert!(cut(&"ab ".repeat(2_000)).iter().all(|piece| piece.chars().count() <= 281));
    }
}
