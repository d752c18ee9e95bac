//! A conversation over a WebSocket: JSON in and out, with its fault and its place in the log.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::future;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::body::Carrier;
use super::fault::{Fault, Trouble};
use super::log::Exchange;
use super::route::Vendor;

/// How close codes are called (RFC 6455).
pub(super) const UNUSABLE: u16 = 1_007;
const SERVER_ERROR: u16 = 1_011;

/// What comes from the client.
pub(super) enum Incoming {
    Message(Value),
    /// Something that is no JSON.
    Malformed,
    /// Its farewell.
    Closed,
}

/// The conversation is over, by a fault or because the client went away: there is nothing left to do.
#[derive(Debug)]
pub(super) struct Over;

pub(super) struct Socket {
    stream: WebSocket,
    carrier: Carrier,
    sent: usize,
    /// Between two messages, once a fault slowed it down.
    drip: Duration,
}

impl Socket {
    pub(super) fn new(stream: WebSocket, carrier: Carrier) -> Self {
        Self { stream, carrier, sent: 0, drip: Duration::ZERO }
    }

    pub(super) fn exchange(&self) -> &Exchange {
        self.carrier.presence.exchange()
    }

    /// The next message. Cancel safe.
    ///
    /// # Errors
    /// [`Over`] when the client went away without a farewell.
    pub(super) async fn receive(&mut self) -> Result<Incoming, Over> {
        loop {
            let Some(Ok(message)) = self.stream.recv().await else { return Err(Over) };
            let parsed = match &message {
                Message::Text(text) => serde_json::from_str(text),
                Message::Binary(bytes) => serde_json::from_slice(bytes),
                Message::Ping(_) | Message::Pong(_) => continue,
                Message::Close(_) => return Ok(Incoming::Closed),
            };
            return Ok(parsed.map_or(Incoming::Malformed, Incoming::Message));
        }
    }

    /// Sends a message, or lets its fault happen.
    ///
    /// # Errors
    /// [`Over`] when the conversation ends with it.
    pub(super) async fn send(&mut self, message: &Value) -> Result<(), Over> {
        let mut text = message.to_string();
        if self.carrier.fault.as_ref().is_some_and(|fault| fault.after == self.sent)
            && let Some(fault) = self.carrier.fault.take()
        {
            self.meet(fault, &mut text).await?;
        }
        sleep(self.drip).await;
        self.put(text).await?;
        self.sent += 1;
        self.exchange().sent();
        Ok(())
    }

    /// Ends the conversation with this code.
    pub(super) async fn close(mut self, code: u16, reason: &str) {
        self.say_goodbye(code, reason).await;
        self.carrier.presence.complete();
    }

    /// The client ended it.
    pub(super) fn complete(self) {
        self.carrier.presence.complete();
    }

    async fn meet(&mut self, fault: Fault, text: &mut String) -> Result<(), Over> {
        match fault.trouble {
            Trouble::Stall(time) => sleep(time).await,
            Trouble::Drip(every) => self.drip = every,
            Trouble::Garbage => {
                let half = (0..=text.len() / 2).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
                text.truncate(half);
            }
            Trouble::GoAway => return self.go_away().await,
            Trouble::Silence => future::pending().await,
            Trouble::Cut => return self.break_off(),
            Trouble::Reset => {
                self.carrier.connection.reset();
                return self.break_off();
            }
            Trouble::Error(refusal) => {
                if self.carrier.vendor == Vendor::OpenAi {
                    let mut event = refusal.openai();
                    event["type"] = "error".into();
                    event["event_id"] = "event_error".into();
                    self.put(event.to_string()).await?;
                }
                self.say_goodbye(SERVER_ERROR, &refusal.message).await;
                return self.break_off();
            }
        }
        Ok(())
    }

    /// Gemini announces that it will close; OpenAI's session expires.
    async fn go_away(&mut self) -> Result<(), Over> {
        if self.carrier.vendor == Vendor::Gemini {
            return self.put(json!({"goAway": {"timeLeft": "9.5s"}}).to_string()).await;
        }
        let error = json!({"type": "invalid_request_error", "code": "session_expired", "param": null, "event_id": null,
            "message": "Your session hit the maximum duration of 60 minutes."});
        self.put(json!({"type": "error", "event_id": "event_expired", "error": error}).to_string()).await?;
        self.say_goodbye(1_000, "").await;
        self.break_off()
    }

    fn break_off(&self) -> Result<(), Over> {
        self.carrier.presence.break_off();
        Err(Over)
    }

    /// Google sends its JSON in binary frames.
    async fn put(&mut self, text: String) -> Result<(), Over> {
        let message = match self.carrier.vendor {
            Vendor::Gemini | Vendor::Google => Message::Binary(text.into_bytes().into()),
            Vendor::OpenAi => Message::Text(text.into()),
        };
        self.stream.send(message).await.map_err(|_| Over)
    }

    async fn say_goodbye(&mut self, code: u16, reason: &str) {
        // A client that is gone needs no goodbye.
        drop(self.stream.send(Message::Close(Some(CloseFrame { code, reason: reason.into() }))).await);
        // Its answer ends the conversation properly; without waiting for it the reason might be lost with the connection.
        while let Some(Ok(_)) = self.stream.recv().await {}
    }
}
