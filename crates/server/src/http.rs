//! The HTTP interface, as `docs/protocol.md` fixes it.
//!
//! `refusal` is how every error leaves; `whip`, `whep` and `realtime` open calls through the switchboard, `session_resource` is
//! what the first two have in common;
//! `conversations` reads the store; `agents` shows and changes the roster; `providers` shows how vendors fare; `elsewhere` asks
//! orchestrators where they are other processes; `assets` serves the web app.
//! Nothing here knows WebRTC or SQL.

mod agents;
mod assets;
mod body;
mod call_options;
mod conversations;
mod cors;
mod elsewhere;
mod health;
mod ice_servers;
mod providers;
mod realtime;
mod refusal;
mod session_resource;
mod whep;
mod whip;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::routing::{any, get, post};
use store::Store;

use crate::agent::Board;
use crate::metrics::Metrics;
use crate::readiness::Readiness;
use crate::roster::Roster;
use crate::switchboard::Switchboard;
use refusal::Refusal;

pub(crate) use elsewhere::Orchestrators;
pub(crate) use ice_servers::IceServers;

/// The largest SDP offer. Browsers send 2 to 8 KB.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// What requests are served from: the parts that this process has.
pub(crate) struct Services {
    /// Of the media role.
    pub media: Option<MediaServices>,
    /// Of the orchestrator role.
    pub agents: Option<AgentServices>,
    /// Of either.
    pub health: HealthServices,
}

/// What calls are opened with.
#[derive(Clone)]
pub(crate) struct MediaServices {
    /// Opens and ends calls.
    pub switchboard: Switchboard,
    /// Who knows what callers may ask for.
    pub agents: Agents,
    /// Servers that help callers to reach us.
    pub ice_servers: IceServers,
}

/// The orchestrator role, as a process that takes calls knows it.
#[derive(Clone)]
pub(crate) enum Agents {
    /// It is in this process.
    Here(AgentServices),
    /// It is in others.
    Elsewhere(Orchestrators),
}

/// Who answers, and what was said.
#[derive(Clone)]
pub(crate) struct AgentServices {
    /// Holds conversations.
    pub store: Arc<dyn Store>,
    /// Who can be called.
    pub roster: Roster,
    /// How the providers of models fare.
    pub board: Board,
}

/// How this process is.
#[derive(Clone)]
pub(crate) struct HealthServices {
    /// Whether calls are taken now.
    pub readiness: Readiness,
    /// What is measured.
    pub metrics: Metrics,
}

/// The routes of the roles that this process has.
pub(crate) fn router(services: Services) -> Router {
    let Services { media, agents, health } = services;
    let mut router = health_routes(health);
    if let Some(agents) = agents {
        router = router.merge(agent_routes(agents));
    }
    router = match media {
        Some(media) => {
            if let Agents::Elsewhere(orchestrators) = &media.agents {
                router = router.merge(routes_of_others(orchestrators.clone()));
            }
            router.merge(media_routes(media)).fallback(assets::serve)
        }
        None => router.fallback(|| async { not_found() }),
    };
    router.layer(DefaultBodyLimit::max(MAX_BODY_BYTES)).layer(axum::middleware::map_response(assets::harden))
}

fn media_routes(services: MediaServices) -> Router {
    let media = Router::new()
        .route("/whip", get(whip::exists).post(whip::publish).options(whip::options))
        .route(
            "/whip/{id}",
            get(whip::session).patch(whip::patch).delete(whip::hang_up).options(session_resource::accept_fragments),
        )
        .route("/whep/{id}", get(whep::exists).head(whep::discover).post(whep::listen).options(whip::options))
        .route(
            "/whep/{id}/{listener}",
            get(whep::session).patch(whep::patch).delete(whep::stop).options(session_resource::accept_fragments),
        )
        .method_not_allowed_fallback(refusal::method_not_allowed);
    let openai = Router::new()
        .route("/calls", post(realtime::call).options(cors::accept_sdp))
        .route("/calls/{id}/hangup", post(realtime::hang_up).options(cors::accept_sdp))
        .method_not_allowed_fallback(refusal::openai_method_not_allowed)
        .fallback(refusal::openai_not_found);
    media
        .nest("/v1/realtime", openai)
        .layer(axum::middleware::map_response(cors::allow_any_origin))
        .with_state(services)
}

fn agent_routes(services: AgentServices) -> Router {
    Router::new()
        .route("/v1/agents", get(agents::list).post(agents::create))
        .route("/v1/agents/{name}", get(agents::read).put(agents::replace).delete(agents::delete))
        .route("/v1/providers", get(providers::list))
        .route("/v1/conversations", get(conversations::list))
        .route("/v1/conversations/{id}", get(conversations::read))
        .method_not_allowed_fallback(refusal::method_not_allowed)
        .with_state(services)
}

/// All that orchestrators serve, for the page that this process serves.
fn routes_of_others(orchestrators: Orchestrators) -> Router {
    Router::new().route("/v1/{*rest}", any(elsewhere::pass)).with_state(orchestrators)
}

fn health_routes(services: HealthServices) -> Router {
    Router::new()
        .route("/metrics", get(health::metrics))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .method_not_allowed_fallback(refusal::method_not_allowed)
        .with_state(services)
}

/// A path that is neither a route nor a page.
fn not_found() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "not_found", "nothing is here; the routes are listed in docs/protocol.md")
}
