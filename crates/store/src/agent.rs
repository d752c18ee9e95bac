//! What is kept of an agent.

use jiff::Timestamp;

/// An agent that was made while the server ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentRecord {
    /// Its name.
    pub name: String,
    /// Its profile as JSON text; whoever keeps it knows what it means.
    pub profile: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
