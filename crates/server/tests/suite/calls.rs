//! Real calls over loopback, answered by the agent that plays back what it hears.

use std::time::Duration;

use audio::energy;
use audio::opus::{Decoder, Encoder, EncoderConfig};
use media::caller::{Caller, CallerEvent, CallerKind};
use reqwest::StatusCode;
use reqwest::header::LOCATION;
use serde_json::{Value, json};
use tokio::time::{interval, timeout};

use crate::support::{Served, TestServer, antiphon, tone_wav};

const RATE_HZ: u32 = 24_000;
const SOON: Duration = Duration::from_secs(5);

/// Posts an offer; gives the connected caller and where its resource is.
pub(crate) async fn connect(client: &reqwest::Client, base: &str, path: &str, kind: CallerKind) -> (Caller, String) {
    let (pending, offer) = Caller::offer(kind).expect("an offer");
    let request = client.post(format!("{base}{path}")).header("content-type", "application/sdp").body(offer);
    let response = request.send().await.expect("an answer");
    assert_eq!(response.status(), StatusCode::CREATED);
    assert_eq!(response.headers()["content-type"], "application/sdp");
    let location = response.headers()[LOCATION].to_str().expect("text").to_owned();
    let route = path.split('?').next().expect("a path");
    assert!(location.starts_with(route), "{location}");
    let mut caller = pending.connect(&response.text().await.expect("SDP")).expect("an answer that fits");
    assert_eq!(next(&mut caller).await, CallerEvent::Connected);
    (caller, location)
}

async fn next(caller: &mut Caller) -> CallerEvent {
    timeout(SOON, caller.events.recv()).await.expect("soon").expect("a caller tells when it ends")
}

/// The next text message, as JSON.
pub(crate) async fn message(caller: &mut Caller) -> Value {
    loop {
        if let CallerEvent::Message(text) = next(caller).await {
            return serde_json::from_str(&text).expect("JSON");
        }
    }
}

/// Sends a tone and silence in real time; true once the tone is heard back.
async fn hears_itself(microphone: &Caller, speaker: &mut Caller) -> bool {
    let mut encoder = Encoder::new(&EncoderConfig::default()).expect("an encoder");
    let mut decoder = Decoder::new(RATE_HZ).expect("a decoder");
    let tone: Vec<f32> = (0..480).map(|index| 0.4 * (index as f32 * 0.12).sin()).collect();
    let mut pace = interval(Duration::from_millis(20));
    for _ in 0..150 {
        tokio::select! {
            _ = pace.tick() => microphone.send_opus(encoder.encode(&tone).expect("a packet")),
            event = speaker.events.recv() => {
                let Some(CallerEvent::Frame { frame, .. }) = event else { continue };
                let mut heard = Vec::new();
                decoder.decode(&frame.payload, &mut heard).expect("Opus");
                if energy::dbfs(&heard) > -20.0 {
                    return true;
                }
            }
        }
    }
    false
}

