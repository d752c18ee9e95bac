//! Keeps the agent from hearing itself, where the caller's device does not take out what its loudspeaker plays.
//!
//! As long as nothing tells of an echo, the microphone passes untouched. Once what is heard is like what was played,
//! an echo canceller takes it out, until the agent has been silent for long.

use audio::echo::{self, Canceller, FRAME_SAMPLES};
use audio::energy;
use audio::opus::OpusError;

use crate::air::Air;
use crate::loudspeaker::Loudspeaker;

/// Softer frames are not looked at: no detector hears speech in them.
const QUIET_DBFS: f32 = -65.0;
/// How much of what was heard is compared.
const COMPARED_FRAMES: usize = 6;
/// Frames alike that much are an echo, if so many follow each other. Measured with the cases of `benches/run taking`: echoes
/// came to 0.87 and more from the first or second frame on, people speaking over the agent to 0.71 at most in three frames in
/// a row, though to 0.89 in a single one: the first 20 ms of a vowel are alike to some other vowel.
const ALIKE: f32 = 0.75;
const ALIKE_FRAMES: u32 = 3;
/// So long the agent must have been silent for the canceller to go: the caller may have put on headphones.
const FORGOTTEN_FRAMES: usize = 500;

type Frame = [f32; FRAME_SAMPLES];

pub(crate) struct EchoGuard {
    air: Air,
    /// What does not fill a frame yet.
    partial: Vec<f32>,
    /// The last frames that were heard, oldest first.
    heard: Vec<f32>,
    /// How many frames up to now were alike to what was played.
    alike: u32,
    canceller: Option<Box<Canceller>>,
}

impl EchoGuard {
    pub(crate) fn new() -> Result<Self, OpusError> {
        Ok(Self { air: Air::new()?, partial: Vec::new(), heard: Vec::new(), alike: 0, canceller: None })
    }

    /// Passes on what was heard to `clean`, without what `loudspeaker` played. Keeps what does not fill 20 ms.
    pub(crate) fn pass(&mut self, heard: &[f32], loudspeaker: &mut Loudspeaker, clean: &mut Vec<f32>) {
        self.partial.extend_from_slice(heard);
        let partial = std::mem::take(&mut self.partial);
        let (frames, rest) = partial.as_chunks::<FRAME_SAMPLES>();
        for frame in frames {
            self.air.push(loudspeaker.next_frame());
            clean.extend(self.frame(*frame));
        }
        self.partial.extend_from_slice(rest);
    }

    fn frame(&mut self, mut frame: Frame) -> Frame {
        let excess = (self.heard.len() + FRAME_SAMPLES).saturating_sub(COMPARED_FRAMES * FRAME_SAMPLES);
        self.heard.drain(..excess);
        self.heard.extend_from_slice(&frame);
        if self.air.silent_for() > FORGOTTEN_FRAMES {
            self.canceller = None;
        }
        if let Some(canceller) = &mut self.canceller {
            if let Some(played) = self.air.samples().last_chunk() {
                canceller.cancel(played, &mut frame);
            }
            return frame;
        }
        let alike = self.air.may_echo() && energy::dbfs(&frame) > QUIET_DBFS && self.is_alike();
        self.alike = if alike { self.alike + 1 } else { 0 };
        if self.alike == ALIKE_FRAMES {
            self.alike = 0;
            tracing::debug!("the agent's voice comes back through the microphone; an echo canceller takes it out");
            return self.start();
        }
        frame
    }

    fn is_alike(&mut self) -> bool {
        let (mut heard, mut played) = (Vec::new(), Vec::new());
        echo::thin(&self.heard, &mut heard);
        echo::thin(self.air.samples(), &mut played);
        echo::likeness(&heard, &played) > ALIKE
    }

    /// Lets a new canceller live through the last moments, so that it knows the delay at once; gives the last frame.
    fn start(&mut self) -> Frame {
        let canceller = self.canceller.insert(Box::default());
        let played = self.air.samples().as_chunks::<FRAME_SAMPLES>().0;
        let heard = self.heard.as_chunks::<FRAME_SAMPLES>().0;
        let before = played.len().saturating_sub(heard.len());
        let mut clean = [0.0; FRAME_SAMPLES];
        for (at, played) in played.iter().enumerate() {
            clean = at.checked_sub(before).and_then(|at| heard.get(at)).copied().unwrap_or([0.0; FRAME_SAMPLES]);
            canceller.cancel(played, &mut clean);
        }
        clean
    }
}
