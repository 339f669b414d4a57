//! The nouns and rules of storage, in words that no vendor owns.
//!
//! Nothing here does IO, waits or reads a clock: a function gets what it decides on and answers with the decision and its
//! reasons. For example, [`placement::decide`] gets every provider with its numbers and answers with each filter's
//! verdict, so that the decision can be stored with the namespace and explained a year later.
#![forbid(unsafe_code)]

pub mod capability;
pub mod class;
pub mod drift;
pub mod grant;
pub mod ids;
pub mod labels;
pub mod ledger;
pub mod limits;
pub mod names;
pub mod namespace;
pub mod node;
pub mod placement;
pub mod prefix;
pub mod provider;
pub mod tenancy;
pub mod units;
pub mod workload;

pub use capability::{Capability, CapabilityState, Standing};
pub use class::StorageClass;
pub use drift::{Drift, DriftKind, DriftSeverity};
pub use grant::{Action, Actions, Grant, Principal};
pub use ids::*;
pub use labels::Labels;
pub use ledger::{Ledger, Shortage};
pub use limits::Limits;
pub use names::*;
pub use namespace::{DataPolicy, Namespace, NamespaceState, Protocol};
pub use node::{Node, NodeClient};
pub use placement::Decision;
pub use prefix::Prefix;
pub use provider::{Provider, ProviderState};
pub use tenancy::{PosixIdentity, Project, Tenant};
pub use units::{Bytes, Millis, Seconds, UnixMillis};
pub use workload::{Workload, WorkloadState};

/// A field of a request that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {rule}")]
pub struct FieldError {
    /// Path of the field.
    pub field: String,
    /// The rule that it breaks, and what would be right.
    pub rule: String,
}

impl FieldError {
    /// Names the field and the rule.
    #[must_use]
    pub fn new(field: impl Into<String>, rule: impl Into<String>) -> Self {
        Self { field: field.into(), rule: rule.into() }
    }

    /// The same below a field of the request: `quota.hard_bytes` within `namespace` is `namespace.quota.hard_bytes`.
    #[must_use]
    pub fn within(self, parent: &str) -> Self {
        Self { field: format!("{parent}.{}", self.field), rule: self.rule }
    }
}
