//! What is given out of an answer, and what it was taken for.

use tokio::sync::mpsc;

use super::{Piece, Track};

const RATE_HZ: u32 = 1_000;
const FIRST: &str = "Dogs are great company, and they love walks.";
const SECOND: &str = "They need care.";

/// Audio as long as usual for a text, all of the same level, with a pause behind it.
fn spoken(text: &str, level: f32) -> Vec<f32> {
    let letters = super::letters(text).count() as f32;
    let mut samples = vec![level; (letters / super::LETTERS_PER_SECOND * RATE_HZ as f32) as usize];
    samples.extend([0.0; 200]);
    samples
}

struct Told {
    samples: Vec<f32>,
    end: Option<Piece>,
}

fn ask(track: &mut Track, text: &str) -> Option<mpsc::Receiver<Piece>> {
    let (sender, pieces) = mpsc::channel(4_096);
    track.ask(text, sender).ok().map(|()| pieces)
}

/// Gives out all that can be given.
fn give(track: &mut Track) {
    while let Some(listener) = track.waiting().cloned() {
        let Some(piece) = track.next_piece() else { break };
        listener.try_send(piece).expect("room");
    }
}

fn told(mut pieces: mpsc::Receiver<Piece>) -> Told {
    let mut told = Told { samples: Vec::new(), end: None };
    while let Ok(piece) = pieces.try_recv() {
        match piece {
            Piece::Audio(samples) => told.samples.extend(samples.iter()),
            end @ (Piece::Done | Piece::Declined) => told.end = Some(end),
        }
    }
    told
}

#[test]
fn each_sentence_gets_its_stretch_and_nothing_is_lost_or_doubled() {
    let audio = [spoken(FIRST, 0.3), spoken(SECOND, 0.4)].concat();
    for piece in [7, 20, 333, audio.len()] {
        let mut track = Track::new(RATE_HZ);
        track.add_text(&format!("{FIRST} {SECOND}"));
        let first = ask(&mut track, FIRST).expect("it is part of it");
        let second = ask(&mut track, SECOND).expect("it is part of it");
        for samples in audio.chunks(piece) {
            track.add_audio(samples);
            give(&mut track);
        }
        track.complete();
        give(&mut track);
        let (first, second) = (told(first), told(second));
        assert_eq!((first.end, second.end), (Some(Piece::Done), Some(Piece::Done)));
        assert!(first.samples.iter().all(|sample| *sample != 0.4), "the second was taken for the first: {piece}");
        assert!(second.samples.iter().all(|sample| *sample != 0.3), "the first was taken for the second: {piece}");
        assert_eq!([first.samples, second.samples].concat(), audio, "in pieces of {piece}");
    }
}

#[test]
fn the_last_sentence_gets_all_that_is_left_however_wrong_the_estimate() {
    let mut track = Track::new(RATE_HZ);
    track.add_text(SECOND);
    let pieces = ask(&mut track, SECOND).expect("it is part of it");
    track.add_audio(&vec![0.3; 60_000]);
    track.complete();
    give(&mut track);
    assert_eq!(told(pieces).samples.len(), 60_000);
}

#[test]
fn a_sentence_that_was_not_said_is_declined() {
    let mut track = Track::new(RATE_HZ);
    track.add_text(FIRST);
    assert!(ask(&mut track, "One moment, please.").is_none());
    assert!(ask(&mut track, "dogs ARE great company,").is_some(), "marks and case do not matter");
    assert!(ask(&mut track, "Dogs are great company,").is_none(), "nothing is said twice");
}

#[test]
fn what_is_written_for_the_eye_may_be_left_out() {
    let mut track = Track::new(RATE_HZ);
    track.add_text("See https://example.org/dogs for more. They need care.");
    assert!(ask(&mut track, "See").is_some());
    assert!(ask(&mut track, SECOND).is_some());
}

#[test]
fn an_answer_that_breaks_off_leaves_the_rest_to_others() {
    let mut track = Track::new(RATE_HZ);
    track.add_text(&format!("{FIRST} {SECOND}"));
    let first = ask(&mut track, FIRST).expect("it is part of it");
    let second = ask(&mut track, SECOND).expect("it is part of it");
    track.add_audio(&[0.3; 500]);
    track.break_off();
    give(&mut track);
    let (first, second) = (told(first), told(second));
    assert_eq!((first.samples.len(), first.end), (500, Some(Piece::Declined)));
    assert_eq!((second.samples.len(), second.end), (0, Some(Piece::Declined)));
}

#[test]
fn words_without_any_audio_are_for_another_voice() {
    let mut track = Track::new(RATE_HZ);
    track.add_text(SECOND);
    let pieces = ask(&mut track, SECOND).expect("it is part of it");
    track.complete();
    give(&mut track);
    assert_eq!(told(pieces).end, Some(Piece::Declined));
}

#[test]
fn what_was_heard_is_found_in_the_audio() {
    let mut track = Track::new(RATE_HZ);
    track.add_text(&format!("{FIRST} {SECOND}"));
    let _listeners = [ask(&mut track, FIRST), ask(&mut track, SECOND)];
    track.add_audio(&[spoken(FIRST, 0.3), spoken(SECOND, 0.4)].concat());
    track.complete();
    give(&mut track);
    let letters = |text: &str| super::letters(text).count();
    assert_eq!(track.heard_ms(0), 0);
    let half = track.heard_ms(letters(FIRST) / 2);
    let whole = track.heard_ms(letters(FIRST));
    let all = track.heard_ms(letters(FIRST) + letters(SECOND));
    let first_ms = spoken(FIRST, 0.3).len() as u32;
    assert!(half.abs_diff(first_ms / 2) < 150, "{half} of {first_ms}");
    assert!(whole.abs_diff(first_ms) < 250, "{whole} of {first_ms}");
    assert_eq!(all as usize, spoken(FIRST, 0.3).len() + spoken(SECOND, 0.4).len());
}
