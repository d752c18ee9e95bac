use super::{EchoGate, HOP_SAMPLES, Listener, Pattern};

/// Something like speech: tones that wander and swell in syllables, different for each seed.
fn babble(seed: u64, seconds: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / 16_777_216.0
    };
    let mut samples = Vec::new();
    while samples.len() < seconds * 16_000 {
        let (pitch, formant, loud) = (100.0 + 120.0 * random(), 400.0 + 2_600.0 * random(), 0.1 + 0.4 * random());
        let length = 1_200 + (3_000.0 * random()) as usize;
        let pause = (2_400.0 * random()) as usize;
        for i in 0..length {
            let t = i as f32 / 16_000.0;
            let swell = (std::f32::consts::PI * i as f32 / length as f32).sin();
            let voice = (std::f32::consts::TAU * pitch * t).sin() + (std::f32::consts::TAU * formant * t).sin();
            samples.push(loud * swell * voice * 0.5);
        }
        samples.extend(std::iter::repeat_n(0.0, pause));
    }
    samples.truncate(seconds * 16_000);
    samples
}

/// Gives the share of windows in which there is sound and the gate says echo.
fn judged_echo(microphone: &[f32], played: &[f32]) -> f32 {
    let patterns: Vec<Pattern> = Listener::default().listen(played);
    let mut patterns = patterns.into_iter();
    let mut gate = EchoGate::default();
    let (mut echo, mut sound) = (0, 0);
    for (index, window) in microphone.chunks_exact(2 * HOP_SAMPLES).enumerate() {
        let is_echo = gate.is_echo(window, || patterns.next());
        // The first half second only fills the history.
        if index > 15 && crate::energy::rms(window) > 0.005 {
            sound += 1;
            echo += usize::from(is_echo);
        }
    }
    echo as f32 / sound as f32
}

fn delayed(samples: &[f32], delay: usize, gain: f32) -> Vec<f32> {
    std::iter::repeat_n(0.0, delay).chain(samples.iter().map(|s| s * gain)).take(samples.len()).collect()
}

#[test]
fn our_own_voice_is_known_at_any_delay_and_level() {
    let voice = babble(1, 6);
    for (delay_ms, gain) in [(20, 0.5), (90, 0.2), (250, 0.1), (600, 0.05)] {
        let share = judged_echo(&delayed(&voice, delay_ms * 16, gain), &voice);
        assert!(share > 0.95, "{share} after {delay_ms} ms at {gain}");
    }
}

#[test]
fn another_voice_is_let_through() {
    let share = judged_echo(&babble(2, 6), &babble(1, 6));
    assert!(share < 0.25, "{share}");
}

#[test]
fn somebody_who_speaks_over_the_echo_is_let_through() {
    let (voice, person) = (babble(1, 6), babble(2, 6));
    let echo = delayed(&voice, 1_600, 0.15);
    let both: Vec<f32> = person.iter().zip(&echo).map(|(person, echo)| person + echo).collect();
    let share = judged_echo(&both, &voice);
    assert!(share < 0.25, "{share}");
}

#[test]
fn while_nothing_is_played_nothing_is_echo() {
    assert_eq!(judged_echo(&babble(1, 3), &[]), 0.0);
}
