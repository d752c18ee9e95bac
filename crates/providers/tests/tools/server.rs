//! The Python program that the tests talk to.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// What `/mcp` wants to hear.
pub(crate) const TOKEN: &str = "open sesame";

/// The interpreter with the packages of the tests.
pub(crate) fn python() -> String {
    let python = testkit::installed::python();
    python.to_str().expect("the path is text").to_owned()
}

/// Where the program is.
pub(crate) fn script() -> String {
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tools/server.py").to_owned()
}

/// The program as an HTTP server; it ends with this.
pub(crate) struct HttpServer {
    pub(crate) port: u16,
    child: Child,
}

impl HttpServer {
    /// Starts one on a free port.
    pub(crate) async fn start() -> Self {
        Self::on(0).await
    }

    /// Starts one on this port.
    pub(crate) async fn on(port: u16) -> Self {
        let mut command = Command::new(python());
        command.args([script(), "http".to_owned(), port.to_string()]).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("the interpreter starts");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let port = lines.next_line().await.expect("it prints").expect("it prints its port").parse().expect("a port");
        Self { port, child }
    }

    /// Waits until it has ended.
    pub(crate) async fn ended(mut self) {
        self.child.wait().await.expect("it can be waited for");
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}
