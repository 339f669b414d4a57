//! Providers: configured backends, as operators bind them and probes find them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Bytes, Capability, Labels, ProviderName, UnixMillis};

/// Whether a provider takes new namespaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProviderState {
    /// Open for new namespaces.
    Active,
    /// No new namespaces; existing ones work on.
    Cordoned,
}

/// How a part of a backend is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Health {
    /// Works.
    Ok,
    /// Works in part.
    Degraded(String),
    /// Does not work.
    Down(String),
    /// Not known.
    Unknown,
}

/// Health of one part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentHealth {
    /// The part.
    pub component: String,
    /// How it is.
    pub health: Health,
}

/// How far one countable thing is used up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counter {
    /// Name, such as `capacity.bytes`.
    pub name: String,
    /// How many there are.
    pub used: u64,
    /// How many there can be.
    #[serde(default)]
    pub limit: Option<u64>,
    /// Unit.
    pub unit: String,
    /// When it was read.
    pub observed_at: UnixMillis,
}

impl Counter {
    /// The counter of a backend's bytes, which placement and reservations go by.
    pub const CAPACITY: &'static str = "capacity.bytes";
}

/// Where one purpose of a plugin leads.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointBinding {
    /// URLs of the same service, tried in order.
    pub urls: Vec<String>,
    /// Address ranges that the names may resolve to; empty for what they resolve to when bound.
    #[serde(default)]
    pub allowed_ranges: Vec<String>,
    /// PEM certificates that the server must chain to; empty for the system's roots.
    #[serde(default)]
    pub ca_pem: String,
    /// Allows `http:` URLs.
    #[serde(default)]
    pub plain_http: bool,
}

/// What the last probe found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// When.
    pub at: UnixMillis,
    /// The backend's release.
    pub native_version: String,
    /// The backend's own identity.
    pub instance_id: String,
    /// Health of its parts.
    pub components: Vec<ComponentHealth>,
    /// Its counters.
    pub counters: Vec<Counter>,
}

impl Probe {
    /// The worst health of all parts.
    #[must_use]
    pub fn health(&self) -> Health {
        let worst = |found: Health, part: &ComponentHealth| match (&found, &part.health) {
            (Health::Down(_), _) => found,
            (_, down @ Health::Down(_)) => down.clone(),
            (Health::Degraded(_), _) => found,
            (_, degraded @ Health::Degraded(_)) => degraded.clone(),
            (Health::Ok, _) => found,
            (_, other) => other.clone(),
        };
        self.components.iter().fold(Health::Unknown, worst)
    }
}

/// A configured backend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provider {
    /// Its name.
    pub name: ProviderName,
    /// Never used again, unlike the name.
    pub uid: String,
    /// The plugin's name.
    pub plugin: String,
    /// Digest of the component, pinned: `sha256:` and 64 hex digits.
    pub plugin_digest: String,
    /// Digest of the exchange table that the operator approved.
    #[serde(default)]
    pub exchange_digest: String,
    /// The plugin's configuration as JSON text; holds no secrets.
    pub config: String,
    /// Endpoints by purpose.
    #[serde(default)]
    pub endpoints: BTreeMap<String, EndpointBinding>,
    /// Address ranges that each endpoint may lead to: what the operator gave, or what its names resolved to when it was
    /// bound.
    #[serde(default)]
    pub pinned_ranges: BTreeMap<String, Vec<String>>,
    /// Names in the host's secret store, by the name that the plugin declares.
    #[serde(default)]
    pub secrets: BTreeMap<String, String>,
    /// Region.
    #[serde(default)]
    pub region: String,
    /// Labels that classes select by.
    #[serde(default)]
    pub labels: Labels,
    /// Whether it takes new namespaces.
    pub state: ProviderState,
    /// Why, for people.
    #[serde(default)]
    pub state_reason: String,
    /// What it can do.
    #[serde(default)]
    pub capabilities: Vec<Capability>,
    /// What the last probe found; `None` before the first.
    #[serde(default)]
    pub probe: Option<Probe>,
    /// When it was made.
    pub created_at: UnixMillis,
    /// When it last changed.
    pub updated_at: UnixMillis,
}

impl Provider {
    /// Bytes in all and in use, as last probed; `None` where the backend does not tell.
    #[must_use]
    pub fn capacity(&self) -> Option<(Bytes, Bytes)> {
        let counter = self.probe.as_ref()?.counters.iter().find(|counter| counter.name == Counter::CAPACITY)?;
        Some((Bytes(counter.limit?), Bytes(counter.used)))
    }

    /// The worst health, unknown before the first probe.
    #[must_use]
    pub fn health(&self) -> Health {
        self.probe.as_ref().map_or(Health::Unknown, Probe::health)
    }
}
