//! WHEP (draft-ietf-wish-whep) from outside: what any player may rely on.

use media::caller::CallerKind;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;

use crate::routes::problem;
use crate::support::TestServer;
use crate::whip::{header, offer, open, patch, restart};

/// A call, and where its agent can be heard.
async fn endpoint(server: &TestServer) -> String {
    open(server, "/whip", &offer(CallerKind::Publish)).await.0.replace("/whip/", "/whep/")
}

#[tokio::test(flavor = "multi_thread")]
async fn whep_a_player_is_answered_sendonly_with_a_session_of_its_own() {
    let server = TestServer::start().await;
    let whep = endpoint(&server).await;
    let mut seen = Vec::new();
    for direction in ["a=recvonly", "a=sendrecv"] {
        let response = server.post_sdp(&whep, &offer(CallerKind::Listen).replace("a=recvonly", direction)).await;
        assert_eq!(response.status(), 201);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/sdp");
        assert_eq!(response.headers()["accept-patch"], "application/trickle-ice-sdpfrag");
        let session = header(response.headers(), "location").to_owned();
        assert!(session.starts_with(&format!("{whep}/")), "{session}");
        seen.extend([session.clone(), header(response.headers(), "etag").to_owned()]);
        let answer = response.text().await.expect("SDP");
        assert!(answer.contains("a=sendonly\r\n") && answer.contains("a=msid:antiphon voice\r\n"), "{answer}");
        assert_eq!(server.get(&session).await.status(), 204);
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 4, "several may listen to one call");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whep_an_endpoint_can_be_found_out() {
    let server = TestServer::start().await;
    let whep = endpoint(&server).await;
    let head = server.ask(Method::HEAD, &whep, &[], "").await;
    assert_eq!((head.status().as_u16(), header(head.headers(), "content-type")), (200, "application/sdp"));
    let get = server.get(&whep).await;
    assert_eq!(get.status(), 204);
    assert!(get.bytes().await.expect("a body").is_empty());
    let options = server.ask(Method::OPTIONS, &whep, &[], "").await;
    assert_eq!(header(options.headers(), "accept-post"), "application/sdp");
    for method in [Method::HEAD, Method::GET] {
        assert_eq!(server.ask(method, "/whep/nobody", &[], "").await.status(), 404);
    }
    for method in [Method::PUT, Method::DELETE, Method::PATCH] {
        let refused = server.ask(method, &whep, &[], "").await;
        assert!(header(refused.headers(), "allow").contains("POST"));
        assert_eq!(problem(refused).await.0, 405);
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whep_what_cannot_be_played_is_refused() {
    let server = TestServer::configured(|config| config.media.max_listeners_per_call = 1).await;
    let whep = endpoint(&server).await;
    let sound = offer(CallerKind::Listen);
    for (path, offer, status) in [
        (whep.as_str(), sound.replace("a=recvonly", "a=sendonly"), 422),
        (&whep, sound.replace("a=recvonly", "a=inactive"), 422),
        (&whep, sound.replace("opus/48000/2", "PCMU/8000"), 422),
        (&whep, "hello".to_owned(), 400),
        ("/whep/nobody", sound.clone(), 404),
    ] {
        assert_eq!(problem(server.post_sdp(path, &offer).await).await.0, status, "{path} {offer:.100}");
    }
    open(&server, &whep, &sound).await;
    let full = server.post_sdp(&whep, &sound).await;
    assert!(full.headers().contains_key("retry-after"));
    assert_eq!(problem(full).await.0, 503);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whep_sessions_are_patched_and_ended_as_whips_are() {
    let server = TestServer::start().await;
    let (session, etag) = open(&server, &endpoint(&server).await, &offer(CallerKind::Listen)).await;
    let candidates = "a=candidate:1 1 udp 2122260223 192.0.2.1 61764 typ host\r\n";
    let trickled = patch(&server, &session, &etag, candidates).await;
    assert!(trickled.status() == 204 && !trickled.headers().contains_key("etag"));
    let answer = server.ask(Method::PATCH, &session, &[("content-type", "application/sdp")], "v=0").await;
    assert_eq!(problem(answer).await.0, 415, "there are no counter-offers to be answered");
    let restarted = patch(&server, &session, "*", &restart("abcd")).await;
    assert_eq!(restarted.status(), 200);
    assert_ne!(header(restarted.headers(), "etag"), etag);
    assert_eq!(problem(patch(&server, &session, &etag, candidates).await).await.0, 412);
    let options = server.ask(Method::OPTIONS, &session, &[], "").await;
    assert_eq!(header(options.headers(), "accept-patch"), "application/trickle-ice-sdpfrag");
    assert_eq!(server.ask(Method::DELETE, &session, &[], "").await.status(), 200);
    for method in [Method::DELETE, Method::GET, Method::PATCH] {
        assert_eq!(problem(server.ask(method, &session, &[], "").await).await.0, 404);
    }
    server.stop().await;
}
