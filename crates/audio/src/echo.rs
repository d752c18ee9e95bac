//! Our own voice coming back through the caller's loudspeaker and microphone, told from the caller's.
//!
//! We know every sample that is played. An echo is the same pattern of loudness over time and frequency, a little later
//! and softer; a person is not. So the last third of a second of the microphone is compared with what was played before
//! it, at every delay that a network and a room can have: where the patterns agree, it is echo. This cancels nothing; it
//! only says what a sound is. Somebody who speaks over the agent changes the pattern and is let through.

mod bands;

use std::collections::VecDeque;

use bands::{BANDS, Bands};

/// The rate of everything that goes in.
pub const RATE_HZ: u32 = 16_000;
/// One pattern is taken of so much audio.
pub const HOP_MS: u32 = 16;
const HOP_SAMPLES: usize = (RATE_HZ / 1_000 * HOP_MS) as usize;
/// How much of the microphone is compared: long enough to hold two syllables.
const COMPARED_HOPS: usize = 20;
/// The longest delay between playing and hearing: 640 ms of network, jitter buffer, loudspeaker and room.
const MAX_LAG_HOPS: usize = 40;
/// Patterns that agree so well are one, at whatever delay.
const CERTAIN: f32 = 0.8;
/// Within a call the delay does not change, so at the delay that was right before less is needed.
const LIKELY: f32 = 0.5;
/// From this average agreement on a delay is believed to be the call's.
const TRUSTED: f32 = 0.3;
/// How much of the average each window is: the last half second of sound counts.
const NEWEST: f32 = 0.07;
/// So much louder than the echo, in natural logarithms of power (6 dB), is a person.
const MOST_EXCESS: f32 = 1.4;
/// Loudness is taken over so many hops: a syllable.
const LOUDNESS_HOPS: usize = 6;
/// Below this level nothing is heard; in natural logarithms of power.
const SILENCE: f32 = -15.0;

/// The loudness of each band over one hop, in natural logarithms of power.
pub type Pattern = [f32; BANDS];

/// Takes patterns of a voice that will be played.
#[derive(Debug, Default)]
pub struct Listener {
    bands: Bands,
    pending: Vec<f32>,
}

impl Listener {
    /// The patterns of these samples at [`RATE_HZ`]; a rest that fills no hop waits for the next ones.
    pub fn listen(&mut self, samples: &[f32]) -> Vec<Pattern> {
        self.pending.extend_from_slice(samples);
        let whole = self.pending.len() / HOP_SAMPLES * HOP_SAMPLES;
        let rest = self.pending.split_off(whole);
        let hops = std::mem::replace(&mut self.pending, rest);
        hops.chunks_exact(HOP_SAMPLES).map(|hop| self.bands.pattern(hop)).collect()
    }
}

/// Judges one caller's microphone.
#[derive(Debug)]
pub struct EchoGate {
    listener: Listener,
    /// What the microphone heard, latest last.
    heard: VecDeque<Pattern>,
    /// What was played hop by hop, latest last, as long as it can come back.
    played: VecDeque<Pattern>,
    /// The average agreement at each delay, in hops.
    trust: [f32; MAX_LAG_HOPS],
    /// How much louder the echo is than what was played, in natural logarithms of power, once it is known.
    gain: Option<f32>,
}

impl Default for EchoGate {
    fn default() -> Self {
        let silence = [SILENCE; BANDS];
        Self {
            listener: Listener::default(),
            heard: VecDeque::from(vec![silence; COMPARED_HOPS]),
            played: VecDeque::from(vec![silence; COMPARED_HOPS + MAX_LAG_HOPS]),
            trust: [0.0; MAX_LAG_HOPS],
            gain: None,
        }
    }
}

