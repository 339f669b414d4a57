//! Nodes: machines that prepare directories and mount namespaces.

use serde::{Deserialize, Serialize};

use crate::{Labels, Millis, NodeName, UnixMillis};

/// A mount client on a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeClient {
    /// Its kind.
    pub kind: String,
    /// Its version; empty when unknown.
    #[serde(default)]
    pub version: String,
}

/// Whether a node takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Presence {
    /// Known; its agent has not joined.
    Expected,
    /// Its agent reports.
    Online,
    /// Its agent has not been heard of for longer than three report intervals.
    Offline,
}

/// A machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Its name.
    pub name: NodeName,
    /// Never used again, unlike the name.
    pub uid: String,
    /// Addresses that the providers see it under.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// The operator's own.
    #[serde(default)]
    pub labels: Labels,
    /// Source roots that its configuration binds.
    #[serde(default)]
    pub source_roots: Vec<String>,
    /// Its mount clients.
    #[serde(default)]
    pub clients: Vec<NodeClient>,
    /// Version of its agent.
    #[serde(default)]
    pub agent_version: String,
    /// Changes with every start of the machine.
    #[serde(default)]
    pub boot_id: String,
    /// When its agent last reported.
    #[serde(default)]
    pub reported_at: Option<UnixMillis>,
    /// When it was made known.
    pub created_at: UnixMillis,
    /// When its agent joined.
    #[serde(default)]
    pub joined_at: Option<UnixMillis>,
}

impl Node {
    /// Whether it takes part, when agents are asked to report every `interval`.
    #[must_use]
    pub fn presence(&self, now: UnixMillis, interval: Millis) -> Presence {
        match (self.joined_at, self.reported_at) {
            (None, _) => Presence::Expected,
            (Some(joined), reported) => {
                let last = reported.unwrap_or(joined);
                if now.since(last).0 <= interval.0.saturating_mul(3) { Presence::Online } else { Presence::Offline }
            }
        }
    }
}
