//! A vendor's stream of events, within its deadlines.

use std::collections::VecDeque;
use std::time::Duration;

use reqwest::{RequestBuilder, Response};
use tokio::time::{Instant, timeout_at};

use super::deadlines::Deadlines;
use super::endpoint::{Endpoint, SendError};
use super::sse::{Decoder, Item, SseError};
use crate::{Failure, Remedy};

/// How long a stream that has said its last word is waited for: its connection can be used again only when it ends.
const LINGER: Duration = Duration::from_millis(300);
/// The most that an answer may hold.
const MAX_STREAM_BYTES: usize = 16 * 1024 * 1024;

/// A stream of events. Dropping it closes the connection (HTTP/1.1) or resets the stream (HTTP/2).
#[derive(Debug)]
pub(crate) struct EventStream {
    response: Response,
    decoder: Option<Decoder>,
    items: VecDeque<Item>,
    bytes: usize,
    wait: Wait,
}

/// What is waited for.
#[derive(Debug, Clone, Copy)]
enum Wait {
    /// The first words, until then.
    Beginning { due: Instant, within: Duration, stall: Duration },
    /// The next ones, for so long.
    More { stall: Duration },
    /// The end, for a moment.
    End,
}

/// Why there is no next event.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StreamError {
    #[error("nothing came within {} ms", .0.as_millis())]
    Silent(Duration),
    #[error(transparent)]
    Send(#[from] SendError),
    #[error(transparent)]
    Format(#[from] SseError),
    #[error("the answer is longer than {MAX_STREAM_BYTES} bytes")]
    TooMuch,
}

impl StreamError {
    pub(crate) fn into_failure(self, provider: &'static str) -> Failure {
        match self {
            Self::Send(error) => error.into_failure(provider),
            Self::Silent(_) | Self::Format(_) | Self::TooMuch => {
                Failure::new(provider, Remedy::Retry, self.to_string())
            }
        }
    }
}

impl EventStream {
    /// Sends the request and waits for the head of its answer.
    pub(crate) async fn open(endpoint: &Endpoint, request: RequestBuilder) -> Result<Self, StreamError> {
        let Deadlines { first: within, stall, .. } = endpoint.deadlines();
        let due = Instant::now() + within;
        let sent = timeout_at(due, endpoint.send(request)).await.map_err(|_| StreamError::Silent(within))?;
        let wait = Wait::Beginning { due, within, stall };
        Ok(Self { response: sent?, decoder: Some(Decoder::default()), items: VecDeque::new(), bytes: 0, wait })
    }

    /// The answer has begun: from here on only its pauses are bounded.
    pub(crate) fn has_begun(&mut self) {
        if let Wait::Beginning { stall, .. } = self.wait {
            self.wait = Wait::More { stall };
        }
    }

    /// The answer is complete; what may follow is not waited for long.
    pub(crate) fn is_complete(&mut self) {
        self.wait = Wait::End;
    }

    /// The next event; none at the end. The time that passes between two calls counts for nobody.
    pub(crate) async fn next(&mut self) -> Result<Option<Item>, StreamError> {
        let (due, within) = match self.wait {
            Wait::Beginning { due, within, .. } => (due, within),
            Wait::More { stall } => (Instant::now() + stall, stall),
            Wait::End => (Instant::now() + LINGER, LINGER),
        };
        match timeout_at(due, self.read()).await {
            Ok(item) => item,
            Err(_) => Err(StreamError::Silent(within)),
        }
    }

    /// Reads what is left after the last word, so that the connection can be used again.
    pub(crate) async fn drain(mut self) {
        self.is_complete();
        while let Ok(Some(_)) = self.next().await {}
    }

    /// Cancel safe: bytes that came are in the decoder.
    async fn read(&mut self) -> Result<Option<Item>, StreamError> {
        loop {
            if let Some(item) = self.items.pop_front() {
                return Ok(Some(item));
            }
            let Some(decoder) = &mut self.decoder else { return Ok(None) };
            let mut items = Vec::new();
            match self.response.chunk().await.map_err(SendError::Network)? {
                Some(bytes) => {
                    self.bytes += bytes.len();
                    if self.bytes > MAX_STREAM_BYTES {
                        return Err(StreamError::TooMuch);
                    }
                    decoder.push(&bytes, &mut items)?;
                }
                None => {
                    if let Some(decoder) = self.decoder.take() {
                        decoder.finish(&mut items)?;
                    }
                }
            }
            self.items.extend(items);
        }
    }
}
