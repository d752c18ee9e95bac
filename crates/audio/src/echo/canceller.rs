//! The echo canceller of WebRTC (AEC3), in its Rust translation.

use sonora_aec3::block::Block;
use sonora_aec3::block_processor::BlockProcessor;
use sonora_aec3::config::EchoCanceller3Config;

use super::{FRAME_SAMPLES, RATE_HZ};

/// AEC3 works in blocks of 4 ms.
const BLOCK_SAMPLES: usize = (RATE_HZ / 250) as usize;
/// AEC3 counts samples as 16-bit sound does.
const FULL_SCALE: f32 = 32_768.0;

/// Takes a played signal out of a heard one; finds the delay between them itself, up to about half a second.
pub struct Canceller {
    processor: BlockProcessor,
    block: Block,
}

impl Default for Canceller {
    fn default() -> Self {
        let processor = BlockProcessor::new(&EchoCanceller3Config::default(), RATE_HZ as usize, 1, 1);
        Self { processor, block: Block::new(1, 1) }
    }
}

impl std::fmt::Debug for Canceller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Canceller").finish_non_exhaustive()
    }
}

impl Canceller {
    /// Takes what came back of `played` out of `heard`: the same 20 ms of both, as far as anybody knows.
    pub fn cancel(&mut self, played: &[f32; FRAME_SAMPLES], heard: &mut [f32; FRAME_SAMPLES]) {
        let blocks = played.as_chunks::<BLOCK_SAMPLES>().0.iter().zip(heard.as_chunks_mut::<BLOCK_SAMPLES>().0);
        for (played, heard) in blocks {
            self.fill(played);
            self.processor.buffer_render(&self.block);
            self.fill(heard);
            let saturated = heard.iter().any(|sample| sample.abs() >= 1.0);
            self.processor.process_capture(false, saturated, None, &mut self.block);
            for (heard, clean) in heard.iter_mut().zip(self.block.view(0, 0)) {
                *heard = clean / FULL_SCALE;
            }
        }
    }

    fn fill(&mut self, samples: &[f32; BLOCK_SAMPLES]) {
        for (scaled, sample) in self.block.view_mut(0, 0).iter_mut().zip(samples) {
            *scaled = sample * FULL_SCALE;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Canceller, FRAME_SAMPLES};
    use crate::energy;

    /// Noise in bursts, from a fixed seed.
    fn voice(frames: usize) -> Vec<f32> {
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        (0..frames * FRAME_SAMPLES)
            .map(|at| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                let loud = 0.2 * (0.5 + 0.5 * (at as f32 / 3_000.0).sin());
                loud * ((state >> 40) as f32 / 8_388_608.0 - 1.0)
            })
            .collect()
    }

    #[test]
    fn a_late_soft_echo_is_taken_out() {
        let played = voice(150);
        let delay = 1_600;
        let mut canceller = Canceller::default();
        let mut left = Vec::new();
        for (index, frame) in played.as_chunks::<FRAME_SAMPLES>().0.iter().enumerate() {
            let mut heard = [0.0; FRAME_SAMPLES];
            for (offset, sample) in heard.iter_mut().enumerate() {
                let at = index * FRAME_SAMPLES + offset;
                *sample = if at < delay { 0.0 } else { 0.25 * played[at - delay] };
            }
            canceller.cancel(frame, &mut heard);
            left.extend(heard);
        }
        let echo = energy::dbfs(&played[100 * FRAME_SAMPLES..]) - 12.0;
        let rest = energy::dbfs(&left[100 * FRAME_SAMPLES..]);
        assert!(rest < echo - 20.0, "{rest} dBFS are left of an echo of {echo} dBFS");
    }
}
