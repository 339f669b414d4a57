//! Guests against the real way out, with a backend on loopback. Throughout each, a neighbour's calls keep working.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use parking_lot::Mutex;
use secrecy::SecretString;
use serde_json::json;
use stowage_egress::{Egress, EgressLimits, EndpointBinding, Redactor, Resolver};
use stowage_plugin::{Binding, CallLimits, Engine, EngineLimits};
use stowage_ports::provider::{Call, CallContext, Finding, NamespaceSpec, NativeRef, ProbeMode, Provider};
use stowage_ports::{Clock, ManualClock, SecretError, SecretName, Secrets};

use crate::support::{MemoryState, admit, beside_a_neighbour, cx, engine};

const PASSWORD: &str = "correct-horse-battery";
const TOKEN: &str = "tok-5f3a9c1e77";
const SEALED: &str = "sealed-9d2b41aa0c";
const MARKER: &str = "marker-in-plain-sight";

/// What the backend was asked: method, path with query, headers, body.
type Seen = Arc<Mutex<Vec<(Method, String, HeaderMap, String)>>>;

async fn backend() -> (SocketAddr, Seen) {
    let seen = Seen::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = axum::Router::new().fallback(answer).with_state(seen.clone());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (address, seen)
}

async fn answer(State(seen): State<Seen>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let body = String::from_utf8_lossy(&body).into_owned();
    seen.lock().push((method, uri.to_string(), headers, body.clone()));
    match uri.path() {
        "/echo" => ([("x-echo", body.clone())], body).into_response(),
        "/redirect" => (StatusCode::FOUND, [("location", "http://169.254.169.254/latest/meta-data")]).into_response(),
        "/login" => axum::Json(json!({ "token": TOKEN, "expires_in": 3600 })).into_response(),
        "/data" => axum::Json(json!({ "marker": MARKER, "who": format!("Bearer {TOKEN}") })).into_response(),
        "/keys" => axum::Json(json!({ "id": "AK1", "secret": SEALED })).into_response(),
        _ => axum::Json(json!({})).into_response(),
    }
}

/// One account, and whatever is captured.
#[derive(Default)]
struct Vault(Mutex<BTreeMap<(String, String), SecretString>>);

#[async_trait]
impl Secrets for Vault {
    async fn get(&self, name: &SecretName, field: &str) -> Result<SecretString, SecretError> {
        let fixed = match (name.as_str(), field) {
            ("test/admin", "username") => Some("ada-lovelace"),
            ("test/admin", "password") => Some(PASSWORD),
            _ => None,
        };
        let missing = || SecretError::Missing { name: name.to_string(), field: field.to_owned() };
        let kept = || self.0.lock().get(&(name.to_string(), field.to_owned())).cloned();
        fixed.map(SecretString::from).or_else(kept).ok_or_else(missing)
    }
    async fn put(&self, name: &SecretName, fields: Vec<(String, SecretString)>) -> Result<(), SecretError> {
        for (field, value) in fields {
            self.0.lock().insert((name.to_string(), field), value);
        }
        Ok(())
    }
    async fn delete(&self, name: &SecretName) -> Result<(), SecretError> {
        self.0.lock().retain(|(kept, _), _| kept != name.as_str());
        Ok(())
    }
}

/// Every name is loopback, until it is switched: then it is the metadata service.
#[derive(Default)]
struct Names(AtomicBool);

#[async_trait]
impl Resolver for Names {
    async fn resolve(&self, _: &str) -> std::io::Result<Vec<IpAddr>> {
        let metadata = Ipv4Addr::new(169, 254, 169, 254);
        Ok(vec![IpAddr::V4(if self.0.load(Ordering::SeqCst) { metadata } else { Ipv4Addr::LOCALHOST })])
    }
}

struct House {
    engine: Engine,
    hostile: Arc<dyn Provider>,
    seen: Seen,
    names: Arc<Names>,
}

impl House {
    async fn of(guest: &str, config: serde_json::Value) -> Self {
        let engine = engine(EngineLimits::default());
        let (address, seen) = backend().await;
        let admitted = admit(&engine, guest).await.unwrap_or_else(|error| panic!("{guest}: {error}"));
        let description = admitted.description().clone();
        let endpoint = |purpose: &str, host: &str| EndpointBinding {
            purpose: purpose.to_owned(),
            urls: vec![format!("http://{host}:{}", address.port())],
            allowed_ranges: None,
            ca_pem: None,
            plain_http: true,
        };
        let mut endpoints = vec![endpoint("backend", "127.0.0.1")];
        if description.endpoints.iter().any(|need| need.purpose == "rebound") {
            endpoints.push(endpoint("rebound", "backend.example"));
        }
        let names = Arc::new(Names::default());
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(1_700_000_000_000));
        let egress = Egress::bind_with_resolver(
            stowage_egress::Binding {
                provider: "hostile".to_owned(),
                description,
                endpoints,
                secret_names: [("admin".to_owned(), SecretName::parse("test/admin").unwrap())].into(),
                limits: EgressLimits::default(),
                forbidden: Vec::new(),
                redactor: Redactor::new(),
            },
            Arc::new(Vault::default()),
            clock.clone(),
            names.clone(),
        );
        let binding = Binding {
            provider: "hostile".to_owned(),
            config,
            exchange: egress.await.unwrap_or_else(|error| panic!("{guest}: {error}")),
            state: Arc::new(MemoryState::default()),
            clock,
            limits: CallLimits::default(),
        };
        let hostile = engine.bind(&admitted, binding).unwrap();
        Self { engine, hostile, seen, names }
    }

    /// What the guest tried and what it saw.
    async fn tried(&self, cx: &CallContext) -> BTreeMap<String, String> {
        let called = beside_a_neighbour(&self.engine, self.hostile.preflight(cx, ProbeMode::ReadOnly)).await.unwrap();
        called.value.into_iter().map(|Finding { check, seen, .. }| (check, seen)).collect()
    }
}

