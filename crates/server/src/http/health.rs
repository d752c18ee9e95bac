//! Alive, and ready for calls.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde_json::{Value, json};

use super::Services;
use super::refusal::Refusal;
use crate::readiness::Stage;

/// The process runs.
pub(super) async fn alive() -> Json<Value> {
    Json(json!({"status": "alive"}))
}

/// `GET /metrics`: for Prometheus.
pub(super) async fn metrics(State(services): State<Services>) -> impl IntoResponse {
    let text = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, text)], services.metrics.text())
}

/// Calls are taken.
pub(super) async fn ready(State(services): State<Services>) -> Result<Json<Value>, Refusal> {
    match services.readiness.stage() {
        Stage::Ready => Ok(Json(json!({"status": "ready"}))),
        stage => Err(not_ready(stage)),
    }
}

/// Why calls are not taken.
pub(super) fn not_ready(stage: Stage) -> Refusal {
    let unavailable = |code, detail| Refusal::new(StatusCode::SERVICE_UNAVAILABLE, code, detail);
    match stage {
        Stage::Loading => unavailable("models_loading", "the models are being loaded; try again in a few seconds"),
        Stage::Ready => unavailable("busy", "no agent takes calls now; try again in a few seconds"),
        Stage::Stopping => unavailable("stopping", "the server is stopping; call again once it is back"),
    }
    .retry_after(2)
}
