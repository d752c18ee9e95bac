//! MCP over both transports.

use std::collections::BTreeMap;
use std::sync::Arc;

use providers::secret::Secret;
use providers::tools::{Manner, Mcp, McpConfig, ToolFailure, Toolbox};

use crate::server::{HttpServer, TOKEN, python, script};
use crate::{call, names};

/// More rounds than a notice takes to be read, each a full exchange with the server.
const ROUNDS: usize = 200;

const ALL: [&str; 9] =
    ["add", "die", "learn", "order", "process", "refuse", "slow", "slow_has_begun", "slow_was_cancelled"];

fn over_stdio() -> McpConfig {
    McpConfig { command: Some(python()), args: vec![script(), "stdio".to_owned()], ..McpConfig::default() }
}

fn over_http(server: &HttpServer) -> McpConfig {
    let bearer_token = Some(Secret::from(TOKEN.to_owned()));
    McpConfig { url: Some(server.url("/mcp")), bearer_token, ..McpConfig::default() }
}

async fn connect(config: McpConfig) -> Toolbox {
    let servers = BTreeMap::from([("tests".to_owned(), config)]);
    Toolbox::new(vec![Arc::new(Mcp::connect(&servers).await)]).expect("no name is offered twice")
}

/// What holds whatever carries it.
async fn keeps_the_contract(config: McpConfig) {
    let toolbox = connect(config).await;
    assert_eq!(names(&toolbox), ALL);
    let add = toolbox.tools().into_iter().find(|tool| tool.spec.name == "add").expect("it is offered");
    assert_eq!(add.spec.description, "Adds two numbers.");
    assert_eq!(add.spec.parameters["required"], serde_json::json!(["a", "b"]));
    assert_eq!(add.manner, Manner::default());

    assert_eq!(call(&toolbox, "add", "{\"a\": 2, \"b\": 3}").await, Ok("The sum is 5.".to_owned()));
    assert_eq!(call(&toolbox, "order", "{\"number\": 7}").await, Ok("{\"number\":7,\"state\":\"shipped\"}".to_owned()));
    let refused = call(&toolbox, "refuse", "{}").await;
    assert!(matches!(&refused, Err(ToolFailure::Refused(why)) if why.contains("the shop is closed")), "{refused:?}");
    let unfit = call(&toolbox, "add", "{\"a\": 2}").await;
    assert!(matches!(unfit, Err(ToolFailure::Arguments(_))), "{unfit:?}");

    an_abandoned_call_is_cancelled_there(&toolbox).await;
    changed_tools_are_offered(&toolbox).await;
}

async fn an_abandoned_call_is_cancelled_there(toolbox: &Toolbox) {
    let begun = tokio::select! {
        slow = call(toolbox, "slow", "{}") => panic!("it never ends by itself: {slow:?}"),
        begun = call(toolbox, "slow_has_begun", "{}") => begun,
    };
    assert_eq!(begun, Ok("begun".to_owned()));
    assert_eq!(call(toolbox, "slow_was_cancelled", "{}").await, Ok("cancelled".to_owned()));
}

async fn changed_tools_are_offered(toolbox: &Toolbox) {
    assert_eq!(call(toolbox, "learn", "{}").await, Ok("learned".to_owned()));
    for _ in 0..ROUNDS {
        if toolbox.manner_of("fresh").is_some() {
            break;
        }
        call(toolbox, "process", "{}").await.expect("it answers");
    }
    assert_eq!(call(toolbox, "fresh", "{}").await, Ok("I am new.".to_owned()));
}

#[tokio::test]
async fn a_server_over_stdio_keeps_the_contract() {
    keeps_the_contract(over_stdio()).await;
}

#[tokio::test]
async fn a_server_over_http_keeps_the_contract() {
    let server = HttpServer::start().await;
    keeps_the_contract(over_http(&server)).await;
}

#[tokio::test]
async fn a_wrong_token_costs_the_tools_and_not_the_start() {
    let server = HttpServer::start().await;
    let bearer_token = Some(Secret::from("guessed".to_owned()));
    let toolbox = connect(McpConfig { bearer_token, ..over_http(&server) }).await;
    assert!(names(&toolbox).is_empty());
}

#[tokio::test]
async fn only_allowed_tools_are_offered() {
    let allow = vec!["add".to_owned(), "process".to_owned()];
    let toolbox = connect(McpConfig { allow, ..over_stdio() }).await;
    assert_eq!(names(&toolbox), ["add", "process"]);
    assert_eq!(call(&toolbox, "die", "{}").await, Err(ToolFailure::Unknown("die".to_owned())));
}

#[tokio::test]
async fn a_program_that_dies_fails_the_call_and_is_started_again() {
    let toolbox = connect(over_stdio()).await;
    let first = call(&toolbox, "process", "{}").await.expect("it runs");
    assert_eq!(call(&toolbox, "die", "{}").await, Err(ToolFailure::Unreachable));
    let second = call(&toolbox, "process", "{}").await.expect("it runs again");
    assert_ne!(first, second);
}

#[tokio::test]
async fn a_server_that_dies_fails_the_call_and_is_reached_again() {
    let server = HttpServer::start().await;
    let toolbox = connect(over_http(&server)).await;
    let first = call(&toolbox, "process", "{}").await.expect("it runs");
    assert_eq!(call(&toolbox, "die", "{}").await, Err(ToolFailure::Unreachable));
    let port = server.port;
    server.ended().await;
    let _again = HttpServer::on(port).await;
    let second = call(&toolbox, "process", "{}").await.expect("it runs again");
    assert_ne!(first, second);
}

#[tokio::test]
async fn a_tool_that_never_answers_is_given_up() {
    let toolbox = connect(McpConfig { timeout_ms: 300, ..over_stdio() }).await;
    let timeout = std::time::Duration::from_millis(300);
    assert_eq!(call(&toolbox, "slow", "{}").await, Err(ToolFailure::Timeout(timeout)));
    assert_eq!(call(&toolbox, "slow_was_cancelled", "{}").await, Ok("cancelled".to_owned()));
}

#[tokio::test]
async fn a_program_that_never_says_hello_costs_its_tools_and_not_the_start() {
    let config = McpConfig { command: Some("cat".to_owned()), connect_timeout_ms: 300, ..McpConfig::default() };
    assert!(names(&connect(config).await).is_empty());
}

#[tokio::test]
async fn a_program_that_is_not_there_costs_its_tools_and_not_the_start() {
    let config = McpConfig { command: Some("/no/such/program".to_owned()), ..McpConfig::default() };
    assert!(names(&connect(config).await).is_empty());
}
