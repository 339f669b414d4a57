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

use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use stowage_e2e::Region;
use stowage_e2e::binaries::plugins;
use stowage_e2e::region::ADMIN;
use stowage_egress::{Egress, EgressLimits, EndpointBinding, Redactor};
use stowage_plugin::{AdmitOptions, CallLimits, Engine, EngineOptions};
use stowage_ports::provider::{Call, MountSource, NodeResult, NodeWork, Progress};
use stowage_ports::{Clock, Provider, SecretName, Secrets, Store, SystemClock};
use stowage_secrets::FileSecrets;
use stowage_store::{GuestLimits, StoreGuestState};
use stowage_testkit::{DirectoryNode, NodeHands, Outcome, Report, Subject, run};

const FILESYSTEM: &str = "gpuaas-kind-fs";

fn store(state: &Path) -> Arc<dyn Secrets> {
    Arc::new(FileSecrets::open(state.join("conformance-secrets")).unwrap())
}

async fn give(secrets: &Arc<dyn Secrets>, name: &str, username: &str, password: &str) -> SecretName {
    let name = SecretName::parse(name).unwrap();
    let fields = [("username", username), ("password", password)];
    let fields = fields.map(|(field, value)| (field.to_owned(), SecretString::from(value)));
    secrets.put(&name, fields.to_vec()).await.unwrap();
    name
}

/// The adapter as a host binds it, at this cluster.
async fn provider(weka: &str, state: &Path, secrets: &Arc<dyn Secrets>, config: Value) -> Arc<dyn Provider> {
    let secret = give(secrets, "weka/admin", ADMIN.0, ADMIN.1).await;
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
    let binding = stowage_plugin::Binding {
        provider: "weka".to_owned(),
        config,
        exchange: Egress::bind(binding, Arc::clone(secrets), Arc::clone(&clock)).await.unwrap(),
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
        let config = json!({
            "isolation": "directory",
            "filesystem": FILESYSTEM,
            "mount": { "client": "stateless", "backends": ["10.0.0.10"] },
            "poll": { "quota_ms": 50 },
        });
        let secrets = store(region.directory());
        let provider = provider(&region.weka, region.directory(), &secrets, config).await;
        run(&Subject::new(provider.as_ref(), "weka").with_node(&node)).await
    });
    assert!(report.passed(), "{report}");
    // It exports everything, and a shared filesystem has neither snapshots nor places of tenants.
    assert_eq!(skipped(&report), ["unsupported", "snapshots", "tenants"], "{report}");
    assert_eq!(region.emulator("GET", "/admin/state", &Value::Null)["quotas"], 0, "a quota was left");
    let left = region.emulator("GET", &format!("/admin/tree?filesystem={FILESYSTEM}&path=/stowage"), &Value::Null);
    let paths: Vec<_> = left.as_array().unwrap().iter().map(|entry| &entry["path"]).collect();
    assert_eq!(paths, ["/stowage"], "directories were left");
    region.emulator("DELETE", &format!("/admin/mounts?target={}", target.display()), &Value::Null);
}

/// A node that mounts whatever filesystem the work names, with the token that the work names.
struct MountingNode<'a> {
    region: &'a Region,
    secrets: Arc<dyn Secrets>,
}

#[async_trait]
impl NodeHands for MountingNode<'_> {
    async fn work(&self, work: &NodeWork) -> Vec<NodeResult> {
        let MountSource::Client { filesystem, servers, .. } = &work.source else { panic!("{work:?}") };
        let target = self.region.directory().join(format!("mount-{filesystem}"));
        if !target.exists() {
            std::fs::create_dir(&target).unwrap();
            let named = work.steps.iter().flat_map(|step| &step.args).find(|(key, _)| key == "source.secret.token");
            let token = match named {
                Some((_, handle)) => {
                    let value = self.secrets.get(&SecretName::parse(handle).unwrap(), "value").await.unwrap();
                    json!(value.expose_secret())
                }
                None => Value::Null,
            };
            let source = format!("{}/{filesystem}", servers.join(","));
            let asked = json!({ "filesystem": source, "target": target, "token": token });
            // The call has a runtime of its own, which cannot begin on a thread of this one.
            std::thread::scope(|scope| {
                scope.spawn(|| self.region.emulator("POST", "/admin/mounts", &asked)).join().unwrap();
            });
        }
        DirectoryNode::new(self.region.path(target.to_str().unwrap())).work(work).await
    }
}

/// Every rule, where each namespace is a filesystem; in an organization when a tenant is asked for.
fn whole_filesystems(isolation: &str, tenant: Option<&str>) -> Report {
    let region = Region::start("live-4.4.22");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let report = runtime.block_on(async {
        let secrets = store(region.directory());
        let config = json!({
            "isolation": isolation,
            "mount": { "client": "stateless", "backends": ["10.0.0.10"] },
            "poll": { "filesystem_ms": 50 },
        });
        let provider = provider(&region.weka, region.directory(), &secrets, config).await;
        let node = MountingNode { region: &region, secrets: Arc::clone(&secrets) };
        let mut subject = Subject::new(provider.as_ref(), isolation).with_node(&node);
        subject.limit_bytes = 1 << 30;
        if let Some(tenant) = tenant {
            let secret = give(&secrets, "made/weka/swt-acme", "swt-acme", "Made-by-the-host-1").await;
            let extensions = vec![("tenant.secret".to_owned(), secret.to_string())];
            let call = Call { owner: "tenant-acme".to_owned(), attempt: 1, extensions, ..Call::default() };
            let made = provider.ensure_tenant(&subject.context(), &call, tenant, &[]).await.unwrap().value;
            let Progress::Done(native) = made else { panic!("{made:?}") };
            subject = subject.with_tenant(native);
        }
        run(&subject).await
    });
    assert!(report.passed(), "{report}");
    let left = region.emulator("GET", "/admin/state", &Value::Null);
    assert_eq!(left["filesystems"].as_array().unwrap().len(), 5, "a filesystem was left: {left}");
    assert_eq!(left["snapshots"], 0, "a snapshot was left: {left}");
    report
}

fn skipped(report: &Report) -> Vec<&'static str> {
    let skipped = report.results.iter().filter(|result| matches!(result.outcome, Outcome::NotApplicable(_)));
    skipped.map(|result| result.name).collect()
}

#[test]
fn the_weka_adapter_keeps_every_rule_with_a_filesystem_for_each_namespace() {
    let report = whole_filesystems("filesystem", None);
    assert_eq!(skipped(&report), ["unsupported", "tenants"], "{report}");
}

#[test]
fn the_weka_adapter_keeps_every_rule_in_a_tenants_organization() {
    // The kit makes no secret for a tenant of its own; the one above was made with one.
    let report = whole_filesystems("organization", Some("acme"));
    assert_eq!(skipped(&report), ["unsupported", "tenants"], "{report}");
}
