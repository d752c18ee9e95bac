//! Audio as vendors send and take it: 16-bit little-endian samples, mono, without a header.

use std::sync::Arc;

/// What a sample of 16 bits is divided by.
const FULL_SCALE: f32 = 32_768.0;

/// Turns bytes into samples. A sample may be cut anywhere: the odd byte waits for its other half.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    half: Option<u8>,
}

impl Samples {
    /// The samples that these bytes complete, in −1..1; none when there are none.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Option<Arc<[f32]>> {
        let mut bytes = bytes.iter().copied();
        let mut samples = Vec::with_capacity(bytes.len() / 2 + 1);
        while let Some(low) = self.half.take().or_else(|| bytes.next()) {
            match bytes.next() {
                Some(high) => samples.push(f32::from(i16::from_le_bytes([low, high])) / FULL_SCALE),
                None => self.half = Some(low),
            }
            if self.half.is_some() {
                break;
            }
        }
        (!samples.is_empty()).then(|| samples.into())
    }
}

/// Samples as bytes. What is too loud is as loud as can be.
pub(crate) fn bytes(samples: &[f32]) -> Vec<u8> {
    let value = |&sample: &f32| (sample * FULL_SCALE).round().clamp(-FULL_SCALE, FULL_SCALE - 1.0) as i16;
    samples.iter().map(value).flat_map(i16::to_le_bytes).collect()
}

#[cfg(test)]
mod tests {
    use super::Samples;

    #[test]
    fn samples_are_the_same_however_the_bytes_are_cut() {
        let values = [0_i16, 1, -1, 256, i16::MAX, i16::MIN, -12_345];
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let expected: Vec<f32> = values.iter().map(|&value| f32::from(value) / 32_768.0).collect();
        for piece in 1..=bytes.len() {
            let mut samples = Samples::default();
            let made: Vec<f32> =
                bytes.chunks(piece).filter_map(|bytes| samples.push(bytes)).flat_map(|part| part.to_vec()).collect();
            assert_eq!(made, expected, "in pieces of {piece}");
        }
    }
}
