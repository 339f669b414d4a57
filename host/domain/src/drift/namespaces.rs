//! A namespace as the host believes it, against what a provider lists.

use super::{Difference, DriftKind, DriftSeverity, shown};
use crate::{Bytes, Limits, Namespace, NamespaceState, Protocol, UnixMillis};

/// The host's view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Believed {
    /// Nothing is changing it, and it is ready.
    pub settled: bool,
    /// When the host last changed it: what was listed before that says nothing about it.
    pub changed_at: UnixMillis,
    /// As asked for.
    pub asked: Limits,
    /// As the provider answered when they were set.
    pub in_force: Option<Limits>,
    /// How it is reached.
    pub protocols: Vec<Protocol>,
    /// The mark that it bears.
    pub owner: String,
}

impl Believed {
    /// The view of a record.
    #[must_use]
    pub fn of(namespace: &Namespace) -> Self {
        let mut protocols = namespace.protocols.clone();
        protocols.sort();
        Self {
            settled: namespace.state == NamespaceState::Ready && namespace.operation.is_none(),
            changed_at: namespace.updated_at,
            asked: namespace.limits,
            in_force: namespace.effective_limits,
            protocols,
            owner: namespace.owner.clone(),
        }
    }

    /// Whether a look that began then can say anything about it.
    #[must_use]
    pub fn comparable(&self, look_began: UnixMillis) -> bool {
        self.settled && self.changed_at < look_began
    }
}

/// How a provider says that something is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presence {
    /// There, and usable as far as is known.
    There,
    /// Being made or deleted by the provider.
    Moving,
    /// There, and not usable.
    Unusable(String),
    /// Not there, or to be had back only on request.
    Gone,
}

/// The provider's view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sight {
    /// Where it is, in an operator's words.
    pub location: String,
    /// The mark, if it bears one that can be read.
    pub owner: Option<String>,
    /// How it is.
    pub presence: Presence,
    /// Limits in force; `None` when there is no hard byte limit.
    pub limits: Option<Limits>,
    /// How it is reached; empty when the provider does not say.
    pub protocols: Vec<Protocol>,
}

/// What differs between the two views of one namespace. `None` for the host: it has no such namespace. `None` for the
/// provider: a whole list did not show it.
///
/// Byte limits are counted in blocks of `rounding`; 1 or 0 when the provider does not round.
#[must_use]
pub fn compare(
    believed: Option<&Believed>,
    seen: Option<&Sight>,
    rounding: Bytes,
    look_began: UnixMillis,
) -> Vec<Difference> {
    match (believed, seen) {
        (None, None) => Vec::new(),
        (None, Some(seen)) => unknown(seen).into_iter().collect(),
        (Some(believed), _) if !believed.comparable(look_began) => Vec::new(),
        (Some(_), None) => vec![missing("a whole list does not show it")],
        (Some(believed), Some(seen)) => match &seen.presence {
            Presence::Gone => vec![missing("the provider says that it is gone")],
            Presence::Moving => Vec::new(),
            Presence::There => both(believed, seen, rounding),
            Presence::Unusable(why) => {
                let evidence = format!("believed ready; the provider says {}", shown(why));
                let unhealthy = Difference::new(DriftKind::NamespaceUnhealthy, DriftSeverity::Warning, evidence);
                std::iter::once(unhealthy).chain(both(believed, seen, rounding)).collect()
            }
        },
    }
}

fn missing(what: &str) -> Difference {
    Difference::new(DriftKind::NamespaceMissing, DriftSeverity::Critical, format!("believed ready; {what}"))
}

/// What is there and nobody here knows. Something that is about to come or go is left to the next look.
fn unknown(seen: &Sight) -> Option<Difference> {
    let (severity, whose) = match &seen.owner {
        Some(owner) => (DriftSeverity::Warning, format!("bears the mark {}", shown(owner))),
        None => (DriftSeverity::Info, "bears no mark of a control plane".to_owned()),
    };
    match seen.presence {
        Presence::Moving | Presence::Gone => None,
        Presence::There | Presence::Unusable(_) => {
            let quota = seen.limits.map_or("no quota".to_owned(), |limits| describe(&limits));
            let evidence = format!("not believed; seen at {} with {quota}; it {whose}", shown(&seen.location));
            Some(Difference::new(DriftKind::NamespaceUnknown, severity, evidence))
        }
    }
}

