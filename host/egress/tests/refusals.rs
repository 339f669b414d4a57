//! What a guest may not ask for. Nothing of it reaches the backend.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod support;

use std::time::Duration;

use serde_json::json;
use stowage_egress::EndpointBinding;
use stowage_ports::exchange::{Auth, Body, ExchangeContext, ExchangeRequest, Step};
use stowage_ports::provider::{Description, ExchangeDecl};
use stowage_ports::{Exchange as _, ExchangeError};
use support::{Server, Way, ask, ask_in_session, bearer_flow, binding, context, decl, describe, pointer, reply, slot};

fn description() -> Description {
    let create = ExchangeDecl { slots: vec![pointer("/password")], ..decl("create", "POST", "/users") };
    let data = ExchangeDecl { purpose: "data".to_owned(), ..decl("data-read", "GET", "/data") };
    describe(vec![decl("read", "GET", "/things/{id}"), create, data], vec![bearer_flow(true)])
}

async fn bound() -> (Server, Way) {
    let server = Server::start(|_| reply(200, "{}")).await;
    let mut binding = binding(description(), &[server.url()]);
    let data = EndpointBinding { purpose: "data".to_owned(), ..binding.endpoints[0].clone() };
    binding.endpoints.push(data);
    (server, Way::bound(binding).await.unwrap())
}

fn read(id: &str) -> ExchangeRequest {
    ExchangeRequest { params: vec![("id".to_owned(), id.to_owned())], ..ask("read") }
}

fn with_header(name: &str, value: &str) -> ExchangeRequest {
    ExchangeRequest { headers: vec![(name.to_owned(), value.to_owned())], ..read("1") }
}

fn create(slots: Vec<stowage_ports::exchange::Slot>) -> ExchangeRequest {
    ExchangeRequest { body: Body::Json(b"{\"name\":\"n\"}".to_vec()), slots, ..ask("create") }
}

#[tokio::test]
async fn what_is_not_declared_or_not_allowed_is_denied_and_never_sent() {
    let (server, way) = bound().await;
    let cases: Vec<(&str, ExchangeRequest, &str)> = vec![
        ("undeclared exchange", ask("delete-everything"), "not declared"),
        ("login by the guest", ask("login"), "run by the host alone"),
        ("refresh by the guest", ask("refresh"), "run by the host alone"),
        ("forged authorization", with_header("Authorization", "Bearer mine"), "authorization"),
        ("forged host", with_header("host", "169.254.169.254"), "host"),
        ("forged cookie", with_header("cookie", "sid=1"), "cookie"),
        ("forged proxy header", with_header("proxy-authorization", "x"), "proxy-authorization"),
        ("forged signature date", with_header("x-amz-date", "20200101T000000Z"), "x-amz-date"),
        ("forged forwarding", with_header("x-forwarded-for", "10.0.0.1"), "x-forwarded-for"),
        ("forged length", with_header("content-length", "0"), "content-length"),
        ("forged framing", with_header("transfer-encoding", "chunked"), "transfer-encoding"),
        ("another method", with_header("x-http-method-override", "DELETE"), "x-http-method-override"),
        ("compressed answer", with_header("accept-encoding", "gzip"), "accept-encoding"),
        ("split answer", with_header("range", "bytes=0-3"), "range"),
        ("split header", with_header("x-a", "1\r\nauthorization: x"), "control characters"),
        ("path escape", read(".."), "'..'"),
        ("path escape by parts", read("a/../../users"), "'..'"),
        ("empty path part", read(""), "empty"),
        ("control character in path", read("a\r\nb"), "control"),
        ("missing path part", ask("read"), "missing"),
        ("slot elsewhere", create(vec![slot(pointer("/name"), "admin", "password")]), "not a declared place"),
        (
            "slot in a header",
            create(vec![slot(vec![Step::Header("x-a".into())], "admin", "password")]),
            "not a declared place",
        ),
        (
            "slot in a shortened place",
            create(vec![slot([pointer("/password"), vec![Step::EmbeddedJson]].concat(), "admin", "password")]),
            "not a declared place",
        ),
        (
            "slot given twice",
            create(vec![
                slot(pointer("/password"), "admin", "password"),
                slot(pointer("/password"), "admin", "username"),
            ]),
            "twice",
        ),
        ("body that is not JSON", ExchangeRequest { body: Body::Json(b"{".to_vec()), ..ask("create") }, "not JSON"),
        ("unknown body", ExchangeRequest { body: Body::Other("cbor".to_owned()), ..ask("create") }, "cbor"),
        ("unknown auth", ExchangeRequest { auth: Auth::Other("kerberos".to_owned()), ..read("1") }, "kerberos"),
        ("session for another endpoint", ask_in_session("data-read"), "belongs to the endpoint"),
        (
            "undeclared flow",
            ExchangeRequest {
                auth: Auth::Flow { flow: "other".to_owned(), identity: "admin".to_owned(), params: vec![] },
                ..read("1")
            },
            "not declared",
        ),
    ];
    for (name, request, word) in cases {
        match way.send(request).await {
            Err(ExchangeError::Denied(why)) => assert!(why.contains(word), "{name}: {why} lacks {word:?}"),
            other => panic!("{name}: {other:?}"),
        }
    }
    assert!(server.seen().is_empty(), "{:?}", server.seen());
}