impl EchoGate {
    /// Takes a microphone's samples with, for each of their hops, what was played meanwhile (none for silence), and says
    /// whether the sound up to their end is our own voice.
    pub fn is_echo(&mut self, samples: &[f32], mut played: impl FnMut() -> Option<Pattern>) -> bool {
        for pattern in self.listener.listen(samples) {
            push(&mut self.heard, pattern);
            push(&mut self.played, played().unwrap_or([SILENCE; BANDS]));
        }
        let silent = |pattern: &Pattern| pattern.iter().all(|band| *band <= SILENCE);
        // Nothing was played that could come back, or nothing came.
        if self.played.iter().all(silent) || self.heard.iter().rev().take(2).all(silent) {
            return false;
        }
        let agreements: [f32; MAX_LAG_HOPS] = std::array::from_fn(|lag| self.agreement(lag));
        for (trust, agreement) in self.trust.iter_mut().zip(&agreements) {
            *trust += NEWEST * (agreement - *trust);
        }
        let known = (0..MAX_LAG_HOPS).max_by(|&a, &b| self.trust[a].total_cmp(&self.trust[b])).unwrap_or(0);
        let around = agreements[known.saturating_sub(1)..(known + 2).min(MAX_LAG_HOPS)].iter().copied();
        let agreement = around.fold(0.0, f32::max);
        let trusted = self.trust[known] >= TRUSTED;
        let louder = self.louder_than_played(known);
        if trusted && agreement >= CERTAIN {
            let gain = self.gain.get_or_insert(louder);
            *gain += NEWEST * (louder - *gain);
        }
        // Louder than any echo was: somebody speaks over it.
        let excess = self.gain.is_some_and(|gain| louder > gain + MOST_EXCESS);
        let likely = trusted && agreement >= LIKELY;
        !excess && (likely || agreements.iter().any(|agreement| *agreement >= CERTAIN))
    }

    /// How much louder the newest sound is than what was played `lag` hops before, in natural logarithms of power.
    fn louder_than_played(&self, lag: usize) -> f32 {
        let loudness = |pattern: &Pattern| pattern.iter().sum::<f32>() / BANDS as f32;
        let newest = self.played.len() - lag;
        let played = self.played.range(newest - LOUDNESS_HOPS..newest).map(loudness).fold(f32::MIN, f32::max);
        let heard = self.heard.range(COMPARED_HOPS - LOUDNESS_HOPS..).map(loudness).fold(f32::MIN, f32::max);
        heard - played
    }

    /// How well what was heard agrees with what was played `lag` hops before, −1 to 1: the correlation of how the sound's
    /// colour changes. Loudness as such is left out (any two speakers swell and fade), and so is each band's own level
    /// (the room's colour).
    fn agreement(&self, lag: usize) -> f32 {
        let from = self.played.len() - lag - COMPARED_HOPS;
        let heard = colour(self.heard.iter());
        let played = colour(self.played.range(from..from + COMPARED_HOPS));
        let dot = |a: &[Pattern], b: &[Pattern]| -> f32 {
            a.iter().flatten().zip(b.iter().flatten()).map(|(a, b)| a * b).sum()
        };
        let scale = (dot(&heard, &heard) * dot(&played, &played)).sqrt();
        if scale > f32::EPSILON { dot(&heard, &played) / scale } else { 0.0 }
    }
}

/// Patterns without the loudness of each hop and without the mean of each band.
fn colour<'a>(patterns: impl Iterator<Item = &'a Pattern>) -> [Pattern; COMPARED_HOPS] {
    let mut colour = [[0.0; BANDS]; COMPARED_HOPS];
    for (hop, pattern) in colour.iter_mut().zip(patterns) {
        let loudness = pattern.iter().map(|band| band.max(SILENCE)).sum::<f32>() / BANDS as f32;
        for (colour, band) in hop.iter_mut().zip(pattern) {
            *colour = band.max(SILENCE) - loudness;
        }
    }
    for band in 0..BANDS {
        let mean = colour.iter().map(|hop| hop[band]).sum::<f32>() / COMPARED_HOPS as f32;
        colour.iter_mut().for_each(|hop| hop[band] -= mean);
    }
    colour
}

fn push(patterns: &mut VecDeque<Pattern>, pattern: Pattern) {
    patterns.pop_front();
    patterns.push_back(pattern);
}

#[cfg(test)]
mod tests;
