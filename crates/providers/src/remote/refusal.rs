//! Answers that are none: what a vendor says when it refuses, and what can be done about it.
//!
//! Vendors write sentences that may quote the request, and with it what people said. So only what is picked from a
//! closed vocabulary (codes, field names) reaches a [`Failure`].

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::Value;

use crate::{Failure, Remedy};

/// Longer ones are no codes.
const MAX_CODE_CHARS: usize = 64;
/// More fields than this help nobody.
const MAX_FIELDS: usize = 4;

/// A vendor's refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The HTTP status, or what stands for it in an error that came in mid-stream.
    pub status: Option<u16>,
    /// The vendor's own code, such as `RESOURCE_EXHAUSTED` or `model_not_found`.
    pub code: Option<String>,
    /// The fields of the request that it complains about.
    pub fields: Vec<String>,
    /// How long it wants to be left alone.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// What an HTTP answer says.
    pub(crate) fn of_answer(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let body = serde_json::from_slice(body).unwrap_or(Value::Null);
        let told = Self::of_error(&body);
        Self { status: Some(status.as_u16()), retry_after: told.retry_after.or_else(|| retry_after(headers)), ..told }
    }

    /// What an error object says: `{"error": {…}}`, also alone in an array, as Google sends it.
    pub(crate) fn of_error(body: &Value) -> Self {
        let body = body.get(0).unwrap_or(body);
        let error = body.get("error").unwrap_or(body);
        let number = |key| error.get(key).and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok());
        let word = |key| error.get(key).and_then(Value::as_str).and_then(code_of);
        Self {
            status: number("code").or_else(|| number("status")),
            code: word("status").or_else(|| word("code")).or_else(|| word("type")),
            fields: fields(error),
            retry_after: retry_info(error),
        }
    }

    /// Whether the vendor's own guard against misuse refused.
    pub(crate) fn is_blocked(&self) -> bool {
        matches!(self.code.as_deref(), Some("content_filter" | "content_policy_violation"))
    }

    /// What it means for whoever asked `provider`.
    pub(crate) fn into_failure(self, provider: &'static str) -> Failure {
        let remedy = if self.is_blocked() { Remedy::GiveUp } else { self.remedy() };
        let status = self.status.map_or_else(|| "an error".to_owned(), |status| status.to_string());
        let mut message = format!("it answered {status}");
        for detail in self.code.iter().chain(&self.fields) {
            message.push_str(", ");
            message.push_str(detail);
        }
        let failure = Failure::new(provider, remedy, message);
        match self.retry_after {
            Some(wait) => failure.after(wait),
            None => failure,
        }
    }

    /// Overload and trouble pass. A key, a model or a form that one vendor does not take, another one may.
    fn remedy(&self) -> Remedy {
        match (self.status, self.code.as_deref()) {
            (Some(429), _) => Remedy::Replace,
            (Some(408 | 409 | 425 | 500..), _) => Remedy::Retry,
            (Some(_), _) => Remedy::Replace,
            (None, Some("rate_limit_exceeded" | "insufficient_quota" | "invalid_api_key")) => Remedy::Replace,
            (None, _) => Remedy::Retry,
        }
    }
}

/// A word that can only be a code.
pub(crate) fn code_of(word: &str) -> Option<String> {
    let is_code = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '[' | ']');
    let fits = !word.is_empty() && word.len() <= MAX_CODE_CHARS && word.chars().all(is_code);
    fits.then(|| word.to_owned())
}

/// The field that OpenAI names, and those that Google does.
fn fields(error: &Value) -> Vec<String> {
    let violations = details(error).filter_map(|detail| detail.get("fieldViolations")?.as_array()).flatten();
    let named = violations.filter_map(|violation| violation.get("field")).chain(error.get("param"));
    named.filter_map(Value::as_str).filter_map(code_of).take(MAX_FIELDS).collect()
}

/// Google's `RetryInfo`: `"retryDelay": "2.5s"`.
fn retry_info(error: &Value) -> Option<Duration> {
    let delay = details(error).find_map(|detail| detail.get("retryDelay")?.as_str())?;
    seconds(delay.strip_suffix('s')?)
}

fn details(error: &Value) -> impl Iterator<Item = &Value> {
    error.get("details").and_then(Value::as_array).into_iter().flatten()
}

/// `retry-after-ms` is OpenAI's; `Retry-After` may be a date too, which nobody sends and which is not read.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = |name| headers.get(name)?.to_str().ok();
    let exact = value("retry-after-ms").and_then(|text| seconds(text).map(|wait| wait / 1_000));
    exact.or_else(|| value("retry-after").and_then(seconds))
}

fn seconds(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.trim().parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use reqwest::StatusCode;
    use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
    use serde_json::json;

    use super::Refusal;
    use crate::Remedy;

    fn refusal(status: u16, header: Option<(&'static str, &'static str)>, body: &serde_json::Value) -> Refusal {
        let mut headers = HeaderMap::new();
        headers.extend(header.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))));
        Refusal::of_answer(StatusCode::from_u16(status).expect("a status"), &headers, body.to_string().as_bytes())
    }

    #[test]
    fn google_says_how_long_to_wait() {
        let body = json!([{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "Please retry in 2.5s.",
            "details": [{"@type": "type.googleapis.com/google.rpc.Help"},
                        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "2.5s"}]}}]);
        let failure = refusal(429, Some(("retry-after", "9")), &body).into_failure("google.gemini");
        assert_eq!(failure.remedy, Remedy::Replace);
        assert_eq!(failure.retry_after, Some(Duration::from_millis(2_500)));
        assert_eq!(failure.message, "it answered 429, RESOURCE_EXHAUSTED");
    }

    #[test]
    fn headers_say_how_long_to_wait() {
        let empty = json!({});
        let wait = |header| refusal(503, Some(header), &empty).retry_after;
        assert_eq!(wait(("retry-after", "20")), Some(Duration::from_secs(20)));
        assert_eq!(wait(("retry-after-ms", "1500")), Some(Duration::from_millis(1_500)));
        assert_eq!(wait(("retry-after", "-1")), None);
        assert_eq!(wait(("retry-after", "Fri, 31 Dec 2999 23:59:59 GMT")), None);
    }

    #[test]
    fn nothing_that_was_said_reaches_the_log() {
        let secret = "my number is 555 0199";
        let body = json!({"error": {"message": format!("invalid content: {secret}"), "type": "invalid_request_error",
                                    "param": "messages[1].content", "code": secret}});
        let failure = refusal(400, None, &body).into_failure("openai.chat");
        assert_eq!(failure.message, "it answered 400, invalid_request_error, messages[1].content");
    }

    #[test]
    fn what_passes_is_tried_again_and_what_does_not_goes_elsewhere() {
        let remedy = |status| refusal(status, None, &json!(null)).into_failure("x").remedy;
        for status in [408, 500, 502, 503, 504, 529] {
            assert_eq!(remedy(status), Remedy::Retry, "{status}");
        }
        for status in [301, 400, 401, 402, 403, 404, 413, 422, 429] {
            assert_eq!(remedy(status), Remedy::Replace, "{status}");
        }
        let blocked = refusal(400, None, &json!({"error": {"code": "content_filter"}}));
        assert_eq!(blocked.into_failure("x").remedy, Remedy::GiveUp);
    }
}
