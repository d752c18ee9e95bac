//! The tasks of a provider: they end with it.

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Owns what runs for a provider. Dropping it drops every task where it stands.
#[derive(Debug, Default)]
pub(crate) struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Tasks {
    /// Starts a task on the runtime that this is called from.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tracker.spawn(async move { stop.run_until_cancelled(task).await });
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
