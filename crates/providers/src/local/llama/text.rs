//! From the bytes of tokens to whole characters.

/// Bytes that do not yet make a character. A token may end in the middle of one: emoji and most scripts beyond Latin
/// are written with several tokens per character.
#[derive(Debug, Default)]
pub(super) struct CharacterBuffer {
    bytes: Vec<u8>,
}

impl CharacterBuffer {
    /// Adds a token's bytes and takes out all whole characters. Bytes that can never become one are replaced.
    pub(super) fn push(&mut self, bytes: &[u8]) -> String {
        self.bytes.extend_from_slice(bytes);
        let unfinished = self.unfinished_bytes();
        let rest = self.bytes.split_off(self.bytes.len() - unfinished);
        let whole = std::mem::replace(&mut self.bytes, rest);
        String::from_utf8(whole).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }

    /// How many bytes at the end begin a character whose remainder has not come yet.
    fn unfinished_bytes(&self) -> usize {
        let last_chunk = self.bytes.utf8_chunks().last();
        match last_chunk.map(|chunk| chunk.invalid()) {
            Some(tail) if !tail.is_empty() => match std::str::from_utf8(tail) {
                Err(error) if error.error_len().is_none() => tail.len(),
                _ => 0,
            },
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_come_out_whole_however_they_are_cut() {
        let text = "Zürich 🙂 東京";
        for size in 1..text.len() {
            let mut buffer = CharacterBuffer::default();
            let out: String = text.as_bytes().chunks(size).map(|bytes| buffer.push(bytes)).collect();
            assert_eq!(out, text, "in pieces of {size} bytes");
        }
    }

    #[test]
    fn bytes_that_make_no_character_are_replaced_and_do_not_block() {
        let mut buffer = CharacterBuffer::default();
        assert_eq!(buffer.push(&[0xff, b'a', 0xc3]), "\u{fffd}a");
        assert_eq!(buffer.push(b"b"), "\u{fffd}b");
    }
}
