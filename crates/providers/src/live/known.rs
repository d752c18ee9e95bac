//! Whether the vendor's memory still says what ours says.
//!
//! Ours is the transcript: what the caller heard. The vendor's holds what the model said, so after an interruption it
//! knows more than the caller, and after a line that another voice spoke it knows less. The caller's own words are not
//! compared: the vendor has them as sound.

use crate::llm::Message;

/// How the vendor's memory fits ours.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// It says the same; our messages from this index on are new to it.
    Same { new: usize },
    /// It says the same, but that of its last answer only `heard` letters were heard; messages from `new` on are new.
    Cut { heard: usize, new: usize },
    /// It says something else.
    Differs,
}

/// Compares what the vendor knows with our messages, both without the system prompt.
pub(super) fn fit(known: &[Message], messages: &[Message]) -> Fit {
    for (at, expected) in known.iter().enumerate() {
        let is_last = at + 1 == known.len();
        let relation = match (expected, messages.get(at)) {
            (Message::Assistant { text, calls }, Some(Message::Assistant { text: ours, calls: our_calls }))
                if is_last || calls == our_calls =>
            {
                relate(text, ours)
            }
            // Nothing of the answer was heard: the caller's words around it are one message then.
            (Message::Assistant { calls, .. }, None | Some(Message::User(_))) if is_last && calls.is_empty() => {
                return Fit::Cut { heard: 0, new: at };
            }
            (Message::User(_), Some(Message::User(_))) => Relation::Same,
            (other, Some(ours)) if other == ours => Relation::Same,
            (_, _) => Relation::Differs,
        };
        match relation {
            Relation::Same => {}
            Relation::Shorter { letters } if is_last => return Fit::Cut { heard: letters, new: at + 1 },
            Relation::Shorter { .. } | Relation::Differs => return Fit::Differs,
        }
    }
    Fit::Same { new: known.len() }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    Same,
    /// Ours is the beginning of the other.
    Shorter {
        letters: usize,
    },
    Differs,
}

/// Compares letters only: marks and markup are not spoken. Ours may go on where another voice went on, for one with
/// "One moment, please." while a tool runs.
fn relate(known: &str, ours: &str) -> Relation {
    let mut ours = letters(ours).fuse();
    let mut same = 0;
    for letter in letters(known) {
        match ours.next() {
            Some(our) if our == letter => same += 1,
            Some(_) => return Relation::Differs,
            None => return Relation::Shorter { letters: same },
        }
    }
    Relation::Same
}

/// What of a text is spoken.
pub(super) fn letters(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::{Fit, fit};
    use crate::llm::{Message, ToolCall};

    fn user(text: &str) -> Message {
        Message::User(text.to_owned())
    }

    fn agent(text: &str) -> Message {
        Message::Assistant { text: text.to_owned(), calls: Vec::new() }
    }

    fn calling(text: &str) -> Message {
        let call = ToolCall { id: "1".to_owned(), name: "look".to_owned(), arguments: "{}".to_owned() };
        Message::Assistant { text: text.to_owned(), calls: vec![call] }
    }

    fn result() -> Message {
        Message::ToolResult { call_id: "1".to_owned(), name: "look".to_owned(), output: "42".to_owned() }
    }

    #[test]
    fn words_of_the_caller_may_have_been_understood_otherwise() {
        let known = [user("a dock?"), agent("Dogs are **great**.")];
        let ours = [user("A dog?"), agent("Dogs are great."), user("Why?")];
        assert_eq!(fit(&known, &ours), Fit::Same { new: 2 });
        assert_eq!(fit(&[], &ours), Fit::Same { new: 0 });
    }

    #[test]
    fn an_answer_that_was_cut_is_known_up_to_what_was_heard() {
        let known = [user("A dog?"), agent("Dogs are great.")];
        assert_eq!(fit(&known, &[user("A dog?"), agent("Dogs are"), user("Stop.")]), Fit::Cut { heard: 7, new: 2 });
        assert_eq!(fit(&known, &[user("A dog? Stop.")]), Fit::Cut { heard: 0, new: 1 });
        assert_eq!(fit(&known, &[user("A dog?"), user("x")]), Fit::Cut { heard: 0, new: 1 });
    }

    #[test]
    fn what_another_voice_said_while_a_tool_ran_does_not_part_us() {
        let known = [user("Look."), calling("")];
        assert_eq!(fit(&known, &[user("Look."), calling("One moment, please."), result()]), Fit::Same { new: 2 });
    }

    #[test]
    fn another_answer_is_another_conversation() {
        let known = [user("A dog?"), agent("Dogs are great."), user("Why?"), agent("They")];
        let ours = [user("A dog?"), agent("Cats."), user("Why?"), agent("They are.")];
        assert_eq!(fit(&known, &ours), Fit::Differs);
        let summary = [Message::System("What was said before: dogs".to_owned()), user("Why?")];
        assert_eq!(fit(&known, &summary), Fit::Differs);
        assert_eq!(fit(&[user("Look."), calling("")], &[user("Look. Stop.")]), Fit::Differs, "a call without a result");
    }
}
