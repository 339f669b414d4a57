//! Namespaces: placed and reserved in the intent, made by an operation, used, changed and deleted.

mod adopt;
mod create;
mod delete;
mod desk;
mod protocols;
mod provision;
mod quota;
mod read;
mod rows;
mod usage;

pub use adopt::{AdoptNamespace, Adoption};
pub use create::CreateNamespace;
pub(crate) use desk::Desk;
pub use read::{NamespaceChanges, SharedNamespace};
pub(crate) use usage::UsageCache;
pub use usage::UsageReport;

use stowage_domain::{Decision, Namespace};

use crate::Operation;

/// What a change of a namespace was answered with.
#[derive(Debug, Clone, PartialEq)]
pub struct Started {
    /// The operation; `None` when the change was only validated.
    pub operation: Option<Operation>,
    /// The namespace as it is now, or would be.
    pub namespace: Namespace,
    /// Where it would be placed and why, when a creation was only validated.
    pub placement: Option<Decision>,
}

impl Started {
    const fn running(operation: Operation, namespace: Namespace) -> Self {
        Self { operation: Some(operation), namespace, placement: None }
    }

    const fn would_be(namespace: Namespace) -> Self {
        Self { operation: None, namespace, placement: None }
    }
}
