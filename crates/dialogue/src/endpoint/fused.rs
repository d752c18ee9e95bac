//! The fused strategy: the end-of-turn model hears the melody, the words tell whether the sentence can end here, and
//! the speaker's own pauses tell how long they think.
//!
//! Each piece of evidence adds to the log-odds that the turn is over; the odds choose a silence between the least and
//! the most. So no single piece can cut somebody off, and no single piece can keep them waiting.

use std::time::Duration;

use super::Evidence;
use super::wording::{self, Ending};

/// The figures of the fused strategy. Weights are in log-odds: set by judgement, then corrected for commas and greetings by
/// what `benches/run taking` showed; `docs/turn-taking.md` has the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Fused {
    /// The least silence before a turn is over, however complete it sounds. Below 200 ms people feel cut off.
    pub min_silence: Duration,
    /// The most silence to wait for somebody who sounds unfinished.
    pub max_silence: Duration,
    /// From this probability on, the turn is taken for complete and its answer is started ahead. Of 0.5 to 0.9 the least
    /// that cut off fewer than one in twenty of the turns it was tuned on; the answer, begun ahead, came no later.
    pub threshold: f32,
}

impl Default for Fused {
    fn default() -> Self {
        Self { min_silence: Duration::from_millis(200), max_silence: Duration::from_millis(1_200), threshold: 0.8 }
    }
}

/// What a sentence that ends adds: a full stop of a recogniser that hears melody too, or a question.
const FULL_STOP: f32 = 0.8;
/// What words that cannot end a sentence take away ("I would like to", "and").
const HANGING: f32 = -4.0;
/// What no mark at all takes away.
const OPEN: f32 = -0.7;
/// What a comma or a greeting alone takes away.
const COMMA: f32 = -2.5;
/// What numbers and spelt letters take away: people pause between groups of digits.
const DICTATING: f32 = -2.0;
/// The model's log-odds are bounded: its 0.99 is wrong more often than one time in a hundred.
const MOST_TRUST: f32 = 3.0;

impl Fused {
    /// The probability that the turn is over; none while the end-of-turn model has not said anything.
    fn probability(&self, evidence: Evidence<'_>) -> Option<f32> {
        let heard = logit(evidence.completeness?).clamp(-MOST_TRUST, MOST_TRUST);
        // Relative to the threshold, so that an eager agent believes sooner and a patient one later.
        let bias = -logit(self.threshold);
        let read = match evidence.words.map(wording::ending) {
            None => 0.0,
            Some(Ending::Sentence) => FULL_STOP,
            Some(Ending::Open) => OPEN,
            Some(Ending::Comma) => COMMA,
            Some(Ending::Hanging) => HANGING,
            Some(Ending::Dictating) => DICTATING,
        };
        Some(sigmoid(heard + bias + read))
    }

    pub(super) fn silence_needed(&self, evidence: Evidence<'_>) -> Duration {
        // Without a verdict the longest silence decides.
        let Some(probability) = self.probability(evidence) else { return self.max_silence };
        let doubt = 1.0 - probability;
        // A pause this speaker often makes inside a turn ends none, unless all evidence says so.
        let floor = evidence.pace.usual_pause().mul_f32(doubt.sqrt());
        // Doubt counts little as long as it is small: the square keeps clear endings quick.
        let span = self.max_silence.saturating_sub(self.min_silence);
        let wait = self.min_silence + span.mul_f32((2.0 * doubt * doubt).min(1.0));
        wait.max(floor).min(self.max_silence)
    }

    pub(super) fn looks_complete(&self, evidence: Evidence<'_>) -> bool {
        self.probability(evidence).is_some_and(|p| p >= 0.5)
    }
}

fn logit(probability: f32) -> f32 {
    let p = probability.clamp(0.001, 0.999);
    (p / (1.0 - p)).ln()
}

fn sigmoid(odds: f32) -> f32 {
    1.0 / (1.0 + (-odds).exp())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::{Evidence, Pace};
    use super::Fused;

    fn needed(completeness: Option<f32>, words: Option<&str>, pace: &Pace) -> Duration {
        Fused::default().silence_needed(Evidence { completeness, words, pace })
    }

    #[test]
    fn a_finished_question_is_answered_at_once() {
        let wait = needed(Some(0.95), Some("Should I get a dog or a cat?"), &Pace::default());
        assert!(wait < Duration::from_millis(230), "{wait:?}");
    }

    #[test]
    fn words_that_cannot_end_a_sentence_are_waited_for_whatever_the_melody() {
        let wait = needed(Some(0.9), Some("I would like to"), &Pace::default());
        assert!(wait > Duration::from_millis(800), "{wait:?}");
    }

    #[test]
    fn groups_of_digits_are_given_time() {
        let spoken = needed(Some(0.8), Some("My number is four eight two one"), &Pace::default());
        let said = needed(Some(0.8), Some("I live in the old town."), &Pace::default());
        assert!(spoken > said + Duration::from_millis(200), "{spoken:?} against {said:?}");
    }

    #[test]
    fn a_slow_speaker_is_given_more_time() {
        let mut slow = Pace::default();
        (0..3).for_each(|_| slow.went_on_after(Duration::from_millis(900)));
        let evidence = (Some(0.9), Some("I went there."));
        assert!(needed(evidence.0, evidence.1, &slow) > needed(evidence.0, evidence.1, &Pace::default()));
    }

    #[test]
    fn without_a_verdict_the_longest_silence_decides() {
        assert_eq!(needed(None, Some("Yes."), &Pace::default()), Fused::default().max_silence);
    }
}
