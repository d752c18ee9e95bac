//! Conversations and agents on disk.
//!
//! [`Store`] is the one trait; [`SqliteStore`] keeps a file on this machine. Domain types are in `conversation` and `agent`, and know
//! nothing of SQL or JSON. Every store passes the suite in `tests/contract.rs`. Nothing here is on the path of live
//! audio: callers queue what they record.

mod agent;
mod conversation;
mod sqlite;
mod store;

pub use agent::AgentRecord;
pub use conversation::{
    Conversation, Ending, Latency, NewConversation, Page, Summary, ToolCall, ToolCallStatus, Turn, TurnStatus,
};
pub use sqlite::{OpenError, SqliteStore};
pub use store::{Held, Store, StoreError};
