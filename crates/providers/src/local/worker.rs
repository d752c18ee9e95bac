//! One thread per kind of model, shared by all sessions.
//!
//! [`Worker`] owns the thread's bounded queue; [`Streams`] lets one thread serve many open streams without a lock and
//! without an async runtime: it parks until any of them has input. A model therefore never blocks async code, and
//! dropping a stream or a reply's receiver is all it takes to cancel.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use futures_util::stream::{FuturesUnordered, Stream};
use tokio::sync::mpsc;

use super::runtime::LoadError;
use crate::{Failure, Remedy};

/// The sending side of a model's thread. The thread ends when the last handle is dropped and its queue is empty.
#[derive(Debug)]
pub(crate) struct Worker<Job> {
    provider: &'static str,
    jobs: mpsc::Sender<Job>,
}

impl<Job: Send + 'static> Worker<Job> {
    /// Starts a thread named after `provider` that runs `body` on a queue of at most `limit` jobs.
    pub(crate) fn start(
        provider: &'static str,
        limit: usize,
        body: impl FnOnce(mpsc::Receiver<Job>) + Send + 'static,
    ) -> Result<Self, LoadError> {
        let (jobs, queue) = mpsc::channel(limit);
        // Linux shows 15 characters of a thread's name; the part after the dot tells the models apart.
        let name = provider.rsplit('.').next().unwrap_or(provider);
        std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || body(queue))
            .map_err(|source| LoadError::Thread { name: provider, source })?;
        Ok(Self { provider, jobs })
    }

    /// Queues a job without waiting.
    pub(crate) fn submit(&self, job: Job) -> Result<(), Failure> {
        self.jobs.try_send(job).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => failure(self.provider, Remedy::Retry, &"the queue is full"),
            mpsc::error::TrySendError::Closed(_) => failure(self.provider, Remedy::Replace, &"the model has stopped"),
        })
    }
}

pub(crate) fn failure(provider: &'static str, remedy: Remedy, message: &dyn fmt::Display) -> Failure {
    Failure::new(provider, remedy, message.to_string())
}

/// Names one open stream of a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct StreamId(u64);

/// What can come to a worker with streams.
#[derive(Debug)]
pub(crate) enum Arrival<Input, State> {
    /// A stream was opened; it is read from now on.
    Opened(StreamId, State),
    /// The stream has input. It is not read again before [`Streams::resume`].
    Input(StreamId, Input, Unread<Input>),
    /// The stream's sender is gone.
    Closed(StreamId),
}

/// A new stream on its way to the worker.
pub(crate) struct Opening<Input, State> {
    pub(crate) input: mpsc::Receiver<Input>,
    pub(crate) state: State,
}

/// A stream that is not being read: its senders wait once its channel is full.
#[derive(Debug)]
pub(crate) struct Unread<Input> {
    id: StreamId,
    input: mpsc::Receiver<Input>,
}

/// All open streams of one worker, read by the thread that made this.
pub(crate) struct Streams<Input, State> {
    openings: Option<mpsc::Receiver<Opening<Input, State>>>,
    reads: FuturesUnordered<Read<Input>>,
    next_id: u64,
    waker: Waker,
}

impl<Input, State> Streams<Input, State> {
    pub(crate) fn new(openings: mpsc::Receiver<Opening<Input, State>>) -> Self {
        let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
        Self { openings: Some(openings), reads: FuturesUnordered::new(), next_id: 0, waker }
    }

    /// Parks until something comes; none when no stream is open and none can be opened any more.
    pub(crate) fn wait(&mut self) -> Option<Arrival<Input, State>> {
        loop {
            match self.poll() {
                Poll::Ready(arrival) => return arrival,
                Poll::Pending => std::thread::park(),
            }
        }
    }

    /// What has come already, without waiting.
    pub(crate) fn ready(&mut self) -> Option<Arrival<Input, State>> {
        match self.poll() {
            Poll::Ready(arrival) => arrival,
            Poll::Pending => None,
        }
    }

    /// Reads the stream again.
    pub(crate) fn resume(&mut self, unread: Unread<Input>) {
        self.reads.push(Read(Some(unread)));
    }

    fn poll(&mut self) -> Poll<Option<Arrival<Input, State>>> {
        let mut context = Context::from_waker(&self.waker);
        if let Some(openings) = &mut self.openings {
            match openings.poll_recv(&mut context) {
                Poll::Ready(Some(opening)) => return Poll::Ready(Some(self.open(opening))),
                Poll::Ready(None) => self.openings = None,
                Poll::Pending => {}
            }
        }
        match Pin::new(&mut self.reads).poll_next(&mut context) {
            Poll::Ready(Some((unread, Some(input)))) => Poll::Ready(Some(Arrival::Input(unread.id, input, unread))),
            Poll::Ready(Some((unread, None))) => Poll::Ready(Some(Arrival::Closed(unread.id))),
            Poll::Ready(None) if self.openings.is_none() => Poll::Ready(None),
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }

    fn open(&mut self, opening: Opening<Input, State>) -> Arrival<Input, State> {
        let id = StreamId(self.next_id);
        self.next_id += 1;
        self.resume(Unread { id, input: opening.input });
        Arrival::Opened(id, opening.state)
    }
}

/// Waits for the next input of one stream.
struct Read<Input>(Option<Unread<Input>>);

impl<Input> Future for Read<Input> {
    type Output = (Unread<Input>, Option<Input>);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut unread = self.0.take().expect("a finished read is not polled again");
        match unread.input.poll_recv(context) {
            Poll::Ready(input) => Poll::Ready((unread, input)),
            Poll::Pending => {
                self.0 = Some(unread);
                Poll::Pending
            }
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thread_reads_many_streams_and_ends_with_the_last() {
        let (open, openings) = mpsc::channel(4);
        let mut streams = Streams::<u32, &'static str>::new(openings);
        let (first, input) = mpsc::channel(4);
        open.try_send(Opening { input, state: "first" }).expect("has room");
        let (second, input) = mpsc::channel(4);
        open.try_send(Opening { input, state: "second" }).expect("has room");
        drop(open);
        first.try_send(1).expect("has room");
        second.try_send(2).expect("has room");
        drop((first, second));

        let (mut sum, mut opened, mut closed) = (0, 0, 0);
        while let Some(arrival) = streams.wait() {
            match arrival {
                Arrival::Opened(..) => opened += 1,
                Arrival::Input(_, value, unread) => {
                    sum += value;
                    streams.resume(unread);
                }
                Arrival::Closed(_) => closed += 1,
            }
        }
        assert_eq!((sum, opened, closed), (3, 2, 2));
    }

    #[test]
    fn a_full_queue_asks_for_a_retry_and_a_dead_worker_for_a_replacement() {
        let (hold, held) = std::sync::mpsc::channel::<()>();
        let worker = Worker::<u8>::start("local.test", 1, move |queue| {
            held.recv().ok();
            drop(queue);
        })
        .expect("a thread starts");
        worker.submit(1).expect("has room");
        assert_eq!(worker.submit(2).expect_err("is full").remedy, Remedy::Retry);
        drop(hold);
        while worker.submit(3).is_ok_and(|()| true) || worker.submit(3).is_err_and(|e| e.remedy == Remedy::Retry) {
            std::thread::yield_now();
        }
        assert_eq!(worker.submit(4).expect_err("has stopped").remedy, Remedy::Replace);
    }
}
