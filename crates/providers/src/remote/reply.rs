//! One answer of a language model, from the request to the last event. The vendor's [`Reader`] knows what its events
//! mean; what goes for all vendors is here: the end without a last word that is a failure, the refusal that is spoken,
//! and that nobody who has stopped listening is written to.

use reqwest::RequestBuilder;
use tokio::sync::mpsc;

use super::body::StreamError;
use super::endpoint::{Endpoint, SendError};
use super::events::EventStream;
use super::refusal::Refusal;
use super::sse::Item;
use crate::llm::{Finish, LlmEvent, Usage};
use crate::{Failure, Remedy};

/// Understands one answer of a vendor.
pub(crate) trait Reader: Send {
    /// Takes the data of an event and adds what it says to `out`.
    ///
    /// # Errors
    /// When it is none of the vendor's, or says that there will be no answer.
    fn read(&mut self, data: &str, out: &mut Vec<LlmEvent>) -> Result<Progress, Unreadable>;

    /// How the answer ended, once the vendor has said so. `out` takes what was kept for the end: calls of tools.
    fn finish(self, out: &mut Vec<LlmEvent>) -> Option<(Finish, Usage)>;
}

/// How far an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// More is to come.
    GoesOn,
    /// The words are complete; the count of tokens may follow.
    Worded,
    /// Nothing more is to come.
    Complete,
}

/// An event that is no part of an answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreadable {
    /// Not what the vendor's events look like.
    #[error("an event cannot be read at column {}", .0.column())]
    Json(#[from] serde_json::Error),
    /// An error that came in place of the rest.
    #[error("refused")]
    Refused(Refusal),
    /// The vendor's guard against misuse ended the answer, for this reason.
    #[error("blocked: {0}")]
    Blocked(String),
    /// The vendor gave up, for this reason.
    #[error("the model stopped: {0}")]
    Stopped(String),
}

/// What is asked, and how.
pub(crate) struct Ask {
    /// The name in metrics and spans.
    pub provider: &'static str,
    /// The request, ready to be sent.
    pub request: RequestBuilder,
    /// Where it goes.
    pub endpoint: Endpoint,
    /// Spoken when the vendor's guard against misuse refuses; empty makes that a failure.
    pub blocked_answer: String,
}

impl Ask {
    /// Runs the answer until its end, or until nobody listens any more: then the connection is closed at once.
    pub(crate) async fn run(self, reader: impl Reader, events: mpsc::Sender<LlmEvent>) {
        let (provider, blocked_answer) = (self.provider, self.blocked_answer);
        let answer = answer(&self.endpoint, self.request, reader, &events);
        let outcome = tokio::select! {
            biased;
            () = events.closed() => return,
            outcome = answer => outcome,
        };
        match outcome {
            Ok((stream, finish, usage)) => {
                // Nobody may listen any more, and that is no reason to close a connection that is done.
                let _ = events.send(LlmEvent::Done { finish, usage }).await;
                stream.drain().await;
            }
            Err(Broken::Blocked(reason)) if !blocked_answer.is_empty() => {
                tracing::info!(provider, reason, "the vendor's guard refused; the configured words are spoken");
                let _ = events.send(LlmEvent::Text(blocked_answer)).await;
                let _ = events.send(LlmEvent::Done { finish: Finish::Stop, usage: Usage::default() }).await;
            }
            Err(broken) => {
                let _ = events.send(LlmEvent::Failed(broken.into_failure(provider))).await;
            }
        }
    }
}

/// Why there is no answer, or only half of one.
enum Broken {
    Stream(StreamError),
    Blocked(String),
    Unreadable(String),
    /// The stream ended, and the answer had not.
    Cut,
    /// Nobody listens.
    Unheard,
}

impl Broken {
    fn into_failure(self, provider: &'static str) -> Failure {
        match self {
            Self::Stream(error) => error.into_failure(provider),
            Self::Blocked(reason) => {
                Failure::new(provider, Remedy::GiveUp, format!("the answer was blocked: {reason}"))
            }
            Self::Unreadable(message) => Failure::new(provider, Remedy::Retry, message),
            Self::Cut => Failure::new(provider, Remedy::Retry, "the answer broke off"),
            Self::Unheard => Failure::new(provider, Remedy::GiveUp, "nobody listens"),
        }
    }
}

impl From<StreamError> for Broken {
    fn from(error: StreamError) -> Self {
        match error {
            StreamError::Send(SendError::Refused(refusal)) => refusal.into(),
            error @ (StreamError::Send(SendError::Network(_) | SendError::Unknown(_))
            | StreamError::Silent(_)
            | StreamError::Format(_)
            | StreamError::TooLong(_)) => Self::Stream(error),
        }
    }
}

impl From<Refusal> for Broken {
    fn from(refusal: Refusal) -> Self {
        match refusal.code.clone() {
            Some(code) if refusal.is_blocked() => Self::Blocked(code),
            Some(_) | None => Self::Stream(SendError::Refused(refusal).into()),
        }
    }
}

impl From<Unreadable> for Broken {
    fn from(unreadable: Unreadable) -> Self {
        match unreadable {
            Unreadable::Refused(refusal) => refusal.into(),
            Unreadable::Blocked(reason) => Self::Blocked(reason),
            Unreadable::Json(_) | Unreadable::Stopped(_) => Self::Unreadable(unreadable.to_string()),
        }
    }
}

async fn answer(
    endpoint: &Endpoint,
    request: RequestBuilder,
    mut reader: impl Reader,
    events: &mpsc::Sender<LlmEvent>,
) -> Result<(EventStream, Finish, Usage), Broken> {
    let mut stream = EventStream::open(endpoint, request).await?;
    let mut progress = Progress::GoesOn;
    while progress != Progress::Complete {
        let item = match stream.next().await {
            Ok(Some(item)) => item,
            Ok(None) => break,
            // The words are all there: what is missing is only a count.
            Err(_) if progress == Progress::Worded => break,
            Err(error) => return Err(error.into()),
        };
        let mut out = Vec::new();
        progress = match item {
            Item::Data(data) => reader.read(&data, &mut out)?,
            Item::Bare(json) => return Err(bare_error(&json).into()),
        };
        if progress == Progress::Worded {
            stream.is_complete();
        } else if !out.is_empty() {
            stream.has_begun();
        }
        tell(events, out).await?;
    }
    let mut kept = Vec::new();
    let (finish, usage) = reader.finish(&mut kept).ok_or(Broken::Cut)?;
    tell(events, kept).await?;
    Ok((stream, finish, usage))
}

async fn tell(events: &mpsc::Sender<LlmEvent>, out: Vec<LlmEvent>) -> Result<(), Broken> {
    for event in out {
        events.send(event).await.map_err(|_| Broken::Unheard)?;
    }
    Ok(())
}

/// What stands outside any event is an error, whatever else it may be.
fn bare_error(json: &str) -> Unreadable {
    match serde_json::from_str(json) {
        Ok(value) => Unreadable::Refused(Refusal::of_error(&value)),
        Err(error) => Unreadable::Json(error),
    }
}
