//! A scripted HTTP server: answers requests in order with what the script says, faults included, and tells what it
//! was sent and when somebody hung up on it. It speaks HTTP/1.1, and HTTP/2 to who knows that beforehand.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, Response, StatusCode, Uri};
use futures_util::stream;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// One answer of the script.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    steps: Vec<Step>,
}

/// What the body of an answer does next.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Sends bytes.
    Bytes(Vec<u8>),
    /// Sends nothing any more, and does not end.
    Hang,
    /// Breaks the connection.
    Cut,
}

impl Answer {
    /// A stream of events, each sent by itself.
    pub(crate) fn events<S: Into<String>>(events: impl IntoIterator<Item = S>) -> Self {
        let steps = events.into_iter().map(|event| Step::Bytes(event.into().into_bytes())).collect();
        Self { status: 200, headers: vec![("content-type", "text/event-stream".to_owned())], steps }
    }

    /// Bytes, in pieces of this size.
    pub(crate) fn pieces(content_type: &str, bytes: &[u8], piece: usize) -> Self {
        let steps = bytes.chunks(piece).map(|bytes| Step::Bytes(bytes.to_vec())).collect();
        Self { status: 200, headers: vec![("content-type", content_type.to_owned())], steps }
    }

    /// An error with a JSON body.
    pub(crate) fn error(status: u16, body: &Value) -> Self {
        let steps = vec![Step::Bytes(body.to_string().into_bytes())];
        Self { status, headers: vec![("content-type", "application/json".to_owned())], steps }
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(crate) fn then(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}

/// What the server was sent.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// From where; the same for two requests over one connection.
    pub(crate) peer: SocketAddr,
}

impl Received {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the body is JSON")
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// The server. It ends with the test's runtime.
pub(crate) struct Server {
    pub(crate) url: String,
    received: mpsc::UnboundedReceiver<Received>,
    hang_ups: mpsc::UnboundedReceiver<()>,
}

#[derive(Clone)]
struct Script {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    received: mpsc::UnboundedSender<Received>,
    hang_ups: mpsc::UnboundedSender<()>,
}

impl Server {
    pub(crate) async fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let (sent, received) = mpsc::unbounded_channel();
        let (hung_up, hang_ups) = mpsc::unbounded_channel();
        let answers = Arc::new(Mutex::new(answers.into_iter().collect()));
        let script = Script { answers, received: sent, hang_ups: hung_up };
        let app = Router::new().fallback(answer).with_state(script);
        let service = app.into_make_service_with_connect_info::<SocketAddr>();
        #[allow(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
        tokio::spawn(async move { axum::serve(listener, service).await });
        Self { url, received, hang_ups }
    }

    /// The next request.
    pub(crate) async fn received(&mut self) -> Received {
        self.received.recv().await.expect("the server runs")
    }

    /// Waits until somebody goes before an answer is complete.
    pub(crate) async fn hung_up_on(&mut self) {
        self.hang_ups.recv().await.expect("the server runs");
    }
}

async fn answer(
    State(script): State<Script>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    script.received.send(Received { uri, headers, body, peer }).expect("the test runs");
    let next = script.answers.lock().unwrap().pop_front();
    let Some(Answer { status, headers, steps }) = next else {
        return Response::builder().status(StatusCode::NOT_IMPLEMENTED).body(Body::from("the script is over")).unwrap();
    };
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    let progress = Running { steps: steps.into(), hang_ups: script.hang_ups };
    response.body(Body::from_stream(stream::unfold(progress, Running::next))).unwrap()
}

/// A body under way.
struct Running {
    steps: VecDeque<Step>,
    hang_ups: mpsc::UnboundedSender<()>,
}

impl Running {
    async fn next(mut self) -> Option<(Result<Bytes, Cut>, Self)> {
        match self.steps.front()? {
            Step::Hang => std::future::pending().await,
            Step::Bytes(_) | Step::Cut => {}
        }
        // What was sent just before reaches the other side by itself.
        tokio::task::yield_now().await;
        let item = match self.steps.pop_front()? {
            Step::Bytes(bytes) => Ok(bytes.into()),
            Step::Cut | Step::Hang => Err(Cut),
        };
        Some((item, self))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.steps.is_empty() {
            let _ = self.hang_ups.send(());
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the script says so")]
struct Cut;
