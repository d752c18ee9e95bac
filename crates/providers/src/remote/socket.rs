//! A conversation with a vendor over a WebSocket (RFC 6455): JSON both ways.
//!
//! The handshake goes through [`Endpoint`], so keys, authorities, proxies and refusals are the same as for requests.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::header::{
    CONNECTION, HeaderMap, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use reqwest::{Upgraded, Url};
use serde_json::Value;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};
use tokio_tungstenite::tungstenite::{self, Message};

use super::endpoint::{Endpoint, SendError};
use crate::{Failure, Remedy};

/// How long a farewell may take.
const GOODBYE: Duration = Duration::from_millis(500);

/// An open conversation.
pub(crate) struct Socket {
    stream: WebSocketStream<Upgraded>,
}

/// A conversation cannot be opened, or is over.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SocketError {
    #[error(transparent)]
    Send(#[from] SendError),
    #[error("no connection within {} ms", .0.as_millis())]
    Late(Duration),
    #[error("the connection was not handed over: {0}")]
    Upgrade(reqwest::Error),
    #[error("the answer to the handshake is not one")]
    Handshake,
    #[error("the connection broke: {0}")]
    Broken(tungstenite::Error),
    /// The vendor ended it; its reason is not shown, it may quote what was said.
    #[error("it ended the conversation with code {0}")]
    Closed(u16),
    #[error("the connection ended without a word")]
    Vanished,
    #[error("a message is no JSON")]
    Malformed,
}

impl SocketError {
    pub(crate) fn into_failure(self, provider: &'static str) -> Failure {
        match self {
            Self::Send(error) => error.into_failure(provider),
            // It does not take what we send, or us (RFC 6455); another one may.
            Self::Closed(1_002 | 1_003 | 1_007 | 1_008) => Failure::new(provider, Remedy::Replace, self.to_string()),
            Self::Late(_)
            | Self::Upgrade(_)
            | Self::Handshake
            | Self::Broken(_)
            | Self::Closed(_)
            | Self::Vanished
            | Self::Malformed => Failure::new(provider, Remedy::Retry, self.to_string()),
        }
    }
}

impl Socket {
    /// Connects and shakes hands.
    ///
    /// # Errors
    /// When nobody answers in time, or with a refusal.
    pub(crate) async fn open(endpoint: &Endpoint, address: Url) -> Result<Self, SocketError> {
        let deadlines = endpoint.deadlines();
        let within = deadlines.connect + deadlines.first;
        timeout(within, Self::shake_hands(endpoint, address)).await.map_err(|_| SocketError::Late(within))?
    }

    async fn shake_hands(endpoint: &Endpoint, address: Url) -> Result<Self, SocketError> {
        let key = generate_key();
        let value = |text: &str| HeaderValue::from_str(text).map_err(|_| SocketError::Handshake);
        let headers = HeaderMap::from_iter([
            (CONNECTION, HeaderValue::from_static("Upgrade")),
            (UPGRADE, HeaderValue::from_static("websocket")),
            (SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13")),
            (SEC_WEBSOCKET_KEY, value(&key)?),
        ]);
        let response = endpoint.upgrade(address, headers).await?;
        let accepted = response.headers().get(SEC_WEBSOCKET_ACCEPT).map(HeaderValue::as_bytes);
        if accepted != Some(derive_accept_key(key.as_bytes()).as_bytes()) {
            return Err(SocketError::Handshake);
        }
        let connection = response.upgrade().await.map_err(SocketError::Upgrade)?;
        Ok(Self { stream: WebSocketStream::from_raw_socket(connection, Role::Client, None).await })
    }

    /// The next message. Cancel safe.
    ///
    /// # Errors
    /// When the conversation is over.
    pub(crate) async fn receive(&mut self) -> Result<Value, SocketError> {
        loop {
            let message = self.stream.next().await.ok_or(SocketError::Vanished)?.map_err(SocketError::Broken)?;
            let parsed = match &message {
                Message::Text(text) => serde_json::from_str(text.as_str()),
                // Google sends its JSON so.
                Message::Binary(bytes) => serde_json::from_slice(bytes),
                Message::Close(frame) => return Err(SocketError::Closed(code(frame.as_ref()))),
                // Pings are answered by the stream.
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => continue,
            };
            return parsed.map_err(|_| SocketError::Malformed);
        }
    }

    /// Sends a message. Not cancel safe.
    ///
    /// # Errors
    /// When the conversation is over.
    pub(crate) async fn send(&mut self, message: &Value) -> Result<(), SocketError> {
        self.stream.send(Message::text(message.to_string())).await.map_err(SocketError::Broken)
    }

    /// Ends the conversation politely.
    pub(crate) async fn close(mut self) {
        let farewell = async {
            // Who is gone needs no farewell.
            drop(self.stream.close(None).await);
            while let Some(Ok(_)) = self.stream.next().await {}
        };
        drop(timeout(GOODBYE, farewell).await);
    }
}

/// The vendor's code; RFC 6455 has one for none.
fn code(frame: Option<&CloseFrame>) -> u16 {
    frame.map_or(1_005, |frame| frame.code.into())
}

/// Audio as vendors put it into JSON.
pub(crate) fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The other way; none if it is something else.
pub(crate) fn decode(encoded: &str) -> Option<Vec<u8>> {
    STANDARD.decode(encoded).ok()
}
