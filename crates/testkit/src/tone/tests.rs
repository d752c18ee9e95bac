use audio::opus::{Decoder, Encoder, EncoderConfig};
use audio::resample::resample;

use super::{Reader, speak, symbol_samples, understand};

const TEXT: &str = "Where is the café in Zürich? It's 5 km away, 東京 too.";

#[test]
fn what_is_spoken_is_understood_at_every_rate() {
    for rate_hz in [8_000, 16_000, 24_000, 48_000] {
        assert_eq!(understand(&speak(TEXT, rate_hz), rate_hz), TEXT, "at {rate_hz} Hz");
    }
}

#[test]
fn a_change_of_rate_does_no_harm() {
    assert_eq!(understand(&resample(&speak(TEXT, 24_000), 24_000, 16_000), 16_000), TEXT);
    assert_eq!(understand(&resample(&speak(TEXT, 24_000), 24_000, 8_000), 8_000), TEXT);
}

#[test]
fn words_may_start_anywhere_and_come_in_pieces_of_any_size() {
    for shift in (0..640).step_by(37) {
        let mut samples = vec![0.0; shift];
        samples.extend(speak("hello there", 16_000));
        let mut reader = Reader::new(16_000);
        let mut words: Vec<_> = samples.chunks(shift + 1).flat_map(|piece| reader.read(piece)).collect();
        words.extend(reader.finish());
        let texts: Vec<_> = words.iter().map(|word| word.text.as_str()).collect();
        assert_eq!(texts, ["hello", "there"], "shifted by {shift}");
        assert!(words[0].start.abs_diff(shift) <= 80, "{words:?} starts at {shift}");
    }
}

#[test]
fn opus_does_no_harm() {
    let mut encoder = Encoder::new(&EncoderConfig { rate_hz: 24_000, ..EncoderConfig::default() }).expect("valid");
    let mut decoder = Decoder::new(16_000).expect("valid");
    let mut spoken = speak(TEXT, 24_000);
    spoken.resize(spoken.len().next_multiple_of(encoder.frame_samples()) + encoder.frame_samples(), 0.0);
    let mut heard = Vec::new();
    for frame in spoken.chunks_exact(encoder.frame_samples()) {
        let packet = encoder.encode(frame).expect("a frame");
        decoder.decode(&packet, &mut heard).expect("a packet");
    }
    assert_eq!(understand(&heard, 16_000), TEXT);
}

#[test]
fn noise_of_a_tenth_does_no_harm() {
    let mut state = 1_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) as f32 / 32_768.0 - 1.0
    };
    let samples: Vec<f32> = speak(TEXT, 16_000).iter().map(|sample| sample + 0.1 * noise()).collect();
    assert_eq!(understand(&samples, 16_000), TEXT);
}

#[test]
fn a_cut_gives_the_letters_before_it() {
    let samples = speak("hello world", 16_000);
    let symbol = symbol_samples(16_000);
    // Start, five letters, stop, gap; start, three letters.
    assert_eq!(understand(&samples[..symbol * 12], 16_000), "hello wor");
}

#[test]
fn silence_and_a_plain_tone_hold_no_words() {
    assert_eq!(understand(&[0.0; 16_000], 16_000), "");
    assert_eq!(understand(&crate::scripted::tone(16_000, 2_000), 16_000), "");
}
