//! HTTP endpoints as tools: a call is posted as JSON, and what comes back is the result.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::{Client, Response, Url, redirect};
use serde_json::{Value, json};

use super::config::WebhookConfig;
use super::guard::{PublicOnly, is_public};
use super::{CallContext, Tool, ToolFailure, ToolSource};
use crate::llm::{ToolCall, ToolSpec};

/// The most that is read of an answer; the model is told less.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// The most of an error's body that the model is told.
const MAX_REASON_CHARS: usize = 300;

/// The configured webhooks.
#[derive(Debug)]
pub struct Webhooks {
    by_name: BTreeMap<String, Webhook>,
}

#[derive(Debug)]
struct Webhook {
    config: WebhookConfig,
    url: Url,
    client: Client,
}

/// A webhook cannot be used as configured.
#[derive(Debug, thiserror::Error)]
pub enum WebhooksError {
    /// The address.
    #[error("use the webhook `{name}`: {reason}")]
    Url {
        /// Which.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// The HTTP client.
    #[error("use webhooks: {0}")]
    Client(#[from] reqwest::Error),
}

impl Webhooks {
    /// Checks the configuration; reaches nobody.
    ///
    /// # Errors
    /// When an address is none, or not allowed.
    pub fn new(configs: &BTreeMap<String, WebhookConfig>) -> Result<Self, WebhooksError> {
        let guarded = client().dns_resolver(Arc::new(PublicOnly)).build()?;
        let free = client().build()?;
        let mut by_name = BTreeMap::new();
        for (name, config) in configs {
            let url = check_url(config).map_err(|reason| WebhooksError::Url { name: name.clone(), reason })?;
            let client = if config.allow_private { free.clone() } else { guarded.clone() };
            by_name.insert(name.clone(), Webhook { config: config.clone(), url, client });
        }
        Ok(Self { by_name })
    }
}

/// No redirect is followed: it could lead anywhere. No proxy is used: it would resolve the name itself.
fn client() -> reqwest::ClientBuilder {
    Client::builder()
        .redirect(redirect::Policy::none())
        .no_proxy()
        .user_agent(concat!("antiphon/", env!("CARGO_PKG_VERSION")))
}

fn check_url(config: &WebhookConfig) -> Result<Url, String> {
    let url = Url::parse(&config.url).map_err(|cause| format!("url = \"{}\" is no address: {cause}", config.url))?;
    match url.scheme() {
        "https" => {}
        "http" if config.allow_private => {}
        "http" => return Err("url must be https; http is for hosts of your own network, with allow_private".to_owned()),
        other => return Err(format!("url must be https, not {other}")),
    }
    // A name is checked when it is resolved; an address in digits never is.
    let host = url.host_str().ok_or("url has no host")?;
    let literal = host.trim_matches(['[', ']']).parse::<IpAddr>();
    match literal {
        Ok(address) if !config.allow_private && !is_public(address) => {
            Err(format!("{address} is no public address; set allow_private for a host of your own network"))
        }
        Ok(_) | Err(_) => Ok(url),
    }
}

#[async_trait]
impl ToolSource for Webhooks {
    fn tools(&self) -> Vec<Tool> {
        let tool = |(name, webhook): (&String, &Webhook)| Tool {
            spec: ToolSpec {
                name: name.clone(),
                description: webhook.config.description.clone(),
                parameters: webhook.config.parameters.clone(),
            },
            manner: webhook.config.manner(),
        };
        self.by_name.iter().map(tool).collect()
    }

    async fn call(&self, call: &ToolCall, context: &CallContext) -> Result<String, ToolFailure> {
        let webhook = self.by_name.get(&call.name).ok_or_else(|| ToolFailure::Unknown(call.name.clone()))?;
        let arguments: Value =
            serde_json::from_str(&call.arguments).map_err(|cause| ToolFailure::Arguments(cause.to_string()))?;
        let body = json!({"conversation": context.conversation, "turn": context.turn, "call_id": call.id,
                          "name": call.name, "arguments": arguments});
        let mut request = webhook.client.post(webhook.url.clone()).json(&body);
        if let Some(token) = &webhook.config.bearer_token {
            request = request.bearer_auth(token.reveal());
        }
        let response = request.send().await.map_err(|cause| unreachable(&call.name, &cause))?;
        let status = response.status();
        let text = read(response).await.map_err(|cause| unreachable(&call.name, &cause))?;
        if status.is_success() {
            return Ok(text);
        }
        let reason: String = text.chars().take(MAX_REASON_CHARS).collect();
        Err(ToolFailure::Refused(format!("it answered {status}: {reason}")))
    }
}

async fn read(mut response: Response) -> Result<String, reqwest::Error> {
    let mut bytes = Vec::new();
    while bytes.len() < MAX_ANSWER_BYTES
        && let Some(chunk) = response.chunk().await?
    {
        bytes.extend_from_slice(&chunk);
    }
    bytes.truncate(MAX_ANSWER_BYTES);
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn unreachable(name: &str, cause: &reqwest::Error) -> ToolFailure {
    // The error names the address, never what was sent.
    tracing::warn!(tool = name, %cause, "a webhook cannot be reached");
    ToolFailure::Unreachable
}
