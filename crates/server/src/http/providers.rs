//! `GET /v1/providers`: who may be asked, and how each one fares.

use axum::Json;
use axum::extract::State;
use providers::resilience::{BreakerState, HealthReport};
use serde::Serialize;

use super::AgentServices;

/// All providers.
#[derive(Debug, Serialize)]
pub(super) struct ProviderList {
    object: &'static str,
    data: Vec<Provider>,
}

/// A provider in one stage, since its server start.
#[derive(Debug, Serialize)]
struct Provider {
    object: &'static str,
    /// As the configuration calls it; `local` for the models of this machine.
    name: String,
    /// `stt`, `llm`, `tts` or `live`.
    stage: &'static str,
    state: Standing,
    requests: u64,
    failures: u64,
    slow: u64,
    taken_over: u64,
    /// Request to first word or sound, a running mean; null before the first.
    first_ms: Option<f64>,
    last_failure: Option<String>,
}

/// What becomes of requests to it.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum Standing {
    /// They are sent.
    Available,
    /// They go to the next one.
    Resting,
    /// One is sent, to see whether it has recovered.
    Trying,
}

/// `GET /v1/providers`.
pub(super) async fn list(State(services): State<AgentServices>) -> Json<ProviderList> {
    let data = services.board.reports().into_iter().map(Provider::from).collect();
    Json(ProviderList { object: "list", data })
}

impl From<HealthReport> for Provider {
    fn from(report: HealthReport) -> Self {
        let HealthReport { name, stage, state, requests, failures, slow, taken_over, first, last_failure } = report;
        let state = match state {
            BreakerState::Closed => Standing::Available,
            BreakerState::Open => Standing::Resting,
            BreakerState::Trying => Standing::Trying,
        };
        let first_ms = first.map(|first| (first.as_secs_f64() * 10_000.0).round() / 10.0);
        let (object, stage) = ("provider", stage.as_str());
        Self { object, name, stage, state, requests, failures, slow, taken_over, first_ms, last_failure }
    }
}
