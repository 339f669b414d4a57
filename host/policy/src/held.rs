//! What is held on a namespace, and the smallest set of it that carries what is asked.
//!
//! An ask of prefix `p` is carried by what covers `p` as a whole: grants on `a/` and `b/` never add up to their parent,
//! since a new directory beside them would be open too. Actions do add up: read from one grant and list from another.

use std::collections::BTreeSet;

use stowage_domain::{Action, Actions, Grant, GrantName, Prefix, Principal, UnixMillis};

/// Where a permission comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The namespace belongs to the workload's own project.
    Ownership,
    /// A grant.
    Grant(GrantName),
}

/// A permission that is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entitlement {
    /// Where it comes from.
    pub source: Source,
    /// Below which prefix.
    pub prefix: Prefix,
    /// What.
    pub actions: Actions,
    /// When it ends.
    pub until: Option<UnixMillis>,
}

impl Entitlement {
    /// What the owning project has: everything.
    #[must_use]
    pub fn ownership() -> Self {
        let actions = [Action::Read, Action::List, Action::Write, Action::Delete, Action::Admin].into();
        Self { source: Source::Ownership, prefix: Prefix::default(), actions, until: None }
    }

    /// What a grant gives to one who is all of `principals`; `None` when it is not for them or counts no more.
    #[must_use]
    pub fn of_grant(grant: &Grant, principals: &[Principal], now: UnixMillis) -> Option<Self> {
        (grant.active_at(now) && principals.contains(&grant.principal)).then(|| Self {
            source: Source::Grant(grant.name.clone()),
            prefix: grant.prefix.clone(),
            actions: grant.actions.clone(),
            until: grant.expires_at,
        })
    }
}

/// Why nothing carries an ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lack {
    /// Nothing covers the prefix.
    NoGrant {
        /// Narrower prefixes below it on which something is held.
        narrower: Vec<Prefix>,
    },
    /// What covers it does not hold everything.
    Missing {
        /// What is held.
        held: Actions,
        /// What is missing.
        missing: Actions,
    },
}

/// A small set of entitlements that carries the ask: whichever gives most of what is still missing is taken first, then
/// the one that lasts longest, then ownership before grants and smaller names before larger.
pub(crate) fn carried<'a>(
    prefix: &Prefix,
    wanted: &Actions,
    held: &'a [Entitlement],
) -> Result<Vec<&'a Entitlement>, Lack> {
    let covering: Vec<&Entitlement> = held.iter().filter(|one| one.prefix.covers(prefix)).collect();
    if covering.is_empty() {
        let below = held.iter().filter(|one| prefix.covers(&one.prefix)).map(|one| one.prefix.clone());
        let narrower: BTreeSet<Prefix> = below.collect();
        return Err(Lack::NoGrant { narrower: narrower.into_iter().collect() });
    }
    let mut missing = wanted.clone();
    let mut chosen = Vec::new();
    while !missing.is_empty() {
        let gives = |one: &Entitlement| missing.intersection(&one.actions).count();
        let lasts = |one: &Entitlement| one.until.map_or(u64::MAX, |until| until.0);
        let best = covering.iter().copied().max_by(|a, b| {
            gives(a).cmp(&gives(b)).then_with(|| lasts(a).cmp(&lasts(b))).then_with(|| b.source.cmp(&a.source))
        });
        match best {
            Some(one) if gives(one) > 0 => {
                missing.retain(|action| !one.actions.contains(action));
                chosen.push(one);
            }
            _ => {
                let held = covering.iter().flat_map(|one| one.actions.iter().copied()).collect();
                return Err(Lack::Missing { held, missing });
            }
        }
    }
    Ok(chosen)
}

/// The end of the first that ends.
pub(crate) fn first_end(one: Option<UnixMillis>, other: Option<UnixMillis>) -> Option<UnixMillis> {
    match (one, other) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// Actions for people.
pub(crate) fn words(actions: &Actions) -> String {
    let word = |action: &Action| match action {
        Action::Read => "read",
        Action::Write => "write",
        Action::List => "list",
        Action::Delete => "delete",
        Action::Admin => "admin",
    };
    let all: Vec<&str> = actions.iter().map(word).collect();
    if all.is_empty() { "nothing".to_owned() } else { all.join(", ") }
}
