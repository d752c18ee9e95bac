//! Accepts connections: plain or TLS by their first byte, HTTP/1.1 or HTTP/2 by what follows.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service as _;

use super::connection::{Breakable, Connection};

/// The first byte of a TLS handshake. No HTTP request starts so.
const TLS_HANDSHAKE: u8 = 0x16;
/// What Google's front ends allow on one connection.
const STREAMS_PER_CONNECTION: u32 = 100;

pub(super) struct Listener {
    pub(super) socket: TcpListener,
    pub(super) router: Router,
    pub(super) acceptor: TlsAcceptor,
    /// While it is true, connections are accepted and nothing more.
    pub(super) held: watch::Receiver<bool>,
    pub(super) tasks: TaskTracker,
    pub(super) stop: CancellationToken,
}

impl Listener {
    /// Serves until it is stopped.
    pub(super) async fn run(self) {
        for number in 0.. {
            let accepted = tokio::select! {
                accepted = self.socket.accept() => accepted,
                () = self.stop.cancelled() => return,
            };
            // A client that is gone before it is accepted is no reason to stop.
            let Ok((stream, _)) = accepted else { continue };
            let connection = Arc::new(Connection::new(number));
            let mut held = self.held.clone();
            let (acceptor, router) = (self.acceptor.clone(), self.router.clone());
            let serving = async move {
                // Its sender lives as long as the emulator, and with that this task.
                drop(held.wait_for(|held| !held).await);
                serve(stream, connection, acceptor, router).await
            };
            let stop = self.stop.clone();
            self.tasks.spawn(async move {
                tokio::select! {
                    // How a connection ends is for its client to judge.
                    _ = serving => {}
                    () = stop.cancelled() => {}
                }
            });
        }
    }
}

async fn serve(
    stream: TcpStream,
    connection: Arc<Connection>,
    acceptor: TlsAcceptor,
    router: Router,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut first = [0];
    stream.peek(&mut first).await?;
    let bytes = Breakable::new(stream, Arc::clone(&connection));
    if first == [TLS_HANDSHAKE] {
        serve_http(acceptor.accept(bytes).await?, connection, router).await;
    } else {
        serve_http(bytes, connection, router).await;
    }
    Ok(())
}

async fn serve_http<I>(bytes: I, connection: Arc<Connection>, router: Router)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let handle = Arc::clone(&connection);
    let service = service_fn(move |request: Request<Incoming>| answer(request, Arc::clone(&handle), router.clone()));
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http2().max_concurrent_streams(STREAMS_PER_CONNECTION);
    let mut serving = std::pin::pin!(builder.serve_connection_with_upgrades(TokioIo::new(bytes), service));
    loop {
        tokio::select! {
            _ = serving.as_mut() => return,
            () = connection.asked_to_go_away() => serving.as_mut().graceful_shutdown(),
        }
    }
}

async fn answer(
    request: Request<Incoming>,
    connection: Arc<Connection>,
    mut router: Router,
) -> Result<Response, Infallible> {
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(connection);
    router.call(request).await
}
