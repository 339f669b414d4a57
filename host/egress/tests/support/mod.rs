//! A provider instance bound to servers on loopback.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part")]

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Bytes;
use axum::extract::Request;
use axum::response::Response;
use parking_lot::Mutex;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use stowage_egress::{BindError, Binding, Egress, EgressLimits, EndpointBinding, Redactor, Resolver};
use stowage_ports::exchange::{Auth, Body, ExchangeContext, ExchangeRequest, SecretRef, Slot, Step};
use stowage_ports::provider::{
    AuthFlow, Description, EndpointNeed, ExchangeDecl, Matcher, PlaceKeep, SecretNeed, SensitivePlace,
};
use stowage_ports::{Exchange as _, ExchangeError, ExchangeResponse, ManualClock, SecretError, SecretName, Secrets};

/// Secrets in memory.
#[derive(Default)]
pub struct MemorySecrets(Mutex<BTreeMap<(String, String), String>>);

impl MemorySecrets {
    pub fn set(&self, name: &str, field: &str, value: &str) {
        self.0.lock().insert((name.to_owned(), field.to_owned()), value.to_owned());
    }

    pub fn value(&self, name: &str, field: &str) -> Option<String> {
        self.0.lock().get(&(name.to_owned(), field.to_owned())).cloned()
    }

    pub fn names(&self) -> Vec<String> {
        self.0.lock().keys().map(|(name, _)| name.clone()).collect()
    }
}

#[async_trait]
impl Secrets for MemorySecrets {
    async fn get(&self, name: &SecretName, field: &str) -> Result<SecretString, SecretError> {
        let missing = SecretError::Missing { name: name.to_string(), field: field.to_owned() };
        self.value(name.as_str(), field).map(SecretString::from).ok_or(missing)
    }

    async fn put(&self, name: &SecretName, fields: Vec<(String, SecretString)>) -> Result<(), SecretError> {
        fields.iter().for_each(|(field, value)| self.set(name.as_str(), field, value.expose_secret()));
        Ok(())
    }

    async fn delete(&self, name: &SecretName) -> Result<(), SecretError> {
        self.0.lock().retain(|(n, _), _| n != name.as_str());
        Ok(())
    }
}

/// What a server saw.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    pub uri: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// An HTTP server that answers by a function and remembers what it saw.
#[derive(Clone)]
pub struct Server {
    pub addr: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    pub async fn start(answer: impl Fn(&Seen) -> Response + Clone + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (router, seen) = router(answer);
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { addr, seen }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().clone()
    }

    /// Requests to `path` so far.
    pub fn hits(&self, path: &str) -> usize {
        self.seen.lock().iter().filter(|s| s.uri == path).count()
    }
}

/// A router that answers by a function and remembers what it saw.
pub fn router(answer: impl Fn(&Seen) -> Response + Clone + Send + Sync + 'static) -> (Router, Arc<Mutex<Vec<Seen>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&seen);
    let router = Router::new().fallback(move |request: Request| {
        let (keep, answer) = (Arc::clone(&keep), answer.clone());
        async move {
            let (parts, body) = request.into_parts();
            let body: Bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            let text = |v: &axum::http::HeaderValue| String::from_utf8_lossy(v.as_bytes()).into_owned();
            let one = Seen {
                method: parts.method.to_string(),
                uri: parts.uri.to_string(),
                headers: parts.headers.iter().map(|(n, v)| (n.to_string(), text(v))).collect(),
                body: String::from_utf8_lossy(&body).into_owned(),
            };
            keep.lock().push(one.clone());
            answer(&one)
        }
    });
    (router, seen)
}

pub fn reply(status: u16, body: &str) -> Response {
    let response = Response::builder().status(status).header("content-type", "application/json");
    response.body(body.to_owned().into()).unwrap()
}

pub fn reply_json(body: &Value) -> Response {
    reply(200, &body.to_string())
}

