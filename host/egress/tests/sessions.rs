//! Logins that the host runs: how often, when, and when not.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::json;
use stowage_ports::exchange::{Auth, ExchangeContext, ExchangeRequest};
use stowage_ports::{Exchange as _, ExchangeError};
use support::{PASSWORD, Seen, Server, Way, ask, ask_in_session, bearer_flow, binding, context, decl, describe, reply};

/// A backend with bearer tokens.
#[derive(Default)]
struct Backend {
    live: Mutex<BTreeSet<String>>,
    made: AtomicUsize,
    refresh_says: Mutex<Option<(u16, &'static str)>>,
    refuse_all: Mutex<bool>,
    login_says: Mutex<Option<(u16, &'static str)>>,
}

impl Backend {
    fn answer(&self, seen: &Seen) -> axum::response::Response {
        match seen.uri.as_str() {
            "/login" => match *self.login_says.lock() {
                Some((status, body)) => reply(status, body),
                None if seen.json()["password"] == PASSWORD && seen.json()["username"] == "root-user" => self.token(),
                None => reply(401, r#"{"data":"Unauthorized"}"#),
            },
            "/login/refresh" => match *self.refresh_says.lock() {
                Some((status, body)) => reply(status, body),
                None => self.token(),
            },
            _ => {
                let token = seen.header("authorization").and_then(|h| h.strip_prefix("Bearer ")).unwrap_or_default();
                let ok = self.live.lock().contains(token) && !*self.refuse_all.lock();
                if ok { reply(200, r#"{"data":"ok"}"#) } else { reply(401, r#"{"data":"Unauthorized"}"#) }
            }
        }
    }

    fn token(&self) -> axum::response::Response {
        let n = self.made.fetch_add(1, Ordering::SeqCst);
        self.live.lock().insert(format!("ACCESS-{n}"));
        let data =
            json!({"access_token": format!("ACCESS-{n}"), "refresh_token": format!("REFRESH-{n}"), "expires_in": 300});
        reply(200, &json!({"data": data}).to_string())
    }

    fn revoke(&self) {
        self.live.lock().clear();
    }
}

async fn start(with_refresh: bool) -> (Arc<Backend>, Server, Way) {
    let backend = Arc::new(Backend::default());
    let answering = Arc::clone(&backend);
    let server = Server::start(move |seen| answering.answer(seen)).await;
    let description =
        describe(vec![decl("read", "GET", "/read"), decl("write", "POST", "/write")], vec![bearer_flow(with_refresh)]);
    let way = Way::to(description, &[server.url()]).await;
    (backend, server, way)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_callers_at_once_make_one_login() {
    let (_, server, way) = start(true).await;
    let egress = Arc::clone(&way.egress);
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let egress = Arc::clone(&egress);
            tokio::spawn(async move { egress.send(&context(), ask_in_session("read")).await.unwrap().status })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap(), 200);
    }
    assert_eq!((server.hits("/login"), server.hits("/read")), (1, 50));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_callers_whose_token_was_revoked_make_one_refresh() {
    let (backend, server, way) = start(true).await;
    way.send(ask_in_session("read")).await.unwrap();
    backend.revoke();
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let egress = Arc::clone(&way.egress);
            tokio::spawn(async move { egress.send(&context(), ask_in_session("read")).await.unwrap().status })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap(), 200);
    }
    assert_eq!((server.hits("/login"), server.hits("/login/refresh")), (1, 1));
}

#[tokio::test]
async fn a_session_is_renewed_thirty_seconds_before_its_end_by_the_hosts_clock() {
    let (_, server, way) = start(true).await;
    for (advance_s, logins, refreshes) in [(0, 1, 0), (269, 1, 0), (1, 1, 1), (269, 1, 1), (1, 1, 2)] {
        way.clock.advance_ms(advance_s * 1000);
        way.send(ask_in_session("read")).await.unwrap();
        assert_eq!(
            (server.hits("/login"), server.hits("/login/refresh")),
            (logins, refreshes),
            "after {advance_s} s more"
        );
    }
    let refresh = server.seen().into_iter().find(|s| s.uri == "/login/refresh").unwrap();
    assert_eq!(refresh.json(), json!({"refresh_token": "REFRESH-0"}));
}

#[tokio::test]
async fn login_and_parameters_go_into_the_declared_places() {
    let (_, server, way) = start(true).await;
    way.send(ask_in_session("read")).await.unwrap();
    assert_eq!(server.seen()[0].json(), json!({"org": "Root", "username": "root-user", "password": PASSWORD}));

    let params = vec![("org".to_owned(), "tenant\",\"role\":\"admin".to_owned())];
    let auth = Auth::Flow { flow: "login".to_owned(), identity: "admin".to_owned(), params };
    way.send(ExchangeRequest { auth, ..ask("read") }).await.unwrap();
    let second = server.seen().into_iter().filter(|s| s.uri == "/login").nth(1).unwrap();
    assert_eq!(second.json()["org"], "tenant\",\"role\":\"admin");
    assert_eq!(second.json().as_object().unwrap().len(), 3, "a parameter adds no member");
}

#[tokio::test]
async fn a_failed_refresh_is_followed_by_one_login() {
    for says in [(401, "{}"), (400, "{}"), (500, "{}"), (200, "junk"), (200, "{}")] {
        let (backend, server, way) = start(true).await;
        way.send(ask_in_session("read")).await.unwrap();
        backend.revoke();
        *backend.refresh_says.lock() = Some(says);
        assert_eq!(way.send(ask_in_session("write")).await.unwrap().status, 200, "{says:?}");
        let hits = (server.hits("/login"), server.hits("/login/refresh"), server.hits("/write"));
        assert_eq!(hits, (2, 1, 2), "{says:?}");
    }
}

#[tokio::test]
async fn a_backend_that_refuses_every_session_is_refreshed_once_logged_in_once_then_left_alone() {
    let (backend, server, way) = start(true).await;
    *backend.refuse_all.lock() = true;
    let got = way.send(ask_in_session("read")).await;
    assert!(matches!(&got, Err(ExchangeError::AuthFailed(_))), "{got:?}");
    assert_eq!((server.hits("/login"), server.hits("/login/refresh"), server.hits("/read")), (2, 1, 3));

    for _ in 0..5 {
        assert!(matches!(way.send(ask_in_session("read")).await, Err(ExchangeError::AuthFailed(_))));
    }
    assert_eq!(server.hits("/login"), 2, "no login during the back-off");

    *backend.refuse_all.lock() = false;
    way.clock.advance_ms(10_000);
    assert_eq!(way.send(ask_in_session("read")).await.unwrap().status, 200);
    assert_eq!(server.hits("/login"), 3);
}

#[tokio::test]
async fn one_refused_exchange_does_not_take_the_session_from_the_others() {
    let backend = Arc::new(Backend::default());
    let answering = Arc::clone(&backend);
    let answer = move |seen: &Seen| if seen.uri == "/write" { reply(401, "{}") } else { answering.answer(seen) };
    let server = Server::start(answer).await;
    let description =
        describe(vec![decl("read", "GET", "/read"), decl("write", "POST", "/write")], vec![bearer_flow(true)]);
    let way = Way::to(description, &[server.url()]).await;
    way.send(ask_in_session("read")).await.unwrap();
    let got = way.send(ask_in_session("write")).await;
    assert!(matches!(&got, Err(ExchangeError::AuthFailed(_))), "{got:?}");
    assert!(server.hits("/login") <= 2, "{}", server.hits("/login"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_wrong_password_is_tried_once_by_any_number_of_callers_until_the_back_off_ends() {
    let (_, server, way) = start(true).await;
    way.secrets.set("providers/test/admin", "password", "wrong-password");
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let egress = Arc::clone(&way.egress);
            tokio::spawn(async move { egress.send(&context(), ask_in_session("read")).await })
        })
        .collect();
    for call in calls {
        let got = call.await.unwrap();
        assert!(matches!(&got, Err(ExchangeError::AuthFailed(why)) if !why.contains("wrong-password")), "{got:?}");
    }
    assert_eq!((server.hits("/login"), server.hits("/read")), (1, 0));
    way.secrets.set("providers/test/admin", "password", PASSWORD);
    way.clock.advance_ms(10_000);
    assert_eq!(way.send(ask_in_session("read")).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_lock_out_is_waited_for_without_asking_again() {
    for (says, seconds) in [
        (r#"{"data":"Authentication Failed. User has been locked out for 2 minutes"}"#, 120),
        (r#"{"data":"locked out for another 1m55s"}"#, 115),
        (r#"{"data":"locked out"}"#, 120),
    ] {
        let (backend, server, way) = start(true).await;
        *backend.login_says.lock() = Some((403, says));
        assert_eq!(way.send(ask_in_session("read")).await, Err(ExchangeError::LockedOut(seconds)), "{says}");
        *backend.login_says.lock() = None;
        way.clock.advance_ms(u64::from(seconds) * 1000 - 1500);
        assert_eq!(way.send(ask_in_session("read")).await, Err(ExchangeError::LockedOut(2)), "{says}");
        assert_eq!(server.hits("/login"), 1, "{says}");
        way.clock.advance_ms(1500);
        assert_eq!(way.send(ask_in_session("read")).await.unwrap().status, 200, "{says}");
    }
}

#[tokio::test]
async fn a_lock_out_seen_in_the_middle_of_a_session_holds_too() {
    let answer = |seen: &Seen| match seen.uri.as_str() {
        "/login" => reply(200, r#"{"data":{"access_token":"ACCESS-1"}}"#),
        _ => reply(403, "locked out for 30 s"),
    };
    let server = Server::start(answer).await;
    let way = Way::to(describe(vec![decl("read", "GET", "/read")], vec![bearer_flow(false)]), &[server.url()]).await;
    for _ in 0..3 {
        assert_eq!(way.send(ask_in_session("read")).await, Err(ExchangeError::LockedOut(30)));
    }
    assert_eq!((server.hits("/login"), server.hits("/read")), (1, 1));
}

#[tokio::test]
async fn a_login_that_is_down_or_junk_is_not_remembered_and_says_what_it_was() {
    let (backend, server, way) = start(true).await;
    for (status, body) in [(500, "{}"), (503, "{}"), (429, "{}")] {
        *backend.login_says.lock() = Some((status, body));
        let got = way.send(ask_in_session("read")).await;
        assert!(matches!(&got, Err(ExchangeError::Unreachable(why)) if why.contains(&status.to_string())), "{got:?}");
    }
    for body in
        ["<html>", "{}", r#"{"data":[]}"#, r#"{"data":{"access_token":""}}"#, r#"{"data":{"access_token":"a\nb"}}"#]
    {
        *backend.login_says.lock() = Some((200, body));
        assert!(matches!(way.send(ask_in_session("read")).await, Err(ExchangeError::Protocol(_))), "{body}");
    }
    *backend.login_says.lock() = None;
    assert_eq!(way.send(ask_in_session("read")).await.unwrap().status, 200);
    assert_eq!(server.hits("/login"), 9);
}

#[tokio::test]
async fn a_missing_login_secret_or_parameter_is_named() {
    let (_, server, way) = start(true).await;
    let flow = |identity: &str, params| ExchangeRequest {
        auth: Auth::Flow { flow: "login".to_owned(), identity: identity.to_owned(), params },
        ..ask("read")
    };
    let org = vec![("org".to_owned(), "Root".to_owned())];
    let nobody = way.send(flow("nobody", org.clone())).await;
    assert!(matches!(&nobody, Err(ExchangeError::NoSuchSecret(why)) if why.contains("nobody")), "{nobody:?}");
    let no_field = way.send(flow("keys", org)).await;
    assert!(matches!(&no_field, Err(ExchangeError::NoSuchSecret(why)) if why.contains("username")), "{no_field:?}");
    let no_org = way.send(flow("admin", vec![])).await;
    assert!(matches!(&no_org, Err(ExchangeError::Denied(why)) if why.contains("org")), "{no_org:?}");
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_caller_that_gives_up_does_not_break_the_login_off_for_the_next() {
    let (release, held) = std::sync::mpsc::channel::<()>();
    let held = Arc::new(Mutex::new(held));
    let answer = move |seen: &Seen| match seen.uri.as_str() {
        "/login" => {
            held.lock().recv().unwrap();
            reply(200, r#"{"data":{"access_token":"ACCESS-1"}}"#)
        }
        _ => reply(200, "{}"),
    };
    // The held answer blocks a thread of its own runtime.
    let (up, address) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            up.send(Server::start(answer).await).unwrap();
            std::future::pending::<()>().await;
        });
    });
    let server = address.recv().unwrap();
    let way = Way::to(describe(vec![decl("read", "GET", "/read")], vec![bearer_flow(false)]), &[server.url()]).await;
    let hurried = ExchangeContext { remaining: Duration::from_millis(50), ..context() };
    assert_eq!(
        way.egress.send(&hurried, ask_in_session("read")).await,
        Err(ExchangeError::TimedOut),
        "nothing of it was sent"
    );
    release.send(()).unwrap();
    assert_eq!(way.send(ask_in_session("read")).await.unwrap().status, 200);
    assert_eq!((server.hits("/login"), server.hits("/read")), (1, 1));
}

#[tokio::test]
async fn sessions_of_different_parameters_are_different() {
    let (_, server, way) = start(true).await;
    for org in ["a", "b", "a"] {
        let params = vec![("org".to_owned(), org.to_owned())];
        let auth = Auth::Flow { flow: "login".to_owned(), identity: "admin".to_owned(), params };
        way.send(ExchangeRequest { auth, ..ask("read") }).await.unwrap();
    }
    assert_eq!(server.hits("/login"), 2);
}

#[tokio::test]
async fn a_refused_login_of_one_provider_is_not_the_others() {
    let (_, server, way) = start(true).await;
    way.secrets.set("providers/test/admin", "password", "wrong-password");
    assert!(way.send(ask_in_session("read")).await.is_err());
    let description = describe(vec![decl("read", "GET", "/read")], vec![bearer_flow(true)]);
    let other =
        Way::bound(stowage_egress::Binding { provider: "test-b".to_owned(), ..binding(description, &[server.url()]) });
    assert_eq!(other.await.unwrap().send(ask_in_session("read")).await.unwrap().status, 200);
}
