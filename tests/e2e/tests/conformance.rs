//! The WEKA adapter, in its sandbox and through the host's egress, keeps every rule of the contract at a cluster.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use stowage_e2e::Region;
use stowage_e2e::binaries::plugins;
use stowage_e2e::region::ADMIN;
use stowage_egress::{Egress, EgressLimits, EndpointBinding, Redactor};
use stowage_plugin::{AdmitOptions, CallLimits, Engine, EngineOptions};
use stowage_ports::{Clock, Provider, SecretName, Secrets, Store, SystemClock};
use stowage_secrets::EnvSecrets;
use stowage_store::{GuestLimits, StoreGuestState};
use stowage_testkit::{DirectoryNode, Outcome, Subject, run};

const FILESYSTEM: &str = "gpuaas-kind-fs";

/// The adapter as a host binds it, at this cluster.
async fn provider(weka: &str, state: &Path) -> Arc<dyn Provider> {
    let secret = SecretName::parse("weka/admin").unwrap();
    let variable = |field: &str, value: &str| (EnvSecrets::variable(&secret, field), value.to_owned());
    let secrets: Arc<dyn Secrets> =
        Arc::new(EnvSecrets::from_vars([variable("username", ADMIN.0), variable("password", ADMIN.1)]));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store: Arc<dyn Store> =
        Arc::new(stowage_store_sled::open(&state.join("store"), stowage_store_sled::Options::default()).unwrap());

    let options = EngineOptions { cache: Some(state.join("cache")), ..EngineOptions::default() };
    let engine = Engine::new(options).unwrap();
    let wasm = std::fs::read(plugins().join("weka.wasm")).unwrap();
    let admitted = engine.admit(&wasm, AdmitOptions::default()).await.unwrap();
    let binding = stowage_egress::Binding {
        provider: "weka".to_owned(),
        description: admitted.description().clone(),
        endpoints: vec![EndpointBinding {
            purpose: "control".to_owned(),
            urls: vec![weka.to_owned()],
            allowed_ranges: None,
            ca_pem: None,
            plain_http: true,
        }],
        secret_names: BTreeMap::from([("admin".to_owned(), secret)]),
        limits: EgressLimits::default(),
        forbidden: Vec::new(),
        redactor: Redactor::new(),
    };
    let config = json!({
        "isolation": "directory",
        "filesystem": FILESYSTEM,
        "mount": { "client": "stateless", "backends": ["10.0.0.10"] },
        "poll": { "quota_ms": 50 },
    });
    let binding = stowage_plugin::Binding {
        provider: "weka".to_owned(),
        config,
        exchange: Egress::bind(binding, secrets, Arc::clone(&clock)).await.unwrap(),
        state: Arc::new(StoreGuestState::new(store, "weka", GuestLimits::default(), BTreeMap::new())),
        clock,
        limits: CallLimits::default(),
    };
    engine.bind(&admitted, binding).unwrap()
}

#[test]
fn the_weka_adapter_keeps_every_rule_and_leaves_nothing() {
    let region = Region::start("live-4.4.22");
    let target = region.directory().join("weka-root");
    std::fs::create_dir(&target).unwrap();
    region.emulator("POST", "/admin/mounts", &json!({ "filesystem": FILESYSTEM, "target": target }));
    let node = DirectoryNode::new(region.path(target.to_str().unwrap()));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let report = runtime.block_on(async {
        let provider = provider(&region.weka, region.directory()).await;
        run(&Subject::new(provider.as_ref(), "weka").with_node(&node)).await
    });
    assert!(report.passed(), "{report}");
    let skipped: Vec<_> = report
        .results
        .iter()
        .filter(|result| matches!(result.outcome, Outcome::NotApplicable(_)))
        .map(|result| result.name)
        .collect();
    // It exports everything, and a shared filesystem has neither snapshots nor places of tenants.
    assert_eq!(skipped, ["unsupported", "snapshots", "tenants"], "{report}");
    assert_eq!(region.emulator("GET", "/admin/state", &Value::Null)["quotas"], 0, "a quota was left");
    let left = region.emulator("GET", &format!("/admin/tree?filesystem={FILESYSTEM}&path=/stowage"), &Value::Null);
    let paths: Vec<_> = left.as_array().unwrap().iter().map(|entry| &entry["path"]).collect();
    assert_eq!(paths, ["/stowage"], "directories were left");
    region.emulator("DELETE", &format!("/admin/mounts?target={}", target.display()), &Value::Null);
}
