//! Every route without a call: shapes of answers and of errors, headers, pages.

use reqwest::header::{ALLOW, CONTENT_TYPE, HeaderMap};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::support::TestServer;

pub(crate) async fn problem(response: Response) -> (u16, String, String) {
    assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
    let status = response.status().as_u16();
    let body: Value = response.json().await.expect("JSON");
    assert_eq!(body["status"], status);
    assert!(body["title"].is_string() && body["detail"].is_string(), "{body}");
    let kind = body["type"].as_str().expect("a type").trim_start_matches("urn:antiphon:problem:").to_owned();
    (status, kind, body["detail"].as_str().expect("a sentence").to_owned())
}

async fn openai_error(response: Response) -> (u16, String) {
    assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
    let status = response.status().as_u16();
    let body: Value = response.json().await.expect("JSON");
    let error = &body["error"];
    assert!(error["type"].is_string() && error["message"].is_string() && error["param"].is_null(), "{body}");
    (status, error["code"].as_str().expect("a code").to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_tells_that_it_is_alive_and_ready() {
    let server = TestServer::start().await;
    assert_eq!(server.get_json("/healthz").await, json!({"status": "alive"}));
    assert_eq!(server.get_json("/readyz").await, json!({"status": "ready"}));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whip_refuses_with_problem_details() {
    let server = TestServer::start().await;
    let plain = server.client.post(server.url("/whip")).body("v=0").send().await.expect("an answer");
    assert_eq!(problem(plain).await.0, 415);
    for (offer, status, kind) in [
        (" ".to_owned(), 400, "invalid-sdp"),
        ("hello".to_owned(), 400, "invalid-sdp"),
        ("x".repeat(65 * 1024), 413, "too-large"),
    ] {
        let (got, kind_got, _) = problem(server.post_sdp("/whip", &offer).await).await;
        assert_eq!((got, kind_got.as_str()), (status, kind));
    }
    let video = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n\
        c=IN IP4 0.0.0.0\r\na=rtpmap:96 VP8/90000\r\n";
    let (status, _, detail) = problem(server.post_sdp("/whip", video).await).await;
    assert!((400..=422).contains(&status) && detail.contains("SDP"), "{status} {detail}");

    let gone = server.client.delete(server.url("/whip/none")).send().await.expect("an answer");
    assert_eq!(problem(gone).await.1, "no-such-call");
    assert_eq!(problem(server.get("/whip/none").await).await.0, 404);
    assert_eq!(problem(server.post_sdp("/whep/none", "v=0").await).await.0 / 100, 4);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_pages_may_call_but_not_read_conversations() {
    let server = TestServer::start().await;
    let options = |path: &str| server.client.request(Method::OPTIONS, server.url(path)).send();
    let preflight = options("/whip").await.expect("an answer");
    assert_eq!(preflight.status(), StatusCode::OK);
    assert_eq!(preflight.headers()["accept-post"], "application/sdp");
    assert_eq!(preflight.headers()["access-control-allow-origin"], "*");
    assert!(preflight.headers()["access-control-expose-headers"].to_str().expect("text").contains("Location"));
    assert_eq!(server.get("/whip").await.status(), StatusCode::NO_CONTENT);
    let private = server.get("/v1/conversations").await;
    assert!(!private.headers().contains_key("access-control-allow-origin"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn openai_routes_refuse_as_openai_does() {
    let server = TestServer::start().await;
    let calls = server.url("/v1/realtime/calls");
    assert_eq!(openai_error(server.post_sdp("/v1/realtime/calls", "nonsense").await).await.0, 400);
    let plain = server.client.post(&calls).body("v=0").send().await.expect("an answer");
    assert_eq!(openai_error(plain).await, (415, "not_sdp".to_owned()));
    let no_sdp = server.post_form("/v1/realtime/calls", &[("session", "{}")]).await;
    assert_eq!(openai_error(no_sdp).await.0, 400);
    let no_json = server.post_form("/v1/realtime/calls", &[("sdp", "v=0"), ("session", "{")]).await;
    assert_eq!(openai_error(no_json).await, (400, "invalid_session".to_owned()));
    let hang_up = server.client.post(server.url("/v1/realtime/calls/none/hangup")).send().await.expect("an answer");
    assert_eq!(openai_error(hang_up).await, (404, "no_such_call".to_owned()));
    assert_eq!(openai_error(server.get("/v1/realtime/dance").await).await.0, 404);
    assert_eq!(openai_error(server.get("/v1/realtime/calls").await).await.0, 405);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn conversations_are_listed_and_asked_for_by_id() {
    let server = TestServer::start().await;
    let empty = json!({"object": "list", "data": [], "has_more": false});
    assert_eq!(server.get_json("/v1/conversations?limit=5&before=x").await, empty);
    for query in ["limit=0", "limit=101", "limit=many", "page=2"] {
        let (status, kind, _) = problem(server.get(&format!("/v1/conversations?{query}")).await).await;
        assert_eq!((status, kind.as_str()), (400, "invalid-query"), "{query}");
    }
    assert_eq!(problem(server.get("/v1/conversations/none").await).await.1, "no-such-conversation");
    assert_eq!(problem(server.get("/v1/nothing").await).await.0, 404);
    let post = server.client.post(server.url("/v1/conversations")).send().await.expect("an answer");
    assert!(post.headers()[ALLOW].to_str().expect("text").contains("GET"));
    assert_eq!(problem(post).await.0, 405);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_served_under_a_strict_policy() {
    let server = TestServer::start().await;
    for path in ["/", "/conversations/0199"] {
        let page = server.get(path).await;
        assert_eq!(page.status(), StatusCode::OK);
        assert!(page.headers()[CONTENT_TYPE].to_str().expect("text").starts_with("text/html"));
        hardened(page.headers());
        let html = page.text().await.expect("text");
        assert!(html.contains("<title>"), "{html}");
        for asset in html.split(['"', '\'']).filter(|part| part.starts_with("/assets/")) {
            let asset = server.get(asset).await;
            assert_eq!(asset.status(), StatusCode::OK);
            assert!(asset.headers()["cache-control"].to_str().expect("text").contains("immutable"));
        }
    }
    for path in ["/missing.js", "/assets/missing.css", "/.env", "/../Cargo.toml"] {
        assert_eq!(problem(server.get(path).await).await.0, 404, "{path}");
    }
    server.stop().await;
}

fn hardened(headers: &HeaderMap) {
    let policy = headers["content-security-policy"].to_str().expect("text");
    assert!(policy.contains("script-src 'self';") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["referrer-policy"], "no-referrer");
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_are_listed_and_unknown_wishes_are_refused() {
    let server = TestServer::start().await;
    let agents = server.get_json("/v1/agents").await;
    assert_eq!((&agents["object"], &agents["data"][0]["name"]), (&json!("list"), &json!("default")));
    let (status, kind, detail) = problem(server.post_sdp("/whip?agent=nobody", "v=0").await).await;
    assert_eq!((status, kind.as_str()), (404, "no-such-agent"));
    assert!(detail.contains("default"), "the known ones are named: {detail}");
    let (status, kind, _) = problem(server.post_sdp("/whip?conversation=0199", "v=0").await).await;
    assert_eq!((status, kind.as_str()), (404, "no-such-conversation"));
    assert_eq!(problem(server.post_sdp("/whip?agnet=x", "v=0").await).await.0, 400);
    let openai = server.post_sdp("/v1/realtime/calls?agent=nobody", "v=0").await;
    assert_eq!(openai_error(openai).await, (404, "no_such_agent".to_owned()));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_openmetrics_text() {
    let server = TestServer::start().await;
    let response = server.get("/metrics").await;
    let kind = response.headers()[CONTENT_TYPE].to_str().expect("text").to_owned();
    let text = response.text().await.expect("text");
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    assert!(text.contains("antiphon_session_active 0") && text.ends_with("# EOF\n"), "{text}");
    server.stop().await;
}
