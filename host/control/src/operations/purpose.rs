//! What operations are for.

use serde::{Deserialize, Serialize};
use stowage_domain::{
    CredentialName, DataPolicy, GrantName, Limits, MountName, NamespaceName, OperationName, ParentName, Protocol,
    WorkloadName,
};

use super::StepName;

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
    /// Changes how a namespace can be reached.
    SetProtocols {
        /// The namespace.
        namespace: NamespaceName,
        /// All its protocols from then on.
        protocols: Vec<Protocol>,
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
    /// Makes the principal that a project's credentials hang beneath at a provider.
    EnsureParent {
        /// The principal.
        parent: ParentName,
    },
    /// Ends that principal with everything beneath it.
    RetireParent {
        /// The principal.
        parent: ParentName,
    },
    /// Ends a service account.
    RevokeCredential {
        /// The credential.
        credential: CredentialName,
        /// The operation that waits for this one.
        #[serde(default)]
        parent: Option<OperationName>,
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
    /// `namespace.set-protocols`
    SetProtocols,
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
    /// `parent.ensure`
    EnsureParent,
    /// `parent.retire`
    RetireParent,
    /// `credential.revoke`
    RevokeCredential,
}

impl OperationKind {
    /// Every kind.
    pub const ALL: [Self; 12] = [
        Self::CreateNamespace,
        Self::AdoptNamespace,
        Self::SetLimits,
        Self::SetProtocols,
        Self::DeleteNamespace,
        Self::CreateMount,
        Self::ReleaseMount,
        Self::ReleaseWorkload,
        Self::RevokeGrant,
        Self::EnsureParent,
        Self::RetireParent,
        Self::RevokeCredential,
    ];

    /// As shown.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::CreateNamespace => "namespace.create",
            Self::AdoptNamespace => "namespace.adopt",
            Self::SetLimits => "namespace.set-quota",
            Self::SetProtocols => "namespace.set-protocols",
            Self::DeleteNamespace => "namespace.delete",
            Self::CreateMount => "mount.create",
            Self::ReleaseMount => "mount.release",
            Self::ReleaseWorkload => "workload.release",
            Self::RevokeGrant => "grant.revoke",
            Self::EnsureParent => "parent.ensure",
            Self::RetireParent => "parent.retire",
            Self::RevokeCredential => "credential.revoke",
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
            Self::SetProtocols { .. } => OperationKind::SetProtocols,
            Self::DeleteNamespace { .. } => OperationKind::DeleteNamespace,
            Self::CreateMount { .. } => OperationKind::CreateMount,
            Self::ReleaseMount { .. } => OperationKind::ReleaseMount,
            Self::ReleaseWorkload { .. } => OperationKind::ReleaseWorkload,
            Self::RevokeGrant { .. } => OperationKind::RevokeGrant,
            Self::EnsureParent { .. } => OperationKind::EnsureParent,
            Self::RetireParent { .. } => OperationKind::RetireParent,
            Self::RevokeCredential { .. } => OperationKind::RevokeCredential,
        }
    }

    /// Name of the resource that it changes.
    #[must_use]
    pub fn resource(&self) -> String {
        match self {
            Self::CreateNamespace { namespace }
            | Self::AdoptNamespace { namespace, .. }
            | Self::SetLimits { namespace, .. }
            | Self::SetProtocols { namespace, .. }
            | Self::DeleteNamespace { namespace, .. } => namespace.to_string(),
            Self::CreateMount { mount } | Self::ReleaseMount { mount, .. } => mount.to_string(),
            Self::ReleaseWorkload { workload } => workload.to_string(),
            Self::RevokeGrant { grant } => grant.to_string(),
            Self::EnsureParent { parent } | Self::RetireParent { parent } => parent.to_string(),
            Self::RevokeCredential { credential, .. } => credential.to_string(),
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
            | Self::SetProtocols { namespace, .. }
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
            Self::SetProtocols { .. } => StepName::ProviderSetProtocols,
            Self::DeleteNamespace { .. } => StepName::ProviderDelete,
            Self::CreateMount { .. } => StepName::PrepareMount,
            Self::ReleaseMount { .. } => StepName::NodeUnmount,
            Self::ReleaseWorkload { .. } | Self::RevokeGrant { .. } => StepName::ReleaseMounts,
            Self::EnsureParent { .. } => StepName::EnsurePrincipal,
            Self::RetireParent { .. } => StepName::RetirePrincipal,
            Self::RevokeCredential { .. } => StepName::ProviderRevoke,
        }
    }

    /// How many steps it has when all goes well.
    #[must_use]
    pub const fn steps_total(&self) -> u32 {
        match self {
            Self::CreateNamespace { .. } | Self::AdoptNamespace { .. } | Self::SetLimits { .. } => 1,
            Self::ReleaseWorkload { .. } | Self::RevokeGrant { .. } => 1,
            Self::SetProtocols { .. } | Self::RevokeCredential { .. } => 1,
            Self::EnsureParent { .. } | Self::RetireParent { .. } => 2,
            Self::DeleteNamespace { .. } | Self::CreateMount { .. } | Self::ReleaseMount { .. } => 2,
        }
    }
}
