//! Google Cloud's gRPC interfaces, served by the generated stubs behind a line that can be cut.

use std::net::SocketAddr;
use std::sync::Arc;

use prost::Message as _;
use providers::google::Cloud;
use providers::remote::{Auth, Deadlines};
use providers::secret::Secret;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};
use tonic::service::Routes;
use tonic::{Code, Status};

use crate::llm::KEY;

/// A server and the line to it.
pub(crate) struct CloudServer {
    pub(crate) url: String,
    pub(crate) hang_ups: mpsc::UnboundedReceiver<()>,
}

/// What a service does with the line, and tells of its callers.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    cut: Arc<Notify>,
    hung_up: mpsc::UnboundedSender<()>,
}

impl Line {
    /// Breaks every connection, as a network does.
    pub(crate) fn cut(&self) {
        self.cut.notify_waiters();
    }

    /// To be dropped with an answer; tells of answers that were given up.
    pub(crate) fn watch(&self) -> Watch {
        Watch { hung_up: Some(self.hung_up.clone()) }
    }
}

/// Tells that an answer was given up, unless it was complete.
#[derive(Debug)]
pub(crate) struct Watch {
    hung_up: Option<mpsc::UnboundedSender<()>>,
}

impl Watch {
    pub(crate) fn is_complete(&mut self) {
        self.hung_up = None;
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(hung_up) = &self.hung_up {
            let _ = hung_up.send(());
        }
    }
}

impl CloudServer {
    /// Serves what `routes` makes. It ends with the test's runtime.
    #[allow(clippy::disallowed_methods, reason = "its tasks end with the test's runtime")]
    pub(crate) async fn start(routes: impl FnOnce(Line) -> Routes) -> Self {
        let (hung_up, hang_ups) = mpsc::unbounded_channel();
        let line = Line { cut: Arc::default(), hung_up };
        let cut = Arc::clone(&line.cut);
        let app = routes(line).prepare().into_axum_router();
        let inner = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let server = inner.local_addr().expect("its address");
        tokio::spawn(async move { axum::serve(inner, app).await });
        let outer = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", outer.local_addr().expect("its address"));
        tokio::spawn(async move {
            while let Ok((caller, _)) = outer.accept().await {
                tokio::spawn(forward(caller, server, Arc::clone(&cut)));
            }
        });
        Self { url, hang_ups }
    }

    pub(crate) fn cloud(&self, deadlines: Deadlines) -> Cloud {
        let key = Auth::Header { name: "x-goog-api-key", key: Secret::from(KEY.to_owned()) };
        Cloud::new(&self.url, &key, deadlines).expect("an interface")
    }
}

async fn forward(mut caller: TcpStream, server: SocketAddr, cut: Arc<Notify>) {
    let mut server = TcpStream::connect(server).await.expect("the server runs");
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut caller, &mut server) => {}
        () = cut.notified() => {}
    }
}

/// Refuses because of too many requests, and wants to be left alone for 7 s.
pub(crate) fn busy() -> Status {
    let wait = google_apis::rpc::RetryInfo { retry_delay: Some(google_apis::Duration { seconds: 7, nanos: 0 }) };
    let any = prost_types::Any {
        type_url: "type.googleapis.com/google.rpc.RetryInfo".to_owned(),
        value: wait.encode_to_vec(),
    };
    let code = Code::ResourceExhausted;
    let status = google_apis::rpc::Status { code: code.into(), message: String::new(), details: vec![any] };
    Status::with_details(code, "Quota exceeded.", status.encode_to_vec().into())
}
