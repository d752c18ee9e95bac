//! The server from start to stop.
//!
//! [`Server::start`] opens whatever can fail early (ports, store, media, bus) and serves HTTP at once; the models load
//! beside it, and calls are taken when they are there. [`Server::drain`] and [`Server::stop`] are the one way down: refuse
//! new calls, let those that are held go on for a while, hang up or hand over, wait for the grace period, drop the rest.

mod bus_ends;
mod desk;
mod http_listener;
mod start;
mod watch;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::agent::LoadError;
use crate::metrics::Metrics;
use crate::readiness::{Readiness, Stage};
use crate::switchboard::Switchboard;
use crate::tasks::{Shutdown, Tasks};

use bus_ends::Running;

pub use bus_ends::JoinError;
pub use start::StartError;

/// A server that runs.
pub struct Server {
    http: SocketAddr,
    readiness: Readiness,
    /// Of the media role.
    switchboard: Option<Switchboard>,
    /// Where the other role is in another process.
    node: Option<Arc<Running>>,
    metrics: Metrics,
    tasks: Tasks,
    drain: Duration,
    grace: Duration,
    loading: Option<JoinHandle<Option<Result<(), LoadError>>>>,
}

impl Server {
    /// Where HTTP is served.
    pub fn http_address(&self) -> SocketAddr {
        self.http
    }

    /// Waits until calls are taken. Call it once.
    ///
    /// # Errors
    /// When the models cannot be loaded.
    pub async fn ready(&mut self) -> Result<(), LoadError> {
        let Some(loading) = self.loading.as_mut() else { return Ok(()) };
        let outcome = loading.await;
        self.loading = None;
        match outcome {
            Ok(Some(loaded)) => loaded,
            // The server stops, and whoever waits will hear of it.
            Ok(None) => Ok(()),
            Err(panicked) => Err(LoadError::Panicked(panicked)),
        }
    }

    /// Takes no new calls, and waits until all are over: for `server.drain` at most, or until `hurry`.
    #[must_use]
    pub async fn drain(self, hurry: impl Future<Output = ()>) -> Self {
        self.readiness.reach(Stage::Stopping);
        if let Some(node) = &self.node {
            node.drain();
        }
        let over = async {
            match &self.switchboard {
                Some(switchboard) => switchboard.all_over().await,
                None => self.metrics.no_conversation().await,
            }
        };
        tokio::select! {
            biased;
            () = over => {}
            () = tokio::time::sleep(self.drain) => {}
            () = hurry => {}
        }
        self
    }

    /// Stops: no new calls, goodbye to all that are held (or another orchestrator for them), and an end to what does not
    /// end by itself.
    pub async fn stop(self) -> Shutdown {
        let Self { readiness, switchboard, node, tasks, grace, .. } = self;
        readiness.reach(Stage::Stopping);
        tasks.stop();
        if let Some(switchboard) = switchboard {
            // The orchestrator ends when the switchboard is gone, the recorder when the last conversation is.
            if let Err(cause) = tokio::task::spawn_blocking(move || switchboard.close()).await {
                tracing::error!(%cause, "the media side did not close");
            }
        }
        if let Some(node) = node {
            node.stop();
        }
        tasks.finish(grace).await
    }
}
