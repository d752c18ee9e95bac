//! Words as transcripts are compared by.

/// The words of a text: no marks, no capitals, titles and small numbers spelled out.
#[must_use]
pub fn of(text: &str) -> Vec<String> {
    let bare = text.to_lowercase().replace('-', " ");
    let bare: String = bare.chars().filter(|c| c.is_alphanumeric() || c.is_whitespace()).collect();
    let spelled = |word: &str| match word {
        "mr" => "mister".to_owned(),
        "1" => "one".to_owned(),
        "4" => "four".to_owned(),
        "7" => "seven".to_owned(),
        "8" => "eight".to_owned(),
        "10" => "ten".to_owned(),
        _ => word.to_owned(),
    };
    bare.split_whitespace().map(spelled).collect()
}

/// How many words must be put in, taken out or replaced to get from one list to the other (Levenshtein).
#[must_use]
pub fn errors(said: &[String], heard: &[String]) -> usize {
    let mut row: Vec<usize> = (0..=heard.len()).collect();
    for (i, word) in said.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, other) in heard.iter().enumerate() {
            let replaced = diagonal + usize::from(word != other);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[heard.len()]
}

#[cfg(test)]
mod tests {
    use super::{errors, of};

    #[test]
    fn errors_are_counted_by_word() {
        assert_eq!(of("Mr. Smith-Jones, 4 times!"), ["mister", "smith", "jones", "four", "times"]);
        let counted = |said: &str, heard: &str| errors(&of(said), &of(heard));
        assert_eq!(counted("one two three", "One two, three."), 0);
        assert_eq!(counted("one two three", "one three"), 1);
        assert_eq!(counted("one two three", "one too many three"), 2);
        assert_eq!(counted("", "one"), 1);
    }
}
