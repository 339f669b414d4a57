//! An engine with a well-behaved neighbour, guests by name, and fakes of the ports behind the imports.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use serde_json::json;
use stowage_plugin::{AdmitError, AdmitOptions, Admitted, Binding, CallLimits, Engine, EngineLimits, EngineOptions};
use stowage_ports::exchange::{ExchangeContext, ExchangeError, ExchangeRequest, ExchangeResponse};
use stowage_ports::provider::{CallContext, Failure, ProbeMode, Provider};
use stowage_ports::{Exchange, GuestState, GuestStateError, ManualClock};

/// Bytes of a guest built by `make plugins`, or of a module written by hand in `tests/guests/wat`.
pub(crate) fn wasm(name: &str) -> Vec<u8> {
    let by_hand = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../../tests/guests/wat/{name}.wat"));
    if by_hand.exists() {
        return component_of(&wat::parse_file(by_hand).unwrap());
    }
    let path = guests().join(format!("{name}.wasm"));
    std::fs::read(&path).unwrap_or_else(|_| panic!("{} is not there: run `make plugins`", path.display()))
}

fn guests() -> PathBuf {
    if let Some(given) = std::env::var_os("STOWAGE_GUESTS_DIR") {
        return given.into();
    }
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target"), PathBuf::from);
    target.join("wasm32-wasip2/guest/examples")
}

/// A core module with the ABI of the smallest world as a component.
fn component_of(module: &[u8]) -> Vec<u8> {
    let mut resolve = wit_parser::Resolve::default();
    let wit = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../wit/v0.1.0");
    let (package, _) = resolve.push_path(wit).unwrap();
    let world = resolve.select_world(&[package], Some("provider-minimal")).unwrap();
    let mut module = module.to_vec();
    wit_component::embed_component_metadata(&mut module, &resolve, world, wit_component::StringEncoding::UTF8).unwrap();
    wit_component::ComponentEncoder::default().module(&module).unwrap().encode().unwrap()
}

/// An engine that shares one artefact cache with the other tests, so that a guest is compiled once.
pub(crate) fn engine(limits: EngineLimits) -> Engine {
    let cache = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("artefacts");
    Engine::new(EngineOptions { limits, cache: Some(cache) }).unwrap()
}

pub(crate) async fn admit(engine: &Engine, name: &str) -> Result<Admitted, AdmitError> {
    engine.admit(&wasm(name), AdmitOptions::default()).await
}

/// What a guest is bound to, and what the test can look at.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) exchange: Arc<FakeExchange>,
    pub(crate) state: Arc<MemoryState>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) config: serde_json::Value,
    pub(crate) limits: CallLimits,
}

impl Default for World {
    fn default() -> Self {
        Self {
            exchange: Arc::default(),
            state: Arc::default(),
            clock: Arc::new(ManualClock::at(1_700_000_000_000)),
            config: json!({}),
            limits: CallLimits::default(),
        }
    }
}

impl World {
    pub(crate) fn with(limits: CallLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    pub(crate) fn bind(&self, engine: &Engine, admitted: &Admitted) -> Result<Arc<dyn Provider>, AdmitError> {
        engine.bind(
            admitted,
            Binding {
                provider: admitted.description().name.clone(),
                config: self.config.clone(),
                exchange: self.exchange.clone(),
                state: self.state.clone(),
                clock: self.clock.clone(),
                limits: self.limits.clone(),
            },
        )
    }

    pub(crate) async fn provider(&self, engine: &Engine, name: &str) -> Arc<dyn Provider> {
        let options = AdmitOptions { limits: self.limits.clone(), ..AdmitOptions::default() };
        let admitted = engine.admit(&wasm(name), options).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        self.bind(engine, &admitted).unwrap()
    }
}

pub(crate) fn cx() -> CallContext {
    CallContext { request_id: "test".to_owned(), deadline: None, safe_only: false }
}

/// Probes, and answers the failure.
pub(crate) async fn probe_fails(provider: &Arc<dyn Provider>) -> Failure {
    *provider.probe(&cx(), ProbeMode::ReadOnly).await.expect_err("the probe must fail")
}

/// Runs `hostile` while a well-behaved provider of the same engine is called again and again; none of its calls fails.
pub(crate) async fn beside_a_neighbour<T>(engine: &Engine, hostile: impl Future<Output = T>) -> T {
    let neighbour = World::default().provider(engine, "well_behaved").await;
    let done = Arc::new(Mutex::new(false));
    let calls = {
        let (neighbour, done) = (neighbour.clone(), Arc::clone(&done));
        tokio::spawn(async move {
            let mut calls = 0;
            while !*done.lock() || calls < 3 {
                neighbour.probe(&cx(), ProbeMode::ReadOnly).await.expect("the neighbour's calls keep working");
                calls += 1;
                tokio::task::yield_now().await;
            }
        })
    };
    let outcome = hostile.await;
    *done.lock() = true;
    calls.await.expect("the neighbour was not disturbed");
    outcome
}

type Reply = Box<dyn Fn(&ExchangeRequest) -> Result<ExchangeResponse, ExchangeError> + Send + Sync>;

/// Answers as it is told, or never; knows secrets; keeps what was asked.
#[derive(Default)]
pub(crate) struct FakeExchange {
    pub(crate) reply: Option<Reply>,
    pub(crate) hangs: bool,
    pub(crate) secrets: Vec<String>,
    pub(crate) asked: Mutex<Vec<(ExchangeContext, ExchangeRequest)>>,
}

#[async_trait]
impl Exchange for FakeExchange {
    async fn send(&self, cx: &ExchangeContext, request: ExchangeRequest) -> Result<ExchangeResponse, ExchangeError> {
        self.asked.lock().push((cx.clone(), request.clone()));
        if self.hangs {
            std::future::pending::<()>().await;
        }
        match &self.reply {
            Some(reply) => reply(&request),
            None => Ok(ExchangeResponse { status: 200, headers: vec![], body: vec![], captured: vec![] }),
        }
    }