fn both(believed: &Believed, seen: &Sight, rounding: Bytes) -> Vec<Difference> {
    let mut found = Vec::new();
    if !limits_agree(believed, seen.limits, rounding) {
        let set = describe(&believed.in_force.unwrap_or(believed.asked));
        let shows = seen.limits.map_or("no quota".to_owned(), |limits| describe(&limits));
        let evidence = format!("believed {set}; seen {shows}");
        found.push(Difference::new(DriftKind::QuotaDiffers, DriftSeverity::Warning, evidence));
    }
    let mut protocols = seen.protocols.clone();
    protocols.sort();
    protocols.dedup();
    if !protocols.is_empty() && !protocols_agree(&believed.protocols, &protocols) {
        let evidence = format!("believed {}; seen {}", words(&believed.protocols), words(&protocols));
        found.push(Difference::new(DriftKind::ProtocolsDiffer, DriftSeverity::Warning, evidence));
    }
    if seen.owner.as_deref() != Some(believed.owner.as_str()) {
        let bears = seen.owner.as_deref().map_or("none".to_owned(), shown);
        let evidence = format!("believed the mark {}; seen {bears}", believed.owner);
        found.push(Difference::new(DriftKind::NamespaceMarkLost, DriftSeverity::Warning, evidence));
    }
    found
}

/// Protocols agree when every believed one is there, and nothing opens objects that should not. What lies in a shared file
/// system is always there as files, so that alone is no difference.
fn protocols_agree(believed: &[Protocol], seen: &[Protocol]) -> bool {
    let lost = believed.iter().any(|protocol| !seen.contains(protocol));
    let opened = seen.contains(&Protocol::S3) && !believed.contains(&Protocol::S3);
    !lost && !opened
}

/// Limits agree when they are what was in force after they were set, or what was asked for, rounded up.
fn limits_agree(believed: &Believed, seen: Option<Limits>, rounding: Bytes) -> bool {
    let Some(seen) = seen else { return false };
    if believed.in_force == Some(seen) {
        return true;
    }
    let asked = believed.asked;
    let up = |asked: Bytes, seen: Bytes| seen >= asked && seen.0.saturating_sub(asked.0) < rounding.0.max(1);
    let soft = match (asked.soft_bytes, seen.soft_bytes) {
        (None, None) => true,
        (Some(asked), Some(seen)) => up(asked, seen),
        _ => false,
    };
    // A provider that keeps no grace of its own, or counts no files, shows none.
    let grace = seen.soft_grace.is_none() || seen.soft_grace == asked.soft_grace;
    let inodes = seen.hard_inodes.is_none() || seen.hard_inodes == asked.hard_inodes;
    up(asked.hard_bytes, seen.hard_bytes) && soft && grace && inodes
}

fn describe(limits: &Limits) -> String {
    let mut text = format!("hard {} ({} bytes)", limits.hard_bytes, limits.hard_bytes.0);
    if let Some(soft) = limits.soft_bytes {
        text.push_str(&format!(", soft {soft}"));
    }
    if let Some(grace) = limits.soft_grace {
        text.push_str(&format!(", grace {} s", grace.0));
    }
    if let Some(inodes) = limits.hard_inodes {
        text.push_str(&format!(", {inodes} files"));
    }
    text
}

