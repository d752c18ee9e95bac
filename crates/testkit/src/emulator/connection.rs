//! One TCP connection that a fault can break: reset it, or ask its client to go elsewhere.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use futures_util::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;

/// The handle by which a request reaches its connection.
#[derive(Debug)]
pub(super) struct Connection {
    /// Which connection of the emulator this is, counted from 0.
    number: usize,
    is_reset: AtomicBool,
    reader: AtomicWaker,
    going_away: Notify,
}

impl Connection {
    pub(super) fn new(number: usize) -> Self {
        Self { number, is_reset: AtomicBool::new(false), reader: AtomicWaker::new(), going_away: Notify::new() }
    }

    pub(super) fn number(&self) -> usize {
        self.number
    }

    /// Resets it: the client gets a TCP RST.
    pub(super) fn reset(&self) {
        self.is_reset.store(true, Ordering::Release);
        self.reader.wake();
    }

    /// Asks the client to open another connection for new requests.
    pub(super) fn go_away(&self) {
        self.going_away.notify_one();
    }

    /// Waits for [`Self::go_away`].
    pub(super) async fn asked_to_go_away(&self) {
        self.going_away.notified().await;
    }

    fn check(&self) -> io::Result<()> {
        if self.is_reset.load(Ordering::Acquire) { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) }
    }
}

/// The bytes of a connection.
pub(super) struct Breakable {
    stream: TcpStream,
    connection: Arc<Connection>,
}

impl Breakable {
    pub(super) fn new(stream: TcpStream, connection: Arc<Connection>) -> Self {
        Self { stream, connection }
    }
}

impl Drop for Breakable {
    fn drop(&mut self) {
        if self.connection.check().is_err() {
            // Closing with nothing to linger for sends RST instead of FIN. If it fails the socket is gone already.
            drop(self.stream.set_zero_linger());
        }
    }
}

impl AsyncRead for Breakable {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // First the waker, then the look: a reset in between is seen.
        self.connection.reader.register(cx.waker());
        self.connection.check()?;
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Breakable {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.connection.check()?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.connection.check()?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.connection.check().is_err() {
            // A reset connection says no farewell.
            return Poll::Ready(Ok(()));
        }
        ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
        Poll::Ready(Ok(()))
    }
}
