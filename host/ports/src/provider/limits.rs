//! Limits, and how much of them is used.

use serde::{Deserialize, Serialize};

use super::Extensions;

/// What is counted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dimension {
    /// Bytes.
    Bytes,
    /// Files and directories.
    Inodes,
    /// Objects.
    Objects,
    /// Buckets.
    Buckets,
    /// A dimension that this host does not know.
    Other(String),
}

/// Whose limit it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LimitScope {
    /// The namespace's.
    Namespace,
    /// One principal's.
    Principal,
    /// The tenant's.
    Tenant,
    /// A scope that this host does not know.
    Other(String),
}

/// What happens at the limit.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Enforcement {
    /// Writes fail.
    Block,
    /// Writes fail so many seconds after it was passed.
    SoftThenBlock(u64),
    /// Only told.
    Notify,
    /// A way that this host does not know.
    Other(String),
}

/// A limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// What is counted.
    pub dimension: Dimension,
    /// Whose.
    pub scope: LimitScope,
    /// What happens.
    pub enforcement: Enforcement,
    /// The limit.
    pub value: u64,
    /// Registered keys.
    pub extensions: Extensions,
}

/// How near a limit is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LimitState {
    /// Below all.
    Ok,
    /// Over the soft limit, grace not begun.
    Soft,
    /// Over the soft limit until this time.
    Grace(u64),
    /// Over the soft limit and the grace is over.
    GraceExpired,
    /// At the hard limit.
    Hard,
    /// Not known.
    Unknown,
    /// A state that this host does not know.
    Other(String),
}

/// What the number counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// What users wrote.
    Logical,
    /// What the disks hold.
    Physical,
    /// After reduction.
    Effective,
    /// Not known.
    Unknown,
    /// A basis that this host does not know.
    Other(String),
}

/// How much is used, and when that was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// What is counted.
    pub dimension: Dimension,
    /// How much.
    pub used: u64,
    /// How far it may be off.
    pub uncertainty: Option<u64>,
    /// What the number counts.
    pub basis: Basis,
    /// How near the limit is.
    pub state: LimitState,
    /// Unix milliseconds.
    pub observed_at: u64,
}
