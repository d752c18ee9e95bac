//! Whether what a microphone hears is what a loudspeaker played: the normalised cross-correlation over all delays.

use super::RATE_HZ;

/// The rate at which signals are compared, in Hz. What carries a voice lies below 2 kHz.
pub const THIN_RATE_HZ: u32 = RATE_HZ / THIN_BY as u32;
const THIN_BY: usize = 4;
/// Power per sample below which a stretch counts as silence and is like nothing (-80 dBFS).
const SILENT_POWER: f32 = 1e-8;

/// Appends `samples` (at [`RATE_HZ`]) at [`THIN_RATE_HZ`]: the mean of each group. What it lets through of higher
/// frequencies is folded alike in both signals, so it does not hurt their likeness.
pub fn thin(samples: &[f32], out: &mut Vec<f32>) {
    out.extend(samples.as_chunks::<THIN_BY>().0.iter().map(|group| group.iter().sum::<f32>() / THIN_BY as f32));
}

/// The greatest magnitude of the normalised cross-correlation (0 to 1) of `heard` with every stretch of `played` of
/// the same length, both at [`THIN_RATE_HZ`] and ending now. 0 where either is silent or `played` is the shorter.
#[must_use]
pub fn likeness(heard: &[f32], played: &[f32]) -> f32 {
    let count = heard.len();
    let silent = SILENT_POWER * count as f32;
    let power = power(heard);
    if count == 0 || played.len() < count || power < silent {
        return 0.0;
    }
    let mut greatest = 0.0_f32;
    for stretch in played.windows(count) {
        let (product, own) = product_and_power(heard, stretch);
        if own > silent {
            greatest = greatest.max(product.abs() / (own * power).sqrt());
        }
    }
    greatest.min(1.0)
}

fn power(samples: &[f32]) -> f32 {
    samples.iter().map(|sample| sample * sample).sum()
}

/// In lanes, so that the compiler may use vector instructions: a plain sum fixes the order of additions.
fn product_and_power(heard: &[f32], stretch: &[f32]) -> (f32, f32) {
    const LANES: usize = 8;
    let (mut product, mut power) = ([0.0_f32; LANES], [0.0_f32; LANES]);
    for (heard, stretch) in heard.as_chunks::<LANES>().0.iter().zip(stretch.as_chunks::<LANES>().0) {
        for lane in 0..LANES {
            product[lane] += heard[lane] * stretch[lane];
            power[lane] += stretch[lane] * stretch[lane];
        }
    }
    (product.iter().sum(), power.iter().sum())
}

#[cfg(test)]
mod tests {
    use super::{likeness, thin};

    /// Noise from a fixed seed, smoothed so that neighbours resemble each other as in speech.
    fn noise(mut state: u64, count: usize) -> Vec<f32> {
        let mut smooth = 0.0;
        std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            smooth = 0.6 * smooth + 0.4 * ((state >> 40) as f32 / 8_388_608.0 - 1.0);
            smooth
        })
        .take(count)
        .collect()
    }

    #[test]
    fn a_soft_late_copy_is_alike_and_another_signal_is_not() {
        let played = noise(1, 3_000);
        let copy: Vec<f32> = played[1_500..2_012].iter().map(|sample| -0.03 * sample).collect();
        assert!(likeness(&copy, &played) > 0.99);
        assert!(likeness(&noise(2, 512), &played) < 0.4);
    }

    #[test]
    fn silence_and_too_short_signals_are_like_nothing() {
        assert_eq!(likeness(&[0.0; 512], &noise(1, 3_000)), 0.0);
        assert_eq!(likeness(&noise(1, 512), &[0.0; 3_000]), 0.0);
        assert_eq!(likeness(&noise(1, 512), &noise(1, 511)), 0.0);
        assert_eq!(likeness(&[], &[]), 0.0);
    }

    #[test]
    fn thinning_keeps_the_mean_of_each_group() {
        let mut out = Vec::new();
        thin(&[1.0, 2.0, 3.0, 4.0, 0.5, 0.5, 0.5, 0.5, 9.0], &mut out);
        assert_eq!(out, [2.5, 0.5]);
    }
}
