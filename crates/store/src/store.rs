//! What a store does.

use std::time::Duration;

use async_trait::async_trait;
use dialogue::CloseReason;
use jiff::Timestamp;

use crate::{AgentRecord, Conversation, NewConversation, Page, Turn};

/// Keeps conversations and agents. All methods may be called at the same time from many tasks.
///
/// Many processes may share what is kept. A conversation is held by the store that began it last: what another one still
/// records of it is dropped, since somebody else goes on with the conversation by then.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Records that a conversation began, or that one which ended goes on, or that it goes on here. Recording it again
    /// changes nothing.
    async fn begin(&self, conversation: &NewConversation) -> Result<(), StoreError>;

    /// Records a turn and its tool calls as they stand, all or nothing; a later record of the same index replaces all
    /// but the starts, and adds the calls that are new. Says whether the conversation is held here.
    ///
    /// # Errors
    /// Also when the conversation was never begun.
    async fn record_turn(&self, conversation_id: &str, turn: &Turn) -> Result<Held, StoreError>;

    /// Records that a conversation is over; the first ending stands. A turn still in progress has failed,
    /// and a tool call still in progress is incomplete. Says whether the conversation is held here.
    async fn end(&self, conversation_id: &str, at: Timestamp, reason: CloseReason) -> Result<Held, StoreError>;

    /// Says that the holder of this store's conversations lives.
    async fn keep_alive(&self) -> Result<(), StoreError>;

    /// Ends every active conversation whose holder has not been heard of for so long, as [`CloseReason::Shutdown`]; zero
    /// ends all, after a crash of the only process. Returns their ids.
    async fn end_abandoned(&self, at: Timestamp, silent_for: Duration) -> Result<Vec<String>, StoreError>;

    /// Up to `limit` conversations, newest first, older than the one with id `before`.
    async fn list(&self, limit: u32, before: Option<&str>) -> Result<Page, StoreError>;

    /// One conversation with its turns.
    async fn get(&self, id: &str) -> Result<Option<Conversation>, StoreError>;

    /// Keeps an agent; one of the same name is replaced, but for when it was made.
    async fn put_agent(&self, agent: &AgentRecord) -> Result<(), StoreError>;

    /// All agents that are kept, by name.
    async fn agents(&self) -> Result<Vec<AgentRecord>, StoreError>;

    /// Forgets an agent; one that is not kept is forgotten already.
    async fn delete_agent(&self, name: &str) -> Result<(), StoreError>;

    /// Writes out what is buffered and lets go of the files. Nothing may be recorded afterwards.
    async fn close(&self);
}

/// Whether a conversation is held by the store that records something of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// It is recorded.
    Here,
    /// Somebody else began it since: nothing is recorded.
    Elsewhere,
}

/// A store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused or failed.
    #[error("{doing}: {source}")]
    Database {
        /// What was being done, such as `record a turn`.
        doing: &'static str,
        /// What the database said. Holds no bound values, so nothing that people said.
        source: sqlx::Error,
    },
    /// A row holds what this version never wrote.
    #[error("read conversation {conversation_id}: column {column} holds an unknown value")]
    Corrupt {
        /// The conversation.
        conversation_id: String,
        /// The column.
        column: &'static str,
    },
    /// The row of an agent holds what this version never wrote.
    #[error("read agent {name}: column {column} holds an unknown value")]
    CorruptAgent {
        /// The agent.
        name: String,
        /// The column.
        column: &'static str,
    },
}
