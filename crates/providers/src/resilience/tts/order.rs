//! The order of a call's sentences: each knows when all older ones are made.

use std::sync::{Mutex, PoisonError};

use tokio::sync::oneshot;

/// Gives out places.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// Ends with the sentence that was asked for last.
    last: Mutex<Option<oneshot::Receiver<()>>>,
}

/// A sentence's place. Dropping it lets the next one count its own time.
#[derive(Debug)]
pub(super) struct Place {
    older: Option<oneshot::Receiver<()>>,
    /// Held while the sentence is made; nothing is ever sent.
    _made: oneshot::Sender<()>,
}

impl Order {
    /// The place behind all that were given out.
    pub(super) fn next(&self) -> Place {
        let (made, ended) = oneshot::channel();
        let older = self.last.lock().unwrap_or_else(PoisonError::into_inner).replace(ended);
        Place { older, _made: made }
    }
}

impl Place {
    /// Returns once the next older sentence is made or given up. Cancel safe.
    pub(super) async fn reached(&mut self) {
        if let Some(older) = &mut self.older {
            // Its end is told by an error, since nothing is sent.
            drop(older.await);
            self.older = None;
        }
    }
}
