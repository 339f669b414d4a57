//! What a provider can do and who it is, against what it could do and was.
//!
//! The belief is a baseline: what could be built upon when the provider was first looked at, and every gain since. A loss
//! stays a drift until the ability is back, since namespaces and sessions were made in reliance on it; a gain is told once.

use serde::{Deserialize, Serialize};

use super::{Difference, DriftKind, DriftSeverity, shown};
use crate::{Capability, CapabilityState};

/// One ability as far as a baseline keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ability {
    /// Capability id.
    pub id: String,
    /// Whether it can be built upon.
    pub usable: bool,
}

impl Ability {
    /// What a baseline keeps of a capability.
    #[must_use]
    pub fn of(capability: &Capability) -> Self {
        Self { id: capability.id.clone(), usable: capability.usable() }
    }
}

/// What differs by ability, and the baseline from now on.
///
/// An id that is new is taken over without a word: a newer plugin declares more.
#[must_use]
pub fn abilities(baseline: &[Ability], now: &[Capability]) -> (Vec<(String, Difference)>, Vec<Ability>) {
    let mut found = Vec::new();
    let mut next = Vec::new();
    for before in baseline {
        let capability = now.iter().find(|capability| capability.id == before.id);
        let usable = capability.is_some_and(Capability::usable);
        if before.usable && !usable {
            found.push((before.id.clone(), lost(capability)));
        }
        if !before.usable && usable {
            let evidence = "believed not usable; it is usable now";
            found.push((before.id.clone(), Difference::new(kind(capability), DriftSeverity::Info, evidence)));
        }
        next.push(Ability { id: before.id.clone(), usable: before.usable || usable });
    }
    let is_new = |capability: &&Capability| !baseline.iter().any(|before| before.id == capability.id);
    next.extend(now.iter().filter(is_new).map(Ability::of));
    next.sort_by(|a, b| a.id.cmp(&b.id));
    (found, next)
}

fn kind(capability: Option<&Capability>) -> DriftKind {
    match capability.map(|capability| &capability.state) {
        Some(CapabilityState::Unavailable { .. } | CapabilityState::Supported) => DriftKind::ReadinessChanged,
        _ => DriftKind::CapabilityChanged,
    }
}

fn lost(capability: Option<&Capability>) -> Difference {
    let now = match capability.map(|capability| (&capability.state, &capability.standing)) {
        None => "it is not declared any more".to_owned(),
        Some((CapabilityState::Unavailable { reason, remedy }, _)) => {
            format!("now unavailable ({}): {}", shown(reason), shown(remedy))
        }
        Some((_, crate::Standing::Refuted { evidence, .. })) => format!("now refuted: {}", shown(evidence)),
        Some((CapabilityState::Unknown, _)) => "now unknown".to_owned(),
        Some(_) => "now unsupported".to_owned(),
    };
    Difference::new(kind(capability), DriftSeverity::Warning, format!("believed usable; {now}"))
}

/// Whether another backend answers than the one with the namespaces. A backend without an identity cannot be told apart.
#[must_use]
pub fn instance(believed: &str, seen: &str) -> Option<Difference> {
    let changed = !believed.is_empty() && !seen.is_empty() && believed != seen;
    changed.then(|| {
        let evidence = format!(
            "believed the backend {}; {} answers: the endpoint leads elsewhere, and nothing is concluded from what it lists",
            shown(believed),
            shown(seen)
        );
        Difference::new(DriftKind::InstanceChanged, DriftSeverity::Critical, evidence)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Standing, UnixMillis};

    fn capability(id: &str, state: CapabilityState) -> Capability {
        let standing = Standing::Probed { at: UnixMillis(1), evidence: "GET /s3".into() };
        Capability { id: id.into(), state, standing, constraints: Vec::new() }
    }

    fn state() -> impl Strategy<Value = CapabilityState> {
        prop_oneof![
            Just(CapabilityState::Supported),
            Just(CapabilityState::Unsupported),
            Just(CapabilityState::Unknown),
            Just(CapabilityState::Unavailable { reason: "S3_NOT_ENABLED".into(), remedy: "enable it".into() }),
        ]
    }

    fn all() -> impl Strategy<Value = Vec<Capability>> {
        prop::collection::btree_map("[a-c]", state(), 0..4)
            .prop_map(|all| all.iter().map(|(id, state)| capability(id, state.clone())).collect())
    }

    proptest! {
        #[test]
        fn a_loss_stays_until_it_is_back_and_a_gain_is_told_once(before in all(), now in all()) {
            let baseline: Vec<Ability> = before.iter().map(Ability::of).collect();
            let (first, next) = abilities(&baseline, &now);
            let (second, last) = abilities(&next, &now);
            prop_assert_eq!(&next, &last);
            let losses = |found: &[(String, Difference)]| {
                found.iter().filter(|(_, one)| one.severity == DriftSeverity::Warning).cloned().collect::<Vec<_>>()
            };
            prop_assert_eq!(losses(&first), second);
            let (third, _) = abilities(&next, &before);
            let usable_before = |id: &str| before.iter().any(|one| one.id == id && one.usable());
            prop_assert!(losses(&third).iter().all(|(id, _)| !usable_before(id)));
        }
    }

    #[test]
    fn a_service_that_stopped_is_told_with_its_reason_and_remedy() {
        let baseline = [Ability { id: "namespaces.s3".into(), usable: true }];
        let reason = CapabilityState::Unavailable { reason: "S3_NOT_ENABLED".into(), remedy: "enable it".into() };
        let (found, _) = abilities(&baseline, &[capability("namespaces.s3", reason)]);
        assert_eq!(found[0].1.kind, DriftKind::ReadinessChanged);
        assert_eq!(found[0].1.evidence, "believed usable; now unavailable (S3_NOT_ENABLED): enable it");
    }

    #[test]
    fn only_two_different_identities_are_a_change() {
        assert!(instance("a", "b").is_some());
        for (believed, seen) in [("", "b"), ("a", ""), ("a", "a")] {
            assert_eq!(instance(believed, seen), None);
        }
    }
}
