//! What a caller may ask for when opening a call: which agent answers, and which conversation goes on.

use axum::extract::FromRequestParts;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::Deserialize;

use super::refusal::Refusal;
use super::{Agents, MediaServices};
use crate::switchboard::CallWishes;

/// The query of a route that opens calls.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CallOptions {
    agent: Option<String>,
    conversation: Option<String>,
    /// OpenAI's clients name a model; which one answers is the agent's matter.
    #[serde(rename = "model")]
    _model: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for CallOptions {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let query = Query::<Self>::from_request_parts(parts, state).await;
        let query = query.map_err(|rejection| {
            Refusal::new(
                StatusCode::BAD_REQUEST,
                "invalid_query",
                format!("{}; a call takes `agent` and `conversation`", rejection.body_text()),
            )
        })?;
        Ok(query.0)
    }
}

impl CallOptions {
    /// What is asked for, if it exists. `named` are the wishes that came in another way and count more.
    pub(super) async fn check(self, services: &MediaServices, named: CallWishes) -> Result<CallWishes, Refusal> {
        let wishes = CallWishes {
            instructions: named.instructions,
            agent: named.agent.or(self.agent),
            resumes: named.resumes.or(self.conversation),
        };
        if let Some(name) = &wishes.agent {
            check_agent(&services.agents, name).await?;
        }
        if let Some(id) = &wishes.resumes {
            check_resumable(&services.agents, id).await?;
        }
        Ok(wishes)
    }
}

async fn check_agent(agents: &Agents, name: &str) -> Result<(), Refusal> {
    match agents {
        Agents::Here(agents) if agents.roster.entry(name).is_none() => Err(agents.roster.unknown(name).into()),
        Agents::Here(_) => Ok(()),
        Agents::Elsewhere(orchestrators) => orchestrators.check_agent(name).await,
    }
}

async fn check_resumable(agents: &Agents, id: &str) -> Result<(), Refusal> {
    let is_active = match agents {
        Agents::Here(agents) => {
            let found = agents.store.get(id).await.map_err(|cause| super::conversations::unreadable(&cause))?;
            found.map(|conversation| conversation.summary.ending.is_none())
        }
        Agents::Elsewhere(orchestrators) => orchestrators.is_active(id).await?,
    };
    match is_active {
        None => Err(Refusal::new(
            StatusCode::NOT_FOUND,
            "no_such_conversation",
            "the conversation to go on with does not exist; leave out `conversation` to begin a new one",
        )),
        Some(true) => Err(Refusal::new(
            StatusCode::CONFLICT,
            "conversation_active",
            "this conversation is still going on in another call; hang up there first",
        )
        .retry_after(5)),
        Some(false) => Ok(()),
    }
}
