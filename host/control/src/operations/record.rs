//! The record of an operation.

use serde::{Deserialize, Serialize};
use stowage_domain::{
    DataPolicy, Grant, GrantName, Limits, MountName, Namespace, NamespaceName, OperationName, ProjectId, ProviderName,
    TenantId, UnixMillis, WorkName, Workload, WorkloadName,
};
use stowage_ports::provider::Job;

use crate::{error::Problem, mounts::Mount, work::WorkOutcome};

/// What an operation does, with what it needs to do it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// Makes a namespace at its provider.
    CreateNamespace {
        /// The namespace.
        namespace: NamespaceName,
    },
    /// Takes over what a provider has.
    AdoptNamespace {
        /// The namespace.
        namespace: NamespaceName,
        /// Where it is at the provider.
        location: String,
    },
    /// Changes a namespace's limits.
    SetLimits {
        /// The namespace.
        namespace: NamespaceName,
        /// The new limits.
        limits: Limits,
    },
    /// Deletes a namespace.
    DeleteNamespace {
        /// The namespace.
        namespace: NamespaceName,
        /// What becomes of the data.
        data: DataPolicy,
    },
    /// Prepares a mount plan and has its node mount it.
    CreateMount {
        /// The plan.
        mount: MountName,
    },
    /// Has the node unmount, and releases the plan at the provider.
    ReleaseMount {
        /// The plan.
        mount: MountName,
        /// Whether a grant that it rests on has ended.
        revoked: bool,
        /// The operation that waits for this one.
        #[serde(default)]
        parent: Option<OperationName>,
    },
    /// Releases every mount of a workload.
    ReleaseWorkload {
        /// The workload.
        workload: WorkloadName,
    },
    /// Releases every mount that rests on a grant.
    RevokeGrant {
        /// The grant.
        grant: GrantName,
    },
}

/// Names of the kinds, for labels, limits and people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OperationKind {
    /// `namespace.create`
    CreateNamespace,
    /// `namespace.adopt`
    AdoptNamespace,
    /// `namespace.set-quota`
    SetLimits,
    /// `namespace.delete`
    DeleteNamespace,
    /// `mount.create`
    CreateMount,
    /// `mount.release`
    ReleaseMount,
    /// `workload.release`
    ReleaseWorkload,
    /// `grant.revoke`
    RevokeGrant,
}

impl OperationKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::CreateNamespace,
        Self::AdoptNamespace,
        Self::SetLimits,
        Self::DeleteNamespace,
        Self::CreateMount,
        Self::ReleaseMount,
        Self::ReleaseWorkload,
        Self::RevokeGrant,
    ];

    /// As shown.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::CreateNamespace => "namespace.create",
            Self::AdoptNamespace => "namespace.adopt",
            Self::SetLimits => "namespace.set-quota",
            Self::DeleteNamespace => "namespace.delete",
            Self::CreateMount => "mount.create",
            Self::ReleaseMount => "mount.release",
            Self::ReleaseWorkload => "workload.release",
            Self::RevokeGrant => "grant.revoke",
        }
    }
}

impl Purpose {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> OperationKind {
        match self {
            Self::CreateNamespace { .. } => OperationKind::CreateNamespace,
            Self::AdoptNamespace { .. } => OperationKind::AdoptNamespace,
            Self::SetLimits { .. } => OperationKind::SetLimits,
            Self::DeleteNamespace { .. } => OperationKind::DeleteNamespace,
            Self::CreateMount { .. } => OperationKind::CreateMount,
            Self::ReleaseMount { .. } => OperationKind::ReleaseMount,
            Self::ReleaseWorkload { .. } => OperationKind::ReleaseWorkload,
            Self::RevokeGrant { .. } => OperationKind::RevokeGrant,
        }
    }

    /// Name of the resource that it changes.
    #[must_use]
    pub fn resource(&self) -> String {
        match self {
            Self::CreateNamespace { namespace }
            | Self::AdoptNamespace { namespace, .. }
            | Self::SetLimits { namespace, .. }
            | Self::DeleteNamespace { namespace, .. } => namespace.to_string(),
            Self::CreateMount { mount } | Self::ReleaseMount { mount, .. } => mount.to_string(),
            Self::ReleaseWorkload { workload } => workload.to_string(),
            Self::RevokeGrant { grant } => grant.to_string(),
        }
    }

    /// Whether what it made can be taken back, so that it can be cancelled.
    #[must_use]
    pub const fn can_undo(&self) -> bool {
        matches!(self, Self::CreateNamespace { .. } | Self::AdoptNamespace { .. } | Self::CreateMount { .. })
    }

    /// The namespace that it changes.
    #[must_use]
    pub const fn namespace(&self) -> Option<&NamespaceName> {
        match self {
            Self::CreateNamespace { namespace }
            | Self::AdoptNamespace { namespace, .. }
            | Self::SetLimits { namespace, .. }
            | Self::DeleteNamespace { namespace, .. } => Some(namespace),
            _ => None,
        }
    }

    /// The step that it begins with.
    #[must_use]
    pub const fn first_step(&self) -> StepName {
        match self {
            Self::CreateNamespace { .. } => StepName::ProviderCreate,
            Self::AdoptNamespace { .. } => StepName::ProviderAdopt,
            Self::SetLimits { .. } => StepName::ProviderSetLimits,
            Self::DeleteNamespace { .. } => StepName::ProviderDelete,
            Self::CreateMount { .. } => StepName::PrepareMount,
            Self::ReleaseMount { .. } => StepName::NodeUnmount,
            Self::ReleaseWorkload { .. } | Self::RevokeGrant { .. } => StepName::ReleaseMounts,
        }
    }

    /// How many steps it has when all goes well.
    #[must_use]
    pub const fn steps_total(&self) -> u32 {
        match self {
            Self::CreateNamespace { .. } | Self::AdoptNamespace { .. } | Self::SetLimits { .. } => 1,
            Self::ReleaseWorkload { .. } | Self::RevokeGrant { .. } => 1,
            Self::DeleteNamespace { .. } | Self::CreateMount { .. } | Self::ReleaseMount { .. } => 2,
        }
    }
}

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
}

impl StepName {
    /// As shown.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::ProviderCreate => "provider-create",
            Self::ProviderAdopt => "provider-adopt",
            Self::ProviderSetLimits => "provider-set-limits",
            Self::ProviderDelete => "provider-delete",
            Self::Forget => "forget",
            Self::Undo => "undo",
            Self::PrepareMount => "prepare-mount",
            Self::NodeMount => "node-mount",
            Self::NodeUnmount => "node-unmount",
            Self::ProviderRelease => "provider-release",
            Self::ReleaseMounts => "release-mounts",
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
