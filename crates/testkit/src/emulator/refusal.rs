//! Errors in the words of each vendor: OpenAI's JSON, Google's JSON, a gRPC status with its details.

use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use google_apis::rpc;
use prost::Message as _;
use serde_json::{Value, json};
use tonic::Status;

use super::route::Vendor;

/// Why a request is refused, in the terms of `google.rpc.Code`; OpenAI's follow from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// HTTP 400.
    InvalidArgument,
    /// HTTP 400: not now.
    FailedPrecondition,
    /// HTTP 400: too far, too much or too fast.
    OutOfRange,
    /// HTTP 401.
    Unauthenticated,
    /// HTTP 403.
    PermissionDenied,
    /// HTTP 404.
    NotFound,
    /// HTTP 409.
    Aborted,
    /// HTTP 429.
    ResourceExhausted,
    /// HTTP 500.
    Internal,
    /// HTTP 501.
    Unimplemented,
    /// HTTP 503.
    Unavailable,
    /// HTTP 504.
    DeadlineExceeded,
}

/// A refusal.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// The kind.
    pub code: Code,
    /// What it says.
    pub message: String,
    /// When to come again: `Retry-After` or `RetryInfo`.
    pub retry_after: Option<Duration>,
}

struct Terms {
    code: Code,
    name: &'static str,
    http: u16,
    grpc: tonic::Code,
    /// OpenAI's type and code.
    openai: (&'static str, Option<&'static str>),
}

const INVALID: (&str, Option<&str>) = ("invalid_request_error", None);
const SERVER: (&str, Option<&str>) = ("server_error", None);

#[rustfmt::skip]
const TERMS: [Terms; 12] = [
    Terms { code: Code::InvalidArgument, name: "INVALID_ARGUMENT", http: 400, grpc: tonic::Code::InvalidArgument, openai: INVALID },
    Terms { code: Code::FailedPrecondition, name: "FAILED_PRECONDITION", http: 400, grpc: tonic::Code::FailedPrecondition, openai: INVALID },
    Terms { code: Code::OutOfRange, name: "OUT_OF_RANGE", http: 400, grpc: tonic::Code::OutOfRange, openai: INVALID },
    Terms { code: Code::Unauthenticated, name: "UNAUTHENTICATED", http: 401, grpc: tonic::Code::Unauthenticated, openai: ("invalid_request_error", Some("invalid_api_key")) },
    Terms { code: Code::PermissionDenied, name: "PERMISSION_DENIED", http: 403, grpc: tonic::Code::PermissionDenied, openai: INVALID },
    Terms { code: Code::NotFound, name: "NOT_FOUND", http: 404, grpc: tonic::Code::NotFound, openai: ("invalid_request_error", Some("model_not_found")) },
    Terms { code: Code::Aborted, name: "ABORTED", http: 409, grpc: tonic::Code::Aborted, openai: INVALID },
    Terms { code: Code::ResourceExhausted, name: "RESOURCE_EXHAUSTED", http: 429, grpc: tonic::Code::ResourceExhausted, openai: ("requests", Some("rate_limit_exceeded")) },
    Terms { code: Code::Internal, name: "INTERNAL", http: 500, grpc: tonic::Code::Internal, openai: SERVER },
    Terms { code: Code::Unimplemented, name: "UNIMPLEMENTED", http: 501, grpc: tonic::Code::Unimplemented, openai: SERVER },
    Terms { code: Code::Unavailable, name: "UNAVAILABLE", http: 503, grpc: tonic::Code::Unavailable, openai: SERVER },
    Terms { code: Code::DeadlineExceeded, name: "DEADLINE_EXCEEDED", http: 504, grpc: tonic::Code::DeadlineExceeded, openai: SERVER },
];

impl Code {
    /// The code of this name, such as `RESOURCE_EXHAUSTED`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        TERMS.iter().find(|terms| terms.name == name).map(|terms| terms.code)
    }

    fn terms(self) -> &'static Terms {
        TERMS.iter().find(|terms| terms.code == self).expect("the table holds every code")
    }
}

