//! Moonshine's vocabulary file: the pieces in the order of their ids, each with its length in front.

/// The pieces by id.
#[derive(Debug)]
pub(super) struct Vocabulary(Vec<Vec<u8>>);

impl Vocabulary {
    /// Reads the file's bytes; none when a length points past the end.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut pieces = Vec::new();
        let mut rest = bytes;
        while let Some((&low, after)) = rest.split_first() {
            let (length, after) = match low {
                // Lengths from 128 on take two bytes, the low seven bits first.
                128.. => {
                    let (&high, after) = after.split_first()?;
                    (usize::from(high) * 128 + usize::from(low) - 128, after)
                }
                _ => (usize::from(low), after),
            };
            let (piece, after) = after.split_at_checked(length)?;
            pieces.push(piece.to_vec());
            rest = after;
        }
        (!pieces.is_empty()).then_some(Self(pieces))
    }

    /// The text of `ids`. Ids without a piece and control pieces such as `</s>` say nothing.
    pub(super) fn decode(&self, ids: &[i64]) -> String {
        let mut bytes = Vec::new();
        for id in ids {
            let Some(piece) = usize::try_from(*id).ok().and_then(|id| self.0.get(id)) else { continue };
            match raw_byte(piece) {
                Some(byte) => bytes.push(byte),
                None if piece.starts_with(b"<") && piece.ends_with(b">") => {}
                None => bytes.extend_from_slice(piece),
            }
        }
        // A piece writes a space as U+2581.
        String::from_utf8_lossy(&bytes).replace('\u{2581}', " ").trim().to_owned()
    }
}

/// The byte that a piece such as `<0xE2>` stands for.
fn raw_byte(piece: &[u8]) -> Option<u8> {
    let digits = piece.strip_prefix(b"<0x")?.strip_suffix(b">")?;
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_bytes_and_control_marks_become_text() {
        let mut file = Vec::new();
        for piece in ["<s>", "\u{2581}Hi", "<0xC3>", "<0xA9>", "!"] {
            file.push(u8::try_from(piece.len()).expect("short"));
            file.extend_from_slice(piece.as_bytes());
        }
        let vocabulary = Vocabulary::parse(&file).expect("well formed");
        assert_eq!(vocabulary.decode(&[0, 1, 2, 3, 4, 99, -1]), "Hié!");
    }

    #[test]
    fn a_long_piece_has_a_two_byte_length() {
        let mut file = vec![128 + 2, 1];
        file.extend_from_slice(&[b'x'; 130]);
        assert_eq!(Vocabulary::parse(&file).expect("well formed").decode(&[0]).len(), 130);
    }

    #[test]
    fn a_cut_file_is_refused() {
        assert!(Vocabulary::parse(&[5, b'a']).is_none());
        assert!(Vocabulary::parse(&[200]).is_none());
        assert!(Vocabulary::parse(&[]).is_none());
    }
}
