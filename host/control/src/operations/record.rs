//! The record of an operation.

use serde::{Deserialize, Serialize};
use stowage_domain::{
    Grant, Namespace, OperationName, ProjectId, ProviderName, TenantId, UnixMillis, WorkName, Workload,
};
use stowage_ports::provider::Job;

use super::Purpose;
use crate::{error::Problem, mounts::Mount, work::WorkOutcome};

/// A step: what is done between two commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepName {
    /// Make the namespace at the provider.
    ProviderCreate,
    /// Take it over there.
    ProviderAdopt,
    /// Change its limits there.
    ProviderSetLimits,
    /// Change its protocols there.
    ProviderSetProtocols,
    /// Delete it there.
    ProviderDelete,
    /// Forget its grants and its record.
    Forget,
    /// Take back what may have been made.
    Undo,
    /// Prepare the plan at the provider.
    PrepareMount,
    /// Have the node mount it.
    NodeMount,
    /// Have the node unmount it.
    NodeUnmount,
    /// Release the plan at the provider.
    ProviderRelease,
    /// Release each mount by an operation of its own, and wait for them.
    ReleaseMounts,
    /// Make the principal at the provider.
    EnsurePrincipal,
    /// Give it its policy.
    ApplyEnvelope,
    /// End it at the provider with everything beneath it.
    RetirePrincipal,
    /// Forget what hung beneath it, and its record.
    ForgetParent,
    /// End a credential at the provider.
    ProviderRevoke,
}

impl StepName {
    /// As shown.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::ProviderCreate => "provider-create",
            Self::ProviderAdopt => "provider-adopt",
            Self::ProviderSetLimits => "provider-set-limits",
            Self::ProviderSetProtocols => "provider-set-protocols",
            Self::ProviderDelete => "provider-delete",
            Self::Forget => "forget",
            Self::Undo => "undo",
            Self::PrepareMount => "prepare-mount",
            Self::NodeMount => "node-mount",
            Self::NodeUnmount => "node-unmount",
            Self::ProviderRelease => "provider-release",
            Self::ReleaseMounts => "release-mounts",
            Self::EnsurePrincipal => "ensure-principal",
            Self::ApplyEnvelope => "apply-envelope",
            Self::RetirePrincipal => "retire-principal",
            Self::ForgetParent => "forget-parent",
            Self::ProviderRevoke => "provider-revoke",
        }
    }
}

/// What an operation waits for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Waiting {
    /// Nothing: the step is due at `next_at`.
    #[default]
    No,
    /// The provider runs a job.
    Job(Job),
    /// A node has to do a part.
    Node(WorkName),
    /// A node has to do a part and none that can is online.
    AnyNode(Box<stowage_ports::provider::NodeWork>),
    /// Other operations have to end.
    Operations,
}

/// Where an operation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OperationState {
    /// A step is due or running.
    Running,
    /// The provider runs a job.
    WaitingJob,
    /// A node has to do a part.
    WaitingNode,
    /// The last attempt failed and the next is due at `next_at`.
    Retrying,
    /// What was made is being taken back.
    Compensating,
    /// It ended well.
    Succeeded,
    /// It ended with an error.
    Failed,
    /// It was stopped on request.
    Cancelled,
}

impl OperationState {
    /// As a metric label.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::WaitingJob => "waiting-job",
            Self::WaitingNode => "waiting-node",
            Self::Retrying => "retrying",
            Self::Compensating => "compensating",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// One thing among those that an operation handles.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// Name of the resource.
    pub resource: String,
    /// A word such as `unmounting`, `released`, `node-unreachable`.
    pub state: String,
    /// Why it is not as it should be.
    #[serde(default)]
    pub problem: Option<Problem>,
}

/// The changed resource, as it was when the operation ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Response {
    /// A namespace.
    Namespace(Box<Namespace>),
    /// A mount plan.
    Mount(Box<Mount>),
    /// A workload.
    Workload(Box<Workload>),
    /// A grant.
    Grant(Box<Grant>),
}

/// A long-running change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// Its name.
    pub name: OperationName,
    /// What it does.
    pub purpose: Purpose,
    /// Tenant of the resource.
    #[serde(default)]
    pub tenant: Option<TenantId>,
    /// Project of the resource.
    #[serde(default)]
    pub project: Option<ProjectId>,
    /// Whose calls it makes.
    #[serde(default)]
    pub provider: Option<ProviderName>,
    /// Who asked for it.
    pub requester: String,
    /// The API call that asked for it.
    #[serde(default)]
    pub call_id: String,
    /// The mark of everything that it makes at the provider.
    pub owner: String,
    /// Where it stands.
    pub state: OperationState,
    /// The step that is due or running.
    pub step: StepName,
    /// Number of steps that are done.
    pub steps_done: u32,
    /// Attempts at the current step.
    pub attempts: u32,
    /// When the current step is due.
    pub next_at: UnixMillis,
    /// When the current step is given up.
    pub deadline: UnixMillis,
    /// What it waits for.
    #[serde(default)]
    pub waiting: Waiting,
    /// What the node answered, for the next call.
    #[serde(default)]
    pub node_outcome: Option<WorkOutcome>,
    /// Whether it shall stop and undo what it made.
    #[serde(default)]
    pub cancel_requested: bool,
    /// What the last failed attempt said.
    #[serde(default)]
    pub last_error: Option<Problem>,
    /// Why it failed; set while it is undone, too.
    #[serde(default)]
    pub error: Option<Problem>,
    /// End states of the things that it handles.
    #[serde(default)]
    pub items: Vec<Item>,
    /// The changed resource, once it has ended well.
    #[serde(default)]
    pub response: Option<Response>,
    /// When it was accepted.
    pub created_at: UnixMillis,
    /// When its record last changed.
    pub updated_at: UnixMillis,
    /// When it ended.
    #[serde(default)]
    pub ended_at: Option<UnixMillis>,
}

impl Operation {
    /// Whether it has ended.
    #[must_use]
    pub const fn done(&self) -> bool {
        self.ended_at.is_some()
    }

    /// The node that it waits for.
    #[must_use]
    pub fn waiting_node(&self) -> Option<&stowage_domain::NodeId> {
        match &self.waiting {
            Waiting::Node(work) => Some(&work.node),
            _ => None,
        }
    }
}
