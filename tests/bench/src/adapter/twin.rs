//! The same adapter as an ordinary crate, on a host in memory.

use std::sync::Arc;

use anyhow::{Context, Result, anyhow, ensure};
use async_trait::async_trait;
use stowage_plugin_fake::Fake;
use stowage_provider_sdk::native::{MemoryHost, with_host};
use stowage_provider_sdk::prelude::*;

use crate::rounds::Subject;

/// The native twin, with one namespace.
pub(crate) struct Twin {
    host: Arc<MemoryHost>,
    native: Vec<u8>,
}

impl Twin {
    /// Makes it and its namespace.
    pub(crate) fn new() -> Result<Self> {
        let host = Arc::new(MemoryHost::new(super::CONFIG));
        let call = Call { owner: "bench".to_owned(), attempt: 1, node_results: vec![], extensions: vec![] };
        let made = with_host(host.clone(), || <Fake as Namespaces>::create(call, spec()));
        match made.map_err(|error| anyhow!("{error:?}"))? {
            Progress::Done(native) => Ok(Self { host, native }),
            other => Err(anyhow!("{other:?}")),
        }
    }

    /// Looks at a namespace.
    pub(crate) fn inspect(&self, native: &[u8]) -> Result<NamespaceState> {
        let seen = with_host(self.host.clone(), || <Fake as Namespaces>::inspect(native.to_vec()));
        seen.map_err(|error| anyhow!("{error:?}")).context("inspect")
    }
}

#[async_trait]
impl Subject for Twin {
    async fn once(&self) -> Result<()> {
        let seen = self.inspect(&self.native)?;
        ensure!(seen.lifecycle == Lifecycle::Ready, "{seen:?}");
        Ok(())
    }
}

fn spec() -> NamespaceSpec {
    NamespaceSpec {
        tenant: vec![],
        project: "vision".to_owned(),
        name: "datasets".to_owned(),
        physical_id: super::NAMESPACE.to_owned(),
        protocols: vec![Protocol::Posix],
        limits: vec![Limit {
            dimension: Dimension::Bytes,
            scope: LimitScope::Namespace,
            enforcement: Enforcement::Block,
            value: 1 << 30,
            extensions: vec![],
        }],
        prefixes: vec!["shared".to_owned()],
        posix: Some(PosixIdentity { uid: 1000, gid: 1000, mode: 0o770 }),
        labels: vec![("team".to_owned(), "vision".to_owned())],
        extensions: vec![],
    }
}
