//! Words as tones: what the emulated voices speak, so that the emulated recognisers can understand it.
//!
//! Each word is a burst: a start symbol, one symbol for each byte, a stop symbol, then a gap. A symbol lasts
//! [`SYMBOL_MS`] and is two tones at once, one of a low and one of a high group, as on a telephone's keypad. All lie
//! below 3.4 kHz, so the words survive Opus, a telephone line and a change of rate. A burst that is cut off gives the
//! letters up to the cut: a test can tell what was really played. [`reader`] is the way back.

pub mod reader;

use std::f32::consts::TAU;

pub use reader::Reader;

/// How long a symbol lasts: twice what telling the tones of a group apart needs.
pub const SYMBOL_MS: u32 = 40;
/// The tones of each group: 16 for half a byte, and one more for the marks.
const TONES: usize = 17;
/// The tone that only marks have.
const MARK: usize = 16;
/// How loud each of the two tones is.
const AMPLITUDE: f32 = 0.25;
/// How long a symbol fades in and out, so that it does not click.
const FADE_MS: u32 = 3;

/// What a burst is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Symbol {
    Start,
    Byte(u8),
    Stop,
}

impl Symbol {
    /// Which tone of the low and of the high group.
    fn tones(self) -> (usize, usize) {
        match self {
            Self::Start => (MARK, MARK),
            Self::Byte(byte) => (usize::from(byte >> 4), usize::from(byte & 0xF)),
            Self::Stop => (MARK, 0),
        }
    }

    fn from_tones(low: usize, high: usize) -> Option<Self> {
        match (low, high) {
            (MARK, MARK) => Some(Self::Start),
            (MARK, 0) => Some(Self::Stop),
            (low, high) if low < MARK && high < MARK => u8::try_from(low << 4 | high).ok().map(Self::Byte),
            (_, _) => None,
        }
    }
}

fn low_hz(tone: usize) -> f32 {
    400.0 + 60.0 * tone as f32
}

fn high_hz(tone: usize) -> f32 {
    1_600.0 + 110.0 * tone as f32
}

/// The words of a text as mono samples in −1..1, each word with a gap behind it.
#[must_use]
pub fn speak(text: &str, rate_hz: u32) -> Vec<f32> {
    let mut samples = Vec::new();
    for word in text.split_whitespace() {
        add_symbol(Symbol::Start, rate_hz, &mut samples);
        word.bytes().for_each(|byte| add_symbol(Symbol::Byte(byte), rate_hz, &mut samples));
        add_symbol(Symbol::Stop, rate_hz, &mut samples);
        samples.resize(samples.len() + symbol_samples(rate_hz), 0.0);
    }
    samples
}

/// The words in a recording; nothing where there are none.
#[must_use]
pub fn understand(samples: &[f32], rate_hz: u32) -> String {
    let mut reader = Reader::new(rate_hz);
    let mut words = reader.read(samples);
    words.extend(reader.finish());
    words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
}

fn symbol_samples(rate_hz: u32) -> usize {
    (rate_hz / 1_000 * SYMBOL_MS) as usize
}

fn add_symbol(symbol: Symbol, rate_hz: u32, samples: &mut Vec<f32>) {
    let (low, high) = symbol.tones();
    let length = symbol_samples(rate_hz);
    let fade = (rate_hz / 1_000 * FADE_MS) as f32;
    samples.extend((0..length).map(|index| {
        let seconds = index as f32 / rate_hz as f32;
        let envelope = (index.min(length - 1 - index) as f32 / fade).min(1.0);
        let tones = (TAU * low_hz(low) * seconds).sin() + (TAU * high_hz(high) * seconds).sin();
        AMPLITUDE * envelope * tones
    }));
}

#[cfg(test)]
mod tests;
