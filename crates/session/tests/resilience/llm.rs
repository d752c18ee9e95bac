//! Language models in a row.

use std::sync::Arc;
use std::time::Duration;

use providers::Remedy;
use providers::llm::{LanguageModel, LlmEvent, LlmRequest, Message};
use providers::resilience::{BreakerState, Link, LlmChain, ResilienceConfig, Stage};
use testkit::faulty::{Fault, FaultyWriter};
use tokio::time::Instant;

use super::link;

const ANSWER: &str = "One two three four five six.";

fn request() -> LlmRequest {
    LlmRequest {
        conversation: "test".to_owned(),
        messages: vec![Message::User("Count.".to_owned())],
        tools: Vec::new(),
        max_tokens: 100,
        temperature: 0.0,
    }
}

struct Chain {
    first: Arc<FaultyWriter>,
    second: Arc<FaultyWriter>,
    links: Vec<Link<dyn LanguageModel>>,
    chain: LlmChain,
}

fn chain(first: Arc<FaultyWriter>, second: Arc<FaultyWriter>) -> Chain {
    let links: Vec<Link<dyn LanguageModel>> =
        vec![link("first", Stage::Llm, Arc::clone(&first) as _), link("second", Stage::Llm, Arc::clone(&second) as _)];
    Chain { first, second, chain: LlmChain::new(links.clone(), &ResilienceConfig::default()), links }
}

fn counting() -> Chain {
    chain(FaultyWriter::new("test.first", ANSWER), FaultyWriter::new("test.second", ANSWER))
}

