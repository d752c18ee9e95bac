//! The vendors' APIs on one local port: OpenAI, Gemini, Google Speech-to-Text and Text-to-Speech.
//!
//! Start at [`Emulator`] and [`Script`]. `gate` is where every request passes; `openai`, `gemini` and `google` answer;
//! `fault` says what may go wrong, `body` and `connection` let it; `log` keeps who asked what and left when. Voices
//! speak words as [`tone`]s, which recognisers understand. The port speaks HTTP/1.1 and HTTP/2, plain and over TLS.
//! What it does not emulate it refuses; it has no state beyond a script, a log and the faults to come.

mod answer;
mod body;
mod certificate;
mod connection;
mod control;
mod credentials;
mod ear;
mod fault;
mod gate;
mod gemini;
mod google;
mod listener;
mod log;
mod openai;
mod produce;
mod refusal;
mod route;
mod script;
mod socket;
mod spoken;
mod voice;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::{Router, middleware};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// What the emulated voices speak and the recognisers understand.
pub use crate::tone;
pub use certificate::CertificateError;
pub use fault::{Fault, Trouble};
pub use log::{Ending, Record};
pub use refusal::{Code, Refusal};
pub use route::Route;
pub use script::{Call, Limits, Pace, Reply, Script};

/// A running emulator. It stops when this is dropped.
///
/// ```no_run
/// # async fn example() -> Result<(), testkit::emulator::StartError> {
/// use testkit::emulator::{Emulator, Fault, Refusal, Route, Script, Trouble};
///
/// let emulator = Emulator::start(Script::default()).await?;
/// emulator.fault(Route::OpenAiChat, 2, Fault::at_once(Trouble::Error(Refusal::overloaded())));
/// println!("{} {}", emulator.openai_url(), emulator.grpc_url());
/// let log = emulator.when(|log| log.len() == 2 && log.iter().all(|record| record.ended.is_some())).await;
/// # Ok(())
/// # }
/// ```
pub struct Emulator {
    shared: Arc<Shared>,
    address: SocketAddr,
    held: watch::Sender<bool>,
    _stop: DropGuard,
}

/// Why an emulator does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port cannot be had.
    #[error("bind {0}: {1}")]
    Bind(SocketAddr, io::Error),
    /// TLS is not possible.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

/// What all handlers share.
struct Shared {
    lines: script::Lines,
    pace: Pace,
    limits: Limits,
    keys: Vec<String>,
    faults: fault::Faults,
    log: Arc<log::Log>,
    authority_pem: String,
    began: Instant,
}

impl Shared {
    /// What an utterance without tones is taken for.
    fn next_transcript(&self) -> String {
        self.lines.next_transcript().unwrap_or_else(|| "this is an emulated transcript".to_owned())
    }
}

impl Emulator {
    /// Starts one on a free port of this machine.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(script: Script) -> Result<Self, StartError> {
        Self::start_on((Ipv4Addr::LOCALHOST, 0).into(), script).await
    }

    /// Starts one at this address.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start_on(address: SocketAddr, script: Script) -> Result<Self, StartError> {
        let bind_error = |error| StartError::Bind(address, error);
        let socket = TcpListener::bind(address).await.map_err(bind_error)?;
        let address = socket.local_addr().map_err(bind_error)?;
        let authority = certificate::Authority::make()?;
        let shared = Arc::new(Shared {
            lines: script::Lines::new(script.replies, script.transcripts),
            pace: script.pace,
            limits: script.limits,
            keys: script.keys,
            faults: fault::Faults::default(),
            log: log::Log::new(),
            authority_pem: authority.pem,
            began: Instant::now(),
        });
        let held = watch::Sender::new(false);
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let listener = listener::Listener {
            socket,
            router: router(&shared),
            acceptor: authority.acceptor,
            held: held.subscribe(),
            tasks: tasks.clone(),
            stop: stop.clone(),
        };
        tasks.spawn(listener.run());
        Ok(Self { shared, address, held, _stop: stop.drop_guard() })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base of Gemini's API, without encryption: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The base of OpenAI's API: `http://127.0.0.1:PORT/openai/v1`.
    #[must_use]
    pub fn openai_url(&self) -> String {
        format!("{}/openai/v1", self.url())
    }

    /// The endpoint of Google's gRPC services, without encryption.
    #[must_use]
    pub fn grpc_url(&self) -> String {
        self.url()
    }

    /// The same port over TLS, for clients that trust [`Self::authority_pem`]: `https://localhost:PORT`.
    #[must_use]
    pub fn tls_url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    /// The certificate authority that signed the emulator's certificate, as PEM.
    #[must_use]
    pub fn authority_pem(&self) -> &str {
        &self.shared.authority_pem
    }

    /// All requests so far, in the order they came.
    #[must_use]
    pub fn log(&self) -> Vec<Record> {
        self.shared.log.all()
    }

    /// Waits until the log is as wanted, then gives it. Cancel safe.
    pub async fn when(&self, condition: impl Fn(&[Record]) -> bool) -> Vec<Record> {
        self.shared.log.when(condition).await
    }

    /// Lets this happen to the `nth` request of a route, counted from now with 1.
    pub fn fault(&self, route: Route, nth: u32, fault: Fault) {
        self.shared.faults.schedule(route, fault::Hits { first: nth, every: 1, times: 1 }, fault);
    }

    /// Lets this happen to each `nth` request of a route from now on (with 1 to all), until [`Self::clear_faults`].
    pub fn fault_every(&self, route: Route, nth: u32, fault: Fault) {
        self.shared.faults.schedule(route, fault::Hits { first: nth, every: nth, times: u32::MAX }, fault);
    }

    /// Forgets all faults to come.
    pub fn clear_faults(&self) {
        self.shared.faults.clear();
    }

    /// From now on new connections are accepted and nothing more: not even a TLS handshake is answered.
    pub fn hold_connections(&self) {
        self.held.send_replace(true);
    }

    /// Serves new connections again, and those that were held.
    pub fn release_connections(&self) {
        self.held.send_replace(false);
    }

    /// Adds to what the language models will answer.
    pub fn add_reply(&self, reply: Reply) {
        self.shared.lines.add_reply(reply);
    }

    /// Adds to what utterances without tones will be taken for.
    pub fn add_transcript(&self, transcript: impl Into<String>) {
        self.shared.lines.add_transcript(transcript.into());
    }
}

fn router(shared: &Arc<Shared>) -> Router {
    let gate = middleware::from_fn_with_state(Arc::clone(shared), gate::pass);
    Router::new()
        .nest("/openai/v1", openai::router())
        .merge(gemini::router())
        .with_state(Arc::clone(shared))
        .merge(google::router(shared))
        .layer(gate)
        .nest("/emulator", control::router().with_state(Arc::clone(shared)))
}

/// A pause of the pace; none costs nothing.
async fn pause(time: Duration) {
    if !time.is_zero() {
        sleep(time).await;
    }
}

/// A span of time as Google writes it.
fn duration(time: Duration) -> google_apis::Duration {
    google_apis::Duration { seconds: time.as_secs() as i64, nanos: time.subsec_nanos() as i32 }
}
