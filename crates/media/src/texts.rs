//! Text messages that wait for the data channel: to open, or to have room again.

use std::collections::VecDeque;

use crate::peer::TextFate;

/// Messages that wait at most, and their bytes: a session's first events, or a burst on a slow network.
const MAX_WAITING_TEXTS: usize = 1_024;
const MAX_WAITING_BYTES: usize = 1024 * 1024;

/// Messages in order, bounded.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    waiting: VecDeque<String>,
    bytes: usize,
}

/// The queue is full; the message was not taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TextsFull;

impl Texts {
    pub(crate) fn push(&mut self, text: String) -> Result<(), TextsFull> {
        if self.waiting.len() >= MAX_WAITING_TEXTS || self.bytes + text.len() > MAX_WAITING_BYTES {
            return Err(TextsFull);
        }
        self.bytes += text.len();
        self.waiting.push_back(text);
        Ok(())
    }

    /// Writes what the channel takes; returns how many it refused for good.
    pub(crate) fn flush(&mut self, mut write: impl FnMut(&str) -> TextFate) -> u64 {
        let mut refused = 0;
        while let Some(text) = self.waiting.front() {
            match write(text) {
                TextFate::Sent => {}
                TextFate::NotYet => break,
                TextFate::Refused => refused += 1,
            }
            self.bytes -= text.len();
            self.waiting.pop_front();
        }
        refused
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_wait_in_order_until_the_channel_takes_them() {
        let mut texts = Texts::default();
        for text in ["a", "b", "c"] {
            texts.push(text.into()).expect("room");
        }
        assert_eq!(texts.flush(|_| TextFate::NotYet), 0);
        let mut sent = String::new();
        let refused = texts.flush(|text| {
            sent.push_str(text);
            if text == "b" { TextFate::Refused } else { TextFate::Sent }
        });
        assert_eq!((sent.as_str(), refused), ("abc", 1));
        assert!(texts.is_empty());
        assert_eq!(texts.bytes, 0);
    }

    #[test]
    fn count_and_bytes_are_bounded() {
        let mut texts = Texts::default();
        assert_eq!(texts.push("x".repeat(MAX_WAITING_BYTES + 1)), Err(TextsFull));
        for _ in 0..MAX_WAITING_TEXTS {
            texts.push(String::new()).expect("room");
        }
        assert_eq!(texts.push(String::new()), Err(TextsFull));
    }
}
