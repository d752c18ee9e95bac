//! What an echo costs: microseconds for each frame of 20 ms, to look for it and to take it out.
//!
//! `cargo run --release -p audio --example echo_bench`
// A benchmark measures real time.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

use std::hint::black_box;
use std::time::Instant;

use audio::echo::{Canceller, FRAME_SAMPLES, THIN_RATE_HZ, likeness};

const FRAMES: usize = 2_000;

fn main() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let noise: Vec<f32> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        0.2 * ((state >> 40) as f32 / 8_388_608.0 - 1.0)
    })
    .take(FRAMES * FRAME_SAMPLES)
    .collect();
    let per_ms = THIN_RATE_HZ as usize / 1_000;
    let played = &noise[..800 * per_ms];
    let began = Instant::now();
    for at in 0..FRAMES {
        black_box(likeness(&noise[at..at + 120 * per_ms], black_box(played)));
    }
    println!("to compare 120 ms with 800 ms: {:.0} µs", began.elapsed().as_secs_f64() * 1e6 / FRAMES as f64);
    let mut canceller = Canceller::default();
    let frames = noise.as_chunks::<FRAME_SAMPLES>().0;
    let began = Instant::now();
    for at in 4..frames.len() {
        let mut heard = frames[at - 4].map(|sample| 0.2 * sample);
        canceller.cancel(&frames[at], &mut heard);
        black_box(heard);
    }
    println!("to cancel: {:.0} µs", began.elapsed().as_secs_f64() * 1e6 / (frames.len() - 4) as f64);
}
