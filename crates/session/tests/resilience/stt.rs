//! Recognisers in a row.

use std::sync::Arc;
use std::time::Duration;

use providers::Remedy;
use providers::resilience::{BreakerState, Link, ResilienceConfig, Stage, SttChain};
use providers::stt::{SpeechToText, SttEvent, SttInput, SttOptions, SttStream};
use testkit::faulty::{Fault, FaultyEar};
use tokio::time::Instant;

use super::link;

struct Chain {
    first: Arc<FaultyEar>,
    second: Arc<FaultyEar>,
    links: Vec<Link<dyn SpeechToText>>,
    stream: SttStream,
    /// Its tasks end with it.
    _chain: SttChain,
}

fn chain(first: Option<Fault>, second: Option<Fault>) -> Chain {
    let (ear, other) = (FaultyEar::new("test.first"), FaultyEar::new("test.second"));
    ear.faults.expect([first]);
    other.faults.expect([second]);
    let links: Vec<Link<dyn SpeechToText>> =
        vec![link("first", Stage::Stt, Arc::clone(&ear) as _), link("second", Stage::Stt, Arc::clone(&other) as _)];
    let chain = SttChain::new(links.clone(), &ResilienceConfig::default());
    let stream = chain.open(SttOptions::default());
    Chain { first: ear, second: other, links, stream, _chain: chain }
}

impl Chain {
    async fn tell(&self, input: SttInput) {
        self.stream.input.send(input).await.unwrap();
    }

    async fn say(&self, pieces: std::ops::Range<u8>) {
        for piece in pieces {
            self.tell(SttInput::Audio(Arc::from([f32::from(piece)].as_slice()))).await;
        }
    }

    async fn heard(&mut self) -> SttEvent {
        self.stream.events.recv().await.expect("the stream goes on")
    }
}

fn last(text: &str) -> SttEvent {
    SttEvent::Final { text: text.to_owned() }
}

#[tokio::test(start_paused = true)]
async fn a_recogniser_that_breaks_anywhere_loses_no_word() {
    for inputs in 0..12 {
        for fault in [Fault::BreaksAfter(inputs), Fault::VanishesAfter(inputs), Fault::StallsAfter(inputs)] {
            let mut pair = chain(Some(fault), None);
            pair.say(1..4).await;
            pair.tell(SttInput::Commit).await;
            pair.say(4..7).await;
            pair.tell(SttInput::Pause(1)).await;
            pair.tell(SttInput::Commit).await;
            pair.say(7..9).await;
            pair.tell(SttInput::Commit).await;
            let mut finals = Vec::new();
            while finals.len() < 3 {
                if let SttEvent::Final { text } = pair.heard().await {
                    finals.push(text);
                }
            }
            assert_eq!(finals, ["1 2 3", "4 5 6", "7 8"], "{fault:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn words_that_do_not_come_are_asked_of_the_next() {
    let mut pair = chain(Some(Fault::Silence), None);
    pair.say(1..4).await;
    let asked = Instant::now();
    pair.tell(SttInput::Pause(7)).await;
    assert_eq!(pair.heard().await, SttEvent::Partial { text: "1 2 3".to_owned(), settled: Some(7) });
    assert_eq!(asked.elapsed(), Duration::from_millis(2_500));
    assert_eq!(pair.links[0].health.report().failures, 1);
    assert_eq!(pair.links[1].health.report().taken_over, 1);
}

#[tokio::test(start_paused = true)]
async fn noise_in_which_nobody_hears_words_counts_against_nobody() {
    let mut pair = chain(Some(Fault::Silence), None);
    pair.tell(SttInput::Pause(1)).await;
    pair.tell(SttInput::Commit).await;
    assert_eq!(pair.heard().await, SttEvent::Partial { text: String::new(), settled: Some(1) });
    assert_eq!(pair.heard().await, last(""));
    pair.say(1..3).await;
    pair.tell(SttInput::Commit).await;
    assert_eq!(pair.heard().await, last("1 2"));
    assert_eq!(pair.links[0].health.report().failures, 0);
}

#[tokio::test(start_paused = true)]
async fn who_must_catch_up_is_given_time_for_it() {
    let mut pair = chain(Some(Fault::Silence), Some(Fault::Slow(Duration::from_secs(4))));
    let eight_seconds = vec![1.0; 8 * 16_000];
    pair.tell(SttInput::Audio(Arc::from(eight_seconds))).await;
    pair.tell(SttInput::Pause(1)).await;
    assert!(matches!(pair.heard().await, SttEvent::Partial { settled: Some(1), .. }));
    assert_eq!(pair.links[1].health.report().failures, 0, "at four times the speed of speech it took 2 s to hear");
}

#[tokio::test(start_paused = true)]
async fn what_was_no_turn_is_not_heard_again() {
    let mut pair = chain(Some(Fault::BreaksAfter(5)), None);
    pair.say(1..4).await;
    pair.tell(SttInput::Reset).await;
    pair.say(4..6).await;
    pair.tell(SttInput::Commit).await;
    assert_eq!(pair.heard().await, last("4 5"));
}

#[tokio::test(start_paused = true)]
async fn when_all_fail_one_utterance_is_lost_and_the_next_is_understood() {
    let mut pair = chain(Some(Fault::BreaksAfter(2)), Some(Fault::Refused(Remedy::Retry)));
    pair.say(1..4).await;
    pair.tell(SttInput::Commit).await;
    assert!(matches!(pair.heard().await, SttEvent::Failed(_)));
    pair.say(4..6).await;
    pair.tell(SttInput::Commit).await;
    assert_eq!(pair.heard().await, last("4 5"));
    assert_eq!((pair.first.faults.requests(), pair.second.faults.requests()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_recogniser_that_is_down_is_not_asked_by_the_next_call() {
    let (ear, other) = (FaultyEar::new("test.first"), FaultyEar::new("test.second"));
    ear.faults.expect([Some(Fault::Refused(Remedy::Retry)); 3]);
    let links: Vec<Link<dyn SpeechToText>> =
        vec![link("first", Stage::Stt, Arc::clone(&ear) as _), link("second", Stage::Stt, other as _)];
    let chain = SttChain::new(links.clone(), &ResilienceConfig::default());
    for _ in 0..5 {
        let mut stream = chain.open(SttOptions::default());
        stream.input.send(SttInput::Commit).await.unwrap();
        assert_eq!(stream.events.recv().await, Some(last("")));
    }
    assert_eq!(ear.faults.requests(), 3);
    assert_eq!(links[0].health.report().state, BreakerState::Open);
}
