//! What may be mounted.
//!
//! A file system mount knows two sets of actions only: read-only is read and list, read-write is read, list, write and
//! delete. A mount of prefix `p` is allowed when the grants whose prefix covers `p` hold the whole set together; grants on
//! parts of `p` never add up to `p`, since a new directory beside those parts would be open too. For example, grants on
//! `a/` and `b/` give two mounts when both are asked for, and a refusal when the whole namespace is. Read without list, or
//! write without delete, is refused with the missing actions: no mount can be that narrow.

use std::collections::BTreeSet;

use stowage_domain::{Action, Actions, GrantName, Prefix, UnixMillis};

use crate::held::{Entitlement, Lack, Source, carried, first_end, words};

/// What a mount lets its workload do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Read and list.
    ReadOnly,
    /// Read, list, write and delete.
    ReadWrite,
}

impl Mode {
    /// The actions that such a mount cannot be kept from.
    #[must_use]
    pub fn actions(self) -> Actions {
        match self {
            Self::ReadOnly => [Action::Read, Action::List].into(),
            Self::ReadWrite => [Action::Read, Action::List, Action::Write, Action::Delete].into(),
        }
    }
}

/// One mount that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Below which prefix; empty for the whole namespace.
    pub prefix: Prefix,
    /// How.
    pub mode: Mode,
}

/// One allowed mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// Exactly the prefix that was asked for.
    pub prefix: Prefix,
    /// Exactly the mode that was asked for.
    pub mode: Mode,
}

/// The answer when everything is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountAccess {
    /// One for each ask, in order.
    pub mounts: Vec<Allowed>,
    /// The grants that it rests on, by name; empty when ownership alone suffices.
    pub grants: Vec<GrantName>,
    /// When the first of them ends.
    pub until: Option<UnixMillis>,
}

/// Why a mount is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nothing was asked for.
    #[error("a mount plan must name at least one prefix; an empty prefix stands for the whole namespace")]
    NothingAsked,
    /// The same prefix is asked for twice.
    #[error("prefix {0:?} is asked for twice")]
    Twice(Prefix),
    /// No grant covers the prefix.
    #[error("no grant covers prefix {prefix:?}{}", narrower_hint(.narrower))]
    NoGrant {
        /// The prefix.
        prefix: Prefix,
        /// Narrower prefixes below it on which something is held.
        narrower: Vec<Prefix>,
    },
    /// The grants that cover the prefix do not hold the whole set of the mode.
    #[error(
        "prefix {prefix:?}: the grants hold {}, and a {} mount needs {} as well",
        words(.held), mode_word(*.mode), words(.missing)
    )]
    Missing {
        /// The prefix.
        prefix: Prefix,
        /// The mode.
        mode: Mode,
        /// What is held.
        held: Actions,
        /// What is missing.
        missing: Actions,
    },
}

impl Refusal {
    /// Which ask is refused, for the field of an error.
    #[must_use]
    pub const fn prefix(&self) -> Option<&Prefix> {
        match self {
            Self::NothingAsked => None,
            Self::Twice(prefix) | Self::NoGrant { prefix, .. } | Self::Missing { prefix, .. } => Some(prefix),
        }
    }
}

fn narrower_hint(narrower: &[Prefix]) -> String {
    if narrower.is_empty() {
        return String::new();
    }
    let list: Vec<String> = narrower.iter().take(8).map(|prefix| format!("{prefix:?}")).collect();
    format!("; there are grants on {}: ask for these, each gives a mount of its own", list.join(", "))
}

const fn mode_word(mode: Mode) -> &'static str {
    match mode {
        Mode::ReadOnly => "read-only",
        Mode::ReadWrite => "read-write",
    }
}

/// Decides on a whole plan: every ask is allowed, or the first refusal is the answer.
///
/// # Errors
/// [`Refusal`] with the reason.
pub fn decide(asks: &[Ask], held: &[Entitlement]) -> Result<MountAccess, Refusal> {
    if asks.is_empty() {
        return Err(Refusal::NothingAsked);
    }
    let mut seen = BTreeSet::new();
    let mut grants = BTreeSet::new();
    let mut until: Option<UnixMillis> = None;
    let mut mounts = Vec::with_capacity(asks.len());
    for ask in asks {
        if !seen.insert(&ask.prefix) {
            return Err(Refusal::Twice(ask.prefix.clone()));
        }
        for entitlement in rests_on(ask, held)? {
            if let Source::Grant(name) = &entitlement.source {
                grants.insert(name.clone());
            }
            until = first_end(until, entitlement.until);
        }
        mounts.push(Allowed { prefix: ask.prefix.clone(), mode: ask.mode });
    }
    Ok(MountAccess { mounts, grants: grants.into_iter().collect(), until })
}

