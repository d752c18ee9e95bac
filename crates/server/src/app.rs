//! The server from start to stop.
//!
//! [`Server::start`] opens whatever can fail early (ports, store, media) and serves HTTP at once; the models load
//! beside it, and calls are taken when they are there. [`Server::stop`] is the one way down: refuse new calls, hang up,
//! wait for the grace period, drop the rest.

mod http_listener;
mod start;

use std::net::SocketAddr;
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::agent::LoadError;
use crate::readiness::{Readiness, Stage};
use crate::switchboard::Switchboard;
use crate::tasks::{Shutdown, Tasks};

pub use start::StartError;

/// A server that runs.
pub struct Server {
    http: SocketAddr,
    readiness: Readiness,
    switchboard: Switchboard,
    tasks: Tasks,
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

    /// Stops: no new calls, goodbye to all that are held, and an end to what does not end by itself.
    pub async fn stop(self) -> Shutdown {
        let Self { readiness, switchboard, tasks, grace, .. } = self;
        readiness.reach(Stage::Stopping);
        tasks.stop();
        // The orchestrator ends when the switchboard is gone, the recorder when the last conversation is.
        if let Err(cause) = tokio::task::spawn_blocking(move || switchboard.close()).await {
            tracing::error!(%cause, "the media side did not close");
        }
        tasks.finish(grace).await
    }
}
