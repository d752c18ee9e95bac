//! The HTTP port.

use axum::Router;
use axum::serve::ListenerExt as _;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Serves until `stopping`, then lets requests under way end.
pub(super) async fn serve(listener: TcpListener, router: Router, stopping: CancellationToken) {
    let listener = listener.tap_io(|connection| {
        // Answers are small and must not wait for more to send.
        if let Err(cause) = connection.set_nodelay(true) {
            tracing::debug!(%cause, "a connection keeps Nagle's algorithm");
        }
    });
    let served = axum::serve(listener, router).with_graceful_shutdown(stopping.cancelled_owned()).await;
    if let Err(cause) = served {
        tracing::error!(%cause, "HTTP is no longer served");
    }
}
