//! Agents made, changed and deleted over HTTP, and the calls that they answer.

use media::caller::CallerKind;
use providers::llm::Message;
use providers::tools::Manner;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::calls::{connect, message};
use crate::routes::problem;
use crate::support::TestServer;
use crate::tools::{call, event, prompts, serve, type_in};

async fn make(server: &TestServer, agent: Value) {
    assert_eq!(server.send(Method::POST, "/v1/agents", &agent).await.status(), StatusCode::CREATED, "{agent}");
}

async fn refused(server: &TestServer, method: Method, path: &str, body: &Value) -> (u16, String, String) {
    problem(server.send(method, path, body).await).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_is_made_kept_changed_and_deleted() {
    let server = TestServer::start().await;
    let sales = json!({"name": "sales", "description": "Sells.", "tools": ["end_call"], "idle": {"after_ms": 9000}});
    let made = server.send(Method::POST, "/v1/agents", &sales).await;
    assert_eq!(
        (made.status(), &made.headers()["location"]),
        (StatusCode::CREATED, &"/v1/agents/sales".parse().expect("a path"))
    );
    let made: Value = made.json().await.expect("JSON");
    assert_eq!((&made["object"], &made["source"], &made["name"]), (&json!("agent"), &json!("api"), &json!("sales")));
    assert_eq!(made["idle"]["text"], "Are you still there?", "what was left out has its default");
    assert_eq!(server.get_json("/v1/agents/sales").await, made);

    let server = server.restart().await;
    assert_eq!(server.get_json("/v1/agents/sales").await, made, "a restart keeps it");
    let list = server.get_json("/v1/agents").await;
    let names: Vec<(&Value, &Value)> =
        list["data"].as_array().expect("a list").iter().map(|agent| (&agent["name"], &agent["source"])).collect();
    assert_eq!(names, [(&json!("default"), &json!("configuration")), (&json!("sales"), &json!("api"))]);
    assert!(list["data"][1].get("instructions").is_none(), "instructions are for who asks by name");

    let mut sent_back = made.clone();
    sent_back["greeting"] = json!("Good day.");
    let changed = server.send(Method::PUT, "/v1/agents/sales", &sent_back).await;
    assert_eq!(changed.status(), StatusCode::OK, "what was read may be sent back");
    let changed: Value = changed.json().await.expect("JSON");
    assert_eq!((&changed["greeting"], &changed["tools"]), (&json!("Good day."), &json!(["end_call"])));
    assert_eq!(changed["created_at"], made["created_at"]);

    let delete = || server.client.delete(server.url("/v1/agents/sales")).send();
    assert_eq!(delete().await.expect("an answer").status(), StatusCode::NO_CONTENT);
    assert_eq!(problem(delete().await.expect("an answer")).await.0, 404);
    let server = server.restart().await;
    assert_eq!(problem(server.get("/v1/agents/sales").await).await.1, "no-such-agent");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_an_agent_is_refused_by_name() {
    let server = TestServer::start().await;
    let post = server.client.post(server.url("/v1/agents"));
    let plain = post.try_clone().expect("no stream").body("{}").send().await.expect("an answer");
    assert_eq!(problem(plain).await.0, 415, "pages of other sites can send plain text");
    let json_type = ("content-type", "application/json; charset=utf-8");
    let broken = post.header(json_type.0, json_type.1).body("{\"name\":").send().await.expect("an answer");
    let (status, kind, _) = problem(broken).await;
    assert_eq!((status, kind.as_str()), (400, "invalid-json"));

    for (body, says) in [
        (json!({}), "`name`"),
        (json!({"name": ""}), "1 to 64"),
        (json!({"name": "x".repeat(65)}), "1 to 64"),
        (json!({"name": "a/b"}), "letters"),
        (json!({"name": "a", "greating": "Hi."}), "`greating`"),
        (json!({"name": "a", "turn_taking": {"eager": true}}), "`turn_taking.eager`"),
        (json!({"name": "a", "temperature": "hot"}), "`temperature`"),
        (json!({"name": "a", "turn_taking": {"completeness_threshold": 7.0}}), "between 0 and 1"),
        (
            json!({"name": "a", "tools": ["current_time", "dance"]}),
            "no tool `dance`; known are: end_call, current_time",
        ),
        (json!({"name": "a", "hand_off": ["nobody"]}), "`nobody`"),
    ] {
        let (status, kind, detail) = refused(&server, Method::POST, "/v1/agents", &body).await;
        assert_eq!((status, kind.as_str()), (400, "invalid-agent"), "{body}");
        assert!(detail.contains(says), "{body}: {detail}");
    }
    let large = json!({"name": "a", "instructions": "x".repeat(65 * 1024)});
    assert_eq!(refused(&server, Method::POST, "/v1/agents", &large).await.0, 413);
    let list = server.get_json("/v1/agents").await;
    assert_eq!(list["data"].as_array().map(Vec::len), Some(1), "nothing was made: {list}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_that_would_contradict_are_refused() {
    let server = TestServer::start().await;
    for (method, path) in
        [(Method::POST, "/v1/agents"), (Method::PUT, "/v1/agents/default"), (Method::DELETE, "/v1/agents/default")]
    {
        let (status, kind, detail) = refused(&server, method, path, &json!({"name": "default"})).await;
        assert_eq!((status, kind.as_str()), (409, "agent-configured"), "{path}");
        assert!(detail.contains("`[agent]`"), "it says where to change it: {detail}");
    }
    make(&server, json!({"name": "billing"})).await;
    make(&server, json!({"name": "desk", "hand_off": ["billing", "default"]})).await;
    assert_eq!(refused(&server, Method::POST, "/v1/agents", &json!({"name": "desk"})).await.1, "agent-exists");
    assert_eq!(refused(&server, Method::PUT, "/v1/agents/sales", &json!({})).await.1, "no-such-agent");
    let (status, _, detail) = refused(&server, Method::PUT, "/v1/agents/desk", &json!({"name": "counter"})).await;
    assert!(status == 400 && detail.contains("renamed"), "{detail}");
    let (status, kind, detail) = refused(&server, Method::DELETE, "/v1/agents/billing", &json!({})).await;
    assert_eq!((status, kind.as_str()), (409, "agent-in-use"));
    assert!(detail.contains("desk"), "{detail}");
    for name in ["desk", "billing"] {
        let gone = server.client.delete(server.url(&format!("/v1/agents/{name}"))).send().await.expect("an answer");
        assert_eq!(gone.status(), StatusCode::NO_CONTENT, "{name}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_for_the_next_call() {
    let server = TestServer::start().await;
    make(&server, json!({"name": "bird", "instructions": "Be a parrot."})).await;
    let path = "/v1/realtime/calls?agent=bird";
    let (mut first, _) = connect(&server.client, &server.url, path, CallerKind::TwoWay).await;
    assert_eq!(message(&mut first).await["session"]["instructions"], "Be a parrot.");

    let owl = json!({"instructions": "Be an owl."});
    assert_eq!(server.send(Method::PUT, "/v1/agents/bird", &owl).await.status(), StatusCode::OK);
    let (mut second, _) = connect(&server.client, &server.url, path, CallerKind::TwoWay).await;
    assert_eq!(message(&mut second).await["session"]["instructions"], "Be an owl.");
    let gone = server.client.delete(server.url("/v1/agents/bird")).send().await.expect("an answer");
    assert_eq!(gone.status(), StatusCode::NO_CONTENT);
    assert_eq!(server.post_sdp(path, "v=0").await.status(), StatusCode::NOT_FOUND);

    first.send_message(json!({"type": "session.update", "session": {"tracing": "auto"}}).to_string());
    let updated = event(&mut first, "session.updated").await;
    assert_eq!(updated["session"]["instructions"], "Be a parrot.", "a call goes on with what it began with");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_handed_over_between_agents_made_over_http() {
    let lines = ["! hand_off({\"agent\": \"billing\"})", "Billing here."];
    let (server, model, _) = serve(Manner::default(), &lines).await;
    make(&server, json!({"name": "billing", "instructions": "You do the billing.", "tools": ["order"]})).await;
    make(&server, json!({"name": "desk", "instructions": "You take calls.", "hand_off": ["billing"]})).await;
    let (mut caller, _) = call(&server, "?agent=desk").await;
    type_in(&caller, "My invoice, please.");
    assert_eq!(event(&mut caller, "antiphon.agent").await["agent"], "billing");
    assert_eq!(event(&mut caller, "antiphon.turn").await["turn"]["heard_text"], "Billing here.");
    let prompt = prompts(&model).pop().expect("it was asked");
    assert_eq!(prompt.first(), Some(&Message::System("You do the billing.".to_owned())));
    server.stop().await;
}
