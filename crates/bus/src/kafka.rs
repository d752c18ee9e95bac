//! The bus between machines: Kafka's protocol (Apache Kafka, Redpanda).
//!
//! A [`MediaNode`] stands where the orchestrator would, an [`AgentNode`] where media would: each pumps the links of
//! [`crate::local`] through the broker, so that neither role knows of it. Topics:
//! - `audio-in`: media to orchestrators; each orchestrator reads one partition,
//! - `audio-out`: orchestrators to media; each media node reads one partition,
//! - `node-status`: every node says that it lives, and how much room it has,
//! - `conversation-events`: facts, for whoever wants them.
//!
//! Nodes are addressed, not balanced: the broker's groups would move live calls whenever a node comes or goes, and notice
//! a dead one after six seconds at best. Media places each call, watches who holds it, and gives it to another
//! (docs/decisions/bus-placement.md). `node` is what both kinds share; `fleet` decides who lives and who takes a call.

mod agent_node;
mod client;
mod config;
mod consumer;
mod delivery;
mod event_log;
mod fleet;
mod lateness;
mod lifeline;
mod media_node;
mod node;
mod node_id;
mod outlet;
mod producer;
mod sequence;
mod stats;
mod topics;
mod wire;

pub use agent_node::{AgentNode, Load, agent_node};
pub use config::{Acks, KafkaConfig};
pub use event_log::{Event, EventLog, NotPublished};
pub use fleet::BusState;
pub use media_node::{MediaNode, Notice, media_node};
pub use node::ConnectError;
pub use stats::{BusCounts, BusStats};

/// What the two roles agree on about a call beyond its audio, as bytes.
pub trait Details: Sized + Send + 'static {
    /// The bytes.
    fn to_bytes(&self) -> Vec<u8>;
    /// From the bytes; none when they are not what [`Details::to_bytes`] makes.
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
}
