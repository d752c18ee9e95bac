//! A server of its own for each test, on free ports and in a folder of its own.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use providers::vendors::ProviderConfig;
use reqwest::{Client, Method, Response};
use serde_json::Value;
use server::app::Server;
use server::cli::AgentKind;
use server::config::{Config, Dirs};
use session::{AgentConfig, Providers};
use tempfile::TempDir;

/// A server within the test's process; an echo server, if nothing else is said.
pub(crate) struct TestServer {
    pub(crate) client: Client,
    pub(crate) url: String,
    server: Server,
    folder: TempDir,
}

impl TestServer {
    pub(crate) async fn start() -> Self {
        Self::start_in(tempfile::tempdir().expect("a folder")).await
    }

    /// An echo server with other settings.
    pub(crate) async fn configured(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut config = config();
        change(&mut config);
        let server = Server::start(config, &dirs(&folder), AgentKind::Echo).await.expect("the server starts");
        Self::ready(server, folder).await
    }

    /// A server whose default agent is this one, with scripted models.
    pub(crate) async fn scripted(agent: AgentConfig, models: Providers) -> Self {
        Self::with_vendors(agent, BTreeMap::new(), models).await
    }

    /// The same, whose agent may choose these vendors.
    pub(crate) async fn with_vendors(
        agent: AgentConfig,
        providers: BTreeMap<String, ProviderConfig>,
        models: Providers,
    ) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let config = Config { agent, providers, ..config() };
        let server = Server::start_with(config, &dirs(&folder), models).await.expect("the server starts");
        Self::ready(server, folder).await
    }

    async fn start_in(folder: TempDir) -> Self {
        let server = Server::start(config(), &dirs(&folder), AgentKind::Echo).await.expect("the server starts");
        Self::ready(server, folder).await
    }

    async fn ready(mut server: Server, folder: TempDir) -> Self {
        server.ready().await.expect("its models are there");
        let client = Client::builder().no_proxy().build().expect("a client");
        Self { url: format!("http://{}", server.http_address()), client, server, folder }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.client.get(self.url(path)).send().await.expect("an answer")
    }

    pub(crate) async fn get_json(&self, path: &str) -> Value {
        self.get(path).await.json().await.expect("JSON")
    }

    /// Sends a request with these headers.
    pub(crate) async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Response {
        let request = self.client.request(method, self.url(path));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        request.body(body.to_owned()).send().await.expect("an answer")
    }

    /// Sends JSON with this method.
    pub(crate) async fn send(&self, method: Method, path: &str, body: &Value) -> Response {
        self.client.request(method, self.url(path)).json(body).send().await.expect("an answer")
    }

    pub(crate) async fn post_sdp(&self, path: &str, offer: &str) -> Response {
        let request = self.client.post(self.url(path)).header("content-type", "application/sdp");
        request.body(offer.to_owned()).send().await.expect("an answer")
    }

    /// Posts a form, as the vendor's Python client does.
    pub(crate) async fn post_form(&self, path: &str, parts: &[(&str, &str)]) -> Response {
        let part = |(name, text): &(&str, &str)| {
            format!("--part\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n")
        };
        let body: String = parts.iter().map(part).chain(["--part--\r\n".to_owned()]).collect();
        let request = self.client.post(self.url(path)).header("content-type", "multipart/form-data; boundary=part");
        request.body(body).send().await.expect("an answer")
    }

    pub(crate) async fn stop(self) {
        self.server.stop().await;
    }

    pub(crate) async fn restart(self) -> Self {
        self.server.stop().await;
        Self::start_in(self.folder).await
    }
}

fn config() -> Config {
    let mut config = Config::default();
    config.server.listen = Some("127.0.0.1:0".parse().expect("an address"));
    config.media.udp_listen = "127.0.0.1:0".parse().expect("an address");
    config
}

fn dirs(folder: &TempDir) -> Dirs {
    Dirs { data: folder.path().join("data"), cache: folder.path().join("cache") }
}

/// The shipped binary, with nothing of the test's own environment.
pub(crate) fn antiphon(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_antiphon"));
    command
        .env_clear()
        .env("HOME", folder)
        .env("ANTIPHON__SERVER__LISTEN", "127.0.0.1:0")
        .env("ANTIPHON__MEDIA__UDP_LISTEN", "127.0.0.1:0")
        .current_dir(folder)
        .stdin(Stdio::null());
    command
}

/// The one sentence that a failing command leaves on standard error.
pub(crate) fn complaint(output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "it should have failed: {stderr}");
    let lines: Vec<&str> = stderr.lines().filter(|line| line.starts_with("antiphon: failed to ")).collect();
    assert_eq!(lines.len(), 1, "one sentence: {stderr}");
    lines[0].to_owned()
}

/// The binary while it serves.
pub(crate) struct Served {
    pub(crate) child: Child,
    pub(crate) url: String,
}

impl Served {
    /// Starts it and waits until it says that it is ready.
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
        let stdout = child.stdout.take().expect("it is piped");
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).expect("it says that it is ready");
        let url = line.trim().rsplit(' ').next().expect("words").replace("localhost", "127.0.0.1");
        assert!(line.contains("ready"), "{line}");
        Self { child, url }
    }

    /// Asks it to stop, as `kill` does, and waits for its end.
    pub(crate) fn terminate(self) -> Output {
        self.ask_to_stop();
        self.child.wait_with_output().expect("it ends")
    }

    /// Asks it to stop, as `kill` does.
    pub(crate) fn ask_to_stop(&self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs").success());
    }
}

/// A recording: one second of a tone, one of silence.
pub(crate) fn tone_wav(folder: &Path) -> PathBuf {
    let mut samples: Vec<f32> = (0..24_000).map(|index| 0.4 * (index as f32 * 0.12).sin()).collect();
    samples.extend([0.0; 24_000]);
    let path = folder.join("tone.wav");
    std::fs::write(&path, audio::wav::write(&samples, 24_000).expect("short")).expect("write");
    path
}
