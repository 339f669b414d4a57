//! Secrets go in at declared places and come back only as handles.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;
use stowage_ports::exchange::{Auth, Body, ExchangeContext, ExchangeRequest, Step};
use stowage_ports::provider::{ExchangeDecl, PlaceKeep, SensitivePlace};
use stowage_ports::{Exchange as _, ExchangeError, SecretName, Secrets as _};
use support::{
    PASSWORD, Server, Way, ask, ask_in_session, bearer_flow, body_of, context, decl, describe, json_of, pointer, reply,
    reply_json, sealed, slot,
};

fn create_user() -> ExchangeDecl {
    ExchangeDecl { slots: vec![pointer("/password")], ..decl("create", "POST", "/users") }
}

fn filled(exchange: &str) -> ExchangeRequest {
    let body = Body::Json(b"{\"name\":\"n\"}".to_vec());
    ExchangeRequest { body, slots: vec![slot(pointer("/password"), "admin", "password")], ..ask(exchange) }
}

/// Every way in which a backend may say a password again.
fn echoes() -> Vec<(&'static str, String)> {
    let percent = percent_encoding::utf8_percent_encode(PASSWORD, percent_encoding::NON_ALPHANUMERIC).to_string();
    let unicode: String = PASSWORD.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect();
    let decimal: String = PASSWORD.chars().map(|c| format!("&#{};", u32::from(c))).collect();
    vec![
        ("raw", PASSWORD.to_owned()),
        ("percent", percent.clone()),
        ("percent lower", percent.replace("%2D", "%2d")),
        ("form", url::form_urlencoded::byte_serialize(PASSWORD.as_bytes()).collect()),
        ("base64", STANDARD.encode(PASSWORD)),
        ("base64 url", URL_SAFE_NO_PAD.encode(PASSWORD)),
        ("basic", STANDARD.encode(format!("root-user:{PASSWORD}"))),
        ("basic in percent", STANDARD.encode(format!("u:{PASSWORD}")).replace('=', "%3D")),
        ("hex", hex::encode(PASSWORD)),
        ("hex upper", hex::encode_upper(PASSWORD)),
        ("json unicode", unicode),
        ("xml", PASSWORD.replace('&', "&amp;")),
        ("xml decimal", decimal),
    ]
}

#[tokio::test]
async fn an_injected_secret_that_is_echoed_is_masked_in_every_encoding_body_and_headers() {
    let server = Server::start(|seen| {
        let (_, echo) = echoes().swap_remove(seen.header("x-case").unwrap().parse().unwrap());
        let response = axum::response::Response::builder().header("x-echo", &echo);
        let body = match seen.header("x-kind").unwrap() {
            "json" => {
                json!({"message": format!("bad value <{echo}> in field"), "list": [echo], echo.clone(): 1}).to_string()
            }
            // The escapes as they are, without a second layer.
            "written" => format!("{{\"message\":\"{echo}\"}}"),
            "xml" => format!("<e><m a=\"{}\">x {} y</m></e>", echo.replace('&', "&amp;"), echo.replace('&', "&amp;")),
            _ => format!("error: {echo}, sorry"),
        };
        response.status(400).body(body.into()).unwrap()
    })
    .await;
    let way = Way::to(describe(vec![create_user()], vec![]), &[server.url()]).await;
    for (i, (name, echo)) in echoes().into_iter().enumerate() {
        for kind in ["json", "written", "xml", "text"] {
            let headers = vec![("x-case".to_owned(), i.to_string()), ("x-kind".to_owned(), kind.to_owned())];
            let got = way.send(ExchangeRequest { headers, ..filled("create") }).await.unwrap();
            let all = format!("{} {:?}", body_of(&got), got.headers);
            assert!(all.contains("[masked]"), "{name} in {kind}: {all}");
            for (other, form) in echoes().iter().filter(|(n, _)| !n.starts_with("basic")) {
                assert!(!all.contains(form), "{name} in {kind} left as {other}: {all}");
            }
            assert!(!all.contains(&echo), "{name} in {kind}: {all}");
        }
    }
    assert!(server.seen().iter().all(|seen| seen.json()["password"] == PASSWORD));
}