/// Reads a conversation until it is as wanted: the store is written beside the call.
pub(crate) async fn conversation(server: &TestServer, id: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let read = async {
        let mut again = interval(Duration::from_millis(20));
        loop {
            again.tick().await;
            let conversation = server.get_json(&format!("/v1/conversations/{id}")).await;
            if wanted(&conversation) {
                return conversation;
            }
        }
    };
    timeout(SOON, read).await.expect("the store keeps up")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whip_caller_is_heard_by_a_whep_listener() {
    let server = TestServer::start().await;
    let (microphone, call) = connect(&server.client, &server.url, "/whip", CallerKind::Publish).await;
    let id = call.trim_start_matches("/whip/").to_owned();
    assert_eq!(server.get(&call).await.status(), StatusCode::NO_CONTENT);
    let whep = format!("/whep/{id}");
    let (mut speaker, listener) = connect(&server.client, &server.url, &whep, CallerKind::Listen).await;
    assert!(hears_itself(&microphone, &mut speaker).await, "the echo is silent");

    let active = conversation(&server, &id, |json| json["status"] == "active").await;
    assert_eq!((&active["object"], &active["turns"]), (&json!("conversation"), &json!([])));

    let delete = |path: String| server.client.delete(server.url(&path)).send();
    assert_eq!(delete(listener.clone()).await.expect("an answer").status(), StatusCode::OK);
    assert_eq!(delete(call.clone()).await.expect("an answer").status(), StatusCode::OK);
    assert_eq!(delete(call).await.expect("an answer").status(), StatusCode::NOT_FOUND);
    let ended = conversation(&server, &id, |json| json["status"] == "ended").await;
    assert_eq!(ended["end_reason"], "hangup");
    let list = server.get_json("/v1/conversations").await;
    assert_eq!((&list["data"][0]["id"], list["data"][0].get("turns")), (&json!(id), None));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ended_conversation_goes_on_in_another_call() {
    let server = TestServer::start().await;
    let delete = |path: String| server.client.delete(server.url(&path)).send();
    let (_first, call) = connect(&server.client, &server.url, "/whip", CallerKind::Publish).await;
    let id = call.trim_start_matches("/whip/").to_owned();
    conversation(&server, &id, |json| json["status"] == "active").await;
    let busy = server.post_sdp(&format!("/whip?conversation={id}"), "v=0").await;
    assert_eq!(busy.status(), StatusCode::CONFLICT, "two calls cannot hold one conversation");
    assert_eq!(delete(call).await.expect("an answer").status(), StatusCode::OK);
    conversation(&server, &id, |json| json["status"] == "ended").await;

    let path = format!("/whip?conversation={id}");
    let (_second, call) = connect(&server.client, &server.url, &path, CallerKind::Publish).await;
    assert_ne!(call, format!("/whip/{id}"), "a call has an id of its own");
    conversation(&server, &id, |json| json["status"] == "active").await;
    assert_eq!(delete(call).await.expect("an answer").status(), StatusCode::OK);
    conversation(&server, &id, |json| json["status"] == "ended").await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_two_way_call_speaks_the_realtime_protocol() {
    let server = TestServer::start().await;
    let (mut caller, call) = connect(&server.client, &server.url, "/v1/realtime/calls", CallerKind::TwoWay).await;
    let id = call.rsplit('/').next().expect("an id").to_owned();
    let created = message(&mut caller).await;
    assert_eq!((&created["type"], &created["session"]["id"]), (&json!("session.created"), &json!(id)));
    assert_eq!(created["session"]["model"], "antiphon-echo");
    assert_eq!(message(&mut caller).await["state"], "listening");

    caller.send_message(json!({"type": "session.update", "session": {"tracing": "auto"}}).to_string());
    assert_eq!(message(&mut caller).await["type"], "session.updated");
    caller.send_message(json!({"type": "response.dance", "event_id": "mine"}).to_string());
    let error = message(&mut caller).await;
    assert_eq!((&error["error"]["code"], &error["error"]["event_id"]), (&json!("unknown_event"), &json!("mine")));

    let hang_up = server.client.post(server.url(&format!("{call}/hangup"))).send().await.expect("an answer");
    assert_eq!(hang_up.status(), StatusCode::OK);
    let ended = conversation(&server, &id, |json| json["status"] == "ended").await;
    assert_eq!(ended["end_reason"], "hangup");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_brings_instructions_for_its_call() {
    let server = TestServer::start().await;
    let (pending, offer) = Caller::offer(CallerKind::TwoWay).expect("an offer");
    let session = json!({"type": "realtime", "model": "gpt-realtime", "instructions": "Be a pirate."}).to_string();
    let response = server.post_form("/v1/realtime/calls", &[("sdp", &offer), ("session", &session)]).await;
    assert_eq!(response.status(), StatusCode::CREATED);
    let mut caller = pending.connect(&response.text().await.expect("SDP")).expect("an answer that fits");
    assert_eq!(message(&mut caller).await["session"]["instructions"], "Be a pirate.");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_says_goodbye_and_writes_it_down() {
    let server = TestServer::start().await;
    let (mut caller, call) = connect(&server.client, &server.url, "/whip", CallerKind::Publish).await;
    let id = call.trim_start_matches("/whip/").to_owned();
    conversation(&server, &id, |json| json["status"] == "active").await;
    let server = timeout(SOON, server.restart()).await.expect("a stop is quick");
    assert_eq!(next(&mut caller).await, CallerEvent::Closed);
    let ended = server.get_json(&format!("/v1/conversations/{id}")).await;
    assert_eq!((&ended["status"], &ended["end_reason"]), (&json!("ended"), &json!("server_stopped")));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_say_is_not_in_the_log() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut serve = antiphon(folder.path());
    serve.args(["serve", "--agent", "echo"]).env("ANTIPHON__LOG__LEVEL", "trace");
    let served = Served::start(serve);
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let (mut caller, _) = connect(&client, &served.url, "/v1/realtime/calls", CallerKind::TwoWay).await;
    message(&mut caller).await;
    let secret = "my-heart-is-broken";
    let item = json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": secret}]});
    caller.send_message(json!({"type": "conversation.item.create", "item": item}).to_string());
    caller.send_message(json!({"type": secret}).to_string());
    message(&mut caller).await;
    assert_eq!(message(&mut caller).await["type"], "error");
    let log = String::from_utf8_lossy(&served.terminate().stderr).into_owned();
    assert!(log.contains("call opened"), "{log}");
    assert!(!log.contains(secret), "{log}");
}

/// The id of an active conversation, once there is one.
pub(crate) async fn active(server: &TestServer) -> String {
    let mut again = interval(Duration::from_millis(20));
    loop {
        again.tick().await;
        let newest = server.get_json("/v1/conversations").await["data"][0].clone();
        if let (Some(id), true) = (newest["id"].as_str(), newest["status"] == "active") {
            return id.to_owned();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_call_command_is_a_real_caller() {
    // Echo records no turn, so the command must give up; that it was heard shows in the conversation.
    let server = TestServer::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let wav = tone_wav(folder.path());
    let mut call = tokio::process::Command::from(antiphon(folder.path()));
    let mut child = call.arg("call").arg(wav).args(["--url", &server.url]).spawn().expect("it runs");
    let id = timeout(SOON, active(&server)).await.expect("the command calls");
    server.client.delete(server.url(&format!("/whip/{id}"))).send().await.expect("an answer");
    let status = timeout(SOON, child.wait()).await.expect("it notices the hang-up").expect("it ends");
    assert_eq!(status.code(), Some(1));
    server.stop().await;
}
