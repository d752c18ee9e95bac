//! Names a node for the life of its process.

use std::fmt;

use uuid::Uuid;

/// A node: a media or orchestrator process from its start to its end. One that starts again is another.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct NodeId(pub(crate) u64);

impl NodeId {
    /// A new name, by chance; among a thousand nodes, two share one in 1 of 10^13 cases.
    pub(crate) fn random() -> Self {
        let (high, low) = Uuid::new_v4().as_u64_pair();
        Self(high ^ low)
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeId({self})")
    }
}
