//! The fused strategy: the end-of-turn model hears the melody, the words tell whether the sentence can end here, and
//! the speaker's own pauses tell how long they think.
//!
//! Each piece of evidence adds to the log-odds that the turn is over; the odds choose a silence between the least and
//! the most. So no single piece can cut somebody off, and no single piece can keep them waiting.

use std::time::Duration;

use super::Evidence;
use super::wording::{self, Ending};

/// The figures of the fused strategy. `docs/turn-taking.md` tells how they were found and what they are worth.
#[derive(Debug, Clone, PartialEq)]
pub struct Fused {
    /// The least silence before a turn is over, however complete it sounds. An answer that was started ahead is ready
    /// after about half a second, so less would gain nothing by default.
    pub min_silence: Duration,
    /// The most silence to wait for somebody who sounds unfinished. Who stops at words that cannot end a sentence is given
    /// twice as much.
    pub max_silence: Duration,
    /// The end-of-turn model's probability from which on a turn is rather taken for complete.
    pub threshold: f32,
}

impl Default for Fused {
    fn default() -> Self {
        Self { min_silence: Duration::from_millis(400), max_silence: Duration::from_millis(960), threshold: 0.9 }
    }
}

/// What the end-of-turn model's log-odds count for, and their bounds. It is surer of itself than it is right: over 400
/// finished and 1,070 unfinished turns a fit gives it 0.4 at best.
const MELODY: f32 = 0.5;
const MOST_TRUST: f32 = 4.0;
/// What the words add, in log-odds. Set near the logarithm of how often turns that are over end so, against turns that
/// are not (the same 1,470); greetings and dictation by judgement, since those recordings have none.
const QUESTION: f32 = 0.8;
const SENTENCE: f32 = 0.2;
const COMMA: f32 = -0.3;
const OPEN: f32 = -0.6;
const LEANING: f32 = -1.5;
const OPENING: f32 = -2.0;
const HANGING: f32 = -2.5;
const DICTATING: f32 = -2.0;
/// From these odds on an answer is started ahead, however patient the agent is: a sentence that the model gives 0.6. One
/// that is thrown away costs work and nothing else.
const WORTH_A_TRY: f32 = 0.4;
/// Who stops at words that cannot end a sentence is given so many times the longest silence: one finished turn in eighty
/// ends so (mostly misheard), and one unfinished in five.
const PATIENCE: f32 = 2.0;
/// The most for them: after that nobody takes a silence for a pause.
const MOST_PATIENCE: Duration = Duration::from_millis(2_400);

impl Fused {
    /// The probability that the turn is over; none while the end-of-turn model has not said anything.
    fn probability(&self, evidence: Evidence<'_>) -> Option<f32> {
        // Relative to the threshold, so that an eager agent believes sooner and a patient one later.
        let bias = -MELODY * logit(self.threshold);
        Some(sigmoid(odds(evidence)? + bias))
    }

    pub(super) fn silence_needed(&self, evidence: Evidence<'_>) -> Duration {
        // Without a verdict the longest silence decides.
        let Some(probability) = self.probability(evidence) else { return self.max_silence };
        let doubt = 1.0 - probability;
        // A pause this speaker often makes inside a turn ends none, unless all evidence says so.
        let floor = evidence.pace.usual_pause().mul_f32(doubt.sqrt());
        // Doubt counts little as long as it is small: the square keeps clear endings quick.
        let most = if ends_unfinished(evidence.words) { self.patience() } else { self.max_silence };
        let span = most.saturating_sub(self.min_silence);
        let wait = self.min_silence + span.mul_f32((2.0 * doubt * doubt).min(1.0));
        wait.min(most).max(floor.min(self.patience()))
    }

    /// The most silence for somebody who has surely not finished, or who is known to pause for so long.
    fn patience(&self) -> Duration {
        self.max_silence.mul_f32(PATIENCE).min(MOST_PATIENCE).max(self.max_silence)
    }

    pub(super) fn looks_complete(&self, evidence: Evidence<'_>) -> bool {
        odds(evidence).is_some_and(|odds| odds >= WORTH_A_TRY)
    }
}

/// What melody and words say together, in log-odds.
fn odds(evidence: Evidence<'_>) -> Option<f32> {
    let heard = MELODY * logit(evidence.completeness?).clamp(-MOST_TRUST, MOST_TRUST);
    let read = match evidence.words.map(wording::ending) {
        None => 0.0,
        Some(Ending::Question) => QUESTION,
        Some(Ending::Sentence) => SENTENCE,
        Some(Ending::Comma) => COMMA,
        Some(Ending::Open) => OPEN,
        Some(Ending::Leaning) => LEANING,
        Some(Ending::Opening) => OPENING,
        Some(Ending::Hanging) => HANGING,
        Some(Ending::Dictating) => DICTATING,
    };
    Some(heard + read)
}

fn ends_unfinished(words: Option<&str>) -> bool {
    matches!(words.map(wording::ending), Some(Ending::Leaning | Ending::Hanging | Ending::Dictating))
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
        assert!(wait < Fused::default().min_silence + Duration::from_millis(80), "{wait:?}");
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
        (0..3).for_each(|_| slow.went_on_after(Duration::from_millis(1_300)));
        let evidence = (Some(0.1), Some("I went there"));
        assert!(needed(evidence.0, evidence.1, &slow) > needed(evidence.0, evidence.1, &Pace::default()));
    }

    #[test]
    fn without_a_verdict_the_longest_silence_decides() {
        assert_eq!(needed(None, Some("Yes."), &Pace::default()), Fused::default().max_silence);
    }
}
