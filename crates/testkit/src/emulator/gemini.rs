//! Gemini's API: `streamGenerateContent`, `generateContent`, `models` and Live, on the Gemini API's paths and Vertex AI's.

mod content;
mod live;
mod request;

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Path};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::Shared;
use super::refusal::{Code, Refusal};
use super::route::Vendor;

/// The models that it knows; any other is not found.
const MODELS: [&str; 6] = [
    "gemini-3.8-flash",
    "gemini-3.7-flash",
    "gemini-3.6-flash",
    "gemini-3.5-flash",
    "gemini-3.5-flash-lite",
    "gemini-3.1-flash-lite",
];

pub(super) fn router() -> Router<Arc<Shared>> {
    const VERTEX: &str = "/{version}/projects/{project}/locations/{location}/publishers/google/models/{call}";
    Router::new()
        .route("/{version}/models", get(models))
        .route("/{version}/models/{call}", get(model).post(content::generate))
        .route("/{version}/publishers/google/models/{call}", post(content::generate))
        .route(VERTEX, post(content::generate))
        .route("/ws/{service}", any(live::converse))
        .route("//ws/{service}", any(live::converse))
        .route("/ws/{service}/{method}", any(live::converse))
        .route("//ws/{service}/{method}", any(live::converse))
        // The gate has its own.
        .layer(DefaultBodyLimit::disable())
}

async fn models() -> Response {
    let models: Vec<Value> = MODELS.iter().map(|name| described(name)).collect();
    Json(json!({"models": models})).into_response()
}

async fn model(Path((_, name)): Path<(String, String)>) -> Response {
    match known(&name, "generateContent") {
        Ok(()) => Json(described(&name)).into_response(),
        Err(refusal) => refuse(&refusal),
    }
}

fn described(name: &str) -> Value {
    json!({
        "name": format!("models/{name}"), "version": "001", "displayName": name, "inputTokenLimit": 1_048_576,
        "outputTokenLimit": 65_536, "supportedGenerationMethods": ["generateContent", "streamGenerateContent"],
    })
}

fn known(model: &str, method: &str) -> Result<(), Refusal> {
    if MODELS.contains(&model) {
        return Ok(());
    }
    let message = format!(
        "models/{model} is not found for API version v1beta, or is not supported for {method}. Call ListModels to see \
         the list of available models and their supported methods."
    );
    Err(Refusal::new(Code::NotFound, message))
}

fn refuse(refusal: &Refusal) -> Response {
    refusal.response(Vendor::Gemini)
}

/// A field by its name in camel case, or in snake case: Google takes both, and its own client mixes them.
fn field<'a>(value: &'a Value, camel: &str) -> &'a Value {
    value.get(camel).unwrap_or_else(|| {
        let mut snake = String::with_capacity(camel.len() + 4);
        for letter in camel.chars() {
            if letter.is_ascii_uppercase() {
                snake.push('_');
            }
            snake.push(letter.to_ascii_lowercase());
        }
        value.get(&snake).unwrap_or(&Value::Null)
    })
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}
