//! The emulator notices at once when a client goes away, whatever it is doing at that moment.

use std::time::Duration;

use reqwest::Client;
use testkit::emulator::{Emulator, Ending, Fault, Pace, Route, Script, Trouble};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::{chat, start};

/// Waits for the departure that the log tells; nothing else ends these requests.
async fn departure(emulator: &Emulator) -> Ending {
    let log = emulator.when(|log| log.first().is_some_and(|record| record.ended.is_some())).await;
    log[0].ended.expect("waited for").1
}

#[tokio::test]
async fn a_client_that_leaves_in_mid_stream_is_noticed() {
    let pace = Pace { token: Duration::from_secs(3_600), ..Pace::default() };
    for client in [Client::new(), Client::builder().http2_prior_knowledge().build().unwrap()] {
        let emulator = Emulator::start(Script { pace, ..Script::default() }).await.expect("it starts");
        let mut response = chat(&client, &emulator, "hi").await.unwrap();
        response.chunk().await.unwrap().expect("the first piece");
        assert!(emulator.log()[0].ended.is_none());
        drop(response);
        assert_eq!(departure(&emulator).await, Ending::ClientLeft);
    }
}

#[tokio::test]
async fn a_client_that_gives_up_on_silence_is_noticed() {
    for after in [0, 2] {
        let emulator = start().await;
        emulator.fault(Route::OpenAiChat, 1, Fault::after(after, Trouble::Silence));
        let client = Client::builder().timeout(Duration::from_millis(50)).build().unwrap();
        let body = async { chat(&client, &emulator, "hi").await?.text().await }.await;
        assert!(body.expect_err("it never ends").is_timeout());
        assert_eq!(departure(&emulator).await, Ending::ClientLeft);
    }
}

#[tokio::test]
async fn a_conversation_without_a_farewell_is_noticed() {
    let emulator = start().await;
    let mut stream = TcpStream::connect(emulator.address()).await.unwrap();
    let handshake = "GET /openai/v1/realtime?model=gpt-realtime-2.1 HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer k\r\n\
                     connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
                     sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(handshake.as_bytes()).await.unwrap();
    emulator.when(|log| log.first().is_some_and(|record| record.pieces_sent == 1)).await;
    drop(stream);
    assert_eq!(departure(&emulator).await, Ending::ClientLeft);
}
