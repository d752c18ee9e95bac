//! Replaces Kafka clients that do not find back to their broker.
//!
//! A client library mends its connections by itself. One was seen that did not, for half a minute behind the restart of
//! its only broker; why is not known. Calls cannot wait so long, and a new client finds a broker that is there at once.

use std::sync::{Arc, Weak};
use std::time::Duration;

use rdkafka::error::KafkaError;
use tokio::net::TcpStream;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use crate::kafka::stats::BusStats;

/// How often a client is looked after, and what a broker may take to accept a connection.
const LOOK: Duration = Duration::from_secs(1);
/// Looks at which the broker was there and the client was not, before the client is replaced: brokers accept connections
/// some time before they serve them.
const MISSES: u32 = 3;
/// Kafka's port, where an address names none.
const DEFAULT_PORT: u16 = 9_092;

/// A client that can be replaced.
pub(crate) trait Client: Send + Sync + 'static {
    /// What is put away.
    type Old: Send + 'static;
    /// Whether nothing has come through for a while that should have.
    fn is_cut_off(&self) -> bool;
    /// Puts a new client in the place of the present one, without losing anything that it holds. Blocks.
    fn renew(&self) -> Result<Self::Old, KafkaError>;
}

/// Looks after a client until this is dropped.
pub(crate) struct Lifeline {
    _task: AbortOnDropHandle<()>,
}

impl Lifeline {
    /// Wants a runtime.
    pub(crate) fn of(client: &Arc<impl Client>, brokers: &str, stats: BusStats) -> Self {
        let hold = hold(Arc::downgrade(client), brokers.to_owned(), stats);
        Self { _task: AbortOnDropHandle::new(TaskTracker::new().spawn(hold)) }
    }
}

async fn hold<C: Client>(client: Weak<C>, brokers: String, stats: BusStats) {
    let (mut misses, mut old) = (0, None);
    loop {
        tokio::time::sleep(LOOK).await;
        if let Some(old) = old.take() {
            // By now nobody uses it any more. Its end blocks.
            off_the_runtime(move || drop(old)).await;
        }
        let Some(client) = client.upgrade() else { return };
        // While no broker can be reached, no client can do better.
        let is_missing = client.is_cut_off() && is_reachable(&brokers).await;
        misses = if is_missing { misses + 1 } else { 0 };
        if misses >= MISSES {
            misses = 0;
            stats.replaced(1);
            tracing::warn!("a Kafka client does not find back to its broker and is replaced");
            match off_the_runtime(move || client.renew()).await {
                Some(Ok(replaced)) => old = Some(replaced),
                Some(Err(error)) => tracing::error!(%error, "a Kafka client could not be replaced"),
                None => return,
            }
        }
    }
}

/// None when the program ends.
async fn off_the_runtime<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}

async fn is_reachable(brokers: &str) -> bool {
    for address in brokers.split(',').filter_map(address) {
        if matches!(tokio::time::timeout(LOOK, TcpStream::connect(address)).await, Ok(Ok(_))) {
            return true;
        }
    }
    false
}

/// Host and port of a broker as librdkafka reads it: `[protocol://]host[:port]`.
fn address(broker: &str) -> Option<String> {
    let broker = broker.trim();
    let broker = broker.split_once("://").map_or(broker, |(_, rest)| rest);
    let names_port = broker.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    match broker {
        "" => None,
        _ if names_port => Some(broker.to_owned()),
        _ => Some(format!("{broker}:{DEFAULT_PORT}")),
    }
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn brokers_are_read_as_the_library_reads_them() {
        let read = |broker| address(broker).unwrap_or_default();
        assert_eq!(read("broker"), "broker:9092");
        assert_eq!(read(" 10.0.0.1:19092"), "10.0.0.1:19092");
        assert_eq!(read("SASL_SSL://broker:9093"), "broker:9093");
        assert_eq!(read("[::1]"), "[::1]:9092");
        assert_eq!(address(" "), None);
    }
}
