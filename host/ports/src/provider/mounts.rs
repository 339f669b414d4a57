//! Mount plans: what a node needs to mount a namespace, with no secret in clear and no program to run.

use serde::{Deserialize, Serialize};

use super::{Extensions, Job, NativeRef, NodeWork};

/// What is mounted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MountSource {
    /// NFS.
    Nfs {
        /// Servers.
        servers: Vec<String>,
        /// Export.
        export_path: String,
        /// Versions, best first.
        versions: Vec<String>,
        /// `tcp`, `rdma` or `tls`.
        transport: String,
    },
    /// A parallel file system's own client.
    Client {
        /// Matched against the kinds that a node's own configuration maps to a program and its allowed options.
        client_kind: String,
        /// Servers.
        servers: Vec<String>,
        /// File system.
        filesystem: String,
        /// Path within it.
        path: String,
    },
    /// A path that the node has already.
    HostPath {
        /// Name of a root that the node's configuration binds.
        root: String,
        /// Path beneath it.
        path: String,
    },
    /// Blocks.
    Block {
        /// Transport.
        transport: String,
        /// Targets.
        targets: Vec<String>,
    },
    /// Objects.
    Object {
        /// Endpoint.
        endpoint: String,
        /// Region.
        region: String,
        /// Bucket.
        bucket: String,
        /// Prefix.
        prefix: String,
        /// Path-style addressing.
        path_style: bool,
    },
    /// A source that this host does not know.
    Other(String),
}

/// What may be done through the mount.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccessMode {
    /// Read and list.
    ReadOnly,
    /// Read, list, write and delete.
    ReadWrite,
    /// A mode that this host does not know.
    Other(String),
}

/// Who keeps the client from doing more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EnforcedBy {
    /// The backend.
    ServerPolicy,
    /// The credential.
    Credential,
    /// Only the client's mount option.
    MountOptionOnly,
    /// A way that this host does not know.
    Other(String),
}

/// Whom the plan is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlanForm {
    /// A node agent.
    NodeMount,
    /// A Kubernetes volume.
    CsiVolume,
    /// The host has prepared it.
    HostPrepared,
    /// The application mounts.
    AppController,
    /// A form that this host does not know.
    Other(String),
}

/// How a mount secret reaches the client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    /// As the value of this mount option.
    OptionKey(String),
    /// As a file, named by this mount option.
    File(String),
    /// In this environment variable.
    Environment(String),
    /// A way that this host does not know.
    Other(String),
}

/// A secret of the plan, by handle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountSecret {
    /// Sealed handle.
    pub handle: String,
    /// How it is delivered.
    pub deliver: Delivery,
}

/// One mount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OneMount {
    /// What.
    pub source: MountSource,
    /// The only part of it that the workload sees.
    pub subpath: String,
    /// What may be done.
    pub mode: AccessMode,
    /// Who enforces it.
    pub enforced_by: EnforcedBy,
    /// Client options.
    pub options: Extensions,
}

/// What the node must have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prerequisite {
    /// Kind, such as a client kind.
    pub kind: String,
    /// Least version.
    pub min_version: Option<String>,
}

/// What to prepare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountRequest {
    /// The namespace.
    pub namespace: NativeRef,
    /// The workload's id.
    pub workload: String,
    /// The node's id.
    pub node: String,
    /// The node's addresses, for fences.
    pub node_addresses: Vec<String>,
    /// Prefixes and modes; an empty prefix is the whole namespace.
    pub prefixes: Vec<(String, AccessMode)>,
    /// Whether several nodes write.
    pub multi_writer: bool,
    /// Whom it is for.
    pub form: PlanForm,
    /// Registered keys.
    pub extensions: Extensions,
}

/// The plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountPlan {
    /// The native object that `release` takes.
    pub native: NativeRef,
    /// Mounts.
    pub mounts: Vec<OneMount>,
    /// Secrets by handle.
    pub secrets: Vec<MountSecret>,
    /// What the node must have.
    pub prerequisites: Vec<Prerequisite>,
    /// When the secrets end.
    pub valid_until: Option<u64>,
    /// Registered keys, such as `csi.driver` and `csi.volume-handle`.
    pub extensions: Extensions,
}

/// What `prepare` gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prepared {
    /// The plan.
    Plan(MountPlan),
    /// A job runs.
    Pending(Job),
    /// A node must do something first.
    NeedsNode(NodeWork),
    /// An outcome that this host does not know.
    Other(String),
}

/// State of a mount at the backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MountState {
    /// Prepared.
    Requested,
    /// Clients are attached.
    Mounted,
    /// Was attached and is not any more.
    Stale,
    /// Failed.
    Failed(String),
    /// Taken back.
    Revoked,
    /// A state that this host does not know.
    Other(String),
}

/// One client at the backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Opaque.
    pub id: Vec<u8>,
    /// Its address or name.
    pub client: String,
    /// Since when.
    pub since: Option<u64>,
    /// What it may do.
    pub mode: Option<AccessMode>,
    /// Registered keys.
    pub extensions: Extensions,
}

/// What the backend says of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountStatus {
    /// The plan's native object.
    pub native: NativeRef,
    /// State.
    pub state: MountState,
    /// Clients.
    pub clients: Vec<Attachment>,
    /// When it was seen.
    pub observed_at: u64,
}