fn crypto() {
    rustls::crypto::ring::default_provider().install_default().ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forged_headers_are_refused_and_never_sent() {
    crypto();
    let house = House::of("forged_headers", json!({})).await;
    for (name, seen) in house.tried(&cx()).await {
        assert!(seen.starts_with("refused: "), "{name}: {seen}");
    }
    assert!(house.seen.lock().is_empty(), "nothing reached the backend");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn undeclared_and_unsafe_exchanges_are_refused_and_never_sent() {
    crypto();
    let house = House::of("undeclared_exchange", json!({})).await;
    let tried = house.tried(&CallContext { safe_only: true, ..cx() }).await;
    assert!(tried["declared"].starts_with("200"), "{tried:?}");
    assert!(tried["undeclared"].starts_with("refused: "), "{tried:?}");
    assert!(tried["unsafe"].starts_with("refused: "), "{tried:?}");
    assert!(tried["climbing"].starts_with("refused: "), "{tried:?}");
    let paths: Vec<String> = house.seen.lock().iter().map(|(_, path, ..)| path.clone()).collect();
    assert!(paths.iter().all(|path| path == "/ping" || path == "/items/a%3Fadmin%3D1%23x"), "{paths:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_outside_its_place_is_refused_and_nothing_is_sent() {
    crypto();
    let house = House::of("slot_elsewhere", json!({})).await;
    for (place, seen) in house.tried(&cx()).await {
        assert!(seen.starts_with("refused: "), "{place}: {seen}");
        assert!(!seen.contains(PASSWORD), "{place}: {seen}");
    }
    assert!(house.seen.lock().is_empty(), "nothing reached the backend");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_echo_of_an_injected_secret_is_masked() {
    crypto();
    let house = House::of("echo_secret", json!({})).await;
    let tried = house.tried(&cx()).await;
    assert!(house.seen.lock()[0].3.contains(PASSWORD), "the backend got the real one");
    assert!(tried["body"].starts_with("200 ") && tried["body"].contains("ada"), "{tried:?}");
    for (place, seen) in tried {
        assert!(!seen.contains(PASSWORD), "{place}: {seen}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_placeholder_in_a_tenants_label_stays_text() {
    crypto();
    let house = House::of("smuggled_label", json!({})).await;
    let labels = ["{{admin.password}}", "${secret:admin:password}", "%7Badmin%7D", "\u{1}admin/password\u{1}"];
    for label in labels {
        let spec = NamespaceSpec {
            tenant: NativeRef(Vec::new()),
            project: "p".to_owned(),
            name: "n".to_owned(),
            physical_id: "id1".to_owned(),
            protocols: Vec::new(),
            limits: Vec::new(),
            prefixes: Vec::new(),
            posix: None,
            labels: vec![("team".to_owned(), label.to_owned())],
            extensions: Vec::new(),
        };
        let call = Call { owner: "op-1".to_owned(), attempt: 1, ..Call::default() };
        house.seen.lock().clear();
        let made = beside_a_neighbour(&house.engine, house.hostile.create_namespace(&cx(), &call, &spec)).await;
        let seen = house.seen.lock().clone();
        let Some((_, path, headers, body)) = seen.first() else {
            assert!(label.contains('\u{1}'), "only a control character in a header is refused: {made:?}");
            continue;
        };
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(body, json!({ "label": label, "password": PASSWORD }));
        assert!(!path.contains(PASSWORD) && !format!("{headers:?}").contains(PASSWORD), "{path} {headers:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redirects_and_rebound_names_lead_nowhere() {
    crypto();
    let house = House::of("forbidden_addresses", json!({})).await;
    house.names.0.store(true, Ordering::SeqCst);
    let tried = house.tried(&cx()).await;
    assert!(!tried["redirect"].starts_with("200"), "the redirect was not followed: {tried:?}");
    assert!(tried["rebound"].starts_with("refused: "), "{tried:?}");
    assert!(tried["unbound"].starts_with("refused: "), "{tried:?}");
    let paths: Vec<String> = house.seen.lock().iter().map(|(_, path, ..)| path.clone()).collect();
    assert_eq!(paths, ["/redirect"], "only the bound endpoint was asked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_in_the_guests_memory_after_a_login() {
    crypto();
    let flipped = |text: &str| text.bytes().map(|byte| !byte).collect::<Vec<u8>>();
    let names = [("marker", MARKER), ("password", PASSWORD), ("token", TOKEN), ("sealed", SEALED)];
    let patterns: Vec<_> = names.iter().map(|(name, text)| json!([name, flipped(text)])).collect();
    let house = House::of("memory_search", json!({ "patterns": patterns })).await;
    let tried = house.tried(&cx()).await;
    assert!(tried["data"].starts_with("200 ") && tried["key"].starts_with("200 "), "{tried:?}");
    assert_ne!(tried["marker"], "0", "the search finds what is there");
    for secret in ["password", "token", "sealed"] {
        assert_eq!(tried[secret], "0", "{secret} stands in the guest's memory");
    }
    let seen = house.seen.lock();
    let login = seen.iter().find(|(_, path, ..)| path == "/login").unwrap();
    assert!(login.3.contains(PASSWORD), "the host did log in");
    let data = seen.iter().find(|(_, path, ..)| path == "/data").unwrap();
    assert_eq!(data.2["authorization"], format!("Bearer {TOKEN}"));
}
