//! RFC 9725 from outside, section by section: what any WHIP client may rely on.

use media::caller::{Caller, CallerKind};
use reqwest::header::{CONTENT_TYPE, ETAG, HeaderMap, LOCATION};
use reqwest::{Method, Response};
use server::config::IceServerConfig;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::routes::problem;
use crate::support::{TestServer, antiphon, tone_wav};

const FRAGMENT: (&str, &str) = ("content-type", "application/trickle-ice-sdpfrag");
const TRICKLE: &str = "a=candidate:1 1 udp 2122260223 192.0.2.1 61764 typ host\r\n\
    a=candidate:2 1 udp 2122260223 6f0e1c6b-0d25.local 61764 typ host\r\n\
    a=candidate:3 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active\r\na=end-of-candidates\r\n";
/// What a video section of an offer looks like.
const VIDEO: &str = "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\nc=IN IP4 0.0.0.0\r\na=mid:v\r\na=sendonly\r\na=rtcp-mux\r\n\
    a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n";

pub(crate) fn offer(kind: CallerKind) -> String {
    Caller::offer(kind).expect("an offer").1
}

/// An offer of audio and video in one bundle.
fn with_video() -> String {
    let offer = offer(CallerKind::Publish);
    let bundle = offer.lines().find(|line| line.starts_with("a=group:BUNDLE")).expect("it is bundled");
    format!("{}{VIDEO}", offer.replace(bundle, &format!("{bundle} v")))
}

/// A fragment with new credentials, as a restart of ICE has.
pub(crate) fn restart(ufrag: &str) -> String {
    format!("a=ice-ufrag:{ufrag}\r\na=ice-pwd:{}\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n{TRICKLE}", ufrag.repeat(6))
}

pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).map(|value| value.to_str().expect("text")).expect("the header is there")
}

/// A session that has been opened: where it is, and the name of its first ICE session.
pub(crate) async fn open(server: &TestServer, path: &str, offer: &str) -> (String, String) {
    let response = server.post_sdp(path, offer).await;
    assert_eq!(response.status(), 201, "{path}");
    (header(response.headers(), "location").to_owned(), header(response.headers(), "etag").to_owned())
}

async fn publish(server: &TestServer) -> (String, String) {
    open(server, "/whip", &offer(CallerKind::Publish)).await
}

pub(crate) async fn patch(server: &TestServer, session: &str, if_match: &str, fragment: &str) -> Response {
    server.ask(Method::PATCH, session, &[FRAGMENT, ("if-match", if_match)], fragment).await
}

