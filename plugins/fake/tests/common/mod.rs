//! A fake on a host in memory, and requests for it.

use std::sync::Arc;

use stowage_plugin_fake::Fake;
use stowage_provider_sdk::{
    native::{MemoryHost, with_host},
    prelude::*,
};

/// One fake provider.
#[derive(Clone)]
pub struct Bench {
    pub host: Arc<MemoryHost>,
}

impl Bench {
    /// With this configuration.
    pub fn new(config: serde_json::Value) -> Self {
        Self { host: Arc::new(MemoryHost::new(&config.to_string())) }
    }

    /// Without real directories.
    pub fn booked() -> Self {
        Self::new(serde_json::json!({ "node_directories": false }))
    }

    /// Runs a call.
    pub fn run<R>(&self, work: impl FnOnce() -> R) -> R {
        with_host(self.host.clone(), work)
    }

    /// Creates a namespace that is ready.
    pub fn namespace(&self, id: &str) -> NativeRef {
        match self.run(|| <Fake as Namespaces>::create(call(&format!("make-{id}")), spec(id))).unwrap() {
            Progress::Done(native) => native,
            other => panic!("{other:?}"),
        }
    }
}

pub fn call(owner: &str) -> Call {
    Call { owner: owner.to_owned(), attempt: 1, node_results: vec![], extensions: vec![] }
}

pub fn demanding(owner: &str, function: &str, demand: &str) -> Call {
    Call { extensions: vec![(format!("fake.{function}"), demand.to_owned())], ..call(owner) }
}

pub fn with_results(owner: &str, results: &[(&str, &[(&str, &str)])]) -> Call {
    let node_results = results
        .iter()
        .map(|(id, values)| NodeResult {
            id: (*id).to_owned(),
            values: values.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            error: None,
        })
        .collect();
    Call { node_results, ..call(owner) }
}

pub fn bytes(value: u64) -> Limit {
    Limit {
        dimension: Dimension::Bytes,
        scope: LimitScope::Namespace,
        enforcement: Enforcement::Block,
        value,
        extensions: vec![],
    }
}

pub fn spec(id: &str) -> NamespaceSpec {
    NamespaceSpec {
        tenant: vec![],
        project: "project".to_owned(),
        name: "name".to_owned(),
        physical_id: id.to_owned(),
        protocols: vec![Protocol::Posix],
        limits: vec![],
        prefixes: vec!["shared".to_owned()],
        posix: Some(PosixIdentity { uid: 1000, gid: 2000, mode: 0o770 }),
        labels: vec![],
        extensions: vec![],
    }
}

pub fn labelled(id: &str, labels: &[(&str, &str)]) -> NamespaceSpec {
    NamespaceSpec { labels: labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(), ..spec(id) }
}

pub fn mount(namespace: &[u8]) -> MountRequest {
    MountRequest {
        namespace: namespace.to_vec(),
        workload: "w".to_owned(),
        node: "n".to_owned(),
        node_addresses: vec!["10.0.0.1".to_owned()],
        prefixes: vec![(String::new(), AccessMode::ReadWrite), ("shared".to_owned(), AccessMode::ReadOnly)],
        multi_writer: true,
        form: PlanForm::NodeMount,
        extensions: vec![("fake.attached".to_owned(), "10.0.0.1,10.0.0.2".to_owned())],
    }
}

pub fn first_page() -> PageRequest {
    PageRequest { cursor: None, limit: 0 }
}
