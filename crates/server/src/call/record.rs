//! What the server has written down of the conversation, read while it goes on.

use std::time::Duration;

use reqwest::{Client, StatusCode};
use tokio::sync::watch;

use crate::wire::Conversation;

/// Often enough that a turn's end is seen while its last words sound.
const POLL_EVERY: Duration = Duration::from_millis(80);

/// The conversation cannot be read back.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RecordError {
    /// The server cannot be reached.
    #[error("read the conversation from the server: {0}")]
    Http(String),
    /// The server refuses.
    #[error("read the conversation from the server: it answered {0}")]
    Refused(StatusCode),
}

/// The conversation as it stands; none before the server has written anything.
pub(super) type Latest = Result<Option<Conversation>, RecordError>;

/// Reads the conversation again and again, until nobody watches.
pub(super) async fn follow(client: Client, url: String, latest: watch::Sender<Latest>) {
    while !latest.is_closed() {
        let read = read(&client, &url).await;
        let failed = read.is_err();
        drop(latest.send_replace(read));
        if failed {
            return;
        }
        tokio::time::sleep(POLL_EVERY).await;
    }
}

async fn read(client: &Client, url: &str) -> Latest {
    let failed = |cause: reqwest::Error| RecordError::Http(cause.without_url().to_string());
    let response = client.get(url).send().await.map_err(failed)?;
    match response.status() {
        StatusCode::OK => Ok(Some(response.json().await.map_err(failed)?)),
        StatusCode::NOT_FOUND => Ok(None),
        status => Err(RecordError::Refused(status)),
    }
}
