//! When each part of a turn happened, on the session's one clock.

use std::time::Duration;

use crate::Timestamp;

/// The moments of a turn, as far as they came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TurnTimings {
    /// The caller's last speech.
    pub speech_ended: Option<Timestamp>,
    /// The turn was decided to be over.
    pub decided: Option<Timestamp>,
    /// The words were final.
    pub words: Option<Timestamp>,
    /// The model's first text of the attempt that was spoken.
    pub first_text: Option<Timestamp>,
    /// The first clause was complete.
    pub first_clause: Option<Timestamp>,
    /// The first audio was made.
    pub first_audio: Option<Timestamp>,
    /// The first frame left for the caller.
    pub first_played: Option<Timestamp>,
    /// The last moment at which more of the answer was heard.
    pub last_heard: Option<Timestamp>,
    /// The turn was over.
    pub ended: Option<Timestamp>,
}

/// Where the time from the end of speech to the first frame went. A stage that ran ahead of the one before it counts
/// nothing, so the stages add up to the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StageTimes {
    /// End of speech to the decision.
    pub endpoint: Duration,
    /// Decision to the final words.
    pub stt: Duration,
    /// Final words to the model's first text.
    pub llm_first_token: Duration,
    /// First text to the first clause.
    pub first_clause: Duration,
    /// First clause to its first audio.
    pub tts: Duration,
    /// First audio to the first frame out.
    pub playout: Duration,
}

impl StageTimes {
    /// Name and length of each stage, in the order they pass.
    pub fn named(&self) -> [(&'static str, Duration); 6] {
        [
            ("endpoint", self.endpoint),
            ("stt", self.stt),
            ("llm_first_token", self.llm_first_token),
            ("first_clause", self.first_clause),
            ("tts", self.tts),
            ("playout", self.playout),
        ]
    }
}

impl TurnTimings {
    /// From the end of speech to the first frame of the answer; none while either is missing.
    pub fn voice_to_voice(&self) -> Option<Duration> {
        Some(self.first_played?.since(self.speech_ended?))
    }

    /// From the first frame of the answer to the last moment it was heard, pauses within it included; none if nothing
    /// was heard. No part of [`Self::voice_to_voice`]: it begins where that ends.
    pub fn heard(&self) -> Option<Duration> {
        let first = self.first_played?;
        Some(self.last_heard.unwrap_or(first).since(first))
    }

    /// The stages of [`Self::voice_to_voice`].
    pub fn stages(&self) -> Option<StageTimes> {
        let mut cursor = self.speech_ended?;
        self.first_played?;
        let mut pass = |moment: Option<Timestamp>| {
            let reached = moment.unwrap_or(cursor).max(cursor);
            let span = reached.since(cursor);
            cursor = reached;
            span
        };
        Some(StageTimes {
            endpoint: pass(self.decided),
            stt: pass(self.words),
            llm_first_token: pass(self.first_text),
            first_clause: pass(self.first_clause),
            tts: pass(self.first_audio),
            playout: pass(self.first_played),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::TurnTimings;
    use crate::Timestamp;

    #[test]
    fn stages_add_up_though_some_ran_ahead() {
        let at = |ms| Some(Timestamp::from_millis(ms));
        let timings = TurnTimings {
            speech_ended: at(1_000),
            decided: at(1_200),
            words: at(1_150),
            first_text: at(1_190),
            first_clause: at(1_400),
            first_audio: at(1_450),
            first_played: at(1_470),
            last_heard: at(2_990),
            ended: at(3_000),
        };
        let stages = timings.stages().expect("both ends are there");
        assert_eq!((stages.stt, stages.llm_first_token), (Duration::ZERO, Duration::ZERO));
        let sum = stages.endpoint + stages.first_clause + stages.tts + stages.playout;
        assert_eq!(Some(sum), timings.voice_to_voice());
        assert_eq!(timings.heard(), Some(Duration::from_millis(1_520)), "it begins where the stages end");
    }

    #[test]
    fn an_answer_that_never_played_was_not_heard() {
        let timings = TurnTimings { speech_ended: Some(Timestamp::from_millis(9)), ..TurnTimings::default() };
        assert_eq!(timings.heard(), None);
    }
}
