//! Keys and tokens: where each vendor looks for them, and what it says when they are missing or wrong.

use axum::extract::Request;
use axum::http::header::AUTHORIZATION;

use super::refusal::{Code, Refusal};
use super::route::Vendor;

const GOOGLE_KEY: &str = "x-goog-api-key";

/// What the request shows: `Bearer …` or a bare key.
pub(super) fn shown(request: &Request) -> Option<String> {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let in_query = || {
        let query = request.uri().query()?;
        query.split('&').find_map(|field| field.strip_prefix("key=")).map(str::to_owned)
    };
    header(AUTHORIZATION.as_str()).or_else(|| header(GOOGLE_KEY)).or_else(in_query)
}

/// Why the request may not pass. Google's gRPC services let anyone in unless the script names keys, since their
/// clients send no token over a plain connection.
pub(super) fn refuse(request: &Request, vendor: Vendor, keys: &[String]) -> Option<Refusal> {
    let shown = shown(request);
    let Some(shown) = shown else {
        return match vendor {
            Vendor::OpenAi => Some(Refusal::new(
                Code::Unauthenticated,
                "You didn't provide an API key. You need to provide your API key in an Authorization header using \
                 Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
            )),
            Vendor::Gemini => Some(Refusal::new(
                Code::PermissionDenied,
                "Method doesn't allow unregistered callers (callers without established identity). Please use API Key \
                 or other form of API consumer identity to call this API.",
            )),
            Vendor::Google if keys.is_empty() => None,
            Vendor::Google => Some(Refusal::new(
                Code::Unauthenticated,
                "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie \
                 or other valid authentication credential.",
            )),
        };
    };
    let (is_token, secret) = shown.strip_prefix("Bearer ").map_or((false, shown.as_str()), |token| (true, token));
    if keys.is_empty() || keys.iter().any(|key| key == secret) {
        return None;
    }
    Some(match (vendor, is_token) {
        (Vendor::OpenAi, _) => Refusal::new(Code::Unauthenticated, "Incorrect API key provided."),
        (Vendor::Gemini | Vendor::Google, false) => Refusal::invalid("API key not valid. Please pass a valid API key."),
        (Vendor::Gemini | Vendor::Google, true) => Refusal::new(
            Code::Unauthenticated,
            "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other \
             valid authentication credential.",
        ),
    })
}
