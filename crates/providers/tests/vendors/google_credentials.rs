//! Credentials from a file to the header of a request.

use providers::google::{Credentials, CredentialsError, Gemini, GeminiConfig};
use providers::llm::LanguageModel as _;
use providers::remote::{Auth, Endpoint};
use serde_json::{Value, json};
use std::sync::Arc;

use crate::llm::{PATIENT, listen, request};
use crate::server::{Answer, Server};

const REFRESH: &str = "keep-me-to-yourself";
const TOKEN: &str = "good-for-an-hour";

fn file(server: &Server) -> Value {
    json!({"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": REFRESH,
           "token_uri": format!("{}/token", server.url)})
}

fn gemini(vendor: &Server, tokens: &Server) -> Gemini {
    let credentials = Credentials::from_json(&file(tokens).to_string()).expect("credentials");
    assert!(!format!("{credentials:?}").contains(REFRESH), "credentials never print");
    let auth = Auth::Source(Arc::new(credentials));
    Gemini::new(Endpoint::new(&vendor.url, &auth, PATIENT).expect("an endpoint"), GeminiConfig::default())
}

#[tokio::test]
async fn a_token_is_fetched_once_and_sent_with_every_request() {
    let answer = json!({"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600}).to_string();
    let mut tokens = Server::start([Answer::pieces("application/json", answer.as_bytes(), 64)]).await;
    let mut vendor = Server::start([]).await;
    let gemini = gemini(&vendor, &tokens);
    for _ in 0..2 {
        listen(gemini.reply(request())).await;
        assert_eq!(vendor.received().await.header("authorization"), Some("Bearer good-for-an-hour"));
    }
    let asked = tokens.received().await;
    assert!(String::from_utf8_lossy(&asked.body).contains(REFRESH));
}

#[tokio::test]
async fn a_token_that_cannot_be_had_is_a_failure_without_secrets() {
    let refusal = json!({"error": "invalid_grant"});
    let tokens = Server::start([Answer::error(400, &refusal)]).await;
    let vendor = Server::start([]).await;
    let failure = listen(gemini(&vendor, &tokens).reply(request())).await.failure.expect("it failed");
    assert!(failure.message.contains("find out who we are"), "{failure}");
    assert!(!failure.message.contains(REFRESH), "{failure}");
}

#[tokio::test]
async fn a_file_that_holds_no_credentials_is_refused() {
    for json in ["", "[]", "{\"type\": 7}"] {
        let error = Credentials::from_json(json).expect_err("no credentials");
        assert!(matches!(error, CredentialsError::NotCredentials), "{json}: {error}");
    }
    let error = Credentials::from_json("{\"type\": \"passport\"}").expect_err("no credentials");
    assert!(matches!(error, CredentialsError::UnknownKind), "{error}");
    let error = Credentials::from_json("{\"type\": \"service_account\", \"private_key\": \"s3cret\"}");
    let error = error.expect_err("most is missing").to_string();
    assert!(!error.contains("s3cret"), "{error}");
}
