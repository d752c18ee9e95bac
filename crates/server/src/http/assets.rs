//! The web app, built into the binary.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use rust_embed::RustEmbed;

use super::not_found;
use super::refusal::method_not_allowed;

/// What `make build` puts into `web/dist`. The server also builds without it.
#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct WebApp;

const INDEX: &str = "index.html";
/// Vite puts what it names by a hash of the content here, so that it can be kept for ever.
const HASHED: &str = "assets/";

const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Antiphon</title>\
    <h1>Antiphon is running</h1><p>This binary was built without the web app. Run <code>make build</code> to include \
    it, or call in with <code>antiphon call question.wav</code>.</p></html>";

/// Scripts and connections only to this server; no inline script, no frame around us.
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
    connect-src 'self'; media-src 'self' blob:; worker-src 'self'; manifest-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

const SECURITY: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, CSP),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("permissions-policy"), "microphone=(self), camera=(), geolocation=()"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// Every path that is not a route: a file of the web app, or the app itself for its own pages.
pub(super) async fn serve(request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return method_not_allowed().await.into_response();
    }
    let path = request.uri().path().trim_start_matches('/');
    if let Some(file) = WebApp::get(path).filter(|_| path != INDEX) {
        let kept = if path.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
        return page(file, kept);
    }
    // A path with a dot names a file, one below a route's folder names nothing: neither is a page of the app.
    if path.contains('.') || ["v1/", "whip/", "whep/"].iter().any(|folder| path.starts_with(folder)) {
        return not_found().into_response();
    }
    match WebApp::get(INDEX) {
        Some(index) => page(index, "no-cache"),
        None => Html(NOT_BUILT).into_response(),
    }
}

/// Adds the security headers to whatever leaves.
pub(super) async fn harden(mut response: Response) -> Response {
    for (name, value) in SECURITY {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn page(file: rust_embed::EmbeddedFile, kept: &'static str) -> Response {
    let headers =
        [(header::CONTENT_TYPE, file.metadata.mimetype().to_owned()), (header::CACHE_CONTROL, kept.to_owned())];
    (StatusCode::OK, headers, file.data).into_response()
}
