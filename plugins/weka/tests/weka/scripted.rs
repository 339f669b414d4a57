//! Answers that no cluster in good order gives.

use std::sync::Arc;

use stowage_plugin_weka::Weka;
use stowage_provider_sdk::native::{MemoryHost, with_host};
use stowage_provider_sdk::prelude::*;

use crate::bench::{DIRECTORY, kind};

/// A host that answers every exchange with this.
pub(crate) fn answering(status: u16, body: &str) -> Arc<MemoryHost> {
    let body = body.to_owned();
    Arc::new(MemoryHost::new(DIRECTORY).answering(move |_| {
        Ok(http::Response { status, headers: vec![], body: body.clone().into_bytes(), captured: vec![] })
    }))
}

/// A host that answers no exchange.
pub(crate) fn failing(error: http::HttpError) -> Arc<MemoryHost> {
    Arc::new(MemoryHost::new(DIRECTORY).answering(move |_| Err(error.clone())))
}

#[test]
pub(crate) fn junk_with_a_good_status_is_internal_with_its_native_code() {
    for body in ["", "<html>ok</html>", "{}", r#"{"data":7}"#, r#"{"data":{"name":"x"}}"#, "[[["] {
        let error = with_host(answering(200, body), || Weka::probe(ProbeMode::ReadOnly)).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Internal, "{body}");
        assert_eq!(error.native_code.as_deref(), Some("UnreadableAnswer"), "{body}");
    }
}

#[test]
fn an_error_in_a_good_status_is_that_error() {
    let body = r#"{"data":{"error":"Route GET - /api/v2/cluster does not exist"}}"#;
    assert_eq!(kind(with_host(answering(200, body), || Weka::probe(ProbeMode::ReadOnly))), "Unsupported");
}

#[test]
pub(crate) fn a_missing_answer_has_the_kind_of_its_cause() {
    for (cause, expected) in [
        (http::HttpError::Unreachable("refused".to_owned()), "Unreachable"),
        (http::HttpError::TimedOut, "Unreachable"),
        (http::HttpError::SentUnanswered, "Unreachable"),
        (http::HttpError::LockedOut(90), "LockedOut"),
        (http::HttpError::AuthFailed("no".to_owned()), "AuthExpired"),
        (http::HttpError::NoSuchSecret("admin".to_owned()), "NotReady"),
    ] {
        assert_eq!(kind(with_host(failing(cause), || Weka::probe(ProbeMode::ReadOnly))), expected);
    }
}

#[test]
fn a_list_that_goes_in_circles_ends() {
    let body = r#"{"data":[],"next_token":7}"#;
    let host = answering(200, body);
    let plan = r#"{"k":"m","n":"a","h":"b"}"#.as_bytes().to_vec();
    let error = with_host(host.clone(), || Weka::observe(vec![plan])).unwrap_err();
    assert_eq!(error.native_code.as_deref(), Some("PagingLoop"));
    assert_eq!(host.sent().len(), 2);
}

#[test]
pub(crate) fn an_uid_that_is_none_never_reaches_a_path() {
    let body = r#"{"data":[{"uid":"../../users","name":"gpuaas-kind-fs","status":"READY"}]}"#;
    let host = answering(200, body);
    assert_eq!(kind(with_host(host.clone(), || Weka::find("op".to_owned()))), "Internal");
    assert_eq!(host.sent().len(), 1);
}
