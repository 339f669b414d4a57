//! The audit event of one S3 call, in the documented form.
//!
//! The caller shows only as the access key in the `Authorization` header of the request, so a receiver finds out who it
//! was by knowing whose key that is. A presigned URL has its key in the query, which the event does not hold: such a call
//! is anonymous in the audit, as is one that was not signed.

use std::net::SocketAddr;
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};

use super::access::SeenCall;
use crate::clock::Millis;
use crate::state::State;

/// One call that was answered.
pub(crate) struct Answered<'a> {
    pub(crate) call: SeenCall,
    pub(crate) peer: SocketAddr,
    pub(crate) request_id: &'a str,
    pub(crate) request: &'a HeaderMap,
    pub(crate) response: &'a HeaderMap,
    pub(crate) status: StatusCode,
    pub(crate) took: Duration,
}

/// `x-amz-date` as `X-Amz-Date`: the server's own spelling of header names.
fn spelled(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    };
    if name == "etag" { "ETag".to_owned() } else { name.split('-').map(word).collect::<Vec<_>>().join("-") }
}

fn shown(headers: &HeaderMap) -> Value {
    let mut all = Map::new();
    for name in headers.keys() {
        let values: Vec<_> =
            headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        all.insert(spelled(name.as_str()), json!(values.join(",")));
    }
    Value::Object(all)
}

/// RFC 3339 with nanoseconds.
fn precise(at: Millis) -> String {
    let at = i64::try_from(at).unwrap_or_default();
    let at = jiff::Timestamp::from_millisecond(at).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format!("{at:.9}")
}

/// The event's JSON.
pub(crate) fn event(state: &State, answered: &Answered<'_>) -> Value {
    let Answered { call, peer, request_id, request, response, status, took } = answered;
    let mut api = Map::new();
    for (name, value) in [("bucket", &call.bucket), ("object", &call.object)] {
        if !value.is_empty() {
            api.insert(name.to_owned(), json!(value));
        }
    }
    api.insert("name".to_owned(), json!(call.name));
    api.insert("status".to_owned(), json!(status.canonical_reason().unwrap_or("")));
    api.insert("statusCode".to_owned(), json!(status.as_u16()));
    api.insert("timeToResponse".to_owned(), json!(format!("{}ns", took.as_nanos())));
    let release = state.release.to_string();
    let short: Vec<&str> = release.split('.').take(3).collect();
    let server = state.machines.backends.first();
    json!({
        "api": api,
        "auditVersion": "1.weka",
        "deploymentid": state.machines.guid,
        "remotehost": peer.ip().to_string(),
        "requestHeader": shown(request),
        "requestID": request_id,
        "responseHeader": shown(response),
        "time": precise(state.now()),
        "userAgent": request.get("user-agent").and_then(|value| value.to_str().ok()).unwrap_or_default(),
        "wekaInfo": {
            "clusterGUID": state.machines.guid,
            "clusterName": state.machines.cluster_name,
            "release": release,
            "serverIP": server.map(|server| server.address()).unwrap_or_default(),
            "serverName": server.map(|server| server.hostname()).unwrap_or_default(),
            "version": short.join("."),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_names_and_times_are_spelled_as_documented() {
        assert_eq!(spelled("x-amz-content-sha256"), "X-Amz-Content-Sha256");
        assert_eq!(spelled("etag"), "ETag");
        assert_eq!(precise(1_700_000_000_123), "2023-11-14T22:13:20.123000000Z");
    }
}
