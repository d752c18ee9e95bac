//! How long a text is for a listener, also in scripts that write no spaces between words.

use super::plain::is_break;

/// Shares of a word are counted in quarters.
pub(super) const WORD: usize = 4;

/// Words of `text`, in quarters: a word between spaces is one, a Chinese character half of one.
pub(super) fn word_quarters(text: &str) -> usize {
    text.split(is_break).map(token_quarters).sum()
}

/// Characters as a voice model counts them: an ideogram lasts as long as two letters.
pub(super) fn length(text: &str) -> usize {
    text.chars().map(|c| if is_ideographic(c) { 2 } else { 1 }).sum()
}

/// Han, kana, Hangul syllables are written with spaces and count as letters.
pub(super) fn is_ideographic(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}')
}

/// Kana that end a phrase when an ideogram or a foreign word follows: where a Japanese speaker breathes.
pub(super) fn is_hiragana(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{309f}')
}

fn token_quarters(token: &str) -> usize {
    let unspaced: usize = token.chars().map(quarters_of_unspaced).sum();
    let spaced = token.chars().any(|c| c.is_alphanumeric() && quarters_of_unspaced(c) == 0);
    unspaced + if spaced { WORD } else { 0 }
}

/// The share of a word that a letter is in scripts without spaces; 0 in others.
fn quarters_of_unspaced(c: char) -> usize {
    match c {
        c if is_ideographic(c) => 2,
        // Thai, Lao, Myanmar, Khmer.
        '\u{0e00}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' => 1,
        _ => 0,
    }
}