/// What carries one ask, or the refusal of it.
fn rests_on<'a>(ask: &Ask, held: &'a [Entitlement]) -> Result<Vec<&'a Entitlement>, Refusal> {
    carried(&ask.prefix, &ask.mode.actions(), held).map_err(|lack| match lack {
        Lack::NoGrant { narrower } => Refusal::NoGrant { prefix: ask.prefix.clone(), narrower },
        Lack::Missing { held, missing } => {
            Refusal::Missing { prefix: ask.prefix.clone(), mode: ask.mode, held, missing }
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn prefix(text: &str) -> Prefix {
        Prefix::parse("prefix", text).unwrap()
    }

    fn held(name: &str, at: &str, actions: &[Action]) -> Entitlement {
        let name = GrantName::parse(&format!("tenants/t/projects/p/namespaces/n/grants/{name}")).unwrap();
        Entitlement {
            source: Source::Grant(name),
            prefix: prefix(at),
            actions: actions.iter().copied().collect(),
            until: None,
        }
    }

    fn ask(at: &str, mode: Mode) -> Ask {
        Ask { prefix: prefix(at), mode }
    }

    use Action::{Admin, Delete, List, Read, Write};

    #[test]
    fn reading_needs_list_and_writing_needs_delete_and_the_refusal_names_them() {
        let refusal = decide(&[ask("a", Mode::ReadOnly)], &[held("g", "a", &[Read])]).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "prefix \"a/\": the grants hold read, and a read-only mount needs list as well"
        );
        let refusal = decide(&[ask("a", Mode::ReadWrite)], &[held("g", "a", &[Read, List, Write])]).unwrap_err();
        assert!(refusal.to_string().contains("a read-write mount needs delete as well"), "{refusal}");
        assert!(decide(&[ask("a", Mode::ReadWrite)], &[held("g", "a", &[Admin])]).is_err());
    }

    #[test]
    fn grants_on_parts_never_add_up_to_the_whole() {
        let both = [held("a", "a", &[Read, List]), held("b", "b", &[Read, List])];
        let refusal = decide(&[ask("", Mode::ReadOnly)], &both).unwrap_err();
        assert!(refusal.to_string().contains("\"a/\", \"b/\": ask for these"), "{refusal}");
        let access = decide(&[ask("a", Mode::ReadOnly), ask("b", Mode::ReadOnly)], &both).unwrap();
        assert_eq!((access.mounts.len(), access.grants.len()), (2, 2));
    }

    #[test]
    fn a_plan_rests_on_as_few_grants_as_carry_it_and_ends_with_the_first() {
        let mut part = held("part", "a", &[Read, List]);
        part.until = Some(UnixMillis(5));
        let whole = held("whole", "", &[Read, List]);
        let access = decide(&[ask("a/b", Mode::ReadOnly)], &[part.clone(), whole]).unwrap();
        assert_eq!(access.grants.iter().map(|name| name.grant.as_str()).collect::<Vec<_>>(), ["whole"]);
        let access = decide(&[ask("a", Mode::ReadWrite)], &[part, held("w", "a", &[Write, Delete])]).unwrap();
        assert_eq!((access.grants.len(), access.until), (2, Some(UnixMillis(5))));
        assert_eq!(decide(&[ask("", Mode::ReadWrite)], &[Entitlement::ownership()]).unwrap().grants, []);
    }

    fn some_prefix() -> impl Strategy<Value = Prefix> {
        prop::collection::vec("[ab]{1,2}", 0..3).prop_map(|parts| prefix(&parts.join("/")))
    }

    fn some_held() -> impl Strategy<Value = Entitlement> {
        let action = prop_oneof![Just(Read), Just(Write), Just(List), Just(Delete), Just(Admin)];
        (some_prefix(), prop::collection::btree_set(action, 0..5), "[a-z]{1,4}").prop_map(|(at, actions, name)| {
            let mut one = held(&name, "", &[]);
            (one.prefix, one.actions) = (at, actions);
            one
        })
    }

    proptest! {
        /// Every path and action that an allowed mount opens is opened by some held entitlement by itself.
        #[test]
        fn a_decision_never_exceeds_the_grants(
            asks in prop::collection::vec((some_prefix(), any::<bool>()), 1..4),
            held in prop::collection::vec(some_held(), 0..6),
            deeper in some_prefix(),
        ) {
            let mode = |write| if write { Mode::ReadWrite } else { Mode::ReadOnly };
            let asks: Vec<Ask> = asks.into_iter().map(|(prefix, w)| Ask { prefix, mode: mode(w) }).collect();
            if let Ok(access) = decide(&asks, &held) {
                prop_assert_eq!(access.mounts.len(), asks.len());
                for (mount, ask) in access.mounts.iter().zip(&asks) {
                    prop_assert_eq!((&mount.prefix, mount.mode), (&ask.prefix, ask.mode));
                    let path = format!("{}{}", mount.prefix, deeper);
                    for action in mount.mode.actions() {
                        let opened = held.iter().any(|one| {
                            path.starts_with(one.prefix.as_str()) && one.actions.contains(&action)
                        });
                        prop_assert!(opened, "{path} {action:?}");
                    }
                }
            }
        }
    }
}
