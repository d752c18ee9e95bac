//! The audio that has no final words yet. Positions count samples of everything that was handed to Google for one
//! speaker, silence too, over all streams.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::stt::SAMPLE_RATE_HZ;

/// The most that is kept, and so the most that is sent again: a minute. Google says something final more often.
const MAX_SAMPLES: usize = 60 * SAMPLE_RATE_HZ as usize;
/// The most audio of one message: 100 ms. Google takes five times as much.
pub(super) const PIECE_BYTES: usize = 2 * SAMPLE_RATE_HZ as usize / 10;
const SAMPLE_BYTES: usize = 2;

/// What was handed over last.
#[derive(Debug, Default)]
pub(super) struct Tape {
    bytes: VecDeque<u8>,
    /// The position after the last sample.
    end: u64,
}

impl Tape {
    /// The position after the last sample.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Adds samples of 16 bits.
    pub(super) fn record(&mut self, bytes: &[u8]) {
        debug_assert!(bytes.len().is_multiple_of(SAMPLE_BYTES), "samples are whole");
        self.bytes.extend(bytes);
        self.end += (bytes.len() / SAMPLE_BYTES) as u64;
        let excess = self.bytes.len().saturating_sub(MAX_SAMPLES * SAMPLE_BYTES);
        self.bytes.drain(..excess);
    }

    /// Nobody will want what was before this position again.
    pub(super) fn forget_before(&mut self, position: u64) {
        let from = self.offset(position);
        self.bytes.drain(..from);
    }

    /// All audio from a position on, or from the first that is kept, in pieces; and where it begins.
    pub(super) fn from(&self, position: u64) -> (u64, Vec<Bytes>) {
        let offset = self.offset(position);
        let audio: Vec<u8> = self.bytes.iter().skip(offset).copied().collect();
        let begins = self.end - (audio.len() / SAMPLE_BYTES) as u64;
        (begins, audio.chunks(PIECE_BYTES).map(Bytes::copy_from_slice).collect())
    }

    fn offset(&self, position: u64) -> usize {
        let kept = self.bytes.len() / SAMPLE_BYTES;
        let back = usize::try_from(self.end.saturating_sub(position)).unwrap_or(usize::MAX);
        kept.saturating_sub(back) * SAMPLE_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_SAMPLES, Tape};

    #[test]
    fn audio_is_found_by_its_position() {
        let mut tape = Tape::default();
        tape.record(&[1, 0, 2, 0]);
        tape.record(&[3, 0]);
        let (begins, pieces) = tape.from(1);
        assert_eq!((begins, pieces.concat()), (1, vec![2, 0, 3, 0]));
        tape.forget_before(2);
        let (begins, pieces) = tape.from(0);
        assert_eq!((begins, pieces.concat()), (2, vec![3, 0]));
        assert_eq!(tape.from(9), (3, Vec::new()));
    }

    #[test]
    fn the_oldest_audio_goes_first() {
        let mut tape = Tape::default();
        tape.record(&vec![0; MAX_SAMPLES * 2]);
        tape.record(&[7, 0]);
        let (begins, pieces) = tape.from(0);
        assert_eq!(begins, 1);
        assert!(pieces.concat().ends_with(&[7, 0]));
    }
}
