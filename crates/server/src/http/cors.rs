//! Cross-origin access to the media routes: WHIP players on other pages may call in, as RFC 9725 asks.
//!
//! Only there: conversations are private to the page that this server serves.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

const HEADERS: [(HeaderName, &str); 4] = [
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, POST, PATCH, DELETE, OPTIONS"),
    (header::ACCESS_CONTROL_ALLOW_HEADERS, "Authorization, Content-Type, If-Match"),
    (header::ACCESS_CONTROL_EXPOSE_HEADERS, "Location, Link, ETag, Accept-Patch, Accept-Post, Retry-After"),
];

pub(super) const ACCEPT_POST: HeaderName = HeaderName::from_static("accept-post");

/// `OPTIONS`: which bodies may be posted. Preflight requests are answered by it as well.
pub(super) async fn accept_sdp() -> impl IntoResponse {
    (StatusCode::OK, [(ACCEPT_POST, "application/sdp")])
}

pub(super) async fn allow_any_origin(mut response: Response) -> Response {
    let headers: &mut HeaderMap = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