impl Refusal {
    /// A refusal without a time to come again.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retry_after: None }
    }

    /// The quota is used up; there will be more after this time.
    #[must_use]
    pub fn quota(retry_after: Duration) -> Self {
        let seconds = retry_after.as_secs_f64();
        let message = format!(
            "You exceeded your current quota, please check your plan and billing details. Please retry in {seconds}s."
        );
        Self { code: Code::ResourceExhausted, message, retry_after: Some(retry_after) }
    }

    /// The service is overloaded.
    #[must_use]
    pub fn overloaded() -> Self {
        Self::new(Code::Unavailable, "The model is overloaded. Please try again later.")
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(Code::InvalidArgument, message)
    }

    /// The answer to a request that is refused before its first byte.
    pub(super) fn response(&self, vendor: Vendor) -> Response {
        let terms = self.code.terms();
        let status = StatusCode::from_u16(terms.http).expect("the table holds valid numbers");
        match vendor {
            Vendor::OpenAi => (status, self.retry_headers(), Json(self.openai())).into_response(),
            Vendor::Gemini => (status, Json(self.google())).into_response(),
            Vendor::Google => Status::from(self).into_http::<Body>(),
        }
    }

    /// What breaks off an answer: OpenAI's is an event; Google's stands bare between the events.
    pub(super) fn mid_stream(&self, vendor: Vendor) -> MidStream {
        match vendor {
            Vendor::OpenAi => MidStream::Data(format!("data: {}\n\n", self.openai()).into()),
            Vendor::Gemini => MidStream::Data(format!("{:#}\n", self.google()).into()),
            Vendor::Google => {
                let mut trailers = HeaderMap::new();
                Status::from(self).add_header(&mut trailers).expect("messages of ours fit into a header");
                MidStream::Trailers(trailers)
            }
        }
    }

    /// As OpenAI writes it.
    pub(super) fn openai(&self) -> Value {
        let (kind, code) = self.code.terms().openai;
        json!({"error": {"message": self.message, "type": kind, "param": null, "code": code}})
    }

    fn google(&self) -> Value {
        let terms = self.code.terms();
        let mut details = Vec::new();
        if self.code == Code::ResourceExhausted {
            details.push(json!({"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{
                "quotaMetric": "generativelanguage.googleapis.com/generate_content_requests",
                "quotaId": "GenerateRequestsPerMinutePerProjectPerModel",
                "quotaDimensions": {"location": "global"}, "quotaValue": "10"}]}));
        }
        if let Some(delay) = self.retry_after {
            let delay = format!("{}s", delay.as_secs_f64());
            details.push(json!({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}));
        }
        json!({"error": {"code": terms.http, "message": self.message, "status": terms.name, "details": details}})
    }

    fn retry_headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Some(delay) = self.retry_after {
            let whole_seconds = delay.as_millis().div_ceil(1_000) as u64;
            headers.insert(header::RETRY_AFTER, whole_seconds.into());
            headers.insert("retry-after-ms", (delay.as_millis() as u64).into());
        }
        headers
    }
}

/// What is sent in place of the rest of an answer.
pub(super) enum MidStream {
    Data(Bytes),
    Trailers(HeaderMap),
}

impl From<&Refusal> for Status {
    fn from(refusal: &Refusal) -> Self {
        let code = refusal.code.terms().grpc;
        let mut details = Vec::new();
        if refusal.code == Code::ResourceExhausted {
            let violation = rpc::quota_failure::Violation {
                subject: "project:emulator".to_owned(),
                description: refusal.message.clone(),
                ..rpc::quota_failure::Violation::default()
            };
            details.push(detail("QuotaFailure", &rpc::QuotaFailure { violations: vec![violation] }));
        }
        if let Some(delay) = refusal.retry_after {
            details.push(detail("RetryInfo", &rpc::RetryInfo { retry_delay: Some(super::duration(delay)) }));
        }
        if details.is_empty() {
            return Self::new(code, &refusal.message);
        }
        let rich = rpc::Status { code: code.into(), message: refusal.message.clone(), details };
        Self::with_details(code, &refusal.message, rich.encode_to_vec().into())
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        Self::from(&refusal)
    }
}

fn detail(name: &str, message: &impl prost::Message) -> prost_types::Any {
    prost_types::Any { type_url: format!("type.googleapis.com/google.rpc.{name}"), value: message.encode_to_vec() }
}
