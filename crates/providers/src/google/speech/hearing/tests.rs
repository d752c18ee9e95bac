//! Utterances, pauses and words in virtual time. Positions are samples: 16 for a millisecond.

use std::time::Duration;

use tokio::time::Instant;

use super::{Hearing, Waits, join, without_repeated};
use crate::stt::SttEvent;

const MS: u64 = 16;
const WAITS: Waits = Waits { settle: Duration::from_millis(800), give_up: Duration::from_millis(2_500) };

fn running(text: &str) -> SttEvent {
    SttEvent::Partial { text: text.to_owned(), settled: None }
}

fn settled(text: &str, mark: u32) -> SttEvent {
    SttEvent::Partial { text: text.to_owned(), settled: Some(mark) }
}

fn last(text: &str) -> SttEvent {
    SttEvent::Final { text: text.to_owned() }
}

/// A speaker who has spoken for a second.
struct Talk {
    hearing: Hearing,
    began: Instant,
    out: Vec<SttEvent>,
}

impl Talk {
    fn new() -> Self {
        let mut hearing = Hearing::new(WAITS);
        assert!(hearing.audio(0, 1_000 * MS));
        Self { hearing, began: Instant::now(), out: Vec::new() }
    }

    fn at(&self, ms: u64) -> Instant {
        self.began + Duration::from_millis(ms)
    }

    fn told(&mut self) -> Vec<SttEvent> {
        std::mem::take(&mut self.out)
    }
}

#[test]
fn running_words_are_told_and_final_ones_settle_the_pause() {
    let mut talk = Talk::new();
    talk.hearing.running(" how are", 600 * MS, &mut talk.out);
    talk.hearing.pause(4, talk.at(1_000), &mut talk.out);
    talk.hearing.finals("How are you?", 900 * MS, &mut talk.out);
    assert_eq!(talk.told(), [running("how are"), settled("How are you?", 4)]);
    assert!(talk.hearing.is_final());
    talk.hearing.commit(talk.at(1_200), &mut talk.out);
    assert_eq!(talk.told(), [last("How are you?")]);
    assert!(!talk.hearing.take_left_unfinished());
}

#[test]
fn words_that_do_not_reach_the_pause_wait_for_the_rest() {
    let mut talk = Talk::new();
    talk.hearing.pause(4, talk.at(1_000), &mut talk.out);
    talk.hearing.finals("How are", 400 * MS, &mut talk.out);
    talk.hearing.running(" you", 900 * MS, &mut talk.out);
    assert_eq!(talk.told(), []);
    talk.hearing.running(" you", 1_050 * MS, &mut talk.out);
    assert_eq!(talk.told(), [settled("How are you", 4)]);
    talk.hearing.finals("you?", 950 * MS, &mut talk.out);
    assert_eq!(talk.told(), [settled("How are you?", 4)], "what changes is told again");
}

#[test]
fn waiting_ends() {
    let mut talk = Talk::new();
    talk.hearing.running("how", 900 * MS, &mut talk.out);
    talk.told();
    talk.hearing.pause(4, talk.at(1_000), &mut talk.out);
    assert_eq!(talk.hearing.deadline(), Some(talk.at(1_800)));
    talk.hearing.due(talk.at(1_799), &mut talk.out);
    assert_eq!(talk.told(), []);
    talk.hearing.due(talk.at(1_800), &mut talk.out);
    assert_eq!(talk.told(), [settled("how", 4)]);
    assert_eq!(talk.hearing.deadline(), None);
}

#[test]
fn no_words_at_all_are_waited_for_longer() {
    let mut talk = Talk::new();
    talk.hearing.pause(4, talk.at(1_000), &mut talk.out);
    talk.hearing.commit(talk.at(1_200), &mut talk.out);
    assert_eq!(talk.hearing.deadline(), Some(talk.at(3_500)));
    talk.hearing.due(talk.at(3_500), &mut talk.out);
    assert_eq!(talk.told(), [settled("", 4), last("")]);
    assert!(talk.hearing.take_left_unfinished());
}

#[test]
fn a_speaker_who_goes_on_is_not_settled() {
    let mut talk = Talk::new();
    talk.hearing.pause(4, talk.at(1_000), &mut talk.out);
    assert!(!talk.hearing.audio(1_300 * MS, 1_800 * MS), "it is the same utterance");
    talk.hearing.finals("One,", 900 * MS, &mut talk.out);
    assert_eq!(talk.told(), [running("One,")]);
    talk.hearing.pause(5, talk.at(1_800), &mut talk.out);
    talk.hearing.finals("two.", 1_750 * MS, &mut talk.out);
    assert_eq!(talk.told(), [settled("One, two.", 5)]);
}