#[tokio::test]
async fn a_call_that_may_change_nothing_runs_safe_exchanges_only() {
    let (server, way) = bound().await;
    let safe_only = ExchangeContext { safe_only: true, ..context() };
    let refused = way.egress.send(&safe_only, create(vec![])).await.unwrap_err();
    assert!(matches!(&refused, ExchangeError::Denied(why) if why.contains("safe")), "{refused}");
    way.egress.send(&safe_only, read("1")).await.unwrap();
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn secrets_that_are_not_the_providers_are_not_there() {
    let (server, way) = bound().await;
    way.secrets.set("sealed/test-b/0123456789abcdef0123456789abcdef", "value", "foreign");
    way.secrets.set("providers/other/admin", "password", "foreign");
    for (name, field) in [
        ("sealed/test-b/0123456789abcdef0123456789abcdef", "value"),
        ("providers/other/admin", "password"),
        ("providers/test/admin", "password"),
        ("../admin", "password"),
        ("admin", "no-such-field"),
        ("s3-user", "password"),
    ] {
        let got = way.send(create(vec![slot(pointer("/password"), name, field)])).await;
        assert!(matches!(got, Err(ExchangeError::NoSuchSecret(_))), "{name}: {got:?}");
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_secret_too_short_to_be_masked_is_not_sent() {
    let (server, way) = bound().await;
    way.secrets.set("providers/test/admin", "password", "abc");
    let got = way.send(create(vec![slot(pointer("/password"), "admin", "password")])).await;
    assert!(matches!(&got, Err(ExchangeError::Denied(why)) if why.contains("shorter")), "{got:?}");
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn an_unbound_endpoint_and_a_body_over_the_limit_are_denied() {
    let server = Server::start(|_| reply(200, "{}")).await;
    let mut binding = binding(description(), &[server.url()]);
    binding.limits.max_request_bytes = 16;
    let way = Way::bound(binding).await.unwrap();
    let unbound = way.send(ask("data-read")).await;
    assert!(matches!(&unbound, Err(ExchangeError::Denied(why)) if why.contains("must bind")), "{unbound:?}");
    let large = ExchangeRequest { body: Body::Raw(vec![b'x'; 17]), ..ask("create") };
    assert!(matches!(&way.send(large).await, Err(ExchangeError::Denied(why)) if why.contains("16 bytes")));
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn parameters_and_query_reach_the_backend_as_data() {
    let (server, way) = bound().await;
    let query = vec![("path".to_owned(), "/a b?&#+".to_owned()), ("x[]".to_owned(), "ü".to_owned())];
    let request = ExchangeRequest { query, timeout: Some(Duration::from_secs(10)), ..read("a/b?c#d%2e e") };
    way.send(request).await.unwrap();
    let seen = server.seen();
    assert_eq!(seen[0].uri, "/things/a%2Fb%3Fc%23d%252e%20e?path=%2Fa%20b%3F%26%23%2B&x%5B%5D=%C3%BC");
    assert_eq!(seen[0].header("host"), Some(server.addr.to_string().as_str()));
}

#[tokio::test]
async fn a_label_that_looks_like_a_slot_is_only_text() {
    let (server, way) = bound().await;
    let label = "{{secret:admin.password}} {token} {password} ${admin/password} sealed/test-a/0";
    let body = json!({"name": label, "password": "{password}"}).to_string().into_bytes();
    let request =
        ExchangeRequest { body: Body::Json(body), ..create(vec![slot(pointer("/password"), "admin", "password")]) };
    way.send(request).await.unwrap();
    assert_eq!(server.seen()[0].json(), json!({"name": label, "password": support::PASSWORD}));
}
