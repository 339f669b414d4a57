//! Work for nodes: steps in a provider's tree, mounts and unmounts.
//!
//! A piece of work is leased to its node's agent. A lease that ends without a report is handed out again, so an agent that
//! dies in the middle loses nothing and everything may be done twice. The report of an older claim is refused; a repeat of
//! an accepted one is answered the same for an hour. The report and the step of the operation are one commit.

mod claim;
mod order;
mod report;
mod source;

use serde::{Deserialize, Serialize};
use stowage_domain::{MountName, OperationName, ProviderName, UnixMillis, WorkName};
use stowage_ports::provider::{MountPlan, NodeResult, NodeWork};

pub use claim::{ClaimWork, ClaimedWork};
pub(crate) use order::{need, pick_node};
pub use report::ReportWork;
pub use source::SourceAccess;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// Steps in the tree of a provider.
    Steps(NodeWork),
    /// Mount a plan.
    Mount {
        /// The plan's name.
        mount: MountName,
        /// Short id, safe as the name of a directory.
        mount_id: String,
        /// The plan.
        plan: MountPlan,
    },
    /// Unmount a plan.
    Unmount {
        /// The plan's name.
        mount: MountName,
        /// Short id, safe as the name of a directory.
        mount_id: String,
        /// The plan.
        plan: MountPlan,
        /// Whether busy mounts are taken away nevertheless.
        force: bool,
    },
}

/// How a piece of work ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkOutcome {
    /// One result a step or mount, up to the first failure.
    pub results: Vec<NodeResult>,
    /// Why the work as a whole could not be done.
    #[serde(default)]
    pub error: Option<String>,
    /// Stable reason of that.
    #[serde(default)]
    pub reason: String,
}

/// A lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Proves the claim.
    pub claim: String,
    /// When the work is handed out again.
    pub until: UnixMillis,
}

/// A piece of work for one node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Work {
    /// Its name, which tells the node.
    pub name: WorkName,
    /// The operation that waits for it.
    pub operation: OperationName,
    /// The provider that it is for.
    pub provider: ProviderName,
    /// What is to be done.
    pub order: Order,
    /// How often it was handed out.
    pub attempt: u32,
    /// Who has it now.
    #[serde(default)]
    pub lease: Option<Lease>,
    /// When it was ordered.
    pub created_at: UnixMillis,
}

impl WorkOutcome {
    /// Stable reason and text of what went wrong, if anything did.
    pub(crate) fn failure(&self) -> Option<(String, String)> {
        if let Some(error) = &self.error {
            let reason = if self.reason.is_empty() { "NODE_FAILED" } else { self.reason.as_str() };
            return Some((reason.to_owned(), error.clone()));
        }
        let failed = self.results.iter().find(|result| result.error.is_some())?;
        let reason = failed.values.iter().find(|(key, _)| key == "reason").map(|(_, reason)| reason.clone());
        Some((reason.unwrap_or_else(|| "NODE_FAILED".to_owned()), failed.error.clone().unwrap_or_default()))
    }

    /// Where the node has each mount, in the plan's order.
    pub(crate) fn paths(&self) -> Vec<String> {
        let path = |result: &NodeResult| result.values.iter().find(|(key, _)| key == "path").map(|(_, p)| p.clone());
        self.results.iter().filter_map(path).collect()
    }
}
