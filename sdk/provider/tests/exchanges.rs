//! Sending: what reaches the host, and what an adapter makes of an answer or of none.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::sync::Arc;

use serde_json::json;
use stowage_provider_sdk::{
    contract::{
        http::{Auth, Body, HttpError, Response as RawResponse, Step},
        identity::PlaceKeep,
    },
    error::ErrorKind,
    native::{MemoryHost, with_host},
    prelude::*,
};

const READ: Exchange = Exchange::new("things.get").get("control", "/things/{name}").safe().doc("Reads.");
const CHANGE: Exchange = Exchange::new("things.make")
    .post("control", "/things")
    .slots(&[&[At::Pointer("/body"), At::EmbeddedJson, At::Pointer("/password")]])
    .sensitive(&[(&[At::Header("x-token")], Keep::Session), (&[At::Xml("a/b")], Keep::Stored("keys"))])
    .doc("Makes.");

fn answered(status: u16, body: &str) -> RawResponse {
    RawResponse {
        status,
        headers: vec![("ETag".into(), "7".into())],
        body: body.as_bytes().to_vec(),
        captured: vec![None, Some("handle".into())],
    }
}

fn send_to(exchange: &Exchange, answer: Result<RawResponse, HttpError>) -> Result<Response, SendError> {
    let host = MemoryHost::new("{}").answering(move |_| answer.clone());
    with_host(Arc::new(host), || host::send(exchange, Request::new()))
}

#[test]
fn a_declaration_says_everything_that_the_host_must_pin() {
    let declared = CHANGE.declare();
    assert_eq!((declared.method.as_str(), declared.path_template.as_str()), ("POST", "/things"));
    assert!(!declared.safe && !declared.idempotent);
    assert_eq!(declared.slots[0][1], Step::EmbeddedJson);
    assert_eq!(declared.sensitive[1].keep, PlaceKeep::Stored("keys".into()));
    assert!(READ.declare().safe && READ.declare().idempotent);
    assert!(Exchange::new("x").delete("control", "/x").declare().idempotent);
}

