//! Reads the header of a GGUF file: just enough to say whether llama.cpp will be able to use it as a chat model.
//!
//! llama.cpp aborts or answers "null" on files it dislikes, so the file is checked here first. The reader trusts
//! nothing: each length is held against a limit and against the end of the file before it is used, and an array is
//! skipped, never kept.

use std::io::{self, Read};

/// Key/value pairs a header may hold; real models have about thirty.
const MAX_PAIRS: u64 = 4096;
/// Bytes of a key; the format's own limit.
const MAX_KEY_BYTES: u64 = 65_535;
/// Bytes of a text value; chat templates take some tens of kilobytes.
const MAX_TEXT_BYTES: u64 = 1 << 20;
/// Elements of an array; the largest vocabularies have about 300 000 tokens.
const MAX_ELEMENTS: u64 = 1 << 24;

/// What a header says about its model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Header {
    /// `general.architecture`, such as `qwen2`.
    pub architecture: Option<String>,
    /// `general.name`, if the file tells.
    pub name: Option<String>,
    /// Whether `tokenizer.chat_template` is there and not empty; base models have none.
    pub has_chat_template: bool,
}

/// Why bytes are not the header of a GGUF file.
#[derive(Debug, thiserror::Error)]
pub enum HeaderError {
    /// The first four bytes are not `GGUF`.
    #[error("it does not begin with the letters GGUF")]
    Magic,
    /// A version this reader does not know.
    #[error("its format version is {0}, not 2 or 3")]
    Version(u32),
    /// The header ends in its middle.
    #[error("it ends within its header")]
    Truncated,
    /// A count or length is beyond its limit.
    #[error("its header holds {what} of {found}, more than {limit}")]
    TooLarge {
        /// What is counted.
        what: &'static str,
        /// The count in the file.
        found: u64,
        /// The most that is accepted.
        limit: u64,
    },
    /// A value has a type the format does not know.
    #[error("its header holds a value of unknown type {0}")]
    ValueType(u32),
    /// The file could not be read.
    #[error("reading it failed: {0}")]
    Io(io::Error),
}

impl From<io::Error> for HeaderError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof { Self::Truncated } else { Self::Io(error) }
    }
}

/// Reads a header from the beginning of a file.
pub fn read_header(bytes: impl Read) -> Result<Header, HeaderError> {
    let mut reader = Reader { bytes };
    if reader.array::<4>()? != *b"GGUF" {
        return Err(HeaderError::Magic);
    }
    let version = reader.u32()?;
    if !(2..=3).contains(&version) {
        return Err(HeaderError::Version(version));
    }
    let _tensors = reader.u64()?;
    let pairs = reader.count("key/value pairs", MAX_PAIRS)?;
    let mut header = Header::default();
    for _ in 0..pairs {
        let key = reader.text("a key", MAX_KEY_BYTES)?;
        let kind = reader.u32()?;
        match (key.as_slice(), kind) {
            (b"general.architecture", TEXT) => header.architecture = Some(reader.value_text()?),
            (b"general.name", TEXT) => header.name = Some(reader.value_text()?),
            (b"tokenizer.chat_template", TEXT) => header.has_chat_template = !reader.value_text()?.trim().is_empty(),
            _ => reader.skip_value(kind)?,
        }
    }
    Ok(header)
}

/// The format's number for a text value.
const TEXT: u32 = 8;
/// The format's number for an array.
const ARRAY: u32 = 9;

/// Bytes of a value of fixed size.
fn scalar_bytes(kind: u32) -> Result<u64, HeaderError> {
    match kind {
        0 | 1 | 7 => Ok(1),
        2 | 3 => Ok(2),
        4..=6 => Ok(4),
        10..=12 => Ok(8),
        unknown => Err(HeaderError::ValueType(unknown)),
    }
}

/// Little-endian reads with limits.
struct Reader<R> {
    bytes: R,
}

