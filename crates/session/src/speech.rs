//! From one probability per window to speech that starts and pauses. Pure; time comes in with the windows.

use std::time::Duration;

use dialogue::Timestamp;

use crate::microphone::WINDOW;

/// A window counts as speech from this probability on: Silero's own threshold.
const SPEECH: f32 = 0.5;
/// Within speech a window counts as silence below this one; the gap keeps a soft ending from flickering.
const SILENCE: f32 = 0.35;
/// Windows (32 ms) of speech before it is believed. One alone may be a click.
const WINDOWS_TO_START: u32 = 2;
/// Windows of silence before a pause is judged. 64 ms: the end-of-turn model and the recogniser then work while the
/// least silence passes, so that they cost nothing. Gaps inside words ("a-pple") are judged too, and come to nothing.
const WINDOWS_TO_PAUSE: u32 = 2;

/// A change in what the caller does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Started {
        onset: Timestamp,
    },
    /// One more window of speech; how much there was since the start.
    GoesOn {
        spoken: Duration,
    },
    Paused {
        ended: Timestamp,
    },
}

/// Watches the windows of one caller.
#[derive(Debug, Default)]
pub(crate) struct SpeechWatch {
    state: State,
}

#[derive(Debug, Clone, Copy, Default)]
enum State {
    #[default]
    Quiet,
    Rising {
        onset: Timestamp,
        windows: u32,
    },
    Speaking {
        spoken: u32,
    },
    Falling {
        ended: Timestamp,
        windows: u32,
        spoken: u32,
    },
}

impl SpeechWatch {
    /// Takes the probability of the window that lasted from `began` to `ended`.
    pub(crate) fn window(&mut self, began: Timestamp, ended: Timestamp, probability: f32) -> Option<Change> {
        let speech = probability >= SPEECH;
        let silence = probability < SILENCE;
        let (state, change) = match self.state {
            State::Quiet if speech => rising(began, 1),
            State::Rising { onset, windows } if speech => rising(onset, windows + 1),
            State::Quiet | State::Rising { .. } => (State::Quiet, None),
            State::Speaking { spoken } if silence => (State::Falling { ended: began, windows: 1, spoken }, None),
            State::Falling { ended, windows, spoken } if silence => falling(ended, windows + 1, spoken),
            // Between the two thresholds nothing changes; only speech takes a fall back.
            State::Speaking { .. } | State::Falling { .. } if !speech => (self.state, None),
            State::Speaking { spoken } | State::Falling { spoken, .. } => speaking(spoken + 1),
        };
        debug_assert!(began <= ended, "a window ends after it began");
        self.state = state;
        change
    }

    /// True while the caller speaks, or may still be speaking.
    pub(crate) fn is_speaking(&self) -> bool {
        matches!(self.state, State::Speaking { .. } | State::Falling { .. })
    }
}

fn rising(onset: Timestamp, windows: u32) -> (State, Option<Change>) {
    if windows >= WINDOWS_TO_START {
        (State::Speaking { spoken: windows }, Some(Change::Started { onset }))
    } else {
        (State::Rising { onset, windows }, None)
    }
}

fn speaking(spoken: u32) -> (State, Option<Change>) {
    (State::Speaking { spoken }, Some(Change::GoesOn { spoken: WINDOW * spoken }))
}

fn falling(ended: Timestamp, windows: u32, spoken: u32) -> (State, Option<Change>) {
    if windows >= WINDOWS_TO_PAUSE {
        (State::Quiet, Some(Change::Paused { ended }))
    } else {
        (State::Falling { ended, windows, spoken }, None)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use dialogue::Timestamp;

    use super::{Change, SpeechWatch};

    fn run(probabilities: &[f32]) -> Vec<(usize, Change)> {
        let mut watch = SpeechWatch::default();
        let at = |window: usize| Timestamp::from_millis(window as u64 * 32);
        let windows = probabilities.iter().enumerate();
        windows.filter_map(|(i, &p)| Some((i, watch.window(at(i), at(i + 1), p)?))).collect()
    }

    #[test]
    fn speech_starts_at_its_first_window_and_ends_at_its_last() {
        let changes = run(&[0.1, 0.9, 0.9, 0.9, 0.1, 0.1, 0.1, 0.1]);
        assert_eq!(
            changes,
            [
                (2, Change::Started { onset: Timestamp::from_millis(32) }),
                (3, Change::GoesOn { spoken: Duration::from_millis(96) }),
                (5, Change::Paused { ended: Timestamp::from_millis(128) })
            ]
        );
    }

    #[test]
    fn a_click_is_not_speech_and_a_stop_inside_a_word_is_not_a_pause() {
        assert_eq!(run(&[0.1, 0.9, 0.1, 0.9, 0.1]), []);
        let changes = run(&[0.9, 0.9, 0.1, 0.4, 0.9, 0.9]);
        assert!(!changes.iter().any(|(_, change)| matches!(change, Change::Paused { .. })));
    }
}
