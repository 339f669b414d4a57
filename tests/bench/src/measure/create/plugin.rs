//! The loader of a host that has one plugin.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Result;
use async_trait::async_trait;
use stowage_control::{LoadError, PluginInfo, ProviderLoader};
use stowage_domain::{Provider as ProviderRecord, UnixMillis};
use stowage_plugin::{AdmitOptions, Admitted, Engine, EngineOptions};
use stowage_ports::provider::Provider;
use stowage_ports::store::Store;
use stowage_store::{GuestLimits, StoreGuestState};

use crate::adapter;

/// One admitted component; its state is in the host's store.
pub(super) struct OnePlugin {
    engine: Engine,
    admitted: Admitted,
    store: Arc<dyn Store>,
}

impl OnePlugin {
    pub(super) async fn admit(component: &[u8], store: Arc<dyn Store>) -> Result<Self> {
        let engine = Engine::new(EngineOptions::default())?;
        let admitted = engine.admit(component, AdmitOptions::default()).await?;
        Ok(Self { engine, admitted, store })
    }
}

#[async_trait]
impl ProviderLoader for OnePlugin {
    async fn load(&self, record: &ProviderRecord) -> Result<Arc<dyn Provider>, LoadError> {
        let limits = GuestLimits { keys: 1 << 24, bytes: 1 << 34, ..GuestLimits::default() };
        let name = record.name.provider.as_str();
        let state = StoreGuestState::new(Arc::clone(&self.store), name, limits, BTreeMap::new());
        let unavailable = |error: &dyn std::fmt::Display| LoadError::Unavailable(error.to_string());
        let binding = adapter::binding(Arc::new(state)).map_err(|error| unavailable(&error))?;
        self.engine.bind(&self.admitted, binding).map_err(|error| unavailable(&error))
    }

    async fn pin(&self, _: &ProviderRecord) -> Result<BTreeMap<String, Vec<String>>, LoadError> {
        Ok(BTreeMap::new())
    }

    async fn inspect(&self, plugin: &str) -> Result<PluginInfo, LoadError> {
        Ok(PluginInfo {
            name: plugin.to_owned(),
            digest: format!("sha256:{}", self.admitted.digest()),
            contract: stowage_plugin::supported_range(),
            interfaces: self.admitted.interfaces().to_vec(),
            description: Some(self.admitted.description().clone()),
            exchange_digest: String::new(),
            refused: None,
            loaded_at: UnixMillis(0),
        })
    }

    async fn list(&self) -> Result<Vec<PluginInfo>, LoadError> {
        Ok(Vec::new())
    }
}