#[test]
fn late_words_of_the_last_utterance_are_not_words_of_the_next() {
    let mut talk = Talk::new();
    talk.hearing.running("one", 1_000 * MS, &mut talk.out);
    talk.hearing.pause(4, talk.at(1_000), &mut talk.out);
    talk.hearing.commit(talk.at(1_200), &mut talk.out);
    talk.told();
    assert!(talk.hearing.take_left_unfinished(), "its last word was never final");
    assert!(talk.hearing.audio(1_500 * MS, 2_000 * MS), "the next one begins");
    talk.hearing.finals("One.", 950 * MS, &mut talk.out);
    assert_eq!(talk.told(), []);
    talk.hearing.finals("Two.", 1_900 * MS, &mut talk.out);
    assert_eq!(talk.told(), [running("Two.")]);
}

#[test]
fn an_utterance_that_is_over_is_owed_its_words() {
    let mut talk = Talk::new();
    talk.hearing.running("one", 900 * MS, &mut talk.out);
    assert!(!talk.hearing.is_owed());
    talk.hearing.commit(talk.at(1_000), &mut talk.out);
    assert_eq!(talk.told(), [running("one")]);
    assert!(talk.hearing.is_owed(), "what comes next must wait");
    talk.hearing.due(talk.at(1_800), &mut talk.out);
    assert_eq!((talk.told(), talk.hearing.is_owed()), (vec![last("one")], false));
}

#[test]
fn words_are_overdue_only_after_their_audio_has_left() {
    let mut talk = Talk::new();
    talk.hearing.running("one", 900 * MS, &mut talk.out);
    talk.hearing.pause(1, talk.at(1_000), &mut talk.out);
    talk.hearing.waits_from(talk.at(3_000));
    talk.told();
    talk.hearing.due(talk.at(3_799), &mut talk.out);
    assert_eq!(talk.told(), []);
    talk.hearing.due(talk.at(3_800), &mut talk.out);
    assert_eq!(talk.told(), [settled("one", 1)]);
}

#[test]
fn audio_that_is_sent_again_says_nothing_twice() {
    let mut talk = Talk::new();
    talk.hearing.finals("I live in New York", 700 * MS, &mut talk.out);
    talk.hearing.running("and I", 900 * MS, &mut talk.out);
    assert_eq!(talk.hearing.unheard_from(), 700 * MS);
    talk.hearing.starts_again();
    talk.told();
    talk.hearing.running("york and", 900 * MS, &mut talk.out);
    talk.hearing.finals("New York, and I", 1_000 * MS, &mut talk.out);
    assert_eq!(talk.told(), [running("I live in New York and"), running("I live in New York and I")]);
}

#[test]
fn a_failure_ends_an_utterance_that_is_over_and_no_other() {
    let mut talk = Talk::new();
    talk.hearing.pause(4, talk.at(1_000), &mut talk.out);
    talk.hearing.failed();
    assert_eq!((talk.hearing.deadline(), talk.hearing.is_final()), (None, false));
    talk.hearing.commit(talk.at(1_100), &mut talk.out);
    talk.hearing.failed();
    assert!(talk.hearing.is_final());
    assert_eq!(talk.told(), []);
}

#[test]
fn silence_is_answered_at_once() {
    let mut hearing = Hearing::new(WAITS);
    let mut out = Vec::new();
    hearing.pause(1, Instant::now(), &mut out);
    hearing.commit(Instant::now(), &mut out);
    assert_eq!(out, [settled("", 1), last("")]);
}

#[test]
fn words_are_joined_as_their_script_wants() {
    assert_eq!(join("Hello ", " there."), "Hello there.");
    assert_eq!(join("", " there."), "there.");
    assert_eq!(join("你好", "世界"), "你好世界");
    assert_eq!(join("안녕", "하세요"), "안녕 하세요");
}

#[test]
fn only_words_that_stand_there_already_are_repeated() {
    assert_eq!(without_repeated("in New York", "york. And"), " And");
    assert_eq!(without_repeated("in New York", "New York, and"), " and");
    assert_eq!(without_repeated("in New York", "New shoes"), "New shoes");
    assert_eq!(without_repeated("", "New shoes"), "New shoes");
}

#[test]
fn words_that_do_not_reach_the_pause_are_not_taken_for_all() {
    let mut talk = Talk::new();
    talk.hearing.running("one", 500 * MS, &mut talk.out);
    talk.hearing.pause(1, talk.at(1_000), &mut talk.out);
    talk.told();
    talk.hearing.due(talk.at(3_499), &mut talk.out);
    assert_eq!(talk.told(), [], "the last half second has no words yet");
    talk.hearing.due(talk.at(3_500), &mut talk.out);
    assert_eq!(talk.told(), [settled("one", 1)]);
}