#[tokio::test(flavor = "multi_thread")]
async fn rfc9725_4_1_get_succeeds_without_content() {
    let server = TestServer::start().await;
    let (session, _) = publish(&server).await;
    for path in ["/whip", &session] {
        for method in [Method::GET, Method::HEAD] {
            let response = server.ask(method.clone(), path, &[], "").await;
            assert_eq!(response.status(), 204, "{method} {path}");
            assert!(response.bytes().await.expect("a body").is_empty());
        }
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rfc9725_4_1_other_methods_are_refused_with_those_that_are_allowed() {
    let server = TestServer::start().await;
    let (session, _) = publish(&server).await;
    for (method, path, allowed) in [
        (Method::PUT, "/whip", "POST"),
        (Method::DELETE, "/whip", "POST"),
        (Method::PATCH, "/whip", "POST"),
        (Method::POST, &session, "PATCH"),
        (Method::PUT, &session, "DELETE"),
    ] {
        let response = server.ask(method.clone(), path, &[], "").await;
        assert!(header(response.headers(), "allow").contains(allowed), "{method} {path}");
        assert_eq!(problem(response).await.0, 405, "{method} {path}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rfc9725_4_2_an_offer_makes_a_session() {
    let server = TestServer::start().await;
    let mut seen = Vec::new();
    for content_type in ["application/sdp", "Application/SDP", "application/sdp; charset=utf-8"] {
        let offer = offer(CallerKind::Publish);
        let response = server.ask(Method::POST, "/whip", &[("content-type", content_type)], &offer).await;
        assert_eq!(response.status(), 201, "{content_type}");
        let headers = response.headers().clone();
        assert_eq!(headers[CONTENT_TYPE], "application/sdp");
        assert_eq!(headers["accept-patch"], "application/trickle-ice-sdpfrag");
        let (location, etag) = (header(&headers, "location").to_owned(), header(&headers, "etag").to_owned());
        assert!(etag.starts_with('"') && etag.ends_with('"') && etag.len() > 2, "{etag} is a strong entity tag");
        assert!(response.text().await.expect("SDP").starts_with("v=0\r\n"));
        assert_eq!(server.get(&location).await.status(), 204);
        seen.extend([location, etag]);
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 6, "each session and ICE session has a name of its own");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rfc9725_4_2_other_content_types_are_refused() {
    let server = TestServer::start().await;
    for content_type in ["text/plain", "application/json", "application/sdpx", "application/trickle-ice-sdpfrag", "sdp"]
    {
        let headers = [("content-type", content_type)];
        let response = server.ask(Method::POST, "/whip", &headers, &offer(CallerKind::Publish)).await;
        assert_eq!(header(response.headers(), "accept-post"), "application/sdp");
        assert_eq!(problem(response).await.0, 415, "{content_type}");
    }
    let bare = server.ask(Method::POST, "/whip", &[], &offer(CallerKind::Publish)).await;
    assert_eq!(problem(bare).await.0, 415);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rfc9725_4_2_malformed_offers_are_refused() {
    let server = TestServer::start().await;
    let sound = offer(CallerKind::Publish);
    for (offer, status) in [
        (String::new(), 400),
        ("hello".to_owned(), 400),
        (sound.replacen("v=0", "v=1", 1), 400),
        (sound.replace("a=fingerprint:", "a=thumbprint:"), 400),
        (sound.replace("a=ice-ufrag:", "a=ufrag:"), 400),
        (sound.replace("a=ice-pwd:", "a=ice-pwd:!"), 400),
        (format!("{sound}{}", "a=x:y\r\n".repeat(10_000)), 413),
    ] {
        let (got, _, detail) = problem(server.post_sdp("/whip", &offer).await).await;
        assert_eq!(got, status, "{detail}: {offer:.200}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rfc9725_4_2_and_4_4_unacceptable_offers_are_refused_with_what_to_change() {
    let server = TestServer::start().await;
    let (sound, video) = (offer(CallerKind::Publish), with_video());
    let (session, audio) = sound.split_at(sound.find("m=audio").expect("audio"));
    let second = audio.replacen("a=mid:", "a=mid:x", 1);
    for (offer, hint) in [
        (sound.replace("m=audio", "m=video"), "m=audio"),
        (sound.replace("opus/48000/2", "G722/8000"), "opus/48000/2"),
        (sound.replace("a=sendonly", "a=recvonly"), "sendonly"),
        (sound.replace("a=sendonly", "a=inactive"), "sendonly"),
        (format!("{session}{audio}{second}"), "audio sections"),
        (sound.replace("a=group:BUNDLE", "a=group:LS"), "a=group:BUNDLE"),
        (sound.replace("a=rtcp-mux", "a=rtcp-rsize"), "a=rtcp-mux"),
        (sound.replace("a=setup:actpass", "a=setup:holdconn"), "actpass"),
        (video.replace("a=group:BUNDLE", "a=group:BUNDLE w") + &VIDEO.replace("a=mid:v", "a=mid:w"), "video sections"),
        (video.replace("a=mid:v", "a=mid:v\r\na=msid:another x"), "a=msid"),
        (video.replace("a=mid:v\r\na=sendonly", "a=mid:v\r\na=recvonly"), "sendonly"),
        (video.replace(" v\r\n", "\r\n"), "a=group:BUNDLE"),
    ] {
        let (status, kind, detail) = problem(server.post_sdp("/whip", &offer).await).await;
        assert_eq!((status, kind.as_str()), (422, "unacceptable-sdp"), "{detail}: {offer}");
        assert!(detail.contains(hint), "{detail}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rfc9725_4_2_answers_are_recvonly_and_4_4_1_bundled_without_a_second_port() {
    let server = TestServer::start().await;
    for (offer, sections) in [
        (offer(CallerKind::Publish), 1),
        (offer(CallerKind::Publish).replace("a=sendonly", "a=sendrecv"), 1),
        (with_video(), 2),
    ] {
        let answer = server.post_sdp("/whip", &offer).await.text().await.expect("SDP");
        let count = |line: &str| answer.lines().filter(|other| *other == line).count();
        assert_eq!(count("a=recvonly"), sections, "{answer}");
        assert_eq!((count("a=rtcp-mux"), count("a=rtcp-mux-only")), (sections, sections), "{answer}");
        assert_eq!(answer.matches("a=group:BUNDLE").count(), 1, "{answer}");
        assert!(!answer.contains("a=msid:") && !answer.contains("a=sendrecv"), "nothing is sent: {answer}");
        assert_eq!(count("a=setup:passive"), sections, "the caller begins the handshake: {answer}");
        let order: Vec<&str> = answer.lines().filter(|line| line.starts_with("m=")).collect();
        assert!(order[0].starts_with("m=audio 9 ") && order.len() == sections, "{answer}");
        assert!(answer.contains("useinbandfec=1") && answer.contains("stereo=0") && answer.contains("a=maxptime:60"));
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rfc9725_4_2_delete_ends_the_session_and_4_3_1_needs_no_match() {
    let server = TestServer::start().await;
    for headers in [&[][..], &[("if-match", "\"stale\"")]] {
        let (session, _) = publish(&server).await;
        let ended = server.ask(Method::DELETE, &session, headers, "").await;
        assert_eq!(ended.status(), 200);
        for method in [Method::DELETE, Method::GET, Method::PATCH] {
            let gone = server.ask(method.clone(), &session, &[FRAGMENT, ("if-match", "*")], TRICKLE).await;
            assert_eq!(problem(gone).await.0, 404, "{method}");
        }
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rfc9725_4_2_options_name_what_is_accepted_and_let_other_pages_in() {
    let server = TestServer::start().await;
    let (session, _) = publish(&server).await;
    let preflight = [("origin", "https://example.org"), ("access-control-request-method", "PATCH")];
    for headers in [&[][..], &preflight] {
        for (path, name, value) in
            [("/whip", "accept-post", "application/sdp"), (&session, "accept-patch", "application/trickle-ice-sdpfrag")]
        {
            let response = server.ask(Method::OPTIONS, path, headers, "").await;
            assert_eq!(response.status(), 200);
            assert_eq!(header(response.headers(), name), value);
            assert_eq!(header(response.headers(), "access-control-allow-origin"), "*");
            for (name, values) in [
                ("access-control-allow-methods", "POST PATCH DELETE OPTIONS"),
                ("access-control-allow-headers", "Authorization Content-Type If-Match"),
                ("access-control-expose-headers", "Location Link ETag Accept-Patch Accept-Post Retry-After"),
            ] {
                let listed: Vec<&str> = header(response.headers(), name).split(", ").collect();
                assert!(values.split(' ').all(|value| listed.contains(&value)), "{name}: {listed:?}");
            }
        }
    }
    let refused = server.ask(Method::POST, "/whip", &[("origin", "https://example.org")], "").await;
    assert_eq!(header(refused.headers(), "access-control-allow-origin"), "*", "refusals can be read too");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rfc9725_4_3_patches_that_cannot_be_made_are_refused_and_the_session_goes_on() {
    let server = TestServer::start().await;
    let (session, etag) = publish(&server).await;
    let (fragment, etag_header) = (FRAGMENT, ("if-match", etag.as_str()));
    let any = ("if-match", "*");
    let half = restart("abcd").replace("a=ice-pwd:", "a=pwd:");
    let huge = "a=x\r\n".repeat(20_000);
    type Headers<'a> = &'a [(&'a str, &'a str)];
    let cases: &[(Headers<'_>, &str, u16)] = &[
        (&[("content-type", "application/sdp"), etag_header], TRICKLE, 415),
        (&[("content-type", "text/plain"), etag_header], TRICKLE, 415),
        (&[fragment], TRICKLE, 428),
        (&[fragment], &restart("abcd"), 428),
        (&[fragment, ("if-match", "\"stale\"")], TRICKLE, 412),
        (&[fragment, ("if-match", "\"stale\"")], &restart("abcd"), 412),
        (&[fragment, ("if-match", "W/\"weak\"")], TRICKLE, 412),
        (&[fragment, ("if-match", "bare")], TRICKLE, 400),
        (&[fragment, etag_header], "", 400),
        (&[fragment, etag_header], "hello", 400),
        (&[fragment, any], &half, 400),
        (&[fragment, any], &restart("abc"), 400),
        (&[fragment, any], &huge, 413),
    ];
    for (headers, body, status) in cases {
        let response = server.ask(Method::PATCH, &session, headers, body).await;
        if *status == 415 {
            assert_eq!(header(response.headers(), "accept-patch"), "application/trickle-ice-sdpfrag");
        }
        assert_eq!(problem(response).await.0, *status, "{headers:?} {body:.80}");
    }
    assert_eq!(server.get(&session).await.status(), 204);
    assert_eq!(patch(&server, &session, &etag, TRICKLE).await.status(), 204, "the ICE session is the same");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rfc9725_4_3_2_candidates_are_taken_without_content_or_entity_tag() {
    let server = TestServer::start().await;
    let (session, etag) = publish(&server).await;
    let several = format!("\"other\", {etag}");
    for if_match in [etag.as_str(), &several, "*"] {
        let response = patch(&server, &session, if_match, TRICKLE).await;
        assert_eq!(response.status(), 204, "{if_match}");
        assert!(!response.headers().contains_key(ETAG));
        assert!(response.bytes().await.expect("a body").is_empty());
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rfc9725_4_3_2_the_answer_has_all_candidates() {
    let server = TestServer::configured(|config| {
        config.media.advertise = vec!["203.0.113.7".parse().expect("an address")];
    });
    let server = server.await;
    let answer = server.post_sdp("/whip", &offer(CallerKind::Publish)).await.text().await.expect("SDP");
    for address in [" 203.0.113.7 ", " 127.0.0.1 "] {
        assert!(answer.lines().any(|line| line.starts_with("a=candidate:") && line.contains(address)), "{answer}");
    }
    assert_eq!(answer.matches("a=end-of-candidates").count(), 1, "{answer}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rfc9725_4_3_3_new_credentials_restart_ice_under_a_new_entity_tag() {
    let server = TestServer::start().await;
    let response = server.post_sdp("/whip", &offer(CallerKind::Publish)).await;
    let session = header(response.headers(), "location").to_owned();
    let mut etags = vec![header(response.headers(), "etag").to_owned()];
    let answer = response.text().await.expect("SDP");
    let value = |text: &str, name: &str| text.lines().find_map(|line| line.strip_prefix(name).map(str::to_owned));
    let mut ufrags = vec![value(&answer, "a=ice-ufrag:").expect("credentials")];
    for ufrag in ["abcd", "efgh"] {
        let response = patch(&server, &session, "*", &restart(ufrag)).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/trickle-ice-sdpfrag");
        etags.push(header(response.headers(), "etag").to_owned());
        let fragment = response.text().await.expect("a fragment");
        for same in ["a=ice-options:", "a=mid:", "m=audio "] {
            assert_eq!(value(&fragment, same), value(&answer, same), "{same} in {fragment}");
        }
        assert_eq!(fragment.contains("a=ice-lite"), answer.contains("a=ice-lite"));
        assert!(fragment.contains("a=candidate:") && fragment.contains("a=end-of-candidates"), "{fragment}");
        assert!(value(&fragment, "a=ice-pwd:").is_some_and(|pwd| pwd.len() >= 22), "{fragment}");
        ufrags.push(value(&fragment, "a=ice-ufrag:").expect("credentials"));
    }
    for names in [&mut etags, &mut ufrags] {
        let last = names.last().expect("three").clone();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 3, "{names:?}");
        names.retain(|name| *name != last);
        names.push(last);
    }
    let (late, present) = (&etags[0], &etags[2]);
    assert_eq!(problem(patch(&server, &session, late, TRICKLE).await).await.0, 412);
    assert_eq!(patch(&server, &session, present, TRICKLE).await.status(), 204);
    let repeated = patch(&server, &session, "*", &restart("abcd")).await;
    assert_eq!(problem(repeated).await.0, 412, "the caller has restarted since");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rfc9725_4_4_2_video_may_be_refused() {
    let server = TestServer::configured(|config| config.media.accept_video = false).await;
    let (status, _, detail) = problem(server.post_sdp("/whip", &with_video()).await).await;
    assert_eq!(status, 422);
    assert!(detail.contains("media.accept_video"), "{detail}");
    publish(&server).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rfc9725_4_5_a_full_server_says_when_to_come_back() {
    let server = TestServer::configured(|config| config.media.max_calls = 1).await;
    let (session, _) = publish(&server).await;
    let full = server.post_sdp("/whip", &offer(CallerKind::Publish)).await;
    assert!(header(full.headers(), "retry-after").parse::<u32>().is_ok());
    assert_eq!(problem(full).await.1, "at-capacity");
    assert_eq!(server.ask(Method::DELETE, &session, &[], "").await.status(), 200);
    server.stop().await;
}

/// Sends everybody on to the same path of another server, until it is dropped. All requests must show the token.
async fn send_on(balancer: &TcpListener, status: u16, server: &TestServer) {
    loop {
        let (mut stream, _) = balancer.accept().await.expect("a connection");
        let mut head = Vec::new();
        while !head.windows(4).any(|four| four == b"\r\n\r\n") {
            assert_ne!(stream.read_buf(&mut head).await.expect("a request"), 0, "the request has an end");
        }
        let head = String::from_utf8_lossy(&head);
        assert!(head.to_lowercase().contains("\r\nauthorization: bearer t0ken\r\n"), "{head}");
        let location = server.url(head.split(' ').nth(1).expect("a path"));
        let answer = format!(
            "HTTP/1.1 {status} Elsewhere\r\nlocation: {location}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(answer.as_bytes()).await.expect("the answer is sent");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rfc9725_4_5_our_caller_follows_307_and_308_and_4_7_shows_its_token() {
    let server = TestServer::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let wav = tone_wav(folder.path());
    for (status, complaint_has) in
        [(307, "the server ended the call"), (308, "the server ended"), (302, "not an Antiphon")]
    {
        let balancer = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", balancer.local_addr().expect("an address"));
        let mut call = tokio::process::Command::from(antiphon(folder.path()));
        call.arg("call").arg(&wav).args(["--url", &url]).env("ANTIPHON_TOKEN", "t0ken").kill_on_drop(true);
        let hang_up = async {
            let id = crate::calls::active(&server).await;
            assert_eq!(server.ask(Method::DELETE, &format!("/whip/{id}"), &[], "").await.status(), 200);
            std::future::pending::<()>().await;
        };
        let output = tokio::select! {
            output = call.output() => output.expect("it runs"),
            () = send_on(&balancer, status, &server) => unreachable!("it sends on for ever"),
            () = hang_up => unreachable!("it waits for ever"),
        };
        let complaint = crate::support::complaint(&output);
        assert!(complaint.contains(complaint_has) && !complaint.contains("t0ken"), "{status}: {complaint}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rfc9725_4_6_ice_servers_are_named_except_in_preflights() {
    let folder = tempfile::tempdir().expect("a folder");
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "north\n").expect("a file");
    let ice_server = |urls: &[&str], username: Option<&str>, has_secret: bool| IceServerConfig {
        urls: urls.iter().map(|url| (*url).to_owned()).collect(),
        username: username.map(str::to_owned),
        secret_env: None,
        secret_file: has_secret.then(|| secret.clone()),
        valid_for: std::time::Duration::from_secs(600),
    };
    let server = TestServer::configured(|config| {
        config.ice_servers = vec![
            ice_server(&["stun:stun.example.org:3478"], None, false),
            ice_server(&["turn:turn.example.org", "turns:turn.example.org"], None, true),
            ice_server(&["turn:old.example.org"], Some("me"), true),
        ];
    });
    let server = server.await;
    let links = |response: &Response| -> Vec<String> {
        let values = response.headers().get_all("link").iter();
        values.map(|value| value.to_str().expect("text").to_owned()).collect()
    };
    let opened = server.post_sdp("/whip", &offer(CallerKind::Publish)).await;
    let asked = server.ask(Method::OPTIONS, "/whip", &[], "").await;
    for response in [&opened, &asked] {
        let links = links(response);
        assert_eq!(links.len(), 4, "{links:?}");
        assert_eq!(links[0], "<stun:stun.example.org:3478>; rel=\"ice-server\"");
        let limited =
            links[1].strip_prefix("<turn:turn.example.org>; rel=\"ice-server\"; username=\"").expect("a name");
        let (until, rest) = limited.split_once(':').expect("a time and a name");
        assert!(until.parse::<u64>().is_ok_and(|until| until > 1_700_000_000), "{until}");
        assert!(rest.contains("\"; credential=\"") && rest.ends_with("\"; credential-type=\"password\""), "{rest}");
        assert!(links[3].contains("username=\"me\"; credential=\"north\""), "{links:?}");
    }
    let preflight = server.ask(Method::OPTIONS, "/whip", &[("access-control-request-method", "POST")], "").await;
    assert_eq!(links(&preflight), Vec::<String>::new());
    assert!(opened.headers().contains_key(LOCATION));
    server.stop().await;
}
