//! What an answer has given out so far, over all models that wrote it.

use super::seam::Seam;
use crate::llm::{LlmRequest, Message};

/// Asks a model to go on for another one. As the caller's words, since every vendor reads those in their place.
const GO_ON: &str = "[Your answer was cut off after the words above. Go on with the very next word. Repeat nothing, \
                     greet nobody, and do not mention this.]";

/// The words given out, and the part of a word that waits for its end.
#[derive(Debug, Default)]
pub(super) struct Given {
    text: String,
    partial: String,
    seam: Option<Seam>,
}

impl Given {
    /// The request, with what was given out already.
    pub(super) fn continued(&self, request: &LlmRequest) -> LlmRequest {
        let mut request = request.clone();
        if !self.text.trim().is_empty() {
            request.messages.push(Message::Assistant { text: self.text.trim().to_owned(), calls: Vec::new() });
            request.messages.push(Message::User(GO_ON.to_owned()));
        }
        request
    }

    /// Another model begins to write.
    pub(super) fn begin(&mut self) {
        self.partial.clear();
        self.seam = (!self.text.trim().is_empty()).then(|| Seam::new(&self.text));
    }

    /// Takes text of the model that writes; gives what of it may leave.
    pub(super) fn take(&mut self, text: &str) -> String {
        self.partial.push_str(text);
        // Up to and with the last space: the word after it may go on.
        let whole = self
            .partial
            .rfind(char::is_whitespace)
            .map_or(0, |at| at + self.partial[at..].chars().next().map_or(0, char::len_utf8));
        let words: String = self.partial.drain(..whole).collect();
        let new = match &mut self.seam {
            Some(seam) => seam.take(&words),
            None => words,
        };
        self.keep(new)
    }

    /// The model is done: gives what was kept back.
    pub(super) fn finish(&mut self) -> String {
        let partial = std::mem::take(&mut self.partial);
        let new = match self.seam.take() {
            Some(mut seam) => {
                let taken = seam.take(&partial);
                taken + &seam.finish()
            }
            None => partial,
        };
        self.keep(new)
    }

    fn keep(&mut self, new: String) -> String {
        let needs_space = !new.is_empty()
            && self.text.chars().last().is_some_and(|last| !last.is_whitespace())
            && !new.starts_with(|first: char| first.is_whitespace() || first.is_ascii_punctuation());
        let new = if needs_space { format!(" {new}") } else { new };
        self.text.push_str(&new);
        new
    }
}

#[cfg(test)]
mod tests {
    use super::Given;

    #[test]
    fn words_leave_whole_and_the_half_one_is_written_anew() {
        let mut given = Given::default();
        given.begin();
        assert_eq!(given.take("The capi"), "The ");
        assert_eq!(given.take("tal is Par"), "capital is ");
        given.begin();
        assert_eq!(given.take("Paris, "), "Paris, ");
        assert_eq!(given.take("of course."), "of ");
        assert_eq!(given.finish(), "course.");
    }

    #[test]
    fn scripts_without_spaces_leave_at_the_end() {
        let mut given = Given::default();
        given.begin();
        assert_eq!(given.take("東京は"), "");
        assert_eq!(given.finish(), "東京は");
    }
}
