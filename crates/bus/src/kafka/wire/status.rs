//! What each node says of itself, five times a second.

use prost::Message as _;

use super::{Poison, VERSION, proto};
use crate::kafka::node_id::NodeId;

/// A node's role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// It holds callers' transports.
    Media,
    /// It holds conversations.
    Orchestrator,
}

/// What a node says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Status {
    /// Who says it.
    pub(crate) node: NodeId,
    /// What it does.
    pub(crate) role: Role,
    /// The partition of the role's topic that it reads.
    pub(crate) partition: i32,
    /// Calls that it holds.
    pub(crate) calls: u32,
    /// Calls that it may hold.
    pub(crate) capacity: u32,
    /// Share of its processors in use, in thousandths.
    pub(crate) busy_permille: u32,
    /// It takes no new calls.
    pub(crate) draining: bool,
    /// It is gone.
    pub(crate) stopped: bool,
    /// Microseconds since 1970 at the node.
    pub(crate) sent_us: u64,
}

impl Status {
    pub(crate) fn encode(self) -> Vec<u8> {
        let Self { node, role, partition, calls, capacity, busy_permille, draining, stopped, sent_us } = self;
        let role = match role {
            Role::Media => proto::node_status::Role::Media,
            Role::Orchestrator => proto::node_status::Role::Orchestrator,
        };
        let (version, node, role) = (VERSION, node.0, role.into());
        proto::NodeStatus { version, node, role, partition, calls, capacity, busy_permille, draining, stopped, sent_us }
            .encode_to_vec()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Poison> {
        let status = proto::NodeStatus::decode(bytes).map_err(|_| Poison::Undecodable)?;
        if status.version != VERSION {
            return Err(Poison::Version(status.version));
        }
        let role = match status.role() {
            proto::node_status::Role::Media => Role::Media,
            proto::node_status::Role::Orchestrator => Role::Orchestrator,
            proto::node_status::Role::Unspecified => return Err(Poison::Incomplete),
        };
        let proto::NodeStatus { node, partition, calls, capacity, busy_permille, draining, stopped, sent_us, .. } =
            status;
        Ok(Self { node: NodeId(node), role, partition, calls, capacity, busy_permille, draining, stopped, sent_us })
    }
}
