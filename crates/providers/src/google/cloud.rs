//! One of Google Cloud's gRPC interfaces: connections, who we are, and what a refusal means.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use google_apis::rpc::{ErrorInfo, RetryInfo};
use prost::Message as _;
use tonic::metadata::MetadataMap;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint as Transport};
use tonic::{Code, Request, Status};

use crate::remote::{Auth, Deadlines, EndpointError, Identity, check, code_of};
use crate::{Failure, Remedy};

/// Google's front ends serve 100 streams at once over one connection and let more wait without a word.
const STREAMS_PER_CONNECTION: usize = 80;
/// A dead connection is noticed after this long without an answer to a ping.
const PING_EVERY: Duration = Duration::from_secs(10);
const PING_TIMEOUT: Duration = Duration::from_secs(5);

/// An interface of Google Cloud. Cheap to clone; clones share connections.
#[derive(Debug, Clone)]
pub struct Cloud {
    transport: Transport,
    identity: Identity,
    deadlines: Deadlines,
    connections: Arc<Mutex<Vec<Connection>>>,
}

#[derive(Debug, Clone)]
struct Connection {
    channel: Channel,
    streams: Arc<AtomicUsize>,
}

/// A place for one stream on a connection, free again when this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) channel: Channel,
    streams: Arc<AtomicUsize>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.streams.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Cloud {
    /// Checks the address, such as `https://speech.googleapis.com`; reaches nobody yet. To be called within a runtime.
    ///
    /// # Errors
    /// When it is no address, or a key would travel in the clear to somebody else's network.
    pub fn new(base: &str, auth: &Auth, deadlines: Deadlines) -> Result<Self, EndpointError> {
        Self::build(base, auth, deadlines, ClientTlsConfig::new().with_native_roots())
    }

    /// The same for a server whose certificate this authority signed (PEM).
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn trusting(base: &str, auth: &Auth, deadlines: Deadlines, authority: &[u8]) -> Result<Self, EndpointError> {
        let tls = ClientTlsConfig::new().with_native_roots().ca_certificate(Certificate::from_pem(authority));
        Self::build(base, auth, deadlines, tls)
    }

    fn build(base: &str, auth: &Auth, deadlines: Deadlines, tls: ClientTlsConfig) -> Result<Self, EndpointError> {
        let (url, identity) = check(base, auth)?;
        let mut transport = Transport::from_shared(url.to_string()).map_err(EndpointError::Channel)?;
        if url.scheme() == "https" {
            transport = transport.tls_config(tls).map_err(EndpointError::Channel)?;
        }
        let transport = transport
            .user_agent(concat!("antiphon/", env!("CARGO_PKG_VERSION")))
            .map_err(EndpointError::Channel)?
            .connect_timeout(deadlines.connect)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(PING_EVERY)
            .keep_alive_timeout(PING_TIMEOUT)
            .keep_alive_while_idle(true);
        Ok(Self { transport, identity, deadlines, connections: Arc::default() })
    }

    pub(super) fn deadlines(&self) -> Deadlines {
        self.deadlines
    }

    /// A place for one more stream.
    pub(super) fn place(&self) -> Place {
        let mut connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        let has_room = |connection: &&Connection| connection.streams.load(Ordering::Relaxed) < STREAMS_PER_CONNECTION;
        let connection = match connections.iter().find(has_room) {
            Some(connection) => connection.clone(),
            None => {
                let connection = Connection { channel: self.transport.connect_lazy(), streams: Arc::default() };
                connections.push(connection.clone());
                connection
            }
        };
        connection.streams.fetch_add(1, Ordering::Relaxed);
        Place { channel: connection.channel, streams: connection.streams }
    }

    /// A request that says who we are.
    ///
    /// # Errors
    /// When that cannot be found out.
    pub(super) async fn request<T>(&self, message: T) -> Result<Request<T>, Status> {
        let headers = self.identity.headers().await.map_err(Status::unauthenticated)?;
        let mut request = Request::new(message);
        *request.metadata_mut() = MetadataMap::from_headers(headers);
        Ok(request)
    }
}

/// What a refusal means for whoever asked `provider`. Google's sentences may quote what was to be said, so none of
/// them is passed on.
pub(super) fn failure(provider: &'static str, status: &Status) -> Failure {
    let details = details(status);
    let reason = details.reason.map(|reason| format!(", {reason}")).unwrap_or_default();
    let failure = Failure::new(provider, remedy(status.code()), format!("it answered {:?}{reason}", status.code()));
    match details.retry_after {
        Some(wait) => failure.after(wait),
        None => failure,
    }
}

fn remedy(code: Code) -> Remedy {
    match code {
        // A connection that breaks is `Unknown` here.
        Code::Unavailable
        | Code::Aborted
        | Code::Internal
        | Code::DeadlineExceeded
        | Code::Cancelled
        | Code::OutOfRange
        | Code::DataLoss
        | Code::Unknown
        | Code::Ok => Remedy::Retry,
        Code::ResourceExhausted
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::Unauthenticated
        | Code::FailedPrecondition
        | Code::Unimplemented => Remedy::Replace,
    }
}

#[derive(Debug, Default)]
struct Details {
    retry_after: Option<Duration>,
    reason: Option<String>,
}

fn details(status: &Status) -> Details {
    let mut told = Details::default();
    let Ok(status) = google_apis::rpc::Status::decode(status.details()) else { return told };
    for detail in status.details {
        match detail.type_url.rsplit('/').next() {
            Some("google.rpc.RetryInfo") => {
                let info = RetryInfo::decode(detail.value.as_slice()).unwrap_or_default();
                told.retry_after = info.retry_delay.and_then(|delay| delay.try_into().ok());
            }
            Some("google.rpc.ErrorInfo") => {
                let info = ErrorInfo::decode(detail.value.as_slice()).unwrap_or_default();
                told.reason = code_of(&info.reason);
            }
            Some(_) | None => {}
        }
    }
    told
}
