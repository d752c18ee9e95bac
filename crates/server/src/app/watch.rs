//! Where orchestrators share a store: says that this one lives, and ends the conversations of those that do not.
//!
//! When an orchestrator dies its calls go to others, who hold their conversations from then on. What nobody takes, because
//! the media server died with it, would stay active for ever.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use store::Store;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// So many words of life fit into the silence after which one is taken for dead.
const BEATS: u32 = 6;

/// Does so until the server stops.
pub(super) async fn keep(store: Arc<dyn Store>, abandoned_after: Duration, stop: CancellationToken) {
    let mut beats = interval((abandoned_after / BEATS).max(Duration::from_millis(1)));
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(beats.tick()).await.is_some() {
        // First of all, lest one that stood still takes its own conversations for another's.
        let kept = match store.keep_alive().await {
            Ok(()) => store.end_abandoned(Timestamp::now(), abandoned_after).await,
            Err(cause) => Err(cause),
        };
        match kept {
            Ok(ended) => {
                for session in ended {
                    tracing::warn!(session, "ended a conversation that nobody holds any more");
                }
            }
            Err(cause) => tracing::warn!(%cause, "the store was not told that this orchestrator lives"),
        }
    }
}
