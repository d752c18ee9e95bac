//! What the caller's loudspeaker plays, hop by hop: the agent's voice as it was made, at the moments at which it left.

use std::collections::VecDeque;
use std::time::Duration;

use audio::echo::{HOP_MS, Listener, Pattern, RATE_HZ};
use audio::leg::{Clip, PlayoutMark};
use audio::resample::Resampler;
use dialogue::Timestamp;

/// Voice is made ahead of being heard, at most as much as media keeps (one minute); older clips are forgotten.
const MAX_CLIPS: usize = 64;

pub(crate) struct Playback {
    resampler: Resampler,
    listener: Listener,
    clips: VecDeque<(Clip, Vec<Pattern>)>,
    playing: Option<Playing>,
}

struct Playing {
    clip: Clip,
    /// When its first sample left, as if it had never been held.
    began: Timestamp,
}

impl Playback {
    pub(crate) fn new(voice_rate_hz: u32) -> Self {
        Self {
            resampler: Resampler::new(voice_rate_hz, RATE_HZ),
            listener: Listener::default(),
            clips: VecDeque::new(),
            playing: None,
        }
    }

    /// Takes the next samples of a clip, at the voice's rate.
    pub(crate) fn made(&mut self, clip: Clip, samples: &[f32]) {
        let mut resampled = Vec::new();
        self.resampler.process(samples, &mut resampled);
        let patterns = self.listener.listen(&resampled);
        match self.clips.back_mut() {
            Some((last, known)) if *last == clip => known.extend(patterns),
            _ => self.clips.push_back((clip, patterns)),
        }
        if self.clips.len() > MAX_CLIPS {
            self.clips.pop_front();
        }
    }

    pub(crate) fn mark(&mut self, now: Timestamp, mark: &PlayoutMark) {
        match *mark {
            PlayoutMark::Started(clip) => {
                // Clips are played in the order in which they were made.
                if let Some(index) = self.clips.iter().position(|(known, _)| *known == clip) {
                    self.clips.drain(..index);
                }
                self.playing = Some(Playing { clip, began: now });
            }
            PlayoutMark::Reached { clip, heard_ms } => {
                self.playing = Some(Playing { clip, began: now - Duration::from_millis(heard_ms.into()) });
            }
            PlayoutMark::Finished(_) | PlayoutMark::Held { .. } | PlayoutMark::Flushed { .. } => self.playing = None,
        }
    }

    /// What was played at this moment; none for silence.
    pub(crate) fn pattern_at(&self, at: Timestamp) -> Option<Pattern> {
        let playing = self.playing.as_ref()?;
        let (_, patterns) = self.clips.iter().find(|(clip, _)| *clip == playing.clip)?;
        let hop = at.since(playing.began).as_millis() / u128::from(HOP_MS);
        patterns.get(usize::try_from(hop).ok()?).copied()
    }
}
