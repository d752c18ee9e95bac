//! One answer of a speech-native model: its text, its audio, and the sentences of it that are to be spoken.
//!
//! All audio is given out once and in order, whatever the estimates say: each sentence takes its stretch, the last one all
//! that is left.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::cut::{Cut, FRAMES_PER_SECOND};
use super::known::letters;

/// How many letters a voice of unknown speed says in a second: 15 characters with their spaces are usual for English.
const LETTERS_PER_SECOND: f32 = 12.5;
/// A sentence is looked for so many letters ahead: what is written for the eye may have been left out between.
const LEFT_OUT_LETTERS: usize = 80;

/// What a sentence gets.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    Audio(Arc<[f32]>),
    /// All of it was given.
    Done,
    /// The model says no more of it, or never said it.
    Declined,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Track {
    rate_hz: u32,
    /// What the model said so far, as letters.
    letters: Vec<char>,
    /// Letters before this belong to sentences that were asked for.
    claimed: usize,
    /// Audio that was not given out yet.
    audio: VecDeque<f32>,
    given: usize,
    end: End,
    /// Nothing can be given out before something more comes.
    starved: bool,
    sentences: VecDeque<Sentence>,
    /// Where sentences ended, in letters and in samples.
    marks: Vec<(usize, usize)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// More may come.
    Open,
    Complete,
    Broken,
}

#[derive(Debug)]
struct Sentence {
    from: usize,
    to: usize,
    began: usize,
    pieces: mpsc::Sender<Piece>,
    over: bool,
}

impl Track {
    pub(super) fn new(rate_hz: u32) -> Self {
        Self {
            rate_hz,
            letters: Vec::new(),
            claimed: 0,
            audio: VecDeque::new(),
            given: 0,
            end: End::Open,
            starved: false,
            sentences: VecDeque::new(),
            marks: Vec::new(),
        }
    }

    pub(super) fn add_text(&mut self, text: &str) {
        self.starved = false;
        self.letters.extend(letters(text));
    }

    pub(super) fn add_audio(&mut self, samples: &[f32]) {
        self.starved = false;
        self.audio.extend(samples);
    }

    pub(super) fn complete(&mut self) {
        self.end_with(End::Complete);
    }

    /// Nothing more comes, though more was to be said.
    pub(super) fn break_off(&mut self) {
        self.end_with(End::Broken);
    }

    fn end_with(&mut self, end: End) {
        if self.end == End::Open {
            self.starved = false;
            self.end = end;
        }
    }

    /// Takes on a sentence if it is part of this answer; else gives its listener back.
    pub(super) fn ask(&mut self, text: &str, pieces: mpsc::Sender<Piece>) -> Result<(), mpsc::Sender<Piece>> {
        let wanted: Vec<char> = letters(text).collect();
        let rest = &self.letters[self.claimed..];
        let found = rest.windows(wanted.len().max(1)).take(LEFT_OUT_LETTERS + 1).position(|window| window == wanted);
        let Some(skipped) = found else { return Err(pieces) };
        let (from, to) = (self.claimed, self.claimed + skipped + wanted.len());
        self.claimed = to;
        // One behind others begins where they end.
        self.sentences.push_back(Sentence { from, to, began: self.given, pieces, over: false });
        Ok(())
    }

    /// Nobody listens any more.
    pub(super) fn forget_sentences(&mut self) {
        self.sentences.clear();
    }

    /// Where the next piece goes, if there is one.
    pub(super) fn waiting(&self) -> Option<&mpsc::Sender<Piece>> {
        let sentence = self.sentences.front()?;
        let has_frame = self.audio.len() >= self.frame() && !self.starved;
        (sentence.over || has_frame || self.end != End::Open).then_some(&sentence.pieces)
    }

    /// Who listens to the sentence that is being spoken.
    pub(super) fn listener(&self) -> Option<&mpsc::Sender<Piece>> {
        self.sentences.front().map(|sentence| &sentence.pieces)
    }

