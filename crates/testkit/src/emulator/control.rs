//! The emulator's own routes, for tests that run outside of this process: `/emulator/log`, `faults`, `script`, `ca.pem`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fault::{Fault, Hits, Trouble};
use super::log::{Ending, Record};
use super::refusal::{Code, Refusal};
use super::route::Route;
use super::script::{Call, Reply};
use super::{Instant, Shared};

type Refused = (StatusCode, String);

pub(super) fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/log", get(log))
        .route("/faults", post(schedule).delete(clear))
        .route("/script", post(add))
        .route("/ca.pem", get(authority))
}

/// A fault on the wire, such as `{"route": "openai.chat", "kind": "error", "code": "UNAVAILABLE"}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultWire {
    route: String,
    #[serde(default = "one")]
    nth: u32,
    #[serde(default = "one")]
    every: u32,
    #[serde(default = "one")]
    times: u32,
    #[serde(default)]
    after: usize,
    kind: KindWire,
    /// Of `error`.
    code: Option<String>,
    message: Option<String>,
    retry_after_ms: Option<u64>,
    /// Of `stall` and `drip`.
    #[serde(default)]
    ms: u64,
}

fn one() -> u32 {
    1
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum KindWire {
    Error,
    Reset,
    Stall,
    Silence,
    Cut,
    Garbage,
    GoAway,
    Drip,
}

/// More lines for the script.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LinesWire {
    #[serde(default)]
    replies: Vec<ReplyWire>,
    #[serde(default)]
    transcripts: Vec<String>,
}

/// A reply: `{"text": "…"}`, `{"calls": [{"name": "…", "arguments": {…}}]}` or `{"blocked": true}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReplyWire {
    #[serde(default)]
    text: String,
    #[serde(default)]
    calls: Vec<CallWire>,
    #[serde(default)]
    blocked: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CallWire {
    name: String,
    arguments: Value,
}

#[derive(Serialize)]
struct RecordWire {
    route: &'static str,
    connection: usize,
    began_ms: u64,
    ended_ms: Option<u64>,
    ending: Option<&'static str>,
    authorization: Option<String>,
    path: String,
    request: Value,
    pieces_sent: usize,
}

async fn log(State(shared): State<Arc<Shared>>) -> Json<Vec<RecordWire>> {
    let since = |at: Instant| at.saturating_duration_since(shared.began).as_millis() as u64;
    let wire = |record: Record| RecordWire {
        route: record.route.name(),
        connection: record.connection,
        began_ms: since(record.began),
        ended_ms: record.ended.map(|(at, _)| since(at)),
        ending: record.ended.map(|(_, ending)| match ending {
            Ending::Completed => "completed",
            Ending::ClientLeft => "client_left",
            Ending::BrokenOff => "broken_off",
        }),
        authorization: record.authorization,
        path: record.path,
        request: record.request,
        pieces_sent: record.pieces_sent,
    };
    Json(shared.log.all().into_iter().map(wire).collect())
}

async fn schedule(State(shared): State<Arc<Shared>>, Json(wire): Json<FaultWire>) -> Result<StatusCode, Refused> {
    let unknown = |what: &str| (StatusCode::BAD_REQUEST, format!("unknown {what}"));
    let route = Route::from_name(&wire.route).ok_or_else(|| unknown("route"))?;
    let time = Duration::from_millis(wire.ms);
    let trouble = match wire.kind {
        KindWire::Error => {
            let code = wire.code.as_deref().and_then(Code::from_name).ok_or_else(|| unknown("code"))?;
            let retry_after = wire.retry_after_ms.map(Duration::from_millis);
            let message = wire.message.unwrap_or_else(|| "The emulator was told to refuse this.".to_owned());
            Trouble::Error(Refusal { code, message, retry_after })
        }
        KindWire::Reset => Trouble::Reset,
        KindWire::Stall => Trouble::Stall(time),
        KindWire::Silence => Trouble::Silence,
        KindWire::Cut => Trouble::Cut,
        KindWire::Garbage => Trouble::Garbage,
        KindWire::GoAway => Trouble::GoAway,
        KindWire::Drip => Trouble::Drip(time),
    };
    let hits = Hits { first: wire.nth, every: wire.every, times: wire.times };
    shared.faults.schedule(route, hits, Fault::after(wire.after, trouble));
    Ok(StatusCode::NO_CONTENT)
}

async fn clear(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.faults.clear();
    StatusCode::NO_CONTENT
}

async fn add(State(shared): State<Arc<Shared>>, Json(wire): Json<LinesWire>) -> StatusCode {
    for reply in wire.replies {
        shared.lines.add_reply(reply_from(reply));
    }
    wire.transcripts.into_iter().for_each(|line| shared.lines.add_transcript(line));
    StatusCode::NO_CONTENT
}

fn reply_from(wire: ReplyWire) -> Reply {
    if wire.blocked {
        return Reply::Blocked;
    }
    if wire.calls.is_empty() {
        return Reply::Text(wire.text);
    }
    let calls = wire.calls.into_iter().map(|call| Call { name: call.name, arguments: call.arguments }).collect();
    Reply::Calls { saying: wire.text, calls }
}

async fn authority(State(shared): State<Arc<Shared>>) -> String {
    shared.authority_pem.clone()
}
