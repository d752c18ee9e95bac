//! The body of a vendor's answer, within its deadlines.

use std::time::Duration;

use bytes::Bytes;
use reqwest::{RequestBuilder, Response};
use tokio::time::{Instant, timeout_at};

use super::deadlines::Deadlines;
use super::endpoint::{Endpoint, SendError};
use super::sse::SseError;
use crate::{Failure, Remedy};

/// How long a body that has said its last word is waited for: its connection can be used again only when it ends.
const LINGER: Duration = Duration::from_millis(300);

/// An answer whose head has come. Dropping it closes the connection (HTTP/1.1) or resets the stream (HTTP/2).
#[derive(Debug)]
pub(crate) struct Body {
    response: Response,
    wait: Wait,
    bytes: usize,
    most_bytes: usize,
}

/// What is waited for.
#[derive(Debug, Clone, Copy)]
enum Wait {
    /// The beginning, until then.
    Beginning { patience: Patience, stall: Duration },
    /// What comes next, for so long.
    More { stall: Duration },
    /// The end, for a moment.
    End,
}

/// Until when something is waited for, and how long that was at first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    due: Instant,
    within: Duration,
}

impl Patience {
    fn from_now(within: Duration) -> Self {
        Self { due: Instant::now() + within, within }
    }
}

/// Why nothing more comes.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StreamError {
    #[error("nothing came within {} ms", .0.as_millis())]
    Silent(Duration),
    #[error(transparent)]
    Send(#[from] SendError),
    #[error(transparent)]
    Format(#[from] SseError),
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
}

impl StreamError {
    pub(crate) fn into_failure(self, provider: &'static str) -> Failure {
        match self {
            Self::Send(error) => error.into_failure(provider),
            Self::Silent(_) | Self::Format(_) | Self::TooLong(_) => {
                Failure::new(provider, Remedy::Retry, self.to_string())
            }
        }
    }
}

impl Body {
    /// Sends the request and waits for the head of its answer. The body may hold so many bytes.
    pub(crate) async fn open(
        endpoint: &Endpoint,
        request: RequestBuilder,
        most_bytes: usize,
    ) -> Result<Self, StreamError> {
        let Deadlines { first, stall, .. } = endpoint.deadlines();
        let patience = Patience::from_now(first);
        let sent = timeout_at(patience.due, endpoint.send(request)).await.map_err(|_| StreamError::Silent(first))?;
        Ok(Self { response: sent?, wait: Wait::Beginning { patience, stall }, bytes: 0, most_bytes })
    }

    /// Whether the answer says that it is of this kind, such as `text/event-stream`.
    #[cfg(feature = "openai")]
    pub(crate) fn is(&self, content_type: &str) -> bool {
        let own = self.response.headers().get(reqwest::header::CONTENT_TYPE);
        own.is_some_and(|own| own.as_bytes().starts_with(content_type.as_bytes()))
    }

    /// From here on only pauses are bounded.
    pub(crate) fn has_begun(&mut self) {
        if let Wait::Beginning { stall, .. } = self.wait {
            self.wait = Wait::More { stall };
        }
    }

    /// What may still come is not waited for long.
    pub(crate) fn is_complete(&mut self) {
        self.wait = Wait::End;
    }

    /// How long the next piece that means something is waited for. The time before this call counts for nobody.
    pub(crate) fn patience(&self) -> Patience {
        match self.wait {
            Wait::Beginning { patience, .. } => patience,
            Wait::More { stall } => Patience::from_now(stall),
            Wait::End => Patience::from_now(LINGER),
        }
    }

    /// The next bytes; none at the end. Cancel safe.
    pub(crate) async fn chunk(&mut self, patience: Patience) -> Result<Option<Bytes>, StreamError> {
        let chunk = timeout_at(patience.due, self.response.chunk());
        let chunk = chunk.await.map_err(|_| StreamError::Silent(patience.within))?.map_err(SendError::Network)?;
        self.bytes += chunk.as_ref().map_or(0, Bytes::len);
        if self.bytes > self.most_bytes {
            return Err(StreamError::TooLong(self.most_bytes));
        }
        Ok(chunk)
    }

    /// All of it.
    #[cfg(feature = "openai")]
    pub(crate) async fn whole(mut self) -> Result<Vec<u8>, StreamError> {
        let (patience, mut whole) = (self.patience(), Vec::new());
        while let Some(chunk) = self.chunk(patience).await? {
            whole.extend_from_slice(&chunk);
        }
        Ok(whole)
    }
}
