//! The port behind which plugins become providers: the binary wires engine, egress and secrets there.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use stowage_domain::{Provider as ProviderRecord, UnixMillis};
use stowage_ports::provider::{Description, FieldFault, Provider};

use crate::{ControlError, FieldViolation, Status};

/// What is known of a plugin.
#[derive(Debug, Clone, PartialEq)]
pub struct PluginInfo {
    /// Name: the file's stem.
    pub name: String,
    /// `sha256:` and 64 hex digits.
    pub digest: String,
    /// Version of the contract that it was built for.
    pub contract: String,
    /// Optional interfaces that it has.
    pub interfaces: Vec<String>,
    /// What it says of itself; `None` when it was refused before it could.
    pub description: Option<Description>,
    /// Digest of its exchange table.
    pub exchange_digest: String,
    /// Why it was refused; `None` when it was admitted.
    pub refused: Option<String>,
    /// When this host loaded it.
    pub loaded_at: UnixMillis,
}

/// Why a plugin or provider cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// There is no such plugin.
    #[error("there is no plugin {0:?}: put {0}.wasm into the plugin directory")]
    NoPlugin(String),
    /// The component was refused.
    #[error("plugin {plugin:?} was refused: {message}")]
    Refused {
        /// The plugin.
        plugin: String,
        /// Stable upper-case reason, such as `WORLD_MISMATCH` or `DIGEST_MISMATCH`.
        reason: String,
        /// What is wrong and how to mend it.
        message: String,
    },
    /// The configuration, an endpoint or a secret reference is wrong.
    #[error("the provider's configuration is wrong: {}", faults(.0))]
    Config(Vec<FieldFault>),
    /// Something outside failed: disk, resolver, secret store.
    #[error("{0}")]
    Unavailable(String),
}

fn faults(faults: &[FieldFault]) -> String {
    let texts: Vec<String> = faults.iter().map(|fault| format!("{}: {}", fault.field, fault.problem)).collect();
    texts.join("; ")
}

impl From<LoadError> for ControlError {
    fn from(error: LoadError) -> Self {
        let message = error.to_string();
        match error {
            LoadError::NoPlugin(_) => Self::new(Status::NotFound, "PLUGIN_NOT_FOUND", message),
            LoadError::Refused { reason, plugin, .. } => {
                Self::new(Status::FailedPrecondition, &reason, message).with("plugin", plugin)
            }
            LoadError::Config(faults) => {
                let mut out = Self::new(Status::InvalidArgument, "PROVIDER_CONFIG_INVALID", message);
                let field = |f: FieldFault| FieldViolation { field: f.field, description: f.problem };
                out.0.fields = faults.into_iter().map(field).collect();
                out
            }
            LoadError::Unavailable(_) => Self::new(Status::Unavailable, "PLUGIN_UNAVAILABLE", message),
        }
    }
}

/// Makes providers of records.
#[async_trait]
pub trait ProviderLoader: Send + Sync + 'static {
    /// Admits the record's plugin under its pinned digest (an empty one accepts what is found), checks its configuration,
    /// endpoints and secret references, and binds them. Does not ask the backend. Called once for each version of a
    /// record; the answer is kept by `control`.
    async fn load(&self, record: &ProviderRecord) -> Result<Arc<dyn Provider>, LoadError>;

    /// The address ranges that each endpoint of the record may lead to: what the operator gave, or what its names resolve
    /// to now. `control` keeps them in the record, and [`load`](Self::load) dials nothing else.
    async fn pin(&self, record: &ProviderRecord) -> Result<BTreeMap<String, Vec<String>>, LoadError>;

    /// All about one plugin, admitted or refused.
    async fn inspect(&self, plugin: &str) -> Result<PluginInfo, LoadError>;

    /// Every plugin of the directory, by name.
    async fn list(&self) -> Result<Vec<PluginInfo>, LoadError>;
}
