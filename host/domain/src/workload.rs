//! Workloads: jobs, notebooks and apps that use storage.

use serde::{Deserialize, Serialize};

use crate::{Labels, NodeName, Principal, UnixMillis, WorkloadName};

/// Whether a workload may use storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WorkloadState {
    /// It may.
    Active,
    /// It is being taken away.
    Releasing,
    /// Nothing of it is left.
    Released,
}

/// A job, notebook or app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workload {
    /// Its name.
    pub name: WorkloadName,
    /// Never used again, unlike the name.
    pub uid: String,
    /// What it is to the platform, such as `job`.
    #[serde(default)]
    pub kind: String,
    /// Whom it acts for; `None` for the project alone.
    #[serde(default)]
    pub principal: Option<Principal>,
    /// Nodes that it may run on; empty for any.
    #[serde(default)]
    pub nodes: Vec<NodeName>,
    /// When the platform expects it to be over.
    #[serde(default)]
    pub expires_at: Option<UnixMillis>,
    /// The platform's own.
    #[serde(default)]
    pub labels: Labels,
    /// Whether it may use storage.
    pub state: WorkloadState,
    /// When it was registered.
    pub created_at: UnixMillis,
    /// When it last changed.
    pub updated_at: UnixMillis,
    /// When its release ended.
    #[serde(default)]
    pub released_at: Option<UnixMillis>,
}