/// A server below HTTP: reads what comes and answers these bytes, then closes.
pub async fn raw_server(answer: &'static [u8]) -> (SocketAddr, Arc<AtomicUsize>) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&requests);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let counted = Arc::clone(&counted);
            tokio::spawn(async move {
                let mut buffer = vec![0; 64 * 1024];
                if stream.read(&mut buffer).await.unwrap_or(0) > 0 {
                    counted.fetch_add(1, Ordering::SeqCst);
                }
                let _ = stream.write_all(answer).await;
            });
        }
    });
    (addr, requests)
}

/// An address where nobody listens.
pub fn dead_addr() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Names by table; a name that is not in it never answers.
#[derive(Default)]
pub struct TableResolver(pub Mutex<BTreeMap<String, Vec<IpAddr>>>);

impl TableResolver {
    pub fn of(host: &str, addresses: &[&str]) -> Arc<Self> {
        let table = Self::default();
        table.set(host, addresses);
        Arc::new(table)
    }

    pub fn set(&self, host: &str, addresses: &[&str]) {
        self.0.lock().insert(host.to_owned(), addresses.iter().map(|a| a.parse().unwrap()).collect());
    }
}

#[async_trait]
impl Resolver for TableResolver {
    async fn resolve(&self, host: &str) -> std::io::Result<Vec<IpAddr>> {
        let found = self.0.lock().get(host).cloned();
        match found {
            Some(addresses) => Ok(addresses),
            None => std::future::pending().await,
        }
    }
}

pub fn pointer(p: &str) -> Vec<Step> {
    vec![Step::JsonPointer(p.to_owned())]
}

pub fn sealed(p: &str) -> SensitivePlace {
    SensitivePlace { at: pointer(p), keep: PlaceKeep::Sealed }
}

pub fn decl(id: &str, method: &str, path: &str) -> ExchangeDecl {
    ExchangeDecl {
        id: id.to_owned(),
        purpose: "control".to_owned(),
        method: method.to_owned(),
        path_template: path.to_owned(),
        safe: method == "GET",
        idempotent: matches!(method, "GET" | "PUT" | "DELETE"),
        slots: vec![],
        sensitive: vec![],
        doc: String::new(),
        extensions: vec![],
    }
}

/// The login flow of a backend with bearer tokens, as WEKA's adapter declares it.
pub fn bearer_flow(with_refresh: bool) -> AuthFlow {
    AuthFlow {
        name: "login".to_owned(),
        login_exchange: "login".to_owned(),
        login_body: json!({"org": "{org}"}).to_string(),
        login_slots: vec![(pointer("/username"), "username".to_owned()), (pointer("/password"), "password".to_owned())],
        refresh_exchange: with_refresh.then(|| "refresh".to_owned()),
        refresh_body: with_refresh.then(|| "{}".to_owned()),
        token_at: pointer("/data/access_token"),
        refresh_token_at: with_refresh.then(|| pointer("/data/refresh_token")),
        expires_in_at: Some(pointer("/data/expires_in")),
        default_ttl_s: 300,
        expired_when: vec![Matcher::Status(401)],
        locked_out_when: vec![Matcher::StatusAndBody(403, "locked out".to_owned())],
        header_name: "authorization".to_owned(),
        header_template: "Bearer {token}".to_owned(),
        extensions: vec![],
    }
}

/// A description with these exchanges; flows bring their `login` and `refresh`.
pub fn describe(mut exchanges: Vec<ExchangeDecl>, flows: Vec<AuthFlow>) -> Description {
    if !flows.is_empty() {
        exchanges.push(decl("login", "POST", "/login"));
        exchanges
            .push(ExchangeDecl { slots: vec![pointer("/refresh_token")], ..decl("refresh", "POST", "/login/refresh") });
    }
    let endpoint = |purpose: &str| EndpointNeed {
        purpose: purpose.to_owned(),
        required: purpose == "control",
        doc: String::new(),
    };
    let secret = |name: &str, made_by_host| SecretNeed {
        name: name.to_owned(),
        fields: vec![],
        made_by_host,
        required: false,
        doc: String::new(),
    };
    Description {
        name: "test".to_owned(),
        vendor: "test".to_owned(),
        version: "1".to_owned(),
        doc: String::new(),
        config_schema: "{}".to_owned(),
        endpoints: vec![endpoint("control"), endpoint("data")],
        secrets: vec![secret("admin", false), secret("keys", false), secret("s3-user", true)],
        exchanges,
        auth_flows: flows,
        client_kinds: vec![],
        capabilities: vec![],
        extensions: vec![],
    }
}