#[tokio::test]
async fn fields_named_like_secrets_are_masked_though_nobody_declared_them() {
    let server = Server::start(|_| {
        let body = json!({"data": [{"id": 18446744073709551615_u64, "access_key": "AK1", "secret_key": "SK1", "apiToken": "T1"}],
            "next_token": "page2", "token_expiry": 300});
        let mut reply = reply_json(&body);
        for (name, value) in [("set-cookie", "sid=S1"), ("x-auth-token", "X1"), ("x-request-id", "r")] {
            reply.headers_mut().insert(name, value.parse().unwrap());
        }
        reply
    })
    .await;
    let way = Way::to(describe(vec![decl("read", "GET", "/")], vec![]), &[server.url()]).await;
    let got = way.send(ask("read")).await.unwrap();
    let want = json!({"data": [{"id": 18446744073709551615_u64, "access_key": "AK1", "secret_key": "[masked]", "apiToken": "[masked]"}],
        "next_token": "page2", "token_expiry": 300});
    assert_eq!(json_of(&got), want);
    let names: Vec<&str> = got.headers.iter().map(|(n, _)| n.as_str()).collect();
    assert!(
        names.contains(&"x-request-id") && !names.contains(&"set-cookie") && !names.contains(&"x-auth-token"),
        "{names:?}"
    );
}

#[tokio::test]
async fn declared_places_become_handles_that_later_requests_can_use() {
    let sts = ExchangeDecl {
        sensitive: vec![
            sealed("/data/secret_key"),
            sealed("/data/absent"),
            SensitivePlace { at: pointer("/data/session"), keep: PlaceKeep::Stored("s3/session".to_owned()) },
        ],
        ..decl("sts", "POST", "/sts/{user}")
    };
    let server = Server::start(|seen| {
        let key = format!("SK-{}-of-{}", seen.header("x-turn").unwrap_or("1"), seen.uri);
        reply_json(&json!({"data": {"access_key": "AK", "secret_key": key, "session": "sess-12345", "again": key}}))
    })
    .await;
    let way = Way::to(describe(vec![sts, create_user()], vec![]), &[server.url()]).await;
    let sts = |user: &str, turn: &str| ExchangeRequest {
        params: vec![("user".to_owned(), user.to_owned())],
        headers: vec![("x-turn".to_owned(), turn.to_owned())],
        ..ask("sts")
    };

    let first = way.send(sts("u1", "1")).await.unwrap();
    assert_eq!(
        json_of(&first),
        json!({"data": {"access_key": "AK", "secret_key": "[masked]", "session": "[masked]", "again": "[masked]"}})
    );
    let [Some(key), None, Some(session)] = first.captured.as_slice() else { panic!("{:?}", first.captured) };
    assert!(key.starts_with("sealed/test-a/") && !key.contains("SK-"), "{key}");
    assert_eq!(session, "stored/test-a/s3/session");
    assert_eq!(way.secrets.value(key, "value").unwrap(), "SK-1-of-/sts/u1");
    assert_eq!(way.secrets.value(session, "value").unwrap(), "sess-12345");

    let replayed = way.send(sts("u1", "2")).await.unwrap();
    assert_eq!(replayed.captured, first.captured, "a replay of the same owner keeps its handles");
    assert_eq!(way.secrets.value(key, "value").unwrap(), "SK-2-of-/sts/u1");
    let other = way.send(sts("u2", "1")).await.unwrap();
    assert_ne!(other.captured[0], first.captured[0]);
    let another_owner = ExchangeContext { owner: Some("owner-2".to_owned()), ..context() };
    assert_ne!(way.egress.send(&another_owner, sts("u1", "1")).await.unwrap().captured[0], first.captured[0]);

    let use_it = ExchangeRequest { slots: vec![slot(pointer("/password"), key, "value")], ..filled("create") };
    way.send(use_it).await.unwrap();
    assert_eq!(server.seen().last().unwrap().json()["password"], "SK-2-of-/sts/u1");

    assert!(way.redactor.redact("log: SK-2-of-/sts/u1").is_some(), "captured values are known to the redactor");
    assert_eq!(way.egress.redact("key sess-12345 seen").as_deref(), Some("key [masked] seen"));
    assert_eq!(way.egress.redact("nothing"), None);
}

