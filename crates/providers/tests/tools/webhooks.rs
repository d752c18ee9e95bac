//! Webhooks, and where they may not lead.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use providers::secret::Secret;
use providers::tools::{ToolFailure, Toolbox, WebhookConfig, Webhooks, WebhooksError};
use serde_json::{Value, json};

use crate::call;
use crate::server::HttpServer;

fn hook(url: String) -> WebhookConfig {
    WebhookConfig { url, allow_private: true, ..WebhookConfig::default() }
}

fn toolbox(config: WebhookConfig) -> Toolbox {
    let webhooks = Webhooks::new(&BTreeMap::from([("hook".to_owned(), config)])).expect("the configuration is good");
    Toolbox::new(vec![Arc::new(webhooks)]).expect("one name")
}

#[tokio::test]
async fn a_call_is_posted_and_its_answer_is_the_result() {
    let server = HttpServer::start().await;
    let bearer_token = Some(Secret::from("for the shop".to_owned()));
    let toolbox = toolbox(WebhookConfig { bearer_token, ..hook(server.url("/hook/echo")) });
    let answer = call(&toolbox, "hook", "{\"order\": 7}").await.expect("it answers");
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    let posted = json!({"conversation": "0199", "turn": 3, "call_id": "call_1", "name": "hook",
                        "arguments": {"order": 7}});
    assert_eq!(answer, json!({"got": posted, "token": "Bearer for the shop"}));
}

#[tokio::test]
async fn an_answer_need_not_be_json_nor_even_text() {
    let server = HttpServer::start().await;
    let text = call(&toolbox(hook(server.url("/hook/text"))), "hook", "{}").await;
    assert_eq!(text, Ok("Your parcel is on its way.".to_owned()));
    let stray = call(&toolbox(hook(server.url("/hook/stray"))), "hook", "{}").await.expect("it is told");
    assert!(stray.ends_with("no text"), "{stray}");
}

#[tokio::test]
async fn an_error_tells_its_status_and_why() {
    let server = HttpServer::start().await;
    let failed = call(&toolbox(hook(server.url("/hook/broken"))), "hook", "{}").await;
    let why = "it answered 500 Internal Server Error: the database is away";
    assert_eq!(failed, Err(ToolFailure::Refused(why.to_owned())));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let server = HttpServer::start().await;
    let failed = call(&toolbox(hook(server.url("/hook/elsewhere"))), "hook", "{}").await;
    assert!(matches!(&failed, Err(ToolFailure::Refused(why)) if why.contains("307")), "{failed:?}");
}

#[tokio::test]
async fn a_long_answer_is_cut() {
    let server = HttpServer::start().await;
    let answer = call(&toolbox(hook(server.url("/hook/endless"))), "hook", "{}").await.expect("it answers");
    assert!((16_000..17_000).contains(&answer.len()) && answer.ends_with("left out]"), "{} bytes", answer.len());
}

#[tokio::test]
async fn a_silent_host_is_given_up_and_an_absent_one_is_told() {
    let server = HttpServer::start().await;
    let silent = WebhookConfig { timeout_ms: 200, ..hook(server.url("/hook/silent")) };
    let given_up = call(&toolbox(silent), "hook", "{}").await;
    assert_eq!(given_up, Err(ToolFailure::Timeout(Duration::from_millis(200))));

    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address");
    let absent = call(&toolbox(hook(format!("http://{closed}/"))), "hook", "{}").await;
    assert_eq!(absent, Err(ToolFailure::Unreachable));
}

#[test]
fn addresses_of_this_machine_and_its_network_are_refused_before_the_start() {
    let hosts = [
        "127.0.0.1",
        "169.254.169.254",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
        "10.1.2.3",
        // Other ways to write 127.0.0.1.
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
    ];
    for host in hosts {
        let config = WebhookConfig { url: format!("https://{host}/"), ..WebhookConfig::default() };
        let refused = Webhooks::new(&BTreeMap::from([("hook".to_owned(), config)]));
        assert!(matches!(refused, Err(WebhooksError::Url { .. })), "{host}: {refused:?}");
    }
    for url in ["http://example.com/", "ftp://example.com/", "file:///etc/passwd", "no address"] {
        let config = WebhookConfig { url: url.to_owned(), ..WebhookConfig::default() };
        Webhooks::new(&BTreeMap::from([("hook".to_owned(), config)])).expect_err(url);
    }
}

#[tokio::test]
async fn a_name_that_leads_to_this_machine_is_refused_when_it_is_called() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("its address").port();
    for host in ["localhost", "LOCALHOST."] {
        let config = WebhookConfig { url: format!("https://{host}:{port}/"), ..WebhookConfig::default() };
        assert_eq!(call(&toolbox(config), "hook", "{}").await, Err(ToolFailure::Unreachable), "{host}");
    }
    let nobody = futures_util::FutureExt::now_or_never(listener.accept());
    assert!(nobody.is_none(), "no connection was even tried");
}
