//! Server-sent events out of bytes, as they come from the network.
//!
//! Beside the format of the HTML standard (lines end with LF, CR or CRLF; several `data` lines are one event) this
//! keeps what stock decoders throw away: lines that belong to no field. Google reports an error in mid-stream as a bare
//! JSON object; a decoder that ignores it makes a cut answer look like a short one.

use serde::de::IgnoredAny;

/// The longest event. Arguments of a tool come in one piece and may be long, audio in base64 too.
const MAX_EVENT_BYTES: usize = 1024 * 1024;
/// The most that is kept of lines that belong to no field: errors are short.
const MAX_STRAY_BYTES: usize = 64 * 1024;

/// What a stream holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Item {
    /// The data of an event.
    Data(String),
    /// A JSON value outside any event.
    Bare(String),
}

/// Bytes that are no stream of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SseError {
    /// An event without an end.
    #[error("an event is longer than {MAX_EVENT_BYTES} bytes")]
    TooLong,
    /// Bytes that are no text.
    #[error("an event is not UTF-8")]
    NotText,
}

/// Cuts a stream into events. Feed it bytes as they come; an event may begin and end anywhere in them.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    /// The line that has no end yet. Only whole lines are taken for text, so a character may be split anywhere.
    line: Vec<u8>,
    /// The last byte was a CR: an LF after it belongs to the same end of line.
    after_cr: bool,
    /// The first line may begin with a byte order mark.
    has_begun: bool,
    data: Option<String>,
    stray: Vec<u8>,
}

impl Decoder {
    /// Takes bytes and adds what they complete to `items`.
    ///
    /// # Errors
    /// When they are no stream of events. Nothing more can be read then.
    pub(crate) fn push(&mut self, bytes: &[u8], items: &mut Vec<Item>) -> Result<(), SseError> {
        for &byte in bytes {
            let ends_crlf = self.after_cr && byte == b'\n';
            self.after_cr = byte == b'\r';
            match byte {
                b'\n' if ends_crlf => {}
                b'\r' | b'\n' => self.end_line(items)?,
                _ if self.line.len() >= MAX_EVENT_BYTES => return Err(SseError::TooLong),
                _ => self.line.push(byte),
            }
        }
        Ok(())
    }

    /// The stream is over: an event without its empty line counts, for it can still be checked by its content.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub(crate) fn finish(mut self, items: &mut Vec<Item>) -> Result<(), SseError> {
        if !self.line.is_empty() {
            self.end_line(items)?;
        }
        items.extend(self.data.take().map(Item::Data));
        Ok(())
    }

    fn end_line(&mut self, items: &mut Vec<Item>) -> Result<(), SseError> {
        let line = std::mem::take(&mut self.line);
        let mut line = line.as_slice();
        if !std::mem::replace(&mut self.has_begun, true) {
            line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        }
        if line.is_empty() {
            items.extend(self.data.take().map(Item::Data));
            return Ok(());
        }
        let (field, value) = match line.iter().position(|&byte| byte == b':') {
            Some(colon) => (&line[..colon], &line[colon + 1..]),
            None => (line, &line[line.len()..]),
        };
        match field {
            b"data" => self.add_data(value.strip_prefix(b" ").unwrap_or(value)),
            // A comment, and fields that say nothing which the data does not.
            b"" | b"event" | b"id" | b"retry" => Ok(()),
            _ => {
                self.add_stray(line, items);
                Ok(())
            }
        }
    }

    fn add_data(&mut self, value: &[u8]) -> Result<(), SseError> {
        let value = str::from_utf8(value).map_err(|_| SseError::NotText)?;
        match &mut self.data {
            Some(data) if data.len() + value.len() >= MAX_EVENT_BYTES => return Err(SseError::TooLong),
            Some(data) => {
                data.push('\n');
                data.push_str(value);
            }
            None => self.data = Some(value.to_owned()),
        }
        Ok(())
    }

    fn add_stray(&mut self, line: &[u8], items: &mut Vec<Item>) {
        if self.stray.len() + line.len() >= MAX_STRAY_BYTES {
            return;
        }
        self.stray.extend_from_slice(line);
        self.stray.push(b'\n');
        // Worth a try only where an object may end.
        if line.ends_with(b"}") && serde_json::from_slice::<IgnoredAny>(&self.stray).is_ok() {
            let stray = std::mem::take(&mut self.stray);
            items.push(Item::Bare(String::from_utf8_lossy(&stray).into_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Decoder, Item, MAX_EVENT_BYTES, SseError};

    /// Feeds the stream in pieces of this many bytes.
    fn decode(stream: &[u8], piece: usize) -> Result<Vec<Item>, SseError> {
        let (mut decoder, mut items) = (Decoder::default(), Vec::new());
        for bytes in stream.chunks(piece) {
            decoder.push(bytes, &mut items)?;
        }
        decoder.finish(&mut items)?;
        Ok(items)
    }

    fn data(text: &str) -> Item {
        Item::Data(text.to_owned())
    }

    #[test]
    fn events_are_the_same_however_the_bytes_are_cut_and_lines_end() {
        let lines =
            ["\u{feff}: hello", "event: x", "data: {\"a\":\"grüß dich 👋\"}", "", "data:two", "data: lines", "", ""];
        for end in ["\n", "\r\n", "\r"] {
            let stream = lines.join(end);
            for piece in 1..=stream.len() {
                let items = decode(stream.as_bytes(), piece).expect("it is a stream");
                assert_eq!(items, [data("{\"a\":\"grüß dich 👋\"}"), data("two\nlines")], "{end:?} in {piece}");
            }
        }
    }

    #[test]
    fn an_error_outside_any_event_is_found_as_soon_as_it_is_whole() {
        let stream = "data: 1\r\n\r\n{\r\n  \"error\": {\r\n    \"code\": 503\r\n  }\r\n}\r\n";
        let (mut decoder, mut items) = (Decoder::default(), Vec::new());
        decoder.push(stream.as_bytes(), &mut items).expect("it is a stream");
        let [first, Item::Bare(error)] = items.as_slice() else { panic!("{items:?}") };
        assert_eq!(*first, data("1"));
        assert!(error.contains("503"), "{error}");
    }

    #[test]
    fn the_last_event_needs_no_empty_line() {
        assert_eq!(decode(b"data: [DONE]", 5).expect("it is a stream"), [data("[DONE]")]);
    }

    #[test]
    fn what_is_no_stream_of_events_ends_it() {
        let endless = vec![b'x'; MAX_EVENT_BYTES + 1];
        assert_eq!(decode(&endless, 4096), Err(SseError::TooLong));
        let many_lines = "data: 0123456789\n".repeat(MAX_EVENT_BYTES / 10);
        assert_eq!(decode(many_lines.as_bytes(), 4096), Err(SseError::TooLong));
        assert_eq!(decode(b"data: \xff\xfe\n\n", 4096), Err(SseError::NotText));
    }

    #[test]
    fn a_page_of_something_else_costs_no_memory() {
        let page = "<p>not what you think</p>\n".repeat(100_000);
        assert_eq!(decode(page.as_bytes(), 4096).expect("lines of no field are no error"), []);
    }
}
