//! The way from a caller's loudspeaker back into their microphone.

use std::collections::VecDeque;

const RATE_HZ: usize = 16_000;

/// A delay, a loudness, and what the walls add.
#[derive(Debug, Clone)]
pub struct Room {
    /// The answer to a click, after the delay.
    impulse: Vec<f32>,
    /// What was played, newest first, as long as it can be heard.
    played: VecDeque<f32>,
    delay: usize,
}

impl Room {
    /// Everything comes back once, `delay_ms` later and `gain` as loud.
    #[must_use]
    pub fn direct(delay_ms: u32, gain: f32) -> Self {
        Self::with_impulse(delay_ms, vec![gain])
    }

    /// As [`Self::direct`], and from the walls: noise that falls by 60 dB within `decay_ms`, together half as strong
    /// as the direct sound. A living room takes 300 to 500 ms.
    #[must_use]
    pub fn reflecting(delay_ms: u32, gain: f32, decay_ms: u32) -> Self {
        let count = RATE_HZ / 1_000 * decay_ms as usize;
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut impulse: Vec<f32> = (0..count)
            .map(|at| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                let noise = (state >> 40) as f32 / 8_388_608.0 - 1.0;
                noise * 10_f32.powf(-3.0 * at as f32 / count as f32)
            })
            .collect();
        let strength = impulse.iter().map(|tap| tap * tap).sum::<f32>().sqrt();
        impulse.iter_mut().for_each(|tap| *tap *= gain * 0.5_f32.sqrt() / strength);
        if let Some(direct) = impulse.first_mut() {
            *direct = gain;
        }
        Self::with_impulse(delay_ms, impulse)
    }

    fn with_impulse(delay_ms: u32, impulse: Vec<f32>) -> Self {
        let delay = RATE_HZ / 1_000 * delay_ms as usize;
        Self { played: VecDeque::from(vec![0.0; delay + impulse.len()]), impulse, delay }
    }

    /// What the microphone hears while the loudspeaker plays these samples of 16 kHz.
    pub fn hear(&mut self, played: &[f32]) -> Vec<f32> {
        played
            .iter()
            .map(|sample| {
                self.played.push_front(*sample);
                self.played.pop_back();
                self.impulse.iter().zip(self.played.iter().skip(self.delay)).map(|(tap, sample)| tap * sample).sum()
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Room;

    #[test]
    fn a_click_comes_back_late_and_softer_and_the_walls_follow() {
        let mut click = vec![0.0; 1_600];
        click[0] = 1.0;
        let direct = Room::direct(10, 0.5).hear(&click);
        assert_eq!(direct.iter().position(|sample| *sample > 0.0), Some(160));
        assert_eq!(direct.iter().filter(|sample| **sample != 0.0).count(), 1);
        let heard = Room::reflecting(10, 0.5, 50).hear(&click);
        assert!((heard[160] - 0.5).abs() < 1e-6);
        let walls: f32 = heard[161..].iter().map(|sample| sample * sample).sum();
        assert!((0.08..0.14).contains(&walls), "{walls}");
    }
}