#[test]
fn a_request_reaches_the_host_as_it_was_built() {
    let host = Arc::new(MemoryHost::new("{}").answering(|_| Ok(answered(200, "{}"))));
    let request = Request::new()
        .param("name", "a/b")
        .query("limit", 5)
        .header("accept", "application/json")
        .json(&json!({ "size": 1 }))
        .flow_with("login", "admin", &[("scope", "x")])
        .slot(&[At::Pointer("/password")], "admin", "password")
        .timeout_ms(250);
    with_host(host.clone(), || host::send(&READ, request)).unwrap();
    let sent = host.sent().pop().unwrap();
    assert_eq!(sent.exchange, "things.get");
    assert_eq!(sent.params, [("name".to_owned(), "a/b".to_owned())]);
    assert_eq!(sent.query, [("limit".to_owned(), "5".to_owned())]);
    assert_eq!(sent.body, Body::Json(br#"{"size":1}"#.to_vec()));
    assert!(matches!(&sent.auth, Auth::Flow(flow) if flow.flow == "login" && flow.params.len() == 1));
    assert_eq!((sent.slots[0].secret.field.as_str(), sent.timeout_ms), ("password", Some(250)));
}

#[test]
fn what_is_lost_is_ambiguous_unless_it_could_not_change_anything() {
    let cases: Vec<(HttpError, ErrorKind, ErrorKind)> = vec![
        (HttpError::Denied("rule".into()), ErrorKind::Internal, ErrorKind::Internal),
        (HttpError::Unreachable("refused".into()), ErrorKind::Unreachable, ErrorKind::Unreachable),
        (HttpError::TimedOut, ErrorKind::Unreachable, ErrorKind::Unreachable),
        (HttpError::SentUnanswered, ErrorKind::Unreachable, ErrorKind::Ambiguous),
        (HttpError::TooLarge(9), ErrorKind::Unreachable, ErrorKind::Ambiguous),
        (HttpError::Protocol("junk".into()), ErrorKind::Unreachable, ErrorKind::Ambiguous),
        (HttpError::AuthFailed("no".into()), ErrorKind::AuthExpired, ErrorKind::AuthExpired),
        (HttpError::LockedOut(30), ErrorKind::LockedOut(30), ErrorKind::LockedOut(30)),
        (HttpError::Other("new".into()), ErrorKind::Unreachable, ErrorKind::Ambiguous),
    ];
    for (cause, safe, change) in cases {
        for (exchange, wanted) in [(&READ, safe), (&CHANGE, change)] {
            let error = Error::from(send_to(exchange, Err(cause.clone())).unwrap_err());
            assert_eq!(error.kind, wanted, "{cause:?} on {}", exchange.id());
        }
    }
    let missing = Error::from(send_to(&READ, Err(HttpError::NoSuchSecret("admin".into()))).unwrap_err());
    assert!(matches!(missing.kind, ErrorKind::NotReady(ref n) if n.reason == "NO_SUCH_SECRET"), "{missing:?}");
}

#[test]
fn an_answer_that_cannot_be_read_does_not_tell_what_was_done() {
    for (exchange, wanted) in [(&READ, ErrorKind::Internal), (&CHANGE, ErrorKind::Ambiguous)] {
        let answer = send_to(exchange, Ok(answered(200, "<html>"))).unwrap();
        assert_eq!(answer.json::<serde_json::Value>().unwrap_err().kind, wanted);
    }
}

#[test]
fn an_answer_gives_headers_without_case_and_captures_by_position() {
    let answer = send_to(&CHANGE, Ok(answered(201, r#"{"a":1}"#))).unwrap();
    assert!(answer.is_success());
    assert_eq!(answer.header("etag"), Some("7"));
    assert_eq!((answer.captured(0), answer.captured(1), answer.captured(2)), (None, Some("handle"), None));
    assert_eq!(answer.json::<serde_json::Value>().unwrap(), json!({ "a": 1 }));
}

#[test]
fn state_is_written_over_the_version_that_was_read() {
    let host = Arc::new(MemoryHost::new("{}"));
    with_host(host, || {
        let grow = |n: Option<u32>| Ok((n.unwrap_or(0) + 1, n));
        assert_eq!(host::kv::change("n", grow).unwrap(), None);
        let lost = host::kv::change("n", |n: Option<u32>| {
            host::kv::store("n", &9, None)?;
            Ok((n.unwrap_or(0) + 1, ()))
        });
        assert_eq!(lost.unwrap_err().kind, ErrorKind::ConflictRetry);
        assert_eq!(host::kv::load::<u32>("n").unwrap().unwrap().value, 9);
        assert_eq!(host::kv::store("n", &1, Some(host::kv::ABSENT)).unwrap_err().kind, ErrorKind::ConflictRetry);
    });
}

#[test]
fn numbers_of_a_pool_never_collide_and_are_the_owners_again() {
    let host = Arc::new(MemoryHost::new("{}"));
    with_host(host, || {
        let a = host::allocate::take("ids", "a").unwrap();
        let b = host::allocate::take("ids", "b").unwrap();
        assert_ne!(a, b);
        assert_eq!(host::allocate::take("ids", "a").unwrap(), a);
        host::allocate::give_back("ids", "a").unwrap();
        assert_eq!(host::allocate::take("ids", "c").unwrap(), a);
    });
}

#[test]
fn a_whole_list_is_cut_into_pages_that_hold_everything_once() {
    let items = |n: usize| (0..n).rev().map(|i| (format!("{i:03}"), i)).collect::<Vec<_>>();
    let mut request = PageRequest { cursor: None, limit: 4 };
    let mut seen = Vec::new();
    loop {
        let (page, next) = page::cut(items(10), &request).unwrap();
        seen.extend(page);
        let Some(next) = next else { break };
        request.cursor = Some(next);
    }
    assert_eq!(seen, (0..10).collect::<Vec<_>>());
    assert_eq!(page::cut(items(4), &PageRequest { cursor: None, limit: 4 }).unwrap().1, None);
    let broken = PageRequest { cursor: Some(vec![0xff]), limit: 1 };
    assert!(matches!(page::cut(items(1), &broken).unwrap_err().kind, ErrorKind::Invalid(_)));
}
