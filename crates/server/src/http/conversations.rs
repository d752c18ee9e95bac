//! Conversations that were held and those that go on.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use store::StoreError;

use super::AgentServices;
use super::refusal::Refusal;
use crate::wire::{Conversation, ConversationList};

/// As many as a page shows when the client does not say.
const DEFAULT_LIMIT: u32 = 20;
/// As many as a page may hold, so that a request stays cheap.
const MAX_LIMIT: u32 = 100;

/// Which conversations to list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    limit: Option<u32>,
    before: Option<String>,
}

/// `GET /v1/conversations`: newest first.
pub(super) async fn list(
    State(services): State<AgentServices>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<ConversationList>, Refusal> {
    let Query(query) = query.map_err(|rejection| bad_query(&rejection.body_text()))?;
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(bad_query(&format!("limit must be 1 to {MAX_LIMIT}")));
    }
    let page = services.store.list(limit, query.before.as_deref()).await.map_err(|cause| unreadable(&cause))?;
    Ok(Json(page.into()))
}

/// `GET /v1/conversations/{id}`: with its turns.
pub(super) async fn read(
    State(services): State<AgentServices>,
    Path(id): Path<String>,
) -> Result<Json<Conversation>, Refusal> {
    let missing = || Refusal::new(StatusCode::NOT_FOUND, "no_such_conversation", "there is no such conversation");
    let conversation = services.store.get(&id).await.map_err(|cause| unreadable(&cause))?.ok_or_else(missing)?;
    Ok(Json(conversation.into()))
}

fn bad_query(reason: &str) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, "invalid_query", reason)
}

pub(super) fn unreadable(cause: &StoreError) -> Refusal {
    tracing::error!(%cause, "the store cannot be read");
    Refusal::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "store_failed",
        "conversations cannot be read; see the server's log",
    )
}
