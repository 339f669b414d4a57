//! A span, a log line and two metrics for each call.
//!
//! The span `grpc` is the root of everything that the call causes, down to the HTTP exchanges with a backend. Metrics:
//! `grpc_requests_total{method,code}` and `grpc_seconds{method}` (time to the answer's head); `method` is a path of the
//! contract or `other`, so a caller can't grow the label set.

use std::time::Instant;

use http::{HeaderValue, Request, Response};
use rand::Rng;
use tonic::{Code, body::Body};
use tracing::{Span, info_span};

use crate::rpcs::rpc;

/// Header by which a caller may name its call, and reads how it was named.
const CALL_ID: &str = "x-request-id";

/// Names one call in logs and in the audit: the caller's `x-request-id` if it is short and plain, else one of ours.
#[derive(Debug, Clone)]
pub(crate) struct CallId(pub(crate) String);

impl CallId {
    fn of<T>(request: &Request<T>) -> Self {
        let plain = |text: &&str| {
            !text.is_empty()
                && text.len() <= 64
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
        };
        let given = request.headers().get(CALL_ID).and_then(|value| value.to_str().ok()).filter(plain);
        Self(given.map_or_else(|| format!("{:032x}", rand::rng().random::<u128>()), str::to_owned))
    }
}

/// One call from its arrival to its answer.
pub(crate) struct Traced {
    method: &'static str,
    begun: Instant,
    /// Its name.
    pub(crate) call_id: CallId,
}

impl Traced {
    /// A call that has just arrived.
    pub(crate) fn arrived<T>(request: &Request<T>) -> Self {
        let method = rpc(request.uri().path()).map_or("other", |row| row.path);
        Self { method, begun: Instant::now(), call_id: CallId::of(request) }
    }

    /// The root of everything that the call causes. The caller is known before the span is made: a JSON log renders all
    /// fields of a span anew for each that is added, and a read spends more on that than on its row.
    pub(crate) fn span(&self, caller: Option<&str>) -> Span {
        info_span!("grpc", method = self.method, call_id = %self.call_id.0, caller)
    }

    /// Names the call in its answer, counts it and writes its line; inside the call's span.
    pub(crate) fn answered(self, mut answer: Response<Body>) -> Response<Body> {
        if let Ok(mut named) = HeaderValue::from_str(&self.call_id.0) {
            // New on every call, so a place in the connection's table of headers would be wasted on it.
            named.set_sensitive(true);
            answer.headers_mut().insert(CALL_ID, named);
        }
        let code = code_of(&answer);
        let taken = self.begun.elapsed();
        metrics::counter!("grpc_requests_total", "method" => self.method, "code" => name(code)).increment(1);
        metrics::histogram!("grpc_seconds", "method" => self.method).record(taken.as_secs_f64());
        // Not a field of the span, for the reason above.
        if matches!(code, Code::Internal | Code::Unknown | Code::DataLoss) {
            tracing::error!(code = name(code), milliseconds = taken.as_millis(), "call failed");
        } else {
            tracing::debug!(code = name(code), milliseconds = taken.as_millis(), "call answered");
        }
        answer
    }
}

/// The answer's code. A refusal is an answer without a body, whose head has the status; an answer with a body succeeded.
fn code_of(answer: &Response<Body>) -> Code {
    answer.headers().get("grpc-status").map_or(Code::Ok, |value| Code::from_bytes(value.as_bytes()))
}

/// The code as the gRPC documents write it.
const fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(given: &str) -> String {
        CallId::of(&Request::builder().header(CALL_ID, given).body(()).unwrap()).0
    }

    #[test]
    fn a_plain_call_id_of_the_caller_is_kept_and_another_replaced() {
        assert_eq!(id("job-7.retry_2"), "job-7.retry_2");
        for bad in ["", "two words", "{\"a\":1}", &"a".repeat(65)] {
            let own = id(bad);
            assert!(own.len() == 32 && own != bad, "{own}");
        }
    }
}
