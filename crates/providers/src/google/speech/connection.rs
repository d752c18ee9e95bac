//! One stream to Speech-to-Text.

use std::collections::VecDeque;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream};
use google_apis::speech::speech_client::SpeechClient;
use google_apis::speech::{StreamingRecognizeRequest, StreamingRecognizeResponse};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio::time::Instant;
use tonic::Status;

use super::request::{Recognition, audio};
use super::tape::PIECE_BYTES;
use crate::google::cloud::{Cloud, Place};

/// Messages on their way; more wait here.
const REQUESTS_LIMIT: usize = 16;
/// Up to 100 ms of what waits go every 25 ms: audio that is sent again comes four times as fast as it was spoken.
/// Google wants "approximately real time".
const PUMP_EVERY: Duration = Duration::from_millis(25);
/// More waiting messages mean that Google does not read: half a minute in pieces of 32 ms.
const BACKLOG_LIMIT: usize = 1_000;

type Responses = Pin<Box<dyn Stream<Item = Result<StreamingRecognizeResponse, Status>> + Send>>;

/// A stream. Dropping it drops both directions, which is what resets it: Google would keep on billing half of one.
pub(super) struct Connection {
    /// The position of its first sample.
    begins: u64,
    opened: Instant,
    requests: mpsc::Sender<StreamingRecognizeRequest>,
    responses: Responses,
    backlog: VecDeque<Bytes>,
    pump_at: Instant,
    _place: Place,
}

/// Google does not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stuck;

impl Connection {
    /// Opens a stream, whose first audio stands at `begins` and is `backlog`. Waits for nothing.
    pub(super) fn open(cloud: &Cloud, recognition: &Recognition, begins: u64, backlog: Vec<Bytes>) -> Self {
        let (requests, mut received) = mpsc::channel(REQUESTS_LIMIT);
        let opening = recognition.opening();
        let messages = stream::once(std::future::ready(opening))
            .chain(stream::poll_fn(move |context| received.poll_recv(context)));
        let place = cloud.place();
        let (channel, cloud) = (place.channel.clone(), cloud.clone());
        let responses = stream::once(async move {
            let request = cloud.request(messages).await?;
            Ok::<_, Status>(SpeechClient::new(channel).streaming_recognize(request).await?.into_inner())
        });
        let now = Instant::now();
        let (opened, pump_at, backlog) = (now, now, backlog.into());
        let responses: Responses = Box::pin(responses.try_flatten());
        Self { begins, opened, requests, responses, backlog, pump_at, _place: place }
    }

    pub(super) fn begins(&self) -> u64 {
        self.begins
    }

    pub(super) fn age(&self) -> Duration {
        self.opened.elapsed()
    }

    /// Sends audio, after what waits.
    pub(super) fn send(&mut self, bytes: Bytes) -> Result<(), Stuck> {
        if !self.backlog.is_empty() {
            self.backlog.push_back(bytes);
        } else if let Err(bytes) = self.offer(bytes) {
            self.backlog.push_back(bytes);
            self.pump_at = Instant::now() + PUMP_EVERY;
        }
        if self.backlog.len() > BACKLOG_LIMIT { Err(Stuck) } else { Ok(()) }
    }

    /// How long it takes until all that waits has left.
    pub(super) fn backlog_lasts(&self) -> Duration {
        let bytes: usize = self.backlog.iter().map(Bytes::len).sum();
        PUMP_EVERY * u32::try_from(bytes.div_ceil(PIECE_BYTES)).unwrap_or(u32::MAX)
    }

    /// When [`Self::pump`] has something to do.
    pub(super) fn pump_at(&self) -> Option<Instant> {
        (!self.backlog.is_empty()).then_some(self.pump_at)
    }

    /// Sends what waits, a message at a time.
    pub(super) fn pump(&mut self, now: Instant) {
        if self.pump_at > now {
            return;
        }
        self.pump_at = now + PUMP_EVERY;
        if let Some(bytes) = next_message(&mut self.backlog)
            && let Err(bytes) = self.offer(bytes)
        {
            self.backlog.push_front(bytes);
        }
    }

    /// The next response; none when Google ended the stream. Cancel safe.
    pub(super) async fn response(&mut self) -> Option<Result<StreamingRecognizeResponse, Status>> {
        self.responses.next().await
    }

    /// Gives the bytes back when there is no room. A stream that is gone takes everything: its response says why.
    fn offer(&self, bytes: Bytes) -> Result<(), Bytes> {
        match self.requests.try_reserve() {
            Ok(room) => {
                room.send(audio(bytes));
                Ok(())
            }
            Err(TrySendError::Closed(())) => Ok(()),
            Err(TrySendError::Full(())) => Err(bytes),
        }
    }
}

/// Takes as many waiting pieces as fit a message, at least one. Live audio waits in windows of 32 ms: sent one by one
/// they would hardly catch up.
fn next_message(backlog: &mut VecDeque<Bytes>) -> Option<Bytes> {
    let first = backlog.pop_front()?;
    let fits = |message: &[u8], piece: &Bytes| message.len() + piece.len() <= PIECE_BYTES;
    if backlog.front().is_none_or(|piece| !fits(&first, piece)) {
        return Some(first);
    }
    let mut message = first.to_vec();
    while let Some(piece) = backlog.pop_front_if(|piece| fits(&message, piece)) {
        message.extend_from_slice(&piece);
    }
    Some(message.into())
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use bytes::Bytes;

    use super::{PIECE_BYTES, next_message};

    #[test]
    fn waiting_windows_are_sent_together_and_in_order() {
        let window = |value: u8| Bytes::from(vec![value; 1_024]);
        let mut backlog: VecDeque<Bytes> = (0..4).map(window).collect();
        backlog.push_front(Bytes::from(vec![9; PIECE_BYTES]));
        let sent: Vec<Vec<u8>> = std::iter::from_fn(|| next_message(&mut backlog))
            .map(|message| message.chunks(1_024).map(|piece| piece[0]).collect())
            .collect();
        assert_eq!(sent, [vec![9, 9, 9, 9], vec![0, 1, 2], vec![3]]);
    }
}
