//! Namespaces, tenants and snapshots as the contract has them.

use serde::{Deserialize, Serialize};

use super::{Extensions, Limit, NativeRef, NodeWork, Usage};

/// How a namespace is reached.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// Mounted as a file system.
    Posix,
    /// As objects.
    S3,
    /// A protocol that this host does not know.
    Other(String),
}

/// Where an object is in its life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lifecycle {
    /// Being made.
    Creating,
    /// Usable.
    Ready,
    /// There, but not reachable.
    Hidden,
    /// Being deleted.
    Deleting,
    /// Deleted, and can be had back until this time.
    Recoverable(u64),
    /// Not there.
    Gone,
    /// Not known.
    Unknown,
    /// A state that this host does not know.
    Other(String),
}

/// Who owns the root and the prefixes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PosixIdentity {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
    /// Permission bits of the root, such as `0o770`.
    pub mode: u32,
}

/// What a namespace should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamespaceSpec {
    /// The tenant's native object; empty where the provider has no tenants.
    pub tenant: NativeRef,
    /// The project's id.
    pub project: String,
    /// The namespace's id.
    pub name: String,
    /// Short opaque id that the native name and every prefix are built from.
    pub physical_id: String,
    /// How it shall be reached.
    pub protocols: Vec<Protocol>,
    /// Its limits.
    pub limits: Vec<Limit>,
    /// Directories to make beneath the root, such as `shared`.
    pub prefixes: Vec<String>,
    /// Who owns them.
    pub posix: Option<PosixIdentity>,
    /// The user's labels.
    pub labels: Extensions,
    /// Registered keys.
    pub extensions: Extensions,
}

/// What a namespace is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamespaceState {
    /// The native object.
    pub native: NativeRef,
    /// Where it is in its life.
    pub lifecycle: Lifecycle,
    /// How it is reached.
    pub protocols: Vec<Protocol>,
    /// Limits after the backend's rounding.
    pub effective_limits: Vec<Limit>,
    /// The mark.
    pub owner: Option<String>,
    /// Where it is, in an operator's words.
    pub location: String,
    /// The backend's revision.
    pub revision: Option<String>,
    /// Registered keys.
    pub extensions: Extensions,
}

/// What becomes of the data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DataPolicy {
    /// It stays.
    Keep,
    /// It goes.
    Purge,
    /// It can be had back for a while.
    Recoverable,
    /// A policy that this host does not know.
    Other(String),
}

/// Usage of several namespaces, or the work that must be done to know it.
#[derive(Debug, Clone, PartialEq)]
pub enum Usages {
    /// One entry for each reference, in order.
    Done(Vec<Result<Vec<Usage>, super::Error>>),
    /// A node must look.
    NeedsNode(NodeWork),
    /// An outcome that this host does not know.
    Other(String),
}

/// A tenant's native object.
#[derive(Debug, Clone, PartialEq)]
pub struct TenantState {
    /// The native object.
    pub native: NativeRef,
    /// The mark.
    pub owner: Option<String>,
    /// Its limits.
    pub limits: Vec<Limit>,
    /// Its usage.
    pub usage: Vec<Usage>,
    /// Registered keys.
    pub extensions: Extensions,
}

/// A snapshot.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// The native object.
    pub native: NativeRef,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created_at: Option<u64>,
    /// Where it can be read, relative to the namespace.
    pub path: Option<String>,
    /// Registered keys.
    pub extensions: Extensions,
}
