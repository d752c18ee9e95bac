//! One MCP server: connected, asked for its tools, and connected again when it has died.

use std::process::Stdio;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rmcp::RoleClient;
use rmcp::handler::client::ClientHandler;
use rmcp::service::{NotificationContext, Peer, RunningService, ServiceExt as _};
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::transport::{StreamableHttpClientTransport, TokioChildProcess};
use tokio::process::Command;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::super::config::McpConfig;
use super::super::{Manner, Tool};
use crate::llm::ToolSpec;

/// A server that could not be reached is left alone for so long.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Why a server cannot be used now.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    #[error("set either command or url of the MCP server")]
    Config,
    #[error("start {command}: {source}")]
    Start { command: String, source: std::io::Error },
    #[error("the server did not say hello: {0}")]
    Hello(String),
    #[error("the server did not answer within {} ms", .0.as_millis())]
    Timeout(Duration),
    #[error("the server failed a moment ago")]
    Resting,
}

pub(super) struct Connection {
    name: String,
    config: McpConfig,
    offered: Offered,
    state: Mutex<State>,
}

enum State {
    /// Not connected; when it was last tried.
    Down(Option<Instant>),
    Up(RunningService<RoleClient, Listener>),
}

/// The tools that a server offers now.
#[derive(Clone)]
struct Offered {
    tools: Arc<RwLock<Vec<Tool>>>,
    allow: Vec<String>,
    manner: Manner,
}

/// Hears when a server changes its tools.
struct Listener {
    offered: Offered,
}

impl ClientHandler for Listener {
    async fn on_tool_list_changed(&self, context: NotificationContext<RoleClient>) {
        if let Err(cause) = self.offered.refresh(&context.peer).await {
            tracing::warn!(%cause, "an MCP server's changed tools could not be read");
        }
    }
}

impl Offered {
    async fn refresh(&self, peer: &Peer<RoleClient>) -> Result<(), rmcp::ServiceError> {
        let listed = peer.list_all_tools().await?;
        let wanted = |name: &str| self.allow.is_empty() || self.allow.iter().any(|allowed| allowed == name);
        let tools = listed.into_iter().filter(|tool| wanted(&tool.name)).map(|tool| Tool {
            spec: ToolSpec {
                name: tool.name.into_owned(),
                description: tool.description.unwrap_or_default().into_owned(),
                parameters: serde_json::Value::Object((*tool.input_schema).clone()),
            },
            manner: self.manner,
        });
        let tools: Vec<Tool> = tools.collect();
        *self.tools.write().unwrap_or_else(PoisonError::into_inner) = tools;
        Ok(())
    }
}

/// A service that was not told to stop counts as open though its server has gone; only the transport knows then.
fn is_alive(service: &RunningService<RoleClient, Listener>) -> bool {
    !service.is_closed() && !service.is_transport_closed()
}

impl Connection {
    pub(super) fn new(name: String, config: McpConfig) -> Self {
        let offered = Offered { tools: Arc::default(), allow: config.allow.clone(), manner: config.manner() };
        Self { name, config, offered, state: Mutex::new(State::Down(None)) }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// What it offered when it was last asked.
    pub(super) fn tools(&self) -> Vec<Tool> {
        self.offered.tools.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A live client; connects if there is none.
    pub(super) async fn client(&self) -> Result<Peer<RoleClient>, ConnectError> {
        let mut state = self.state.lock().await;
        match &*state {
            State::Up(service) if is_alive(service) => return Ok(service.peer().clone()),
            State::Down(Some(tried)) if tried.elapsed() < RETRY_AFTER => return Err(ConnectError::Resting),
            State::Up(_) | State::Down(_) => {}
        }
        *state = State::Down(Some(Instant::now()));
        let patience = Duration::from_millis(self.config.connect_timeout_ms);
        let service =
            tokio::time::timeout(patience, self.connect()).await.map_err(|_| ConnectError::Timeout(patience))??;
        let peer = service.peer().clone();
        *state = State::Up(service);
        Ok(peer)
    }

    async fn connect(&self) -> Result<RunningService<RoleClient, Listener>, ConnectError> {
        let listener = Listener { offered: self.offered.clone() };
        let service = match (&self.config.command, &self.config.url) {
            (Some(command), None) => listener.serve(self.start(command)?).await,
            (None, Some(url)) => listener.serve(self.reach(url)).await,
            (Some(_), Some(_)) | (None, None) => return Err(ConnectError::Config),
        };
        let service = service.map_err(|cause| ConnectError::Hello(cause.to_string()))?;
        self.offered.refresh(service.peer()).await.map_err(|cause| ConnectError::Hello(cause.to_string()))?;
        Ok(service)
    }

    fn start(&self, program: &str) -> Result<TokioChildProcess, ConnectError> {
        let mut command = Command::new(program);
        command.args(&self.config.args).kill_on_drop(true);
        command.envs(self.config.env.iter().map(|(name, value)| (name, value.reveal())));
        let started = TokioChildProcess::builder(command).stderr(Stdio::inherit()).spawn();
        let (child, _) = started.map_err(|source| ConnectError::Start { command: program.to_owned(), source })?;
        Ok(child)
    }

    fn reach(&self, url: &str) -> StreamableHttpClientTransport<reqwest::Client> {
        let mut config = StreamableHttpClientTransportConfig::with_uri(url);
        if let Some(token) = &self.config.bearer_token {
            config = config.auth_header(token.reveal());
        }
        StreamableHttpClientTransport::from_config(config)
    }
}
