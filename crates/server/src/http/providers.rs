//! `GET /v1/providers`: who may be asked, how each one fares, and what it did and cost.

use axum::Json;
use axum::extract::State;
use providers::resilience::{BreakerState, Consumed, HealthReport};
use serde::Serialize;

use super::AgentServices;
use crate::agent::Entry;

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
    usage: Usage,
    /// In the currency of the configured prices; null without prices.
    cost: Option<f64>,
}

/// What it did, in what vendors bill.
#[derive(Debug, Serialize)]
struct Usage {
    prompt_tokens: u64,
    cached_tokens: u64,
    completion_tokens: u64,
    heard_ms: u64,
    characters: u64,
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
    let data = services.board.entries().into_iter().map(Provider::from).collect();
    Json(ProviderList { object: "list", data })
}

impl From<Entry> for Provider {
    fn from(Entry { report, cost }: Entry) -> Self {
        let HealthReport { name, stage, state, requests, failures, slow, taken_over, first, last_failure, consumed } =
            report;
        let state = match state {
            BreakerState::Closed => Standing::Available,
            BreakerState::Open => Standing::Resting,
            BreakerState::Trying => Standing::Trying,
        };
        let first_ms = first.map(|first| (first.as_secs_f64() * 10_000.0).round() / 10.0);
        let (object, stage, usage) = ("provider", stage.as_str(), consumed.into());
        Self { object, name, stage, state, requests, failures, slow, taken_over, first_ms, last_failure, usage, cost }
    }
}

impl From<Consumed> for Usage {
    fn from(consumed: Consumed) -> Self {
        let Consumed { prompt_tokens, cached_tokens, completion_tokens, heard, characters } = consumed;
        let heard_ms = u64::try_from(heard.as_millis()).unwrap_or(u64::MAX);
        Self { prompt_tokens, cached_tokens, completion_tokens, heard_ms, characters }
    }
}