impl<R: Read> Reader<R> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], HeaderError> {
        let mut array = [0; N];
        self.bytes.read_exact(&mut array)?;
        Ok(array)
    }

    fn u32(&mut self) -> Result<u32, HeaderError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn u64(&mut self) -> Result<u64, HeaderError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    fn count(&mut self, what: &'static str, limit: u64) -> Result<u64, HeaderError> {
        let found = self.u64()?;
        if found > limit { Err(HeaderError::TooLarge { what, found, limit }) } else { Ok(found) }
    }

    /// Memory grows with what the file really holds, not with the length it claims.
    fn text(&mut self, what: &'static str, limit: u64) -> Result<Vec<u8>, HeaderError> {
        let length = self.count(what, limit)?;
        let mut text = Vec::new();
        let read = self.bytes.by_ref().take(length).read_to_end(&mut text)?;
        if read as u64 == length { Ok(text) } else { Err(HeaderError::Truncated) }
    }

    fn value_text(&mut self) -> Result<String, HeaderError> {
        Ok(String::from_utf8_lossy(&self.text("a text", MAX_TEXT_BYTES)?).into_owned())
    }

    fn skip(&mut self, length: u64) -> Result<(), HeaderError> {
        let skipped = io::copy(&mut self.bytes.by_ref().take(length), &mut io::sink())?;
        if skipped == length { Ok(()) } else { Err(HeaderError::Truncated) }
    }

    fn skip_value(&mut self, kind: u32) -> Result<(), HeaderError> {
        match kind {
            TEXT => self.skip_text(),
            ARRAY => self.skip_array(),
            scalar => self.skip(scalar_bytes(scalar)?),
        }
    }

    fn skip_text(&mut self) -> Result<(), HeaderError> {
        let length = self.count("a text", MAX_TEXT_BYTES)?;
        self.skip(length)
    }

    /// Arrays of arrays exist in the format's grammar but in no model, so they count as an unknown type.
    fn skip_array(&mut self) -> Result<(), HeaderError> {
        let kind = self.u32()?;
        let elements = self.count("an array", MAX_ELEMENTS)?;
        if kind != TEXT {
            return self.skip(elements * scalar_bytes(kind)?);
        }
        for _ in 0..elements {
            self.skip_text()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &mut Vec<u8>, text: &str) {
        bytes.extend((text.len() as u64).to_le_bytes());
        bytes.extend(text.as_bytes());
    }

    fn preamble(version: u32, pairs: u64) -> Vec<u8> {
        let mut bytes = b"GGUF".to_vec();
        bytes.extend(version.to_le_bytes());
        bytes.extend(291_u64.to_le_bytes());
        bytes.extend(pairs.to_le_bytes());
        bytes
    }

    /// A header with a scalar, an array of texts and an array of numbers among the texts that matter.
    fn sample() -> Vec<u8> {
        let mut bytes = preamble(3, 6);
        text(&mut bytes, "general.architecture");
        bytes.extend(TEXT.to_le_bytes());
        text(&mut bytes, "qwen2");
        text(&mut bytes, "qwen2.block_count");
        bytes.extend(4_u32.to_le_bytes());
        bytes.extend(24_u32.to_le_bytes());
        text(&mut bytes, "tokenizer.ggml.tokens");
        bytes.extend([ARRAY, TEXT].map(u32::to_le_bytes).concat());
        bytes.extend(2_u64.to_le_bytes());
        text(&mut bytes, "hello");
        text(&mut bytes, "");
        text(&mut bytes, "tokenizer.ggml.token_type");
        bytes.extend([ARRAY, 5].map(u32::to_le_bytes).concat());
        bytes.extend(2_u64.to_le_bytes());
        bytes.extend([1_u32, 1].map(u32::to_le_bytes).concat());
        text(&mut bytes, "general.name");
        bytes.extend(TEXT.to_le_bytes());
        text(&mut bytes, "Sample");
        text(&mut bytes, "tokenizer.chat_template");
        bytes.extend(TEXT.to_le_bytes());
        text(&mut bytes, "{{ messages }}");
        bytes
    }

    #[test]
    fn header_tells_architecture_name_and_template() {
        let header = read_header(sample().as_slice()).expect("the sample is well formed");
        let expected =
            Header { architecture: Some("qwen2".to_owned()), name: Some("Sample".to_owned()), has_chat_template: true };
        assert_eq!(header, expected);
    }

    #[test]
    fn every_truncation_is_an_error() {
        let sample = sample();
        for length in 0..sample.len() {
            assert!(matches!(read_header(&sample[..length]), Err(HeaderError::Truncated)), "cut at {length}");
        }
    }

    #[test]
    fn every_single_byte_may_be_wrong_without_a_panic() {
        for place in 0..sample().len() {
            for value in [0, 1, 9, 0x7f, 0xff] {
                let mut bytes = sample();
                bytes[place] = value;
                let _ = read_header(bytes.as_slice());
            }
        }
    }

    #[test]
    fn garbage_is_refused_with_its_reason() {
        let mut huge_key = preamble(3, 1);
        huge_key.extend(u64::MAX.to_le_bytes());
        let mut unknown_type = preamble(3, 1);
        text(&mut unknown_type, "key");
        unknown_type.extend(13_u32.to_le_bytes());
        let mut huge_array = preamble(3, 1);
        text(&mut huge_array, "key");
        huge_array.extend([ARRAY, 12].map(u32::to_le_bytes).concat());
        huge_array.extend(u64::MAX.to_le_bytes());
        let mut nested = preamble(3, 1);
        text(&mut nested, "key");
        nested.extend([ARRAY, ARRAY].map(u32::to_le_bytes).concat());
        nested.extend(1_u64.to_le_bytes());
        let cases: [(&str, Vec<u8>, &str); 9] = [
            ("empty", Vec::new(), "ends within"),
            ("html", b"<!DOCTYPE html>".to_vec(), "letters GGUF"),
            ("zeros", vec![0; 64], "letters GGUF"),
            ("version 1", preamble(1, 0), "version is 1"),
            ("many pairs", preamble(3, u64::MAX), "key/value pairs"),
            ("huge key", huge_key, "a key of"),
            ("unknown type", unknown_type, "unknown type 13"),
            ("huge array", huge_array, "an array of"),
            ("nested array", nested, "unknown type 9"),
        ];
        for (case, bytes, reason) in cases {
            let error = read_header(bytes.as_slice()).expect_err(case).to_string();
            assert!(error.contains(reason), "{case}: {error}");
        }
    }
}
