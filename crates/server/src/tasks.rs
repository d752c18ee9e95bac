//! Every task has an owner: this is it.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Starts tasks, tells them to stop, waits for them, and ends those that do not.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
    abort: CancellationToken,
}

/// How a shutdown went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shutdown {
    /// Every task ended by itself.
    Clean,
    /// Some tasks were still running after the grace period and were dropped.
    Aborted,
}

impl Tasks {
    /// Starts a task. It is dropped where it stands when the grace period of a shutdown is over.
    pub(crate) fn spawn<F>(&self, task: F) -> JoinHandle<Option<F::Output>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let abort = self.abort.clone();
        self.tracker.spawn(async move { abort.run_until_cancelled(task).await })
    }

    /// Ends when the server begins to stop.
    pub(crate) fn stopping(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Tells all tasks to stop; does not wait.
    pub(crate) fn stop(&self) {
        self.stop.cancel();
    }

    /// Waits until all tasks have ended, for `grace` at most, then drops the rest.
    pub(crate) async fn finish(&self, grace: Duration) -> Shutdown {
        self.stop.cancel();
        self.tracker.close();
        if tokio::time::timeout(grace, self.tracker.wait()).await.is_ok() {
            return Shutdown::Clean;
        }
        self.abort.cancel();
        self.tracker.wait().await;
        Shutdown::Aborted
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Shutdown, Tasks};

    #[tokio::test]
    async fn a_task_that_listens_ends_cleanly() {
        let tasks = Tasks::default();
        let stopping = tasks.stopping();
        tasks.spawn(async move { stopping.cancelled().await });
        assert_eq!(tasks.finish(Duration::from_secs(5)).await, Shutdown::Clean);
    }

    #[tokio::test]
    async fn a_task_that_does_not_listen_is_dropped_after_the_grace_period() {
        let tasks = Tasks::default();
        let stuck = tasks.spawn(std::future::pending::<()>());
        assert_eq!(tasks.finish(Duration::ZERO).await, Shutdown::Aborted);
        assert_eq!(stuck.await.expect("it did not panic"), None);
    }
}
