//! Reads words out of audio as it comes. See [`tone`](super) for how they are written.

use std::f32::consts::TAU;

use super::{MARK, SYMBOL_MS, Symbol, TONES, high_hz, low_hz};

/// How far the search for a start symbol steps.
const HOP_PER_SYMBOL: usize = 16;
/// A symbol is read from its middle three quarters, so that a start found a little early or late does no harm.
const MARGIN_PER_SYMBOL: usize = 8;
/// The share of a window's energy that two tones must hold to be a symbol. Speech stays below it by far.
const PURITY: f32 = 0.5;
/// Root mean square below which a window is silence.
const SILENCE: f32 = 0.005;

/// A word that was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Its letters; if it was cut off, those before the cut.
    pub text: String,
    /// Where it starts, in samples since the reader began.
    pub start: usize,
    /// Where it ends, likewise.
    pub end: usize,
}

/// A reader in the middle of a stream.
#[derive(Debug)]
pub struct Reader {
    rate_hz: u32,
    samples: Vec<f32>,
    /// The place of `samples[0]` in the stream.
    base: usize,
    state: State,
}

#[derive(Debug)]
enum State {
    /// No word: the search goes on at this place.
    Searching { at: usize },
    /// Inside a word whose next symbol is at this place.
    Reading { start: usize, next: usize, bytes: Vec<u8> },
}

/// A place of the search at which a start symbol may lie, and how strong it is there.
struct Candidate {
    at: usize,
    strength: f32,
}

impl Reader {
    /// A reader at the start of a stream.
    #[must_use]
    pub fn new(rate_hz: u32) -> Self {
        Self { rate_hz, samples: Vec::new(), base: 0, state: State::Searching { at: 0 } }
    }

    /// Takes the next samples; gives the words that ended in them.
    pub fn read(&mut self, samples: &[f32]) -> Vec<Word> {
        self.samples.extend_from_slice(samples);
        let mut words = Vec::new();
        while self.step(&mut words) {}
        let needed = match self.state {
            State::Searching { at } => at,
            State::Reading { next, .. } => next,
        };
        let done = needed.saturating_sub(self.base).min(self.samples.len());
        self.samples.drain(..done);
        self.base += done;
        words
    }

    /// The audio has ended: gives the word that it broke off in, if any.
    pub fn finish(&mut self) -> Option<Word> {
        match std::mem::replace(&mut self.state, State::Searching { at: self.base + self.samples.len() }) {
            State::Reading { start, next, bytes } => word(start, next, &bytes),
            State::Searching { .. } => None,
        }
    }

    /// True inside a word.
    #[must_use]
    pub fn is_reading(&self) -> bool {
        matches!(self.state, State::Reading { .. })
    }

    /// One step; false when it wants more samples.
    fn step(&mut self, words: &mut Vec<Word>) -> bool {
        match std::mem::replace(&mut self.state, State::Searching { at: 0 }) {
            State::Searching { at } => self.search(at),
            State::Reading { start, next, bytes } => self.read_symbol(start, next, bytes, words),
        }
    }

    /// Looks for a start symbol at this place; from the first one found the search climbs to where it is strongest.
    fn search(&mut self, at: usize) -> bool {
        let symbol = self.symbol_samples();
        let hop = (symbol / HOP_PER_SYMBOL).max(1);
        // A start symbol fades in over one length and out over the next, so the peak is within two.
        if self.base + self.samples.len() < at + 3 * symbol {
            self.state = State::Searching { at };
            return false;
        }
        let places = (0..2 * HOP_PER_SYMBOL).map(|step| at + step * hop);
        let Some(first) = self.start_at(at) else {
            self.state = State::Searching { at: at + hop };
            return true;
        };
        let best = places
            .filter_map(|place| self.start_at(place))
            .fold(first, |best, candidate| if candidate.strength > best.strength { candidate } else { best });
        self.state = State::Reading { start: best.at, next: best.at + symbol, bytes: Vec::new() };
        true
    }

    fn start_at(&self, at: usize) -> Option<Candidate> {
        let window = self.window(at, 0)?;
        let marks = strength(window, low_hz(MARK), self.rate_hz) + strength(window, high_hz(MARK), self.rate_hz);
        (marks > PURITY * energy(window) && is_loud(window)).then_some(Candidate { at, strength: marks })
    }

    fn read_symbol(&mut self, start: usize, next: usize, mut bytes: Vec<u8>, words: &mut Vec<Word>) -> bool {
        let symbol = self.symbol_samples();
        let Some(window) = self.window(next, symbol / MARGIN_PER_SYMBOL) else {
            self.state = State::Reading { start, next, bytes };
            return false;
        };
        match symbol_in(window, self.rate_hz) {
            Some(Symbol::Byte(byte)) => {
                bytes.push(byte);
                self.state = State::Reading { start, next: next + symbol, bytes };
            }
            Some(Symbol::Stop) => {
                words.extend(word(start, next + symbol, &bytes));
                self.state = State::Searching { at: next + symbol };
            }
            // The word broke off here, and perhaps another one starts.
            Some(Symbol::Start) | None => {
                words.extend(word(start, next, &bytes));
                self.state = State::Searching { at: next };
            }
        }
        true
    }

    fn window(&self, at: usize, margin: usize) -> Option<&[f32]> {
        let from = (at + margin).checked_sub(self.base)?;
        self.samples.get(from..from + self.symbol_samples() - 2 * margin)
    }

    fn symbol_samples(&self) -> usize {
        super::symbol_samples(self.rate_hz)
    }
}

fn word(start: usize, end: usize, bytes: &[u8]) -> Option<Word> {
    // A letter of several bytes that was cut in two is not heard.
    let text = String::from_utf8_lossy(bytes).trim_end_matches('\u{FFFD}').to_owned();
    (!text.is_empty()).then_some(Word { text, start, end })
}

fn symbol_in(window: &[f32], rate_hz: u32) -> Option<Symbol> {
    let (low, low_strength) = strongest(window, low_hz, rate_hz);
    let (high, high_strength) = strongest(window, high_hz, rate_hz);
    let pure = low_strength + high_strength > PURITY * energy(window);
    let balanced = low_strength.min(high_strength) > low_strength.max(high_strength) / 16.0;
    (pure && balanced && is_loud(window)).then(|| Symbol::from_tones(low, high)).flatten()
}

fn strongest(window: &[f32], hz: fn(usize) -> f32, rate_hz: u32) -> (usize, f32) {
    (0..TONES)
        .map(|tone| (tone, strength(window, hz(tone), rate_hz)))
        .fold((0, 0.0), |best, this| if this.1 > best.1 { this } else { best })
}

fn energy(window: &[f32]) -> f32 {
    window.iter().map(|sample| sample * sample).sum()
}

fn is_loud(window: &[f32]) -> bool {
    energy(window) > SILENCE * SILENCE * window.len() as f32
}

/// The energy of one frequency in the window (Goertzel's algorithm), in the units of [`energy`].
fn strength(window: &[f32], hz: f32, rate_hz: u32) -> f32 {
    let turn = 2.0 * (TAU * hz / rate_hz as f32).cos();
    let (last, before) = window.iter().fold((0.0_f32, 0.0_f32), |(s1, s2), sample| (sample + turn * s1 - s2, s1));
    let power = last * last + before * before - turn * last * before;
    2.0 * power / window.len() as f32
}

const _: () = assert!(SYMBOL_MS >= 30, "tones 60 Hz apart need 17 ms at least to be told apart");
