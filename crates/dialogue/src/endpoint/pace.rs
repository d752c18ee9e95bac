//! How one speaker pauses: an adaptive floor for the silence that ends their turns.

use std::time::Duration;

/// Shorter pauses say nothing about thinking; longer ones are no pauses inside a turn.
const COUNTED: std::ops::Range<Duration> = Duration::from_millis(150)..Duration::from_millis(2_500);
/// How far each pause moves the estimate up: a long one is learnt quickly, since being cut off hurts.
const RISE: f32 = 0.6;
/// How far each shorter pause moves it down.
const FALL: f32 = 0.15;
/// A turn that ends without trouble lets the estimate fade a little.
const FADE: f32 = 0.95;

/// What is known of a speaker's pauses inside their turns.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Pace {
    usual: Duration,
}

impl Pace {
    /// The speaker went on after a silence: it was a pause inside a turn.
    pub(crate) fn went_on_after(&mut self, silence: Duration) {
        if COUNTED.contains(&silence) {
            let weight = if silence > self.usual { RISE } else { FALL };
            self.usual = self.usual.mul_f32(1.0 - weight) + silence.mul_f32(weight);
        }
    }

    /// A turn ended where the speaker wanted it to end.
    pub(crate) fn turn_ended_well(&mut self) {
        self.usual = self.usual.mul_f32(FADE);
    }

    /// How long this speaker usually pauses inside a turn; zero while nothing is known.
    pub(crate) fn usual_pause(&self) -> Duration {
        self.usual
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Pace;

    #[test]
    fn long_pauses_are_learnt_quickly_and_forgotten_slowly() {
        let mut pace = Pace::default();
        pace.went_on_after(Duration::from_millis(800));
        pace.went_on_after(Duration::from_millis(800));
        assert!(pace.usual_pause() > Duration::from_millis(600));
        (0..5).for_each(|_| pace.turn_ended_well());
        assert!(pace.usual_pause() > Duration::from_millis(450));
        pace.went_on_after(Duration::from_secs(10));
        assert!(pace.usual_pause() < Duration::from_secs(1), "a long absence is no pause");
    }
}
