//! Where every request to a vendor's route passes: it is logged, its key is looked at, and its fault begins.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Extension;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::middleware::Next;
use axum::response::Response;
use futures_util::future;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::Shared;
use super::body::Carrier;
use super::connection::Connection;
use super::credentials;
use super::fault::{Fault, Trouble};
use super::log::Record;
use super::refusal::Refusal;
use super::route::{Route, Vendor};

/// The most that a request may hold: OpenAI takes 25 MB of audio.
const REQUEST_BYTES: usize = 26_000_000;

pub(super) async fn pass(
    State(shared): State<Arc<Shared>>,
    Extension(connection): Extension<Arc<Connection>>,
    request: Request,
    next: Next,
) -> Response {
    let Some(route) = Route::of(request.method(), request.uri().path()) else {
        return next.run(request).await;
    };
    let exchange = shared.log.open(record(route, connection.number(), &request));
    let vendor = route.vendor();
    let mut carrier = Carrier { vendor, presence: exchange.presence(), connection, fault: shared.faults.take(route) };
    let mut request = match whole(request, vendor, &carrier).await {
        Ok(request) => request,
        Err(refusal) => return carrier.carry(refusal.response(vendor)),
    };
    if let Some(refusal) =
        begin_fault(&mut carrier).await.or_else(|| credentials::refuse(&request, vendor, &shared.keys))
    {
        return carrier.carry(refusal.response(vendor));
    }
    request.extensions_mut().insert(exchange);
    let handed_over = HandedOver::new(carrier);
    request.extensions_mut().insert(handed_over.clone());
    let response = next.run(request).await;
    // A conversation over a WebSocket took it along: this answer is only the handshake.
    match handed_over.take() {
        Some(carrier) => carrier.carry(response),
        None => response,
    }
}

/// The carrier, where a handler whose answer is not its body may take it.
#[derive(Clone)]
pub(super) struct HandedOver(Arc<Mutex<Option<Carrier>>>);

impl HandedOver {
    fn new(carrier: Carrier) -> Self {
        Self(Arc::new(Mutex::new(Some(carrier))))
    }

    pub(super) fn take(&self) -> Option<Carrier> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

fn record(route: Route, connection: usize, request: &Request) -> Record {
    Record {
        route,
        connection,
        began: Instant::now(),
        ended: None,
        authorization: credentials::shown(request),
        path: request.uri().path_and_query().map(ToString::to_string).unwrap_or_default(),
        request: Value::Null,
        pieces_sent: 0,
    }
}

/// The request with its body read, unless it is a stream: only then does HTTP/1.1 tell when its client goes away. A
/// JSON body goes into the log.
async fn whole(request: Request, vendor: Vendor, carrier: &Carrier) -> Result<Request, Refusal> {
    if vendor == Vendor::Google {
        return Ok(request);
    }
    let (head, body) = request.into_parts();
    let body = to_bytes(body, REQUEST_BYTES).await.map_err(|_| Refusal::invalid("The request is too large."))?;
    let is_json = head.headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    if is_json && let Ok(Value::Object(fields)) = serde_json::from_slice(&body) {
        fields.into_iter().for_each(|(name, value)| carrier.presence.exchange().note(&name, value));
    }
    Ok(Request::from_parts(head, Body::from(body)))
}

/// The part of a fault that comes before the answer; what comes later stays with the carrier.
async fn begin_fault(carrier: &mut Carrier) -> Option<Refusal> {
    let fault = carrier.fault.take_if(|fault| fault.after == 0)?;
    match fault.trouble {
        Trouble::Error(refusal) => return Some(refusal),
        Trouble::Reset => {
            carrier.presence.break_off();
            carrier.connection.reset();
            future::pending().await
        }
        Trouble::Silence => future::pending().await,
        Trouble::Stall(time) => sleep(time).await,
        Trouble::GoAway => carrier.connection.go_away(),
        later @ (Trouble::Cut | Trouble::Garbage | Trouble::Drip(_)) => carrier.fault = Some(Fault::at_once(later)),
    }
    None
}
