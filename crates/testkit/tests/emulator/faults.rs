//! Each fault, as an HTTP client sees it.

use std::time::Duration;

use reqwest::Client;
use testkit::emulator::{Emulator, Ending, Fault, Refusal, Route, Trouble};

use super::{chat, chat_text, gemini, gemini_text, start};

/// The body of a chat to which this happens, or the error that reading it ends with.
async fn chat_with(fault: Fault) -> (Emulator, reqwest::Result<String>) {
    let emulator = start().await;
    emulator.fault(Route::OpenAiChat, 1, fault);
    let body = async { chat(&Client::new(), &emulator, "one two three four").await?.text().await }.await;
    (emulator, body)
}

#[tokio::test]
async fn a_quota_says_when_to_come_again() {
    let emulator = start().await;
    let quota = Trouble::Error(Refusal::quota(Duration::from_millis(2_500)));
    emulator.fault(Route::OpenAiChat, 2, Fault::at_once(quota.clone()));
    emulator.fault(Route::GeminiStream, 1, Fault::at_once(quota));
    let client = Client::new();
    assert_eq!(chat(&client, &emulator, "hi").await.unwrap().status(), 200);
    let refused = chat(&client, &emulator, "hi").await.unwrap();
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()["retry-after"], "3");
    assert_eq!(chat(&client, &emulator, "hi").await.unwrap().status(), 200);
    let refused = gemini(&client, &emulator, "hi").await.unwrap();
    assert_eq!(refused.status(), 429);
    let body: serde_json::Value = refused.json().await.unwrap();
    assert_eq!(body["error"]["details"][1]["retryDelay"], "2.5s");
}

#[tokio::test]
async fn a_reset_is_a_transport_error_before_and_within_the_answer() {
    for after in [0, 3] {
        let (emulator, body) = chat_with(Fault::after(after, Trouble::Reset)).await;
        let error = format!("{:?}", body.expect_err("it is reset"));
        assert!(error.contains("reset") || error.contains("Connection"), "{error}");
        assert_eq!(emulator.log()[0].ended.map(|(_, ending)| ending), Some(Ending::BrokenOff));
    }
}

#[tokio::test]
async fn a_cut_ends_cleanly_without_a_finish_reason() {
    let (_emulator, body) = chat_with(Fault::after(3, Trouble::Cut)).await;
    let body = body.expect("the body ends cleanly");
    assert_eq!(chat_text(&body), "You said:");
    assert!(!body.contains("[DONE]") && !body.contains("\"stop\""), "{body}");
}

#[tokio::test]
async fn an_error_within_a_stream_looks_as_each_vendors_does() {
    let (_emulator, body) = chat_with(Fault::after(2, Trouble::Error(Refusal::overloaded()))).await;
    assert!(body.expect("the body ends cleanly").contains("data: {\"error\":"));
    let emulator = start().await;
    emulator.fault(Route::GeminiStream, 1, Fault::after(2, Trouble::Error(Refusal::overloaded())));
    let body = gemini(&Client::new(), &emulator, "one two").await.unwrap().text().await.unwrap();
    let (events, bare) = body.split_once("\r\n\r\n{\n").expect("the error stands bare");
    assert_eq!(gemini_text(events), "You said:");
    assert!(bare.contains("\"status\": \"UNAVAILABLE\""), "{bare}");
}

#[tokio::test]
async fn garbage_spoils_one_piece_only() {
    let (_emulator, body) = chat_with(Fault::after(2, Trouble::Garbage)).await;
    let body = body.expect("the body ends cleanly");
    let broken = body.lines().filter_map(|line| line.strip_prefix("data: "));
    let broken = broken.filter(|data| *data != "[DONE]" && serde_json::from_str::<serde_json::Value>(data).is_err());
    assert_eq!(broken.count(), 1, "{body}");
    assert!(body.ends_with("[DONE]\n\n"));
}

#[tokio::test]
async fn a_stall_and_a_drip_lose_nothing() {
    let soon = Duration::from_millis(1);
    let harmless =
        [(Trouble::Stall(soon), 0), (Trouble::Stall(soon), 2), (Trouble::GoAway, 2), (Trouble::Drip(soon), 6)];
    for (trouble, after) in harmless {
        let (_emulator, body) = chat_with(Fault::after(after, trouble.clone())).await;
        let body = body.expect("whole");
        assert_eq!(chat_text(&body), "You said: one two three four", "{trouble:?} after {after}");
        assert!(body.ends_with("[DONE]\n\n"));
    }
}

#[tokio::test]
async fn a_held_connection_is_accepted_and_not_answered() {
    let emulator = start().await;
    emulator.hold_connections();
    let client = Client::builder().timeout(Duration::from_millis(50)).build().unwrap();
    assert!(chat(&client, &emulator, "hi").await.expect_err("nobody answers").is_timeout());
    emulator.release_connections();
    let body = chat(&Client::new(), &emulator, "hi").await.unwrap().text().await.unwrap();
    assert_eq!(chat_text(&body), "You said: hi");
}

#[tokio::test]
async fn a_connection_that_goes_away_is_not_used_again() {
    let emulator = start().await;
    let client = Client::builder().http2_prior_knowledge().build().unwrap();
    emulator.fault(Route::OpenAiChat, 2, Fault::at_once(Trouble::GoAway));
    for _ in 0..3 {
        let body = chat(&client, &emulator, "hi").await.unwrap().text().await.unwrap();
        assert_eq!(chat_text(&body), "You said: hi");
    }
    let connections: Vec<usize> = emulator.log().iter().map(|record| record.connection).collect();
    assert_eq!(connections, [0, 0, 1]);
}
