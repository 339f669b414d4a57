//! Capabilities, health and counters: what a probe finds.

use serde::{Deserialize, Serialize};

use super::{Extensions, NotReady};

/// A constraint's value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Value {
    /// Yes or no.
    Flag(bool),
    /// A number.
    Number(u64),
    /// Seconds.
    Seconds(u64),
    /// Text.
    Text(String),
    /// A set of words.
    Set(Vec<String>),
    /// A value that this host does not know.
    Other(String),
}

/// Whether the backend can.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CapabilityState {
    /// It can.
    Supported,
    /// It cannot.
    Unsupported,
    /// It could, but is not set up.
    Unavailable(NotReady),
    /// Not known.
    Unknown,
    /// A state that this host does not know.
    Other(String),
}

/// A capability with its registered constraints (`policy.max-bytes`, `quota.latency`, `isolation.server-enforced`, …).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capability {
    /// Id, such as `namespaces.posix`.
    pub id: String,
    /// State.
    pub state: CapabilityState,
    /// Constraints.
    pub constraints: Vec<(String, Value)>,
    /// What was asked and seen, redacted; absent for a declaration.
    pub evidence: Option<String>,
    /// Registered keys.
    pub extensions: Extensions,
}

/// How a component is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HealthState {
    /// Well.
    Ok,
    /// Works with trouble.
    Degraded(String),
    /// Does not work.
    Down(String),
    /// Not known.
    Unknown,
    /// A state that this host does not know.
    Other(String),
}

/// A component of the backend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentHealth {
    /// Its name.
    pub component: String,
    /// How it is.
    pub state: HealthState,
}

/// A counter with its limit, such as `capacity.bytes` or `filesystems`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counter {
    /// Name.
    pub name: String,
    /// How much is used.
    pub used: u64,
    /// How much there may be.
    pub limit: Option<u64>,
    /// Unit.
    pub unit: String,
    /// When it was seen.
    pub observed_at: u64,
}

/// What a probe may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProbeMode {
    /// Nothing that changes anything.
    ReadOnly,
    /// Make and remove things in a disposable place.
    Mutating,
    /// A mode that this host does not know.
    Other(String),
}

/// What a probe found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeReport {
    /// The backend's version.
    pub native_version: String,
    /// The backend's own identity: a repointed endpoint must not look like mass deletion.
    pub instance_id: String,
    /// Capabilities.
    pub capabilities: Vec<Capability>,
    /// Health.
    pub health: Vec<ComponentHealth>,
    /// Counters.
    pub counters: Vec<Counter>,
    /// Registered keys.
    pub extensions: Extensions,
}

/// How bad a finding is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingLevel {
    /// Good.
    Pass,
    /// To know.
    Note,
    /// To look at.
    Warn,
    /// To mend.
    Fail,
    /// A level that this host does not know.
    Other(String),
}

/// One row of a preflight report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The check's stable name.
    pub check: String,
    /// How bad.
    pub level: FindingLevel,
    /// What was asked.
    pub asked: String,
    /// What was seen.
    pub seen: String,
    /// What follows.
    pub follows: String,
    /// What to do.
    pub remedy: Option<String>,
}