/// The whole answer: text, names of tools called, and the last event.
async fn answer(chain: &LlmChain) -> (String, Vec<String>, LlmEvent) {
    let mut events = chain.reply(request());
    let (mut text, mut calls) = (String::new(), Vec::new());
    loop {
        match events.recv().await.expect("an answer has a last event") {
            LlmEvent::Text(more) => text.push_str(&more),
            LlmEvent::ToolCall(call) => calls.push(call.name),
            last @ (LlmEvent::Done { .. } | LlmEvent::Failed(_)) => return (text, calls, last),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_model_answers_alone_while_it_works() {
    let counting = counting();
    let (text, _, last) = answer(&counting.chain).await;
    assert_eq!(text, ANSWER);
    assert!(matches!(last, LlmEvent::Done { .. }));
    assert_eq!((counting.first.faults.requests(), counting.second.faults.requests()), (1, 0));
    assert_eq!(counting.links[0].health.report().first, Some(Duration::from_millis(20)));
}

#[tokio::test(start_paused = true)]
async fn every_fault_at_every_place_gives_the_whole_answer_once() {
    for words in 0..6 {
        for fault in [Fault::BreaksAfter(words), Fault::VanishesAfter(words)] {
            let counting = counting();
            counting.first.faults.expect([Some(fault)]);
            let (text, _, last) = answer(&counting.chain).await;
            assert_eq!(text, ANSWER, "{fault:?}");
            assert!(matches!(last, LlmEvent::Done { .. }), "{fault:?}");
            assert_eq!(counting.links[1].health.report().taken_over, 1);
        }
    }
    for fault in [Fault::Refused(Remedy::Retry), Fault::Refused(Remedy::Replace), Fault::Busy(Duration::from_secs(5))] {
        let counting = counting();
        counting.first.faults.expect([Some(fault)]);
        assert_eq!(answer(&counting.chain).await.0, ANSWER, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_goes_on_is_told_what_was_said() {
    let counting = counting();
    counting.first.faults.expect([Some(Fault::BreaksAfter(3))]);
    answer(&counting.chain).await;
    let asked = counting.second.asked.lock().unwrap();
    let said = Message::Assistant { text: "One two three".to_owned(), calls: Vec::new() };
    assert_eq!(asked[0].messages[..2], [Message::User("Count.".to_owned()), said]);
    assert!(matches!(&asked[0].messages[2], Message::User(text) if text.contains("very next word")));
}

#[tokio::test(start_paused = true)]
async fn a_silent_model_is_raced_by_the_next_and_cancelled() {
    let counting = counting();
    counting.first.faults.expect([Some(Fault::Silence)]);
    let began = Instant::now();
    assert_eq!(answer(&counting.chain).await.0, ANSWER);
    assert_eq!(began.elapsed(), Duration::from_millis(1_500 + 6 * 20));
    tokio::task::yield_now().await;
    assert_eq!(counting.first.faults.cancelled(), 1);
    assert_eq!(counting.links[0].health.report().slow, 1);
}

#[tokio::test(start_paused = true)]
async fn a_row_of_silent_models_is_passed() {
    let models = ["test.first", "test.second", "test.third"].map(|name| FaultyWriter::new(name, ANSWER));
    models[..2].iter().for_each(|model| model.faults.expect([Some(Fault::Silence)]));
    let links = models.iter().map(|model| link("one", Stage::Llm, Arc::clone(model) as _)).collect();
    let began = Instant::now();
    assert_eq!(answer(&LlmChain::new(links, &ResilienceConfig::default())).await.0, ANSWER);
    assert_eq!(began.elapsed(), Duration::from_millis(2 * 1_500 + 6 * 20));
}

#[tokio::test(start_paused = true)]
async fn a_slow_model_that_is_first_all_the_same_answers() {
    let counting = counting();
    counting.first.faults.expect([Some(Fault::Slow(Duration::from_millis(1_600)))]);
    counting.second.faults.expect([Some(Fault::Slow(Duration::from_secs(1)))]);
    assert_eq!(answer(&counting.chain).await.0, ANSWER);
    tokio::task::yield_now().await;
    assert_eq!((counting.first.faults.cancelled(), counting.second.faults.cancelled()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_model_that_stands_still_is_gone_on_for_and_cancelled() {
    for words in 1..6 {
        let counting = counting();
        counting.first.faults.expect([Some(Fault::StallsAfter(words))]);
        let began = Instant::now();
        let (text, _, last) = answer(&counting.chain).await;
        assert_eq!(text, ANSWER, "after {words}");
        assert!(matches!(last, LlmEvent::Done { .. }));
        assert_eq!(began.elapsed(), Duration::from_millis(2_500 + (words as u64 + 6) * 20));
        assert_eq!(counting.first.faults.cancelled(), 1);
        assert_eq!(counting.links[0].health.report().failures, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_model_that_writes_a_long_call_does_not_stand_still() {
    let span = ResilienceConfig::default().stall_deadline * 4;
    let first = FaultyWriter::with_long_call("test.first", ANSWER, "order", span);
    let pair = chain(first, FaultyWriter::new("test.second", ANSWER));
    let (text, calls, last) = answer(&pair.chain).await;
    assert_eq!((text.as_str(), calls), (ANSWER, vec!["order".to_owned()]));
    assert!(matches!(last, LlmEvent::Done { .. }), "{last:?}");
    assert_eq!(pair.second.faults.requests(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_last_model_that_stands_still_ends_the_answer_as_a_failure() {
    let counting = counting();
    counting.first.faults.expect([Some(Fault::Refused(Remedy::Retry))]);
    counting.second.faults.expect([Some(Fault::StallsAfter(2))]);
    let (text, _, last) = answer(&counting.chain).await;
    assert_eq!(text, "One two ");
    assert!(matches!(last, LlmEvent::Failed(failure) if failure.message == "the answer stood still"));
    tokio::task::yield_now().await;
    assert_eq!(counting.second.faults.cancelled(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_tool_called_by_a_half_answer_is_not_run() {
    let with_tool = FaultyWriter::with_tool("test.first", "weather", ANSWER);
    let pair = chain(Arc::clone(&with_tool), FaultyWriter::with_tool("test.second", "weather", ANSWER));
    with_tool.faults.expect([Some(Fault::BreaksAfter(4))]);
    let (text, calls, _) = answer(&pair.chain).await;
    assert_eq!((text.as_str(), calls), (ANSWER, vec!["weather".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn a_wrong_request_is_nobodys_fault() {
    let counting = counting();
    counting.first.faults.expect([Some(Fault::Refused(Remedy::GiveUp))]);
    let (text, _, last) = answer(&counting.chain).await;
    assert!(text.is_empty() && matches!(last, LlmEvent::Failed(_)));
    assert_eq!(counting.second.faults.requests(), 0);
    assert_eq!(counting.links[0].health.report().failures, 0);
}

#[tokio::test(start_paused = true)]
async fn when_all_fail_the_last_failure_is_told() {
    let counting = counting();
    counting.first.faults.expect([Some(Fault::BreaksAfter(2))]);
    counting.second.faults.expect([Some(Fault::Refused(Remedy::Retry))]);
    let (text, _, last) = answer(&counting.chain).await;
    assert_eq!(text, "One two ", "words leave as they come");
    assert!(matches!(last, LlmEvent::Failed(failure) if failure.provider == "test.second"));
}

#[tokio::test(start_paused = true)]
async fn a_failing_model_is_left_alone_and_tried_again() {
    let counting = counting();
    counting.first.faults.expect([Some(Fault::Refused(Remedy::Retry)); 3]);
    for _ in 0..5 {
        assert_eq!(answer(&counting.chain).await.0, ANSWER);
    }
    assert_eq!(counting.first.faults.requests(), 3, "then its breaker is open");
    assert_eq!(counting.links[0].health.report().state, BreakerState::Open);
    tokio::time::advance(Duration::from_secs(10)).await;
    assert_eq!(answer(&counting.chain).await.0, ANSWER);
    assert_eq!(counting.first.faults.requests(), 4);
    assert_eq!(counting.links[0].health.report().state, BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_busy_model_gets_the_pause_it_asks_for() {
    let counting = counting();
    counting.first.faults.expect([Some(Fault::Busy(Duration::from_secs(60)))]);
    answer(&counting.chain).await;
    tokio::time::advance(Duration::from_secs(59)).await;
    answer(&counting.chain).await;
    assert_eq!(counting.first.faults.requests(), 1);
    tokio::time::advance(Duration::from_secs(1)).await;
    answer(&counting.chain).await;
    assert_eq!(counting.first.faults.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn whoever_stops_listening_cancels_everybody_at_once() {
    let counting = counting();
    counting.first.faults.expect([Some(Fault::Silence)]);
    counting.second.faults.expect([Some(Fault::Silence)]);
    let events = counting.chain.reply(request());
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(counting.second.faults.requests(), 1, "both are asked by now");
    let dropped = Instant::now();
    drop(events);
    while counting.first.faults.cancelled() + counting.second.faults.cancelled() < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(dropped.elapsed(), Duration::ZERO);
}
