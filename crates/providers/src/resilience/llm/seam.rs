//! Where one model goes on for another: what it repeats of the words before is left out.

/// How many words may be repeated without being a repetition: "the" after "the" may be meant.
const COINCIDENCE: usize = 1;

/// Compares what a model writes with the end of what was said, word by word, until it is clear whether it repeats.
#[derive(Debug)]
pub(super) struct Seam {
    said: Vec<String>,
    /// What was written and not judged yet, as words with what follows them.
    written: Vec<String>,
    /// Places in `said` from which on all written words are the same.
    alike: Vec<usize>,
    /// So many written words repeat the end of `said`.
    repeated: usize,
    decided: bool,
}

impl Seam {
    /// The words that were said.
    pub(super) fn new(said: &str) -> Self {
        let said: Vec<String> = said.split_whitespace().map(bare).filter(|word| !word.is_empty()).collect();
        Self { alike: (0..said.len()).collect(), said, written: Vec::new(), repeated: 0, decided: false }
    }

    /// Takes whole words; gives those that are new, as soon as that is known.
    pub(super) fn take(&mut self, words: &str) -> String {
        if self.decided {
            return words.to_owned();
        }
        for word in words.split_inclusive(char::is_whitespace) {
            self.compare(word);
        }
        if self.alike.is_empty() { self.finish() } else { String::new() }
    }

    /// Gives what was kept back, without what is a repetition.
    pub(super) fn finish(&mut self) -> String {
        self.decided = true;
        let repeated = if self.repeated > COINCIDENCE || self.repeated == self.said.len() { self.repeated } else { 0 };
        let new = self.written.split_off(0);
        let mut passed = 0;
        new.into_iter()
            .skip_while(|word| {
                // What is no word (a dash, a space) belongs to the word before it.
                passed += usize::from(!bare(word).is_empty());
                passed <= repeated && repeated > 0
            })
            .collect()
    }

    fn compare(&mut self, word: &str) {
        let spoken = bare(word);
        self.written.push(word.to_owned());
        if spoken.is_empty() {
            return;
        }
        let at = self.written.iter().filter(|word| !bare(word).is_empty()).count() - 1;
        let said = &self.said;
        self.alike.retain(|begin| said.get(begin + at) == Some(&spoken));
        // The longest repetition begins the earliest, and reaches the end the latest.
        if self.alike.iter().any(|begin| begin + at + 1 == said.len()) {
            self.repeated = at + 1;
        }
        self.alike.retain(|begin| begin + at + 1 < said.len());
    }
}

fn bare(word: &str) -> String {
    word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::Seam;

    const SAID: &str = "Dogs are great company, and cats are ";

    fn new(written: &[&str]) -> String {
        let mut seam = Seam::new(SAID);
        let mut new: String = written.iter().map(|words| seam.take(words)).collect();
        new.push_str(&seam.finish());
        new
    }

    #[test]
    fn what_goes_on_passes_at_once() {
        let mut seam = Seam::new(SAID);
        assert_eq!(seam.take("independent "), "independent ");
        assert_eq!(seam.take("and are "), "and are ", "later words are not compared");
    }

    #[test]
    fn a_model_that_begins_anew_is_heard_from_where_the_other_stopped() {
        assert_eq!(new(&["Dogs are ", "great company and Cats are ", "independent."]), "independent.");
    }

    #[test]
    fn a_model_that_repeats_the_last_words_is_heard_after_them() {
        assert_eq!(new(&["and cats are clean."]), "clean.");
        assert_eq!(new(&["… and cats are – clean."]), "clean.");
    }

    #[test]
    fn one_word_may_be_meant() {
        assert_eq!(new(&["are ", "they clean?"]), "are they clean?");
    }

    #[test]
    fn an_answer_that_only_begins_alike_is_heard_whole() {
        assert_eq!(new(&["Dogs are ", "loud."]), "Dogs are loud.");
    }

    #[test]
    fn a_model_that_only_repeats_adds_nothing() {
        assert_eq!(new(&["Dogs are great company, and cats are "]), "");
        assert_eq!(new(&[""]), "");
    }
}
