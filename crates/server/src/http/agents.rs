//! The agents that can be called.

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::Services;

/// All agents.
#[derive(Debug, Serialize)]
pub(super) struct AgentList {
    object: &'static str,
    data: Vec<AgentShown>,
}

/// What callers may know of an agent. Its instructions are its own.
#[derive(Debug, Serialize)]
struct AgentShown {
    name: String,
    object: &'static str,
    description: String,
    greeting: Option<String>,
    voice: Option<String>,
    language: Option<String>,
    tools: Vec<String>,
    hand_off: Vec<String>,
}

/// `GET /v1/agents`.
pub(super) async fn list(State(services): State<Services>) -> Json<AgentList> {
    let data = services
        .agents
        .iter()
        .map(|(name, agent)| AgentShown {
            name: name.to_owned(),
            object: "agent",
            description: agent.description.clone(),
            greeting: agent.greeting.clone(),
            voice: agent.voice.clone(),
            language: agent.language.clone(),
            tools: agent.tools.clone(),
            hand_off: agent.hand_off.clone(),
        })
        .collect();
    Json(AgentList { object: "list", data })
}