fn words(protocols: &[Protocol]) -> String {
    protocols.iter().map(|protocol| protocol.word()).collect::<Vec<_>>().join("+")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Seconds;

    const BEGAN: UnixMillis = UnixMillis(100);
    const BLOCK: Bytes = Bytes(4096);

    fn believed(asked: Limits) -> Believed {
        Believed {
            settled: true,
            changed_at: UnixMillis(10),
            asked,
            in_force: None,
            protocols: vec![Protocol::Posix],
            owner: "stw-1".into(),
        }
    }

    fn sight(limits: Limits) -> Sight {
        Sight {
            location: "fs:/stowage/p-1".into(),
            owner: Some("stw-1".into()),
            presence: Presence::There,
            limits: Some(limits),
            protocols: vec![Protocol::Posix],
        }
    }

    fn kinds(believed: Option<&Believed>, seen: Option<&Sight>) -> Vec<DriftKind> {
        compare(believed, seen, BLOCK, BEGAN).into_iter().map(|difference| difference.kind).collect()
    }

    fn limits() -> impl Strategy<Value = Limits> {
        (1u64..1 << 50, 0u64..100, prop::option::of(1u64..1000), prop::option::of(1u64..1000)).prop_map(
            |(hard, part, grace, inodes)| Limits {
                hard_bytes: Bytes(hard),
                soft_bytes: (part > 0).then(|| Bytes((hard / 100 * part).max(1).min(hard))),
                soft_grace: grace.filter(|_| part > 0).map(Seconds),
                hard_inodes: inodes,
            },
        )
    }

    fn presence() -> impl Strategy<Value = Presence> {
        prop_oneof![
            Just(Presence::There),
            Just(Presence::Moving),
            Just(Presence::Gone),
            "[a-z]{1,8}".prop_map(Presence::Unusable)
        ]
    }

    proptest! {
        #[test]
        fn what_is_as_believed_is_never_drift(asked in limits(), rounded in any::<bool>()) {
            let up = |bytes: Bytes| if rounded { Bytes(bytes.0.next_multiple_of(BLOCK.0)) } else { bytes };
            let shown = Limits { hard_bytes: up(asked.hard_bytes), soft_bytes: asked.soft_bytes.map(up), ..asked };
            prop_assert_eq!(kinds(Some(&believed(asked)), Some(&sight(shown))), vec![]);
            // Whatever the provider made of it when it was set, it is right as long as it stays so.
            let own = Believed { in_force: Some(shown), ..believed(Limits::hard(Bytes(1))) };
            prop_assert_eq!(kinds(Some(&own), Some(&sight(shown))), vec![]);
        }

        #[test]
        fn a_hard_limit_that_is_off_by_a_block_or_too_small_is_always_told(
            hard in 1u64..1 << 50, off in prop_oneof![BLOCK.0..1 << 40], up in any::<bool>(),
        ) {
            let seen = if up { hard.saturating_add(off) } else { hard.saturating_sub(off).min(hard - 1) };
            let sight = sight(Limits::hard(Bytes(seen)));
            prop_assert_eq!(kinds(Some(&believed(Limits::hard(Bytes(hard)))), Some(&sight)), vec![DriftKind::QuotaDiffers]);
        }

        #[test]
        fn what_is_being_changed_or_was_changed_since_is_never_drift(
            asked in limits(), other in limits(), presence in presence(), there in any::<bool>(),
            owner in prop::option::of("[a-z]{1,5}"), open in any::<bool>(),
        ) {
            let busy = if open {
                Believed { settled: false, ..believed(asked) }
            } else {
                Believed { changed_at: BEGAN, ..believed(asked) }
            };
            let seen = Sight { presence, owner, ..sight(other) };
            prop_assert_eq!(kinds(Some(&busy), there.then_some(&seen)), vec![]);
        }

        #[test]
        fn each_kind_is_told_at_most_once_and_absence_never_with_anything_else(
            asked in limits(), other in limits(), presence in presence(), known in any::<bool>(), there in any::<bool>(),
            owner in prop::option::of("[a-z]{1,5}"), s3 in any::<bool>(),
        ) {
            let own = believed(asked);
            let protocols = if s3 { vec![Protocol::S3, Protocol::Posix] } else { vec![Protocol::Posix] };
            let seen = Sight { presence, owner, protocols, ..sight(other) };
            let found = kinds(known.then_some(&own), there.then_some(&seen));
            let mut once = found.clone();
            once.sort();
            once.dedup();
            prop_assert_eq!(once.len(), found.len());
            let absent = found.contains(&DriftKind::NamespaceMissing) || found.contains(&DriftKind::NamespaceUnknown);
            prop_assert!(!absent || found.len() == 1);
            prop_assert_eq!(found.contains(&DriftKind::NamespaceMissing),
                known && (!there || seen.presence == Presence::Gone));
            prop_assert!(!found.contains(&DriftKind::NamespaceUnknown) || (!known && there));
            prop_assert_eq!(found.contains(&DriftKind::ProtocolsDiffer),
                s3 && known && there && matches!(seen.presence, Presence::There | Presence::Unusable(_)));
        }
    }

    #[test]
    fn a_quota_that_was_taken_away_is_told() {
        let bare = Sight { limits: None, ..sight(Limits::hard(Bytes(1))) };
        let found = compare(Some(&believed(Limits::hard(Bytes(4096)))), Some(&bare), BLOCK, BEGAN);
        assert_eq!(found[0].evidence, "believed hard 4 KiB (4096 bytes); seen no quota");
    }

    #[test]
    fn objects_that_are_lost_or_opened_are_told_and_files_beneath_a_bucket_are_not() {
        use Protocol::{Posix, S3};
        let differ = |own: &[Protocol], seen: &[Protocol]| {
            let own = Believed { protocols: own.to_vec(), ..believed(Limits::hard(Bytes(1))) };
            let seen = Sight { protocols: seen.to_vec(), ..sight(Limits::hard(Bytes(1))) };
            !kinds(Some(&own), Some(&seen)).is_empty()
        };
        assert!(differ(&[Posix, S3], &[Posix]) && differ(&[Posix], &[S3, Posix]) && differ(&[S3], &[Posix]));
        assert!(!differ(&[S3], &[Posix, S3]) && !differ(&[Posix, S3], &[S3, Posix]) && !differ(&[Posix], &[]));
    }

    #[test]
    fn what_nobody_knows_is_graver_when_it_bears_a_mark() {
        let marked = compare(None, Some(&sight(Limits::hard(Bytes(1)))), BLOCK, BEGAN);
        let bare = Sight { owner: None, ..sight(Limits::hard(Bytes(1))) };
        let bare = compare(None, Some(&bare), BLOCK, BEGAN);
        assert_eq!((marked[0].severity, bare[0].severity), (DriftSeverity::Warning, DriftSeverity::Info));
    }

    #[test]
    fn a_quota_that_was_set_by_hand_without_its_mark_is_one_namespace_and_not_two() {
        let seen = Sight { owner: None, ..sight(Limits::hard(Bytes(1 << 20))) };
        let found = kinds(Some(&believed(Limits::hard(Bytes(4096)))), Some(&seen));
        assert_eq!(found, [DriftKind::QuotaDiffers, DriftKind::NamespaceMarkLost]);
    }
}
