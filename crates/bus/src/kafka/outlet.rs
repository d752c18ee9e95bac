//! How a node sends: one producer for all its calls, and a numbered stream for each.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::message::{Header as KafkaHeader, OwnedHeaders};
use uuid::Uuid;

use crate::kafka::client::now_us;
use crate::kafka::fleet::Place;
use crate::kafka::node_id::NodeId;
use crate::kafka::producer::{Kind, Outgoing, Producer, SendError};
use crate::kafka::wire::{Body, Header, Status};

/// How soon an event is tried again that did not fit: the broker takes thousands of records in it.
const RETRY: Duration = Duration::from_millis(20);

/// A node's way to the broker; cheap to clone.
#[derive(Clone)]
pub(crate) struct Outlet(Arc<Parts>);

struct Parts {
    own: NodeId,
    producer: Producer,
    /// The topic that the other role reads.
    topic: String,
    status_topic: String,
}

impl Outlet {
    pub(crate) fn new(own: NodeId, producer: Producer, topic: String, status_topic: String) -> Self {
        Self(Arc::new(Parts { own, producer, topic, status_topic }))
    }

    /// A stream of records of one session to one node.
    pub(crate) fn stream(&self, session: &str, to: Place, epoch: u32) -> Stream {
        Stream { outlet: self.clone(), session: session.to_owned(), to, epoch, sequence: 0 }
    }

    /// Says one thing to a node about a session, outside of any stream. It may get lost.
    pub(crate) fn tell(&self, session: &str, to: Place, epoch: u32, body: impl Body) {
        // Whoever does not hear it says something again, and is told again.
        let _ = self.stream(session, to, epoch).offer(body, Kind::Event);
    }

    /// Says that this node lives. It may get lost; the next follows soon.
    pub(crate) fn beat(&self, status: Status) {
        let value = status.encode();
        // With the kind of audio, since a beat that comes late would be a lie.
        let (topic, kind) = (self.0.status_topic.as_str(), Kind::Audio);
        let _ =
            self.0.producer.send(Outgoing { topic, partition: Some(0), key: "", value: &value, kind, headers: None });
    }

    /// Waits until everything is sent. Blocks.
    pub(crate) fn flush(&self, patience: Duration) {
        self.0.producer.flush(patience);
    }
}

/// A numbered stream of records of one session to one node.
pub(crate) struct Stream {
    outlet: Outlet,
    session: String,
    to: Place,
    epoch: u32,
    sequence: u64,
}

impl Stream {
    /// Sends a record if the broker keeps up.
    pub(crate) fn offer(&mut self, body: impl Body, kind: Kind) -> Result<(), SendError> {
        let value = self.encode(body);
        self.send_encoded(&value, kind, None)
    }

    /// Sends a record that must not get lost: waits until the broker takes it. Not cancel safe.
    pub(crate) async fn send(&mut self, body: impl Body) {
        let value = self.encode(body);
        self.send_surely(&value, None).await;
    }

    /// The same, with the session's trace context in the record's headers.
    pub(crate) async fn send_traced(&mut self, body: impl Body) {
        let value = self.encode(body);
        let headers = trace_parent(&self.session);
        self.send_surely(&value, headers.as_deref()).await;
    }

    async fn send_surely(&mut self, value: &[u8], trace_parent: Option<&str>) {
        while self.send_encoded(value, Kind::Event, trace_parent) == Err(SendError::Full) {
            tokio::time::sleep(RETRY).await;
        }
    }

    fn encode(&self, body: impl Body) -> Vec<u8> {
        let (from, to) = (self.outlet.0.own, self.to.node);
        body.encode(&Header { from, to, epoch: self.epoch, sequence: self.sequence, sent_us: now_us() })
    }

    fn send_encoded(&mut self, value: &[u8], kind: Kind, trace_parent: Option<&str>) -> Result<(), SendError> {
        let Parts { producer, topic, .. } = &*self.outlet.0;
        let header = |value| KafkaHeader { key: "traceparent", value: Some(value) };
        let headers = trace_parent.map(|value| OwnedHeaders::new().insert(header(value)));
        let partition = Some(self.to.partition);
        producer.send(Outgoing { topic, partition, key: &self.session, value, kind, headers })?;
        // Numbers are given to what is sent, so that the reader need not wait for what was dropped here.
        self.sequence += 1;
        Ok(())
    }
}

/// A session's trace is named after it, so that anyone who knows the one finds the other. W3C Trace Context, level 1.
fn trace_parent(session: &str) -> Option<String> {
    let trace = Uuid::parse_str(session).ok()?;
    let (span, _) = Uuid::new_v4().as_u64_pair();
    Some(format!("00-{}-{span:016x}-01", trace.simple()))
}

#[cfg(test)]
mod tests {
    use super::trace_parent;

    #[test]
    fn a_session_names_its_trace() {
        let header = trace_parent("01890a5d-ac96-774b-bcce-b302099a8057").unwrap();
        let parts: Vec<&str> = header.split('-').collect();
        assert_eq!((parts[0], parts[1], parts[3]), ("00", "01890a5dac96774bbcceb302099a8057", "01"));
        assert_eq!(parts[2].len(), 16);
        assert_eq!(trace_parent("one"), None);
    }
}
