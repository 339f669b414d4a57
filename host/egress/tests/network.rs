//! Where requests may go, and what is known when no answer comes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod support;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::response::Response;
use stowage_egress::{BindError, Binding, EndpointBinding};
use stowage_ports::exchange::{Body, ExchangeContext, ExchangeRequest};
use stowage_ports::{Exchange as _, ExchangeError};
use support::{
    Server, TableResolver, Way, ask, binding, body_of, context, dead_addr, decl, describe, raw_server, reply,
};

fn description() -> stowage_ports::provider::Description {
    describe(vec![decl("read", "GET", "/read"), decl("write", "POST", "/write"), decl("put", "PUT", "/put")], vec![])
}

fn to(urls: &[String]) -> Binding {
    binding(description(), urls)
}

fn write() -> ExchangeRequest {
    ExchangeRequest { body: Body::Json(b"{}".to_vec()), ..ask("write") }
}

#[tokio::test]
async fn a_name_that_answers_another_address_than_when_bound_is_refused() {
    let server = Server::start(|_| reply(200, "{}")).await;
    let resolver = TableResolver::of("backend.test", &["127.0.0.1"]);
    let urls = [format!("http://backend.test:{}", server.addr.port())];
    let way = Way::resolved(to(&urls), resolver.clone()).await.unwrap();
    way.send(ask("read")).await.unwrap();
    assert_eq!(way.egress.pinned_ranges()[0].1, ["127.0.0.1/32".parse().unwrap()]);

    // Idle connections are reused, so each case binds anew with what was pinned.
    for evil in
        ["169.254.169.254", "127.0.0.2", "10.0.0.1", "::1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "0.0.0.0"]
    {
        let mut pinned = to(&urls);
        pinned.endpoints[0].allowed_ranges = Some(way.egress.pinned_ranges()[0].1.clone());
        let resolver = TableResolver::of("backend.test", &[evil]);
        let rebound = Way::resolved(pinned, resolver).await.unwrap();
        let got = rebound.send(ask("read")).await;
        assert!(matches!(&got, Err(ExchangeError::Denied(why)) if why.contains("backend.test")), "{evil}: {got:?}");
    }
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn of_several_addresses_only_the_allowed_one_is_dialled() {
    let server = Server::start(|_| reply(200, "{}")).await;
    let resolver = TableResolver::of("backend.test", &["127.0.0.1"]);
    let way =
        Way::resolved(to(&[format!("http://backend.test:{}", server.addr.port())]), resolver.clone()).await.unwrap();
    resolver.set("backend.test", &["169.254.169.254", "127.0.0.1", "10.9.9.9"]);
    assert_eq!(way.send(ask("read")).await.unwrap().status, 200);
}

/// A name, a change to a sound binding, and a word of the refusal.
type Case = (&'static str, Box<dyn Fn(&mut Binding)>, &'static str);

#[tokio::test]
async fn forbidden_and_unsound_endpoints_are_refused_when_bound() {
    let own: std::net::SocketAddr = "127.0.0.1:9443".parse().unwrap();
    let cases: Vec<Case> = vec![
        (
            "metadata literal",
            Box::new(|b| b.endpoints[0].urls = vec!["http://169.254.169.254/latest".to_owned()]),
            "never dialled",
        ),
        (
            "mapped literal",
            Box::new(|b| b.endpoints[0].urls = vec!["http://[::ffff:169.254.169.254]/".to_owned()]),
            "never dialled",
        ),
        (
            "octal literal",
            Box::new(|b| b.endpoints[0].urls = vec!["http://0251.0376.0251.0376/".to_owned()]),
            "never dialled",
        ),
        (
            "name of metadata",
            Box::new(|b| b.endpoints[0].urls = vec!["http://metadata.test/".to_owned()]),
            "no address that may be dialled",
        ),
        (
            "own listener",
            Box::new(move |b| {
                b.endpoints[0].urls = vec!["http://127.0.0.1:9443".to_owned()];
                b.forbidden = vec![own];
            }),
            "own listener",
        ),
        (
            "own listener by name",
            Box::new(move |b| {
                b.endpoints[0].urls = vec!["http://loop.test:9443".to_owned()];
                b.forbidden = vec!["0.0.0.0:9443".parse().unwrap()];
            }),
            "own listener",
        ),
        (
            "literal outside the ranges",
            Box::new(|b| b.endpoints[0].allowed_ranges = Some(vec!["10.0.0.0/8".parse().unwrap()])),
            "outside",
        ),
        (
            "loopback by a wide range",
            Box::new(|b| b.endpoints[0].allowed_ranges = Some(vec!["0.0.0.0/0".parse().unwrap()])),
            "loopback",
        ),
        ("plain HTTP", Box::new(|b| b.endpoints[0].plain_http = false), "use https"),
        ("another scheme", Box::new(|b| b.endpoints[0].urls = vec!["file:///etc/passwd".to_owned()]), "use https"),
        ("a user in the URL", Box::new(|b| b.endpoints[0].urls = vec!["http://u:p@127.0.0.1/".to_owned()]), "secrets"),
        ("a query in the URL", Box::new(|b| b.endpoints[0].urls = vec!["http://127.0.0.1/?a=b".to_owned()]), "query"),
        ("no URL", Box::new(|b| b.endpoints[0].urls.clear()), "no URL"),
        ("junk CA", Box::new(|b| b.endpoints[0].ca_pem = Some(b"junk".to_vec())), "ca_pem"),
        ("unknown purpose", Box::new(|b| b.endpoints[0].purpose = "admin".to_owned()), "remove it"),
        ("bound twice", Box::new(|b| b.endpoints.push(b.endpoints[0].clone())), "twice"),
        ("not bound", Box::new(|b| b.endpoints.clear()), "required"),
        ("provider id", Box::new(|b| b.provider = "a/b".to_owned()), "without '/'"),
        ("provider id upward", Box::new(|b| b.provider = "..".to_owned()), "without '/'"),
        ("table", Box::new(|b| b.description.exchanges[0].method = "X".to_owned()), "method"),
        (
            "secret",
            Box::new(|b| {
                b.secret_names.clear();
                b.description.secrets[0].required = true;
            }),
            "admin",
        ),
    ];
    let resolver = TableResolver::of("metadata.test", &["169.254.169.254", "fd00:ec2::254"]);
    resolver.set("loop.test", &["127.0.0.1"]);
    for (name, change, word) in cases {
        let mut binding = to(&["http://127.0.0.1:1".to_owned()]);
        change(&mut binding);
        let error: BindError = match Way::resolved(binding, resolver.clone()).await {
            Err(error) => error,
            Ok(_) => panic!("{name} was bound"),
        };
        assert!(error.to_string().contains(word), "{name}: {error} lacks {word:?}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Server::start(|_| reply(200, "{}")).await;
    let target = format!("{}/steal?token=T-secret-1", elsewhere.url());
    for status in [301, 302, 303, 307, 308] {
        let target = target.clone();
        let server = Server::start(move |_| {
            Response::builder().status(status).header("location", target.as_str()).body("moved".into()).unwrap()
        })
        .await;
        let way = Way::bound(to(&[server.url()])).await.unwrap();
        let got = way.send(ask("read")).await;
        let fits = |why: &str| why.contains("redirect") && !why.contains("T-secret-1");
        assert!(matches!(&got, Err(ExchangeError::Protocol(why)) if fits(why)), "{status}: {got:?}");
    }
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn the_next_server_is_asked_when_one_cannot_be_connected_also_for_changes() {
    let server = Server::start(|_| reply(200, "{}")).await;
    let dead = format!("http://{}", dead_addr());
    let way = Way::bound(to(&[dead.clone(), server.url()])).await.unwrap();
    for _ in 0..3 {
        assert_eq!(way.send(write()).await.unwrap().status, 200);
    }
    assert_eq!(server.seen().len(), 3);

    let all_dead = Way::bound(to(&[dead.clone(), format!("http://{}", dead_addr())])).await.unwrap();
    assert!(matches!(all_dead.send(write()).await, Err(ExchangeError::Unreachable(_))));
}

#[tokio::test]
async fn a_503_goes_to_the_next_server_only_when_the_exchange_is_idempotent() {
    let busy = Server::start(|_| reply(503, "{\"busy\":1}")).await;
    let fine = Server::start(|_| reply(200, "{}")).await;
    let fresh = || Way::bound(to(&[busy.url(), fine.url()]));
    assert_eq!(fresh().await.unwrap().send(ask("read")).await.unwrap().status, 200);
    assert_eq!(fresh().await.unwrap().send(ask("put")).await.unwrap().status, 200);
    assert_eq!(fresh().await.unwrap().send(write()).await.unwrap().status, 503);
    assert_eq!((busy.hits("/write"), fine.hits("/write")), (1, 0));
    let only = Way::bound(to(&[busy.url()])).await.unwrap();
    assert_eq!(body_of(&only.send(ask("read")).await.unwrap()), "{\"busy\":1}");
}

#[tokio::test]
async fn a_request_whose_answer_is_lost_may_have_been_applied_and_is_sent_to_nobody_else() {
    for answer in [&b""[..], b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"half\":"] {
        let (addr, requests) = raw_server(answer).await;
        let second = Server::start(|_| reply(200, "{}")).await;
        for request in [write(), ask("read")] {
            let way = Way::bound(to(&[format!("http://{addr}"), second.url()])).await.unwrap();
            assert_eq!(way.send(request).await, Err(ExchangeError::SentUnanswered), "{answer:?}");
        }
        assert_eq!((requests.load(Ordering::SeqCst), second.seen().len()), (2, 0), "{answer:?}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_speak_http_is_a_protocol_error() {
    let (addr, _) = raw_server(b"SSH-2.0-OpenSSH_9.9\r\n\r\n").await;
    let way = Way::bound(to(&[format!("http://{addr}")])).await.unwrap();
    let got = way.send(ask("read")).await;
    assert!(matches!(&got, Err(ExchangeError::Protocol(why)) if why.contains("does not speak HTTP")), "{got:?}");
}

#[tokio::test]
async fn time_that_ends_before_sending_is_told_from_time_that_ends_after() {
    // Nobody answers for this name, so no connection is ever begun.
    let mut unresolved = to(&["http://silent.test:80".to_owned()]);
    unresolved.endpoints[0].allowed_ranges = Some(vec!["10.0.0.0/8".parse().unwrap()]);
    let way = Way::resolved(unresolved, Arc::new(TableResolver::default())).await.unwrap();
    let hurried = ExchangeContext { remaining: Duration::from_millis(50), ..context() };
    for request in [ask("read"), write()] {
        assert_eq!(way.egress.send(&hurried, request).await, Err(ExchangeError::TimedOut));
    }

    // This one takes the request and says nothing.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut open = Vec::new();
        loop {
            open.push(listener.accept().await.unwrap());
        }
    });
    let way = Way::bound(to(&[url])).await.unwrap();
    for request in [ask("read"), write()] {
        let request = ExchangeRequest { timeout: Some(Duration::from_millis(200)), ..request };
        assert_eq!(way.send(request).await, Err(ExchangeError::SentUnanswered));
    }
}

#[tokio::test]
async fn an_answer_over_the_limit_is_refused_whether_its_length_is_told_or_not() {
    let large = Server::start(|seen| {
        let body = vec![b'x'; 2000];
        if seen.uri == "/read" {
            return Response::new(body.into());
        }
        let chunks = body.chunks(100).map(|c| Ok::<_, std::io::Error>(c.to_vec())).collect::<Vec<_>>();
        Response::new(axum::body::Body::from_stream(futures_util::stream::iter(chunks)))
    })
    .await;
    let mut binding = to(&[large.url()]);
    binding.limits.max_response_bytes = 1999;
    let way = Way::bound(binding).await.unwrap();
    assert_eq!(way.send(ask("read")).await, Err(ExchangeError::TooLarge(1999)));
    assert_eq!(way.send(ask("put")).await, Err(ExchangeError::TooLarge(1999)));
    let mut binding = to(&[large.url()]);
    binding.limits.max_response_bytes = 2000;
    assert_eq!(Way::bound(binding).await.unwrap().send(ask("put")).await.unwrap().body.len(), 2000);
}

#[tokio::test]
async fn a_compressed_answer_is_refused_since_the_mask_cannot_read_it() {
    let server =
        Server::start(|_| Response::builder().header("content-encoding", "gzip").body("xx".into()).unwrap()).await;
    let way = Way::bound(to(&[server.url()])).await.unwrap();
    assert!(matches!(&way.send(ask("read")).await, Err(ExchangeError::Protocol(why)) if why.contains("gzip")));
    assert_eq!(server.seen()[0].header("accept-encoding"), None);
}

/// A TLS server whose certificate is signed by nobody else; HTTP/2 and HTTP/1.1 by ALPN.
async fn tls_server() -> (u16, Vec<u8>, Arc<parking_lot::Mutex<Vec<support::Seen>>>) {
    use hyper_util::rt::{TokioExecutor, TokioIo};
    use tokio_rustls::rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer};
    let certified = rcgen::generate_simple_self_signed(vec!["backend.test".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (router, seen) = support::router(|_| reply(200, "{}"));
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (acceptor, router) = (acceptor.clone(), router.clone());
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let service = hyper_util::service::TowerToHyperService::new(router);
                let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                let _ = builder.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    (port, certified.cert.pem().into_bytes(), seen)
}

#[tokio::test]
async fn tls_is_trusted_by_the_bound_authority_only_and_speaks_http2() {
    let (port, pem, seen) = tls_server().await;
    let (_, other_pem, _) = tls_server().await;
    let resolver = TableResolver::of("backend.test", &["127.0.0.1"]);
    resolver.set("other.test", &["127.0.0.1"]);
    let bind = |host: &str, ca: Option<&[u8]>| {
        let mut binding = to(&[]);
        binding.endpoints = vec![EndpointBinding {
            purpose: "control".to_owned(),
            urls: vec![format!("https://{host}:{port}")],
            ca_pem: ca.map(<[u8]>::to_vec),
            ..EndpointBinding::default()
        }];
        Way::resolved(binding, resolver.clone())
    };
    let trusted = bind("backend.test", Some(&pem)).await.unwrap();
    assert_eq!(trusted.send(write()).await.unwrap().status, 200);
    assert_eq!(trusted.send(ask("read")).await.unwrap().status, 200);
    let versions: Vec<bool> = seen.lock().iter().map(|s| s.uri.starts_with("https://backend.test")).collect();
    assert_eq!(versions, [true, true], "an absolute URI is how HTTP/2 arrives");

    for (name, way) in [
        ("the system's authorities", bind("backend.test", None)),
        ("another authority", bind("backend.test", Some(&other_pem))),
        ("another name", bind("other.test", Some(&pem))),
    ] {
        let got = way.await.unwrap().send(write()).await;
        assert!(matches!(&got, Err(ExchangeError::Unreachable(_))), "{name}: {got:?}");
    }
    assert_eq!(seen.lock().len(), 2);
}

#[tokio::test]
async fn a_base_path_is_kept() {
    let server = Server::start(|_| reply(200, "{}")).await;
    let way = Way::bound(to(&[format!("{}/api/v2/", server.url())])).await.unwrap();
    way.send(ask("read")).await.unwrap();
    assert_eq!(server.seen()[0].uri, "/api/v2/read");
}
