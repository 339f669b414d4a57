//! The record of a mount plan.

use serde::{Deserialize, Serialize};
use stowage_domain::{GrantName, MountName, NamespaceName, NodeName, OperationName, Prefix, ProviderName, UnixMillis};
use stowage_policy::Mode;
use stowage_ports::provider::MountPlan;

/// Who carries a plan out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// The agent of the plan's node.
    Node,
    /// Kubernetes.
    Kubernetes,
    /// A person with a shell.
    Human,
}

/// Where a mount stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MountState {
    /// The plan is being made at the provider.
    Preparing,
    /// The plan stands; nobody has reported a mount.
    Requested,
    /// The node has it mounted.
    Mounted,
    /// The node had it mounted and is not heard of, or the mount does not answer.
    Stale,
    /// It could not be made or mounted.
    Failed,
    /// A grant that it rested on has ended.
    Revoked,
    /// It is being unmounted and released.
    Releasing,
    /// Nothing of it is left.
    Released,
}

impl MountState {
    /// Whether nothing more happens to it.
    #[must_use]
    pub const fn ended(self) -> bool {
        matches!(self, Self::Failed | Self::Revoked | Self::Released)
    }
}

/// One part of the namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrefixAccess {
    /// Empty for the whole namespace.
    pub prefix: Prefix,
    /// How it is used.
    pub mode: Mode,
}

/// A secret of the plan: only its handle is ever shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretHandle {
    /// As it stands in the plan.
    pub handle: String,
    /// Name in the host's secret store.
    pub secret: String,
    /// When the node redeemed it; it works once.
    #[serde(default)]
    pub redeemed_at: Option<UnixMillis>,
}

/// A mount plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// Its name, which tells the workload.
    pub name: MountName,
    /// Never used again, unlike the name.
    pub uid: String,
    /// What is mounted.
    pub namespace: NamespaceName,
    /// Who has it.
    pub provider: ProviderName,
    /// Where; always for [`Form::Node`].
    #[serde(default)]
    pub node: Option<NodeName>,
    /// Who carries it out.
    pub form: Form,
    /// Which parts and how.
    pub prefixes: Vec<PrefixAccess>,
    /// Whether several nodes write.
    #[serde(default)]
    pub multi_writer: bool,
    /// The grants that it rests on; empty for ownership alone.
    #[serde(default)]
    pub grants: Vec<GrantName>,
    /// When the first of those grants ends.
    #[serde(default)]
    pub granted_until: Option<UnixMillis>,
    /// Where it stands.
    pub state: MountState,
    /// Why, for people.
    #[serde(default)]
    pub state_reason: String,
    /// What the adapter prepared.
    #[serde(default)]
    pub plan: Option<MountPlan>,
    /// Its secrets.
    #[serde(default)]
    pub secrets: Vec<SecretHandle>,
    /// What the reader must know.
    #[serde(default)]
    pub notices: Vec<String>,
    /// Whether the plan was handed to its node.
    #[serde(default)]
    pub ordered: bool,
    /// Where the node has each mount.
    #[serde(default)]
    pub paths: Vec<String>,
    /// When the node last reported it.
    #[serde(default)]
    pub reported_at: Option<UnixMillis>,
    /// The operation that changes it now.
    #[serde(default)]
    pub operation: Option<OperationName>,
    /// When it was asked for.
    pub created_at: UnixMillis,
    /// When it last changed.
    pub updated_at: UnixMillis,
}
