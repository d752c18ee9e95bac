//! Where one sentence of an answer ends and the next begins, in audio that comes without marks.
//!
//! An estimate by the length of the text says about where; the quietest spot near it is taken. Sentences are played one
//! behind the other, so a cut at the wrong place is not heard: it only shifts which words count as heard.

use audio::energy;

/// What is judged as one: 20 ms.
pub(super) const FRAMES_PER_SECOND: u32 = 50;
/// How far from the estimate the end is looked for, as shares of the sentence's length.
const EARLIEST: f32 = 0.75;
const LATEST: f32 = 1.3;
/// A pause between sentences lasts at least this long (100 ms); between words it is shorter.
const PAUSE_FRAMES: usize = 5;
/// Frames whose mean loudness is compared where all is known: 40 ms.
const SPOT_FRAMES: usize = 2;
/// Below −40 dBFS nobody speaks.
const QUIET: f32 = 0.01;

/// Looks for the end of a sentence.
#[derive(Debug)]
pub(super) struct Cut {
    /// How many samples of the sentence were passed already.
    pub(super) passed: usize,
    /// Its length, by estimate.
    pub(super) estimate: usize,
    pub(super) frame: usize,
}

impl Cut {
    /// How many of these next samples belong to the sentence, and whether it ends behind them. `complete` says that no
    /// more will come.
    pub(super) fn take(&self, samples: &[f32], complete: bool) -> (usize, bool) {
        let at = |share: f32| ((self.estimate as f32 * share) as usize).saturating_sub(self.passed);
        let (earliest, latest) = (at(EARLIEST), at(LATEST));
        if samples.len() >= latest || complete {
            let end = self.quietest(samples, earliest, latest);
            return (end, end < samples.len() || complete);
        }
        match pause(samples, earliest, self.frame) {
            Some(end) => (end, true),
            // What may belong to the next sentence waits until its place is known: a moment, since models make audio
            // faster than it is played.
            None => (at(1.0).min(samples.len()) / self.frame * self.frame, false),
        }
    }

    /// The quietest spot between two places, of several the nearest to the estimate.
    fn quietest(&self, samples: &[f32], earliest: usize, latest: usize) -> usize {
        let target = self.estimate.saturating_sub(self.passed).min(samples.len());
        let (from, to) = (earliest.min(samples.len()), latest.min(samples.len()));
        let spot = SPOT_FRAMES * self.frame;
        let starts = (from..).step_by(self.frame / 4).take_while(|start| start + spot <= to);
        let judged = starts.map(|start| {
            let middle = start + spot / 2;
            // All that is silent is equally so.
            let loudness = energy::rms(&samples[start..start + spot]).max(QUIET / 10.0);
            (loudness, middle.abs_diff(target), middle)
        });
        let best = judged.min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        best.map_or(target, |(_, _, middle)| middle)
    }
}

/// The end of the first pause after a place.
fn pause(samples: &[f32], from: usize, frame: usize) -> Option<usize> {
    let mut quiet = 0;
    let frames = samples.chunks_exact(frame).enumerate().skip(from.div_ceil(frame));
    frames.map(|(at, frame_samples)| (at, energy::rms(frame_samples) < QUIET)).find_map(|(at, is_quiet)| {
        quiet = if is_quiet { quiet + 1 } else { 0 };
        (quiet == PAUSE_FRAMES).then_some((at + 1) * frame)
    })
}

#[cfg(test)]
mod tests {
    use super::Cut;

    const FRAME: usize = 20;

    fn speech(parts: &[(usize, f32)]) -> Vec<f32> {
        parts.iter().flat_map(|&(samples, level)| std::iter::repeat_n(level, samples)).collect()
    }

    fn cut(passed: usize) -> Cut {
        Cut { passed, estimate: 1_000, frame: FRAME }
    }

    #[test]
    fn what_comes_before_the_end_is_passed_at_once() {
        assert_eq!(cut(0).take(&speech(&[(500, 0.3)]), false), (500, false));
        assert_eq!(cut(0).take(&speech(&[(300, 0.3), (200, 0.0)]), false), (500, false), "a pause far too early");
    }

    #[test]
    fn a_pause_near_the_estimate_ends_it_while_audio_comes() {
        let samples = speech(&[(900, 0.3), (140, 0.0), (40, 0.3)]);
        assert_eq!(cut(0).take(&samples, false), (1_000, true));
        assert_eq!(cut(600).take(&samples[600..], false), (400, true));
    }

    #[test]
    fn the_quietest_spot_is_taken_where_all_is_known() {
        let samples = speech(&[(1_120, 0.3), (60, 0.02), (2_000, 0.3)]);
        let (end, ends) = cut(0).take(&samples, true);
        assert!(ends && (1_120..1_180).contains(&end), "{end}");
        let (end, _) = cut(0).take(&speech(&[(3_000, 0.3)]), true);
        assert!((950..1_050).contains(&end), "none is quieter: {end}");
    }

    #[test]
    fn no_more_is_taken_than_there_is() {
        assert_eq!(cut(0).take(&speech(&[(300, 0.3)]), true), (300, true));
        assert_eq!(cut(0).take(&[], true), (0, true));
    }
}
