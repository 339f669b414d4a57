//! The fake provider in the real sandbox keeps every rule, in each of its modes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use async_trait::async_trait;
use parking_lot::Mutex;
use serde_json::{Value, json};
use stowage_plugin::{AdmitOptions, Binding, CallLimits, Engine, EngineLimits, EngineOptions};
use stowage_ports::{
    Exchange, ExchangeError, ExchangeRequest, ExchangeResponse, GuestState, GuestStateError, ManualClock, Provider,
    exchange::ExchangeContext,
};
use stowage_testkit::{DirectoryNode, Outcome, Report, Subject, run};

/// No way out: the fake needs none.
struct Closed;

#[async_trait]
impl Exchange for Closed {
    async fn send(&self, _: &ExchangeContext, _: ExchangeRequest) -> Result<ExchangeResponse, ExchangeError> {
        Err(ExchangeError::Unreachable("there is no backend".to_owned()))
    }
    fn redact(&self, _: &str) -> Option<String> {
        None
    }
}

/// State in memory, with the rules of the real one.
#[derive(Default)]
struct Memory {
    values: Mutex<BTreeMap<String, (Vec<u8>, u64)>>,
    versions: Mutex<u64>,
}

impl Memory {
    fn check(&self, key: &str, if_version: Option<u64>) -> Result<(), GuestStateError> {
        let found = self.values.lock().get(key).map_or(0, |(_, v)| *v);
        match if_version {
            Some(wanted) if wanted != found => Err(GuestStateError::Conflict(key.to_owned())),
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl GuestState for Memory {
    async fn get(&self, key: &str) -> Result<Option<(Vec<u8>, u64)>, GuestStateError> {
        Ok(self.values.lock().get(key).cloned())
    }
    async fn set(&self, key: &str, value: Vec<u8>, if_version: Option<u64>) -> Result<u64, GuestStateError> {
        self.check(key, if_version)?;
        let mut versions = self.versions.lock();
        *versions += 1;
        self.values.lock().insert(key.to_owned(), (value, *versions));
        Ok(*versions)
    }
    async fn delete(&self, key: &str, if_version: Option<u64>) -> Result<(), GuestStateError> {
        self.check(key, if_version)?;
        self.values.lock().remove(key);
        Ok(())
    }
    async fn keys(&self, prefix: &str, after: Option<&str>, limit: u32) -> Result<Vec<String>, GuestStateError> {
        let values = self.values.lock();
        let keys = values.keys().filter(|k| k.starts_with(prefix) && after.is_none_or(|a| k.as_str() > a));
        Ok(keys.take(limit as usize).cloned().collect())
    }
    async fn take(&self, pool: &str, _: &str) -> Result<u32, GuestStateError> {
        Err(GuestStateError::NoPool(pool.to_owned()))
    }
    async fn give_back(&self, _: &str, _: &str) -> Result<(), GuestStateError> {
        Ok(())
    }
}

/// The component that `make plugins` builds.
fn component() -> Vec<u8> {
    let target = || {
        std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target")), PathBuf::from)
    };
    let plugins = std::env::var_os("STOWAGE_PLUGINS_DIR").map_or_else(|| target().join("plugins"), PathBuf::from);
    let file = plugins.join("fake.wasm");
    std::fs::read(&file).unwrap_or_else(|e| panic!("{}: {e}; run `make plugins`", file.display()))
}

async fn provider(config: Value, state: Arc<Memory>) -> Arc<dyn Provider> {
    let cache = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("artefacts");
    let engine = Engine::new(EngineOptions { limits: EngineLimits::default(), cache: Some(cache) }).unwrap();
    let admitted = engine.admit(&component(), AdmitOptions::default()).await.unwrap();
    let binding = Binding {
        provider: "fake".to_owned(),
        config,
        exchange: Arc::new(Closed),
        state,
        clock: Arc::new(ManualClock::at(1_700_000_000_000)),
        limits: CallLimits::default(),
    };
    engine.bind(&admitted, binding).unwrap()
}

async fn conformance(config: Value) -> Report {
    let directory = tempfile::tempdir().unwrap();
    let node = DirectoryNode::new(directory.path());
    let state = Arc::new(Memory::default());
    let provider = provider(config, state.clone()).await;
    let report = run(&Subject::new(provider.as_ref(), "fake").with_node(&node)).await;
    let left: Vec<String> =
        state.values.lock().keys().filter(|k| !["capacity", "audit/next"].contains(&k.as_str())).cloned().collect();
    let left: Vec<String> = left.into_iter().filter(|k| !k.starts_with("event/")).collect();
    assert!(left.is_empty(), "left in the state: {left:?}");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "directories were left");
    report
}

fn skipped(report: &Report) -> Vec<&str> {
    report.results.iter().filter(|r| matches!(r.outcome, Outcome::NotApplicable(_))).map(|r| r.name).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn with_real_directories_the_fake_keeps_every_rule() {
    let report = conformance(json!({})).await;
    assert!(report.passed(), "{report}");
    assert_eq!(skipped(&report), ["unsupported", "snapshots"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn as_a_book_alone_the_fake_keeps_every_rule() {
    let report = conformance(json!({ "node_directories": false, "events": true })).await;
    assert!(report.passed(), "{report}");
    assert_eq!(skipped(&report), ["unsupported"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_jobs_the_fake_keeps_every_rule() {
    let report = conformance(json!({ "job_polls": 2, "poll_after_ms": 0 })).await;
    assert!(report.passed(), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_that_never_ends_is_seen_by_the_checks_that_meet_it() {
    let state = Arc::new(Memory::default());
    let provider = provider(json!({ "faults": { "namespaces.find": "error:internal" } }), state).await;
    let directory = tempfile::tempdir().unwrap();
    let node = DirectoryNode::new(directory.path());
    let report = run(&Subject::new(provider.as_ref(), "faulty").with_node(&node)).await;
    let failed: Vec<&str> = report.failed().map(|r| r.name).collect();
    assert_eq!(failed, ["find", "foreign-owner", "delete"]);
}
