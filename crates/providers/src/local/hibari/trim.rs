//! Takes excess silence from the ends of a clause, piece by piece.
//!
//! The voice begins with up to 0.3 s of silence, which the caller would hear as a slow answer, and ends with more
//! than a sentence needs. Pauses inside stay as they are.

use super::vocoder::SAMPLE_RATE_HZ;

/// Quieter than this is silence (−50 dBFS), well under the voice's softest consonant.
const SILENCE: f32 = 0.003;
/// Silence kept before the first sound: 30 ms, so that its onset is not clipped.
const LEAD_SAMPLES: usize = SAMPLE_RATE_HZ as usize * 10 / 1000;
/// Silence kept after the last sound: 160 ms, a natural gap before the next sentence.
const TAIL_SAMPLES: usize = SAMPLE_RATE_HZ as usize * 160 / 1000;

/// The state between pieces.
#[derive(Debug, Default)]
pub(super) struct Trim {
    started: bool,
    /// Silence that belongs to the clause only if sound follows.
    held: Vec<f32>,
}

impl Trim {
    /// What can be heard for certain, up to and with `piece`.
    pub(super) fn push(&mut self, piece: &[f32]) -> Vec<f32> {
        self.held.extend_from_slice(piece);
        let Some(last) = self.held.iter().rposition(|sample| sample.abs() >= SILENCE) else {
            if !self.started {
                // Of the silence before the clause, only its end can be wanted.
                self.held.drain(..self.held.len().saturating_sub(LEAD_SAMPLES));
            }
            return Vec::new();
        };
        if !self.started {
            self.started = true;
            let first = self.held.iter().position(|sample| sample.abs() >= SILENCE).unwrap_or(last);
            let lead = first.saturating_sub(LEAD_SAMPLES);
            self.held.drain(..lead);
            return self.held.drain(..=last - lead).collect();
        }
        self.held.drain(..=last).collect()
    }

    /// The rest, after the last piece.
    pub(super) fn finish(mut self) -> Vec<f32> {
        self.held.truncate(if self.started { TAIL_SAMPLES } else { 0 });
        self.held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_at_the_ends_is_cut_and_inside_is_kept() {
        let silence = |count: usize| vec![0.0; count];
        let sound = vec![0.5; 1_000];
        let audio = [silence(7_000), sound.clone(), silence(5_000), sound, silence(9_000)].concat();
        for piece in [700, 4_800, 30_000] {
            let mut trim = Trim::default();
            let mut heard: Vec<f32> = audio.chunks(piece).flat_map(|piece| trim.push(piece)).collect();
            heard.extend(trim.finish());
            assert_eq!(heard.len(), LEAD_SAMPLES + 1_000 + 5_000 + 1_000 + TAIL_SAMPLES, "pieces of {piece}");
        }
    }

    #[test]
    fn silence_alone_says_nothing() {
        let mut trim = Trim::default();
        assert!(trim.push(&[0.0; 50_000]).is_empty());
        assert!(trim.finish().is_empty());
    }
}
