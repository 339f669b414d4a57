//! Loaded providers, one for each version of what an operator bound.

use std::sync::Arc;

use stowage_domain::{Provider as ProviderRecord, ProviderName};
use stowage_ports::provider::Provider;

use crate::{Control, ControlError, Result, Status, ids, operations::Operation, rows::Reads};

/// A loaded provider and what it was loaded from.
pub(crate) struct Loaded {
    binding: String,
    provider: Arc<dyn Provider>,
}

/// What a load depends on; a probe or a cordon changes the record and not this.
fn binding(record: &ProviderRecord) -> String {
    let bound = format!("{:?} {:?} {:?} {:?}", record.endpoints, record.pinned_ranges, record.secrets, record.config);
    ids::digest(40, &[&record.uid, &record.plugin, &record.plugin_digest, &bound])
}

impl Control {
    /// The provider of this record, loaded on first use.
    pub(crate) async fn load(&self, record: &ProviderRecord) -> Result<Arc<dyn Provider>> {
        let (key, binding) = (record.name.to_string(), binding(record));
        if let Some(loaded) = self.loaded.lock().get(&key)
            && loaded.binding == binding
        {
            return Ok(Arc::clone(&loaded.provider));
        }
        let provider = self.loader.load(record).await?;
        self.loaded.lock().insert(key, Loaded { binding, provider: Arc::clone(&provider) });
        Ok(provider)
    }

    /// The provider with this name.
    pub(crate) async fn provider(&self, name: &ProviderName) -> Result<Arc<dyn Provider>> {
        self.load(&self.tables.read::<ProviderRecord>(name).await?.value).await
    }

    /// The provider of an operation.
    pub(crate) async fn provider_of(&self, operation: &Operation) -> Result<Arc<dyn Provider>> {
        match &operation.provider {
            Some(name) => self.provider(name).await,
            None => {
                let message = format!("{} has no provider", operation.name);
                Err(ControlError::new(Status::Internal, "NO_PROVIDER", message))
            }
        }
    }
}