pub const PASSWORD: &str = "hunter2-Hunter2-h4nter&2";

/// Everything around one binding.
pub struct Way {
    pub egress: Arc<Egress>,
    pub secrets: Arc<MemorySecrets>,
    pub clock: Arc<ManualClock>,
    pub redactor: Redactor,
}

pub fn binding(description: Description, urls: &[String]) -> Binding {
    let name = |n: &str| SecretName::parse(&format!("providers/test/{n}")).unwrap();
    Binding {
        provider: "test-a".to_owned(),
        description,
        endpoints: vec![EndpointBinding {
            purpose: "control".to_owned(),
            urls: urls.to_vec(),
            plain_http: true,
            ..EndpointBinding::default()
        }],
        secret_names: BTreeMap::from([("admin".to_owned(), name("admin")), ("keys".to_owned(), name("keys"))]),
        limits: EgressLimits { exchange_timeout: Duration::from_secs(20), ..EgressLimits::default() },
        forbidden: vec![],
        redactor: Redactor::new(),
    }
}

pub fn memory_secrets() -> Arc<MemorySecrets> {
    let secrets = Arc::new(MemorySecrets::default());
    secrets.set("providers/test/admin", "username", "root-user");
    secrets.set("providers/test/admin", "password", PASSWORD);
    secrets.set("providers/test/keys", "access-key-id", "AKIDEXAMPLE");
    secrets.set("providers/test/keys", "secret-access-key", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
    secrets
}

impl Way {
    pub async fn to(description: Description, urls: &[String]) -> Self {
        Self::bound(binding(description, urls)).await.unwrap()
    }

    pub async fn bound(binding: Binding) -> Result<Self, BindError> {
        Self::resolved(binding, Arc::new(stowage_egress::SystemResolver)).await
    }

    pub async fn resolved(binding: Binding, resolver: Arc<dyn Resolver>) -> Result<Self, BindError> {
        let (secrets, clock) = (memory_secrets(), Arc::new(ManualClock::at(1_700_000_000_000)));
        let redactor = binding.redactor.clone();
        let egress = Egress::bind_with_resolver(binding, secrets.clone(), clock.clone(), resolver).await?;
        Ok(Self { egress, secrets, clock, redactor })
    }

    pub async fn send(&self, request: ExchangeRequest) -> Result<ExchangeResponse, ExchangeError> {
        self.egress.send(&context(), request).await
    }
}

pub fn context() -> ExchangeContext {
    ExchangeContext {
        safe_only: false,
        remaining: Duration::from_secs(60),
        request_id: "r-1".to_owned(),
        owner: Some("owner-1".to_owned()),
    }
}

pub fn ask(exchange: &str) -> ExchangeRequest {
    ExchangeRequest {
        exchange: exchange.to_owned(),
        params: vec![],
        query: vec![],
        headers: vec![],
        body: Body::Empty,
        auth: Auth::None,
        slots: vec![],
        timeout: None,
    }
}

/// The same in a session of the flow.
pub fn ask_in_session(exchange: &str) -> ExchangeRequest {
    let params = vec![("org".to_owned(), "Root".to_owned())];
    let auth = Auth::Flow { flow: "login".to_owned(), identity: "admin".to_owned(), params };
    ExchangeRequest { auth, ..ask(exchange) }
}

pub fn slot(at: Vec<Step>, name: &str, field: &str) -> Slot {
    Slot { at, secret: SecretRef { name: name.to_owned(), field: field.to_owned() } }
}

pub fn body_of(answer: &ExchangeResponse) -> String {
    String::from_utf8(answer.body.clone()).unwrap()
}

pub fn json_of(answer: &ExchangeResponse) -> Value {
    serde_json::from_slice(&answer.body).unwrap()
}
