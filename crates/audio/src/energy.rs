//! How loud samples are: RMS, peak and decibels below full scale. Samples are `f32` in -1.0 to 1.0.

/// What silence reads in dBFS, instead of minus infinity.
pub const SILENCE_DBFS: f32 = -120.0;

/// Root mean square; 0 for no samples.
#[must_use]
pub fn rms(samples: &[f32]) -> f32 {
    if samples.is_empty() {
        return 0.0;
    }
    let sum: f64 = samples.iter().map(|&s| f64::from(s) * f64::from(s)).sum();
    (sum / samples.len() as f64).sqrt() as f32
}

/// The greatest magnitude; 0 for no samples.
#[must_use]
pub fn peak(samples: &[f32]) -> f32 {
    samples.iter().fold(0.0, |peak, s| s.abs().max(peak))
}

/// RMS in decibels below full scale, never under [`SILENCE_DBFS`].
#[must_use]
pub fn dbfs(samples: &[f32]) -> f32 {
    amplitude_to_dbfs(rms(samples))
}

/// An amplitude of 0.0 to 1.0 in decibels below full scale, never under [`SILENCE_DBFS`].
#[must_use]
pub fn amplitude_to_dbfs(amplitude: f32) -> f32 {
    if amplitude <= 0.0 {
        return SILENCE_DBFS;
    }
    (20.0 * amplitude.log10()).max(SILENCE_DBFS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_scale_square_wave_is_zero_dbfs() {
        let square: Vec<f32> = (0..480).map(|i| if i % 2 == 0 { 1.0 } else { -1.0 }).collect();
        assert!((dbfs(&square)).abs() < 1e-4);
        assert!((peak(&square) - 1.0).abs() < 1e-6);
    }

    #[test]
    fn a_full_scale_sine_is_three_decibels_lower() {
        let sine: Vec<f32> = (0..48_000).map(|i| (i as f32 * 0.05).sin()).collect();
        assert!((dbfs(&sine) + 3.01).abs() < 0.05, "{}", dbfs(&sine));
    }

    #[test]
    fn silence_and_nothing_have_a_floor() {
        assert_eq!(dbfs(&[]), SILENCE_DBFS);
        assert_eq!(dbfs(&[0.0; 100]), SILENCE_DBFS);
        assert_eq!(peak(&[]), 0.0);
    }
}
