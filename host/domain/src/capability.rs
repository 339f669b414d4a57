//! What a provider can do, and how that is known.
//!
//! An adapter declares; a probe confirms or refutes. A refuted capability counts as absent, whatever was declared; one that
//! was never probed counts as declared. A capability without a word anywhere is absent.

use serde::{Deserialize, Serialize};

use crate::UnixMillis;

/// The value of a constraint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConstraintValue {
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
}

/// Whether the provider can.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CapabilityState {
    /// It can.
    Supported,
    /// It cannot.
    Unsupported,
    /// It could, but is not set up.
    Unavailable {
        /// Stable reason such as `S3_NOT_ENABLED`.
        reason: String,
        /// What the operator must do.
        remedy: String,
    },
    /// Nobody knows.
    Unknown,
}

/// How it is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// The adapter says so.
    Declared,
    /// The backend was asked and agreed.
    Probed {
        /// When.
        at: UnixMillis,
        /// What was asked and seen, redacted.
        evidence: String,
    },
    /// The backend was asked and it is not as declared.
    Refuted {
        /// When.
        at: UnixMillis,
        /// What was asked and seen, redacted.
        evidence: String,
    },
}

/// One ability of a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capability {
    /// Registered id, such as `namespaces.posix`.
    pub id: String,
    /// Whether it can.
    pub state: CapabilityState,
    /// How that is known.
    pub standing: Standing,
    /// Parameters by registered key, such as `isolation.server-enforced`.
    #[serde(default)]
    pub constraints: Vec<(String, ConstraintValue)>,
}

impl Capability {
    /// Whether it can be built upon.
    #[must_use]
    pub fn usable(&self) -> bool {
        self.state == CapabilityState::Supported && !matches!(self.standing, Standing::Refuted { .. })
    }
}

/// Whether the provider satisfies a demand: a usable capability of that id, or a constraint flag of that name on a usable
/// capability. Answers the reason when it does not.
///
/// # Errors
/// What is known instead.
pub fn satisfies(capabilities: &[Capability], demand: &str) -> Result<(), String> {
    if let Some(found) = capabilities.iter().find(|capability| capability.id == demand) {
        return match (&found.state, &found.standing) {
            _ if found.usable() => Ok(()),
            (CapabilityState::Unavailable { reason, remedy }, _) => {
                Err(format!("{demand} unavailable ({reason}): {remedy}"))
            }
            (_, Standing::Refuted { evidence, .. }) => Err(format!("{demand} refuted by probe: {evidence}")),
            (CapabilityState::Unknown, _) => Err(format!("{demand} not known; probe the provider")),
            _ => Err(format!("{demand} not supported")),
        };
    }
    let flag = |capability: &&Capability| capability.constraints.iter().find(|(key, _)| key == demand).is_some();
    match capabilities.iter().filter(|capability| capability.usable()).find(flag) {
        Some(capability)
            if capability
                .constraints
                .iter()
                .any(|(key, value)| key == demand && *value == ConstraintValue::Flag(true)) =>
        {
            Ok(())
        }
        Some(capability) => Err(format!("{demand} is off for {}", capability.id)),
        None => Err(format!("{demand} not declared")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capability(id: &str, state: CapabilityState, standing: Standing) -> Capability {
        Capability { id: id.into(), state, standing, constraints: vec![("x.flag".into(), ConstraintValue::Flag(true))] }
    }

    #[test]
    fn a_refuted_or_unknown_capability_satisfies_nothing() {
        let refuted = Standing::Refuted { at: UnixMillis(1), evidence: "GET /s3 says off".into() };
        let all = [
            capability("a", CapabilityState::Supported, Standing::Declared),
            capability("b", CapabilityState::Supported, refuted),
            capability("c", CapabilityState::Unknown, Standing::Declared),
        ];
        assert_eq!(satisfies(&all, "a"), Ok(()));
        assert_eq!(satisfies(&all, "x.flag"), Ok(()));
        assert!(satisfies(&all, "b").unwrap_err().contains("refuted"));
        assert!(satisfies(&all, "c").is_err());
        assert!(satisfies(&all, "d").unwrap_err().contains("not declared"));
        assert!(satisfies(&all[1..], "x.flag").is_err());
    }
}