    fn redact(&self, text: &str) -> Option<String> {
        let masked = self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "***"));
        (masked != text).then_some(masked)
    }
}

/// State in memory.
#[derive(Default)]
pub(crate) struct MemoryState(Mutex<BTreeMap<String, (Vec<u8>, u64)>>);

#[async_trait]
impl GuestState for MemoryState {
    async fn get(&self, key: &str) -> Result<Option<(Vec<u8>, u64)>, GuestStateError> {
        Ok(self.0.lock().get(key).cloned())
    }
    async fn set(&self, key: &str, value: Vec<u8>, if_version: Option<u64>) -> Result<u64, GuestStateError> {
        let mut map = self.0.lock();
        let now = map.get(key).map_or(0, |(_, version)| *version);
        if if_version.is_some_and(|wanted| wanted != now) {
            return Err(GuestStateError::Conflict(key.to_owned()));
        }
        map.insert(key.to_owned(), (value, now + 1));
        Ok(now + 1)
    }
    async fn delete(&self, key: &str, _: Option<u64>) -> Result<(), GuestStateError> {
        self.0.lock().remove(key);
        Ok(())
    }
    async fn keys(&self, prefix: &str, after: Option<&str>, limit: u32) -> Result<Vec<String>, GuestStateError> {
        let map = self.0.lock();
        let keys = map.keys().filter(|key| key.starts_with(prefix) && after.is_none_or(|after| key.as_str() > after));
        Ok(keys.take(limit as usize).cloned().collect())
    }
    async fn take(&self, pool: &str, _: &str) -> Result<u32, GuestStateError> {
        Err(GuestStateError::NoPool(pool.to_owned()))
    }
    async fn give_back(&self, _: &str, _: &str) -> Result<(), GuestStateError> {
        Ok(())
    }
}

/// A short wall budget for guests that never end.
pub(crate) fn wall(milliseconds: u64) -> CallLimits {
    CallLimits { wall_ms: milliseconds, ..CallLimits::default() }
}

/// Waits until `holds`, within a deadline.
pub(crate) async fn until(what: &str, holds: impl Fn() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.unwrap_or_else(|_| panic!("never came: {what}"));
}

/// The longest line that a log flood leaves, without its time and place.
pub(crate) async fn longest_log_line(limits: CallLimits) -> usize {
    use tracing_subscriber::layer::SubscriberExt as _;
    use tracing_subscriber::util::SubscriberInitExt as _;

    let lines = Lines::default();
    let _guard = tracing_subscriber::registry().with(lines.clone()).set_default();
    // The flood runs on this thread, under this subscriber.
    let provider = World::with(limits).provider(&engine(EngineLimits::default()), "log_flood").await;
    provider.probe(&cx(), ProbeMode::ReadOnly).await.unwrap();
    let longest = lines.0.lock().iter().map(String::len).max();
    longest.unwrap_or(0)
}

/// Keeps the messages of guests.
#[derive(Default, Clone)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Lines {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        struct Message<'a>(&'a mut Vec<String>);
        impl tracing::field::Visit for Message<'_> {
            fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                if field.name() == "message" {
                    self.0.push(format!("{value:?}"));
                }
            }
        }
        if event.metadata().target() == "stowage::guest" {
            event.record(&mut Message(&mut self.0.lock()));
        }
    }
}
