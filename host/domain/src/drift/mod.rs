//! Drift: a difference between what the host believes and what a provider shows.
//!
//! The comparisons here are total functions over two views of one thing, the host's and the provider's; they never ask
//! anybody. Three rules keep a report free of noise:
//!
//! - What an operation is changing is not compared: a namespace that is being made is not missing, and one that is being
//!   deleted is not unknown.
//! - Rounding is not a difference. A quota of 1000 bytes that a provider keeps as 4096, because it counts in blocks of 4096,
//!   agrees; one of 8192 does not.
//! - Absence is only concluded from a whole list of the same backend. A list that broke off, or a backend with another
//!   identity, makes nothing missing.
//!
//! A drift is reported and nothing more: no comparison leads to a change at a provider.

mod abilities;
mod mounts;
mod namespaces;

pub use abilities::{Ability, abilities, instance};
pub use mounts::{MountBelief, MountSight, MountView, compare_mount};
pub use namespaces::{Believed, Presence, Sight, compare};

use serde::{Deserialize, Serialize};

use crate::{DriftName, UnixMillis};

/// What differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DriftKind {
    /// An ability of the provider is not as it was.
    CapabilityChanged,
    /// Another backend answers than the one that the namespaces were made at.
    InstanceChanged,
    /// The provider sees a mount otherwise than its node does.
    MountDiffers,
    /// A mount is believed and not there, or its node is silent.
    MountStale,
    /// The mark of a namespace is not the host's any more.
    NamespaceMarkLost,
    /// A namespace is not at the provider.
    NamespaceMissing,
    /// A namespace is at the provider and cannot be used.
    NamespaceUnhealthy,
    /// Something is at the provider that the host does not know.
    NamespaceUnknown,
    /// A namespace is reached by other protocols than believed.
    ProtocolsDiffer,
    /// Limits at the provider are others than were set, beyond its rounding.
    QuotaDiffers,
    /// An ability was ready and is not set up any more, or the reverse.
    ReadinessChanged,
}

impl DriftKind {
    /// Every kind, by its word.
    pub const ALL: [Self; 11] = [
        Self::CapabilityChanged,
        Self::InstanceChanged,
        Self::MountDiffers,
        Self::MountStale,
        Self::NamespaceMarkLost,
        Self::NamespaceMissing,
        Self::NamespaceUnhealthy,
        Self::NamespaceUnknown,
        Self::ProtocolsDiffer,
        Self::QuotaDiffers,
        Self::ReadinessChanged,
    ];

    /// The stable word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::CapabilityChanged => "capability-changed",
            Self::InstanceChanged => "instance-changed",
            Self::MountDiffers => "mount-differs",
            Self::MountStale => "mount-stale",
            Self::NamespaceMarkLost => "namespace-mark-lost",
            Self::NamespaceMissing => "namespace-missing",
            Self::NamespaceUnhealthy => "namespace-unhealthy",
            Self::NamespaceUnknown => "namespace-unknown",
            Self::ProtocolsDiffer => "protocols-differ",
            Self::QuotaDiffers => "quota-differs",
            Self::ReadinessChanged => "readiness-changed",
        }
    }

    /// The kind with this word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// Whether a drift of this kind ends only by a whole list of namespaces that does not show it.
    #[must_use]
    pub const fn needs_whole_list(self) -> bool {
        !matches!(self, Self::CapabilityChanged | Self::InstanceChanged | Self::ReadinessChanged)
    }
}

/// How grave a drift is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DriftSeverity {
    /// Worth knowing.
    Info,
    /// Should be settled.
    Warning,
    /// Must be settled at once.
    Critical,
}

/// One difference, as a comparison finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What differs.
    pub kind: DriftKind,
    /// How grave it is.
    pub severity: DriftSeverity,
    /// What the host believes and what was seen, for people.
    pub evidence: String,
}

impl Difference {
    fn new(kind: DriftKind, severity: DriftSeverity, evidence: impl Into<String>) -> Self {
        Self { kind, severity, evidence: evidence.into() }
    }
}

/// A difference as it is kept: one row for each kind and subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    /// Its name; the same kind and subject have the same name.
    pub name: DriftName,
    /// What differs.
    pub kind: DriftKind,
    /// How grave it is.
    pub severity: DriftSeverity,
    /// The resource that it is about; empty when the host knows none.
    #[serde(default)]
    pub resource: String,
    /// What it is about at the provider: a location, a capability, an identity. Empty: the resource tells it.
    #[serde(default)]
    pub subject: String,
    /// What the host believes and what was seen.
    pub evidence: String,
    /// When it was first seen, since it was last away.
    pub first_seen: UnixMillis,
    /// When it was last seen.
    pub last_seen: UnixMillis,
    /// When it was seen no more; `None` while it is open.
    #[serde(default)]
    pub resolved_at: Option<UnixMillis>,
}

impl Drift {
    /// Whether it was there at the last look.
    #[must_use]
    pub const fn open(&self) -> bool {
        self.resolved_at.is_none()
    }
}

/// Text from a backend, fit to be shown: no control characters, at most 300 characters.
pub(crate) fn shown(text: &str) -> String {
    let mut clean: String = text.chars().map(|c| if c.is_control() { '?' } else { c }).take(300).collect();
    if clean.chars().count() < text.chars().count() {
        clean.push('…');
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_word_of_its_own_and_reads_back() {
        for kind in DriftKind::ALL {
            assert_eq!(DriftKind::of(kind.word()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.word());
            assert!(crate::ids::is_id(&format!("{}-0123456789ab", kind.word())));
        }
        assert_eq!(DriftKind::of("nothing"), None);
        assert!(DriftKind::ALL.is_sorted_by_key(|kind| kind.word()));
    }

    #[test]
    fn what_a_backend_says_is_shown_without_its_tricks() {
        assert_eq!(shown("a\u{1b}[31mb\n"), "a?[31mb?");
        assert_eq!(shown(&"x".repeat(400)).chars().count(), 301);
    }
}
