//! A vendor's stream of events, within its deadlines.

use std::collections::VecDeque;

use reqwest::RequestBuilder;

use super::body::{Body, StreamError};
use super::endpoint::Endpoint;
use super::sse::{Decoder, Item};

/// The most that an answer in events may hold.
pub(crate) const MAX_STREAM_BYTES: usize = 16 * 1024 * 1024;

/// A stream of events. Dropping it closes the connection (HTTP/1.1) or resets the stream (HTTP/2).
#[derive(Debug)]
pub(crate) struct EventStream {
    body: Body,
    decoder: Option<Decoder>,
    items: VecDeque<Item>,
}

impl EventStream {
    /// Sends the request and waits for the head of its answer.
    pub(crate) async fn open(endpoint: &Endpoint, request: RequestBuilder) -> Result<Self, StreamError> {
        Ok(Self::reading(Body::open(endpoint, request, MAX_STREAM_BYTES).await?))
    }

    /// Reads an answer whose head is here.
    pub(crate) fn reading(body: Body) -> Self {
        Self { body, decoder: Some(Decoder::default()), items: VecDeque::new() }
    }

    /// The answer has begun: from here on only its pauses are bounded.
    pub(crate) fn has_begun(&mut self) {
        self.body.has_begun();
    }

    /// The answer is complete; what may follow is not waited for long.
    pub(crate) fn is_complete(&mut self) {
        self.body.is_complete();
    }

    /// The next event; none at the end. Comments in between do not make it wait longer.
    pub(crate) async fn next(&mut self) -> Result<Option<Item>, StreamError> {
        let patience = self.body.patience();
        loop {
            if let Some(item) = self.items.pop_front() {
                return Ok(Some(item));
            }
            let Some(decoder) = &mut self.decoder else { return Ok(None) };
            let mut items = Vec::new();
            match self.body.chunk(patience).await? {
                Some(bytes) => decoder.push(&bytes, &mut items)?,
                None => {
                    if let Some(decoder) = self.decoder.take() {
                        decoder.finish(&mut items)?;
                    }
                }
            }
            self.items.extend(items);
        }
    }

    /// Reads what is left after the last word, so that the connection can be used again.
    pub(crate) async fn drain(mut self) {
        self.is_complete();
        while let Ok(Some(_)) = self.next().await {}
    }
}
