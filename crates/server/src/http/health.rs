//! Alive, and ready for calls.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde_json::{Value, json};

use super::HealthServices;
use super::refusal::Refusal;
use crate::readiness::Unready;

/// The process runs.
pub(super) async fn alive() -> Json<Value> {
    Json(json!({"status": "alive"}))
}

/// `GET /metrics`: for Prometheus.
pub(super) async fn metrics(State(services): State<HealthServices>) -> impl IntoResponse {
    let text = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, text)], services.metrics.text())
}

/// Calls are taken.
pub(super) async fn ready(State(services): State<HealthServices>) -> Result<Json<Value>, Refusal> {
    services.readiness.unready().map_or_else(|| Ok(Json(json!({"status": "ready"}))), |why| Err(not_ready(why)))
}

/// Why calls are not taken.
pub(super) fn not_ready(why: Unready) -> Refusal {
    let unavailable = |code, detail| Refusal::new(StatusCode::SERVICE_UNAVAILABLE, code, detail);
    match why {
        Unready::Loading => unavailable("models_loading", "the models are being loaded; try again in a few seconds"),
        Unready::Full => unavailable("busy", "no agent takes calls now; try again in a few seconds"),
        Unready::BusDown => unavailable("bus_down", "the agents cannot be reached now; try again in a few seconds"),
        Unready::Stopping => unavailable("stopping", "the server is stopping; call again once it is back"),
    }
    .retry_after(2)
}