    /// The next piece of the sentence that is being spoken.
    pub(super) fn next_piece(&mut self) -> Option<Piece> {
        let sentence = self.sentences.front()?;
        let (from, to, began) = (sentence.from, sentence.to, sentence.began);
        if sentence.over {
            return self.finish_sentence(Piece::Done);
        }
        let passed = self.given - began;
        let follows = self.letters.len() > to;
        if !follows && self.end == End::Complete {
            return if self.audio.is_empty() { self.last_of(passed) } else { self.give(self.audio.len()) };
        }
        if !follows {
            // It may be the last one: all that comes is its own.
            return if self.audio.is_empty() { self.starve() } else { self.give(self.audio.len()) };
        }
        let (estimate, frame) = (self.estimate(from, to, began), self.frame());
        let complete = self.end == End::Complete;
        let (take, ends) = Cut { passed, estimate, frame }.take(self.audio.make_contiguous(), complete);
        if ends && let Some(sentence) = self.sentences.front_mut() {
            sentence.over = true;
        }
        match (take, ends) {
            (0, true) => self.last_of(passed),
            (0, false) => self.starve(),
            (take, _) => self.give(take),
        }
    }

    /// How long it took to say so many letters, in milliseconds of this answer's audio.
    pub(super) fn heard_ms(&self, heard: usize) -> u32 {
        let (mut from, mut to) = ((0, 0), (self.letters.len(), self.given + self.audio.len()));
        for mark in &self.marks {
            if mark.0 >= heard {
                to = *mark;
                break;
            }
            from = *mark;
        }
        let share = (heard - from.0.min(heard)) as f32 / (to.0 - from.0).max(1) as f32;
        let samples = from.1 as f32 + share.min(1.0) * (to.1 - from.1) as f32;
        (samples * 1_000.0 / self.rate_hz as f32) as u32
    }

    /// Says that the sentence is over. One whose audio went out with the one before it still was spoken: a moment of
    /// silence lets it count as heard.
    fn last_of(&mut self, passed: usize) -> Option<Piece> {
        if passed > 0 {
            return self.finish_sentence(Piece::Done);
        }
        if self.given == 0 {
            return self.finish_sentence(Piece::Declined);
        }
        if let Some(sentence) = self.sentences.front_mut() {
            sentence.over = true;
        }
        Some(Piece::Audio(vec![0.0; self.frame()].into()))
    }

    /// Nothing is left to give now.
    fn starve(&mut self) -> Option<Piece> {
        if self.end != End::Open {
            return self.finish_sentence(Piece::Declined);
        }
        self.starved = true;
        None
    }

    fn give(&mut self, samples: usize) -> Option<Piece> {
        self.given += samples;
        Some(Piece::Audio(self.audio.drain(..samples).collect::<Vec<f32>>().into()))
    }

    fn finish_sentence(&mut self, last: Piece) -> Option<Piece> {
        let done = self.sentences.pop_front()?;
        self.marks.push((done.to, self.given));
        if let Some(next) = self.sentences.front_mut() {
            next.began = self.given;
        }
        Some(last)
    }

    /// How many samples a sentence lasts: by the rest of the answer once that is known, else by what was said before.
    fn estimate(&self, from: usize, to: usize, began: usize) -> usize {
        let per_letter = match (self.end, self.marks.last()) {
            (End::Complete, _) => {
                let samples = self.given + self.audio.len() - began;
                samples as f32 / (self.letters.len() - from).max(1) as f32
            }
            (End::Open | End::Broken, Some((letters, samples))) if *samples > 0 && *letters > 0 => {
                *samples as f32 / *letters as f32
            }
            (End::Open | End::Broken, _) => self.rate_hz as f32 / LETTERS_PER_SECOND,
        };
        ((to - from) as f32 * per_letter) as usize
    }

    fn frame(&self) -> usize {
        (self.rate_hz / FRAMES_PER_SECOND) as usize
    }
}

#[cfg(test)]
mod tests;