#[tokio::test]
async fn a_failed_answer_stores_nothing_and_still_shows_no_sensitive_place() {
    let sts = ExchangeDecl { sensitive: vec![sealed("/data/k")], ..decl("sts", "POST", "/sts") };
    let server = Server::start(|_| reply(500, r#"{"data":{"k":"K-secret-1"}}"#)).await;
    let way = Way::to(describe(vec![sts], vec![]), &[server.url()]).await;
    let before = way.secrets.names();
    let got = way.send(ask("sts")).await.unwrap();
    assert_eq!((got.status, got.captured.as_slice()), (500, &[None][..]));
    assert_eq!(body_of(&got), r#"{"data":{"k":"[masked]"}}"#);
    assert_eq!(way.secrets.names(), before);
}

#[tokio::test]
async fn a_200_of_another_kind_than_the_declared_places_is_not_shown() {
    let sts = ExchangeDecl { sensitive: vec![sealed("/data/k")], ..decl("sts", "POST", "/sts") };
    let server = Server::start(|seen| {
        let body = if seen.header("x-case") == Some("1") { "{\"data\":{\"k\":\"K-secret-1\"}" } else { "<html>junk" };
        reply(200, body)
    })
    .await;
    let way = Way::to(describe(vec![sts], vec![]), &[server.url()]).await;
    for case in ["1", "2"] {
        let headers = vec![("x-case".to_owned(), case.to_owned())];
        let got = way.send(ExchangeRequest { headers, ..ask("sts") }).await;
        assert!(matches!(&got, Err(ExchangeError::Protocol(why)) if !why.contains("K-secret")), "{got:?}");
    }
}

#[tokio::test]
async fn an_answer_whose_secret_cannot_be_kept_counts_as_lost() {
    struct ReadOnly;
    #[async_trait::async_trait]
    impl stowage_ports::Secrets for ReadOnly {
        async fn get(
            &self,
            name: &SecretName,
            field: &str,
        ) -> Result<secrecy::SecretString, stowage_ports::SecretError> {
            Err(stowage_ports::SecretError::Missing { name: name.to_string(), field: field.to_owned() })
        }
        async fn put(
            &self,
            _: &SecretName,
            _: Vec<(String, secrecy::SecretString)>,
        ) -> Result<(), stowage_ports::SecretError> {
            Err(stowage_ports::SecretError::ReadOnly("test".to_owned()))
        }
        async fn delete(&self, _: &SecretName) -> Result<(), stowage_ports::SecretError> {
            Ok(())
        }
    }
    let sts = ExchangeDecl { sensitive: vec![sealed("/k")], ..decl("sts", "POST", "/sts") };
    let server = Server::start(|_| reply(200, r#"{"k":"K-secret-1"}"#)).await;
    let binding = support::binding(describe(vec![sts], vec![]), &[server.url()]);
    let clock = std::sync::Arc::new(stowage_ports::SystemClock);
    let egress = stowage_egress::Egress::bind(binding, std::sync::Arc::new(ReadOnly), clock).await.unwrap();
    assert_eq!(egress.send(&context(), ask("sts")).await, Err(ExchangeError::SentUnanswered));
}

#[tokio::test]
async fn basic_and_sigv4_are_made_by_the_host_and_masked_when_echoed() {
    let server = Server::start(|seen| {
        reply(
            403,
            &json!({"said": seen.header("authorization"), "token": seen.header("x-amz-security-token")}).to_string(),
        )
    })
    .await;
    let way = Way::to(describe(vec![decl("read", "GET", "/b")], vec![]), &[server.url()]).await;
    let basic = way.send(ExchangeRequest { auth: Auth::Basic("admin".to_owned()), ..ask("read") }).await.unwrap();
    let sent = server.seen()[0].header("authorization").unwrap().to_owned();
    assert_eq!(sent, format!("Basic {}", STANDARD.encode(format!("root-user:{PASSWORD}"))));
    let said = json_of(&basic)["said"].as_str().unwrap().to_owned();
    assert!(said.contains("[masked]") && !sent.contains(&said), "{said}");

    way.secrets.set("providers/test/keys", "session-token", "FwoGZXIvYXdzEXAMPLETOKEN");
    let auth = Auth::Sigv4 { keys: "keys".to_owned(), service: "s3".to_owned(), region: "us-east-1".to_owned() };
    let signed = way.send(ExchangeRequest { auth, ..ask("read") }).await.unwrap();
    let seen = server.seen().remove(1);
    let sent = seen.header("authorization").unwrap();
    assert!(sent.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20231114/us-east-1/s3/aws4_request"), "{sent}");
    assert!(sent.contains("host;x-amz-content-sha256;x-amz-date;x-amz-security-token"), "{sent}");
    assert_eq!(seen.header("x-amz-date"), Some("20231114T221320Z"), "the host's clock signs");
    assert_eq!(seen.header("x-amz-security-token"), Some("FwoGZXIvYXdzEXAMPLETOKEN"));
    assert_eq!(json_of(&signed)["token"], "[masked]");
}

#[tokio::test]
async fn a_user_without_keys_signs_with_its_name_and_password() {
    let server = Server::start(|_| reply(200, "{}")).await;
    let sts = ExchangeDecl { safe: false, ..decl("sts", "POST", "/") };
    let way = Way::to(describe(vec![sts], vec![]), &[server.url()]).await;
    let made = SecretName::parse("made/test-a/sw-ab12cd34").unwrap();
    let pair = vec![("username".to_owned(), "sw-ab12cd34".into()), ("password".to_owned(), "made-by-host-1".into())];
    way.secrets.put(&made, pair).await.unwrap();
    let sign = |keys: &str| Auth::Sigv4 { keys: keys.to_owned(), service: "sts".to_owned(), region: "r-1".to_owned() };
    let body = Body::Form(vec![("Action".to_owned(), "AssumeRole".to_owned())]);
    way.send(ExchangeRequest { auth: sign(made.as_str()), body, ..ask("sts") }).await.unwrap();
    let sent = server.seen().remove(0).header("authorization").unwrap().to_owned();
    assert!(sent.starts_with("AWS4-HMAC-SHA256 Credential=sw-ab12cd34/20231114/r-1/sts/aws4_request"), "{sent}");
    assert!(!sent.contains("made-by-host-1"));
    let empty = SecretName::parse("made/test-a/empty").unwrap();
    way.secrets.put(&empty, vec![("other".to_owned(), "of-no-use-here".into())]).await.unwrap();
    let refused = way.send(ExchangeRequest { auth: sign(empty.as_str()), ..ask("sts") }).await;
    assert!(matches!(&refused, Err(ExchangeError::NoSuchSecret(why)) if why.contains("password")), "{refused:?}");
}

#[tokio::test]
async fn slots_in_forms_headers_and_embedded_texts_are_filled() {
    let places = vec![
        vec![Step::FormField("Password".to_owned())],
        vec![Step::Header("x-api-key".to_owned())],
        [vec![Step::FormField("conf".to_owned()), Step::EmbeddedJson], pointer("/key")].concat(),
    ];
    let form = ExchangeDecl { slots: places.clone(), ..decl("form", "POST", "/form") };
    let server = Server::start(|_| reply(200, "")).await;
    let way = Way::to(describe(vec![form], vec![]), &[server.url()]).await;
    let slots = places.into_iter().map(|at| slot(at, "admin", "password")).collect();
    let body = Body::Form(vec![("Action".to_owned(), "x".to_owned()), ("conf".to_owned(), "{\"a\":1}".to_owned())]);
    way.send(ExchangeRequest { body, slots, ..ask("form") }).await.unwrap();
    let seen = server.seen().remove(0);
    let fields: Vec<(String, String)> = url::form_urlencoded::parse(seen.body.as_bytes()).into_owned().collect();
    let conf = json!({"a": 1, "key": PASSWORD}).to_string();
    let want = [("Action", "x"), ("conf", conf.as_str()), ("Password", PASSWORD)];
    assert_eq!(fields, want.map(|(k, v)| (k.to_owned(), v.to_owned())));
    assert_eq!(seen.header("x-api-key"), Some(PASSWORD));
}

#[tokio::test]
async fn a_secret_made_by_the_host_stands_under_its_own_name() {
    let server = Server::start(|_| reply(200, "{}")).await;
    let way = Way::to(describe(vec![create_user()], vec![]), &[server.url()]).await;
    let made = SecretName::parse("made/test-a/s3-user").unwrap();
    way.secrets.put(&made, vec![("password".to_owned(), "made-by-host-1".into())]).await.unwrap();
    let principal = SecretName::parse("made/test-a/principals/p1").unwrap();
    way.secrets.put(&principal, vec![("password".to_owned(), "made-by-host-2".into())]).await.unwrap();
    for (name, want) in [("s3-user", "made-by-host-1"), ("made/test-a/principals/p1", "made-by-host-2")] {
        let request = ExchangeRequest { slots: vec![slot(pointer("/password"), name, "password")], ..filled("create") };
        way.send(request).await.unwrap();
        assert_eq!(server.seen().last().unwrap().json()["password"], want);
    }
}

#[tokio::test]
async fn a_session_token_that_is_echoed_is_masked_and_in_no_log() {
    let server = Server::start(|seen| match seen.uri.as_str() {
        "/login" => reply(200, r#"{"data":{"access_token":"ACCESS-1","expires_in":300,"refresh_token":"REFRESH-1"}}"#),
        _ => reply_json(&json!({"seen": seen.header("authorization"), "refresh": "REFRESH-1"})),
    })
    .await;
    let way = Way::to(describe(vec![decl("read", "GET", "/r")], vec![bearer_flow(true)]), &[server.url()]).await;
    let got = way.send(ask_in_session("read")).await.unwrap();
    assert_eq!(json_of(&got)["seen"], "Bearer [masked]");
    for value in ["ACCESS-1", "REFRESH-1", PASSWORD] {
        let line = format!("guest says {value}");
        assert_eq!(way.egress.redact(&line).as_deref(), Some("guest says [masked]"), "{value}");
    }
}
