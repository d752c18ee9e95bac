//! What a voice that broke off did not say, by how long it spoke.

/// More characters than voices say in a second (13 to 17), rounded up to a whole word: so a word may be lost, and none is
/// said twice.
const FASTEST_PER_SECOND: f32 = 18.0;

/// The words of `text` that were not reached in `spoken_ms` at a `speed` of 1 for normal.
pub(crate) fn after(text: &str, spoken_ms: u64, speed: f32) -> String {
    let spoken = (spoken_ms as f32 / 1_000.0 * FASTEST_PER_SECOND * speed).ceil() as usize;
    let mut words = text.split_inclusive(char::is_whitespace);
    let mut passed = 0;
    while passed < spoken {
        let Some(word) = words.next() else { break };
        passed += word.chars().count();
    }
    words.collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::after;

    #[test]
    fn the_word_that_was_under_way_counts_as_said() {
        let text = "Dogs are great company for everybody.";
        assert_eq!(after(text, 0, 1.0), text);
        assert_eq!(after(text, 20, 1.0), "are great company for everybody.");
        assert_eq!(after(text, 500, 1.0), "great company for everybody.");
        assert_eq!(after(text, 500, 2.0), "for everybody.");
        assert_eq!(after(text, 60_000, 1.0), "");
    }
}
