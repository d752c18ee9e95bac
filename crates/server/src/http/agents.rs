//! The agents that can be called: shown to all, made and changed over HTTP where they are not the configuration's.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use serde::Serialize;
use session::AgentConfig;

use super::AgentServices;
use super::body::{has_media_type, unreadable};
use super::refusal::Refusal;
use crate::roster::{ChangeError, Entry, Made, ProfileError, read_profile};

/// All agents.
#[derive(Debug, Serialize)]
pub(super) struct AgentList {
    object: &'static str,
    data: Vec<AgentSummary>,
}

/// What callers may know of an agent. Its instructions are shown only to who asks for it by name.
#[derive(Debug, Serialize)]
struct AgentSummary {
    name: String,
    object: &'static str,
    source: Source,
    description: String,
    greeting: Option<String>,
    voice: Option<String>,
    language: Option<String>,
    tools: Vec<String>,
    hand_off: Vec<String>,
}

/// An agent with its whole profile, in the keys of the configuration.
#[derive(Debug, Serialize)]
pub(super) struct Agent {
    name: String,
    object: &'static str,
    source: Source,
    created_at: Option<String>,
    updated_at: Option<String>,
    #[serde(flatten)]
    profile: AgentConfig,
}

/// Where an agent is changed.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum Source {
    /// In the configuration.
    Configuration,
    /// Here.
    Api,
}

/// `GET /v1/agents`.
pub(super) async fn list(State(services): State<AgentServices>) -> Json<AgentList> {
    let data = services.roster.entries().into_iter().map(|(name, entry)| summary(name, entry)).collect();
    Json(AgentList { object: "list", data })
}

/// `GET /v1/agents/{name}`.
pub(super) async fn read(
    State(services): State<AgentServices>,
    Path(name): Path<String>,
) -> Result<Json<Agent>, Refusal> {
    match services.roster.entry(&name) {
        Some(Entry::Made(made)) => Ok(Json(shown(name, made))),
        Some(Entry::Configured(profile)) => Ok(Json(Agent {
            name,
            object: "agent",
            source: Source::Configuration,
            created_at: None,
            updated_at: None,
            profile,
        })),
        None => Err(services.roster.unknown(&name).into()),
    }
}

/// `POST /v1/agents`: makes one. 201 and where it is.
pub(super) async fn create(
    State(services): State<AgentServices>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<impl IntoResponse, Refusal> {
    let (name, profile) = profile(&headers, body)?;
    let name = name.ok_or_else(|| invalid("the body must name the agent: `name`"))?;
    let made = services.roster.create(&name, profile).await?;
    let location = [(header::LOCATION, format!("/v1/agents/{name}"))];
    Ok((StatusCode::CREATED, location, Json(shown(name, made))))
}

/// `PUT /v1/agents/{name}`: replaces the whole profile.
pub(super) async fn replace(
    State(services): State<AgentServices>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Agent>, Refusal> {
    let (named, profile) = profile(&headers, body)?;
    if named.is_some_and(|named| named != name) {
        return Err(invalid("an agent cannot be renamed: make another one, and delete this one"));
    }
    let made = services.roster.replace(&name, profile).await?;
    Ok(Json(shown(name, made)))
}

/// `DELETE /v1/agents/{name}`.
pub(super) async fn delete(
    State(services): State<AgentServices>,
    Path(name): Path<String>,
) -> Result<StatusCode, Refusal> {
    services.roster.delete(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What was sent. The media type must be JSON's: pages of other sites cannot send that without asking first.
fn profile(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<(Option<String>, AgentConfig), Refusal> {
    if !has_media_type(headers, "application/json") {
        let detail = "send the agent as JSON, with the header Content-Type: application/json";
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", detail));
    }
    let body = body.map_err(unreadable)?;
    read_profile(&body).map_err(|error| match error {
        ProfileError::Syntax(_) => Refusal::new(StatusCode::BAD_REQUEST, "invalid_json", error.to_string()),
        ProfileError::NoObject | ProfileError::Name | ProfileError::UnknownKey { .. } | ProfileError::Value { .. } => {
            invalid(error.to_string())
        }
    })
}

fn invalid(why: impl Into<String>) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, "invalid_agent", why)
}

fn shown(name: String, made: Made) -> Agent {
    let moment = |moment: jiff::Timestamp| Some(format!("{moment:.3}"));
    Agent {
        name,
        object: "agent",
        source: Source::Api,
        created_at: moment(made.created_at),
        updated_at: moment(made.updated_at),
        profile: made.profile,
    }
}

fn summary(name: String, entry: Entry) -> AgentSummary {
    let (source, profile) = match entry {
        Entry::Configured(profile) => (Source::Configuration, profile),
        Entry::Made(made) => (Source::Api, made.profile),
    };
    AgentSummary {
        name,
        object: "agent",
        source,
        description: profile.description,
        greeting: profile.greeting,
        voice: profile.voice,
        language: profile.language,
        tools: profile.tools,
        hand_off: profile.hand_off,
    }
}

impl From<ChangeError> for Refusal {
    fn from(error: ChangeError) -> Self {
        let detail = error.to_string();
        match error {
            ChangeError::NotReady => Self::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", detail).retry_after(2),
            ChangeError::Unknown(..) => Self::new(StatusCode::NOT_FOUND, "no_such_agent", detail),
            ChangeError::Configured(..) => Self::new(StatusCode::CONFLICT, "agent_configured", detail),
            ChangeError::Exists(_) => Self::new(StatusCode::CONFLICT, "agent_exists", detail),
            ChangeError::InUse { .. } => Self::new(StatusCode::CONFLICT, "agent_in_use", detail),
            ChangeError::TooMany => Self::new(StatusCode::CONFLICT, "too_many_agents", detail),
            ChangeError::Unusable(_) => invalid(detail),
            ChangeError::Store(cause) => {
                tracing::error!(%cause, "an agent cannot be kept");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "store_failed", detail)
            }
        }
    }
}
