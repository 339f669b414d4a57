//! What a credential may open.
//!
//! Unlike a mount, a credential can hold any set of read, write, list and delete: the provider checks each request. It may
//! hold exactly what the grants hold on the whole of its prefix, and never more. `admin` is no action on objects: nobody
//! changes a bucket or its policy with a credential of this host.

use std::collections::BTreeSet;

use stowage_domain::{Action, Actions, GrantName, Prefix, UnixMillis};

use crate::held::{Entitlement, Lack, Source, carried, first_end, words};

/// The answer when it is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectAccess {
    /// The grants that it rests on, by name; empty when ownership alone suffices.
    pub grants: Vec<GrantName>,
    /// When the first of them ends.
    pub until: Option<UnixMillis>,
}

/// Why a credential is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ObjectRefusal {
    /// Nothing was asked for.
    #[error("a credential must name at least one of read, write, list and delete")]
    NothingAsked,
    /// Administration was asked for.
    #[error("admin is no action on objects: ask for read, write, list and delete")]
    Admin,
    /// No grant covers the prefix.
    #[error("no grant covers prefix {prefix:?}{}", hint(.narrower))]
    NoGrant {
        /// The prefix.
        prefix: Prefix,
        /// Narrower prefixes below it on which something is held.
        narrower: Vec<Prefix>,
    },
    /// The grants that cover the prefix do not hold every action.
    #[error("prefix {prefix:?}: the grants hold {}, and {} is missing", words(.held), words(.missing))]
    Missing {
        /// The prefix.
        prefix: Prefix,
        /// What is held.
        held: Actions,
        /// What is missing.
        missing: Actions,
    },
}

fn hint(narrower: &[Prefix]) -> String {
    if narrower.is_empty() {
        return String::new();
    }
    let list: Vec<String> = narrower.iter().take(8).map(|prefix| format!("{prefix:?}")).collect();
    format!("; there are grants on {}: ask for one of these", list.join(", "))
}

/// Decides on a credential for one prefix.
///
/// # Errors
/// [`ObjectRefusal`] with the reason.
pub fn decide(prefix: &Prefix, actions: &Actions, held: &[Entitlement]) -> Result<ObjectAccess, ObjectRefusal> {
    if actions.is_empty() {
        return Err(ObjectRefusal::NothingAsked);
    }
    if actions.contains(&Action::Admin) {
        return Err(ObjectRefusal::Admin);
    }
    let chosen = carried(prefix, actions, held).map_err(|lack| match lack {
        Lack::NoGrant { narrower } => ObjectRefusal::NoGrant { prefix: prefix.clone(), narrower },
        Lack::Missing { held, missing } => ObjectRefusal::Missing { prefix: prefix.clone(), held, missing },
    })?;
    let until = chosen.iter().fold(None, |end, one| first_end(end, one.until));
    let grants: BTreeSet<GrantName> = chosen
        .iter()
        .filter_map(|one| match &one.source {
            Source::Grant(name) => Some(name.clone()),
            Source::Ownership => None,
        })
        .collect();
    Ok(ObjectAccess { grants: grants.into_iter().collect(), until })
}

#[cfg(test)]
mod tests {
    use super::*;

    use Action::{Admin, Delete, List, Read, Write};

    fn prefix(text: &str) -> Prefix {
        Prefix::parse("prefix", text).unwrap()
    }

    fn held(name: &str, at: &str, actions: &[Action], until: Option<u64>) -> Entitlement {
        let name = GrantName::parse(&format!("tenants/t/projects/p/namespaces/n/grants/{name}")).unwrap();
        Entitlement {
            source: Source::Grant(name),
            prefix: prefix(at),
            actions: actions.iter().copied().collect(),
            until: until.map(UnixMillis),
        }
    }

    #[test]
    fn a_credential_holds_what_the_grants_hold_and_ends_with_the_first() {
        let grants =
            [held("r", "a", &[Read], Some(9)), held("w", "", &[Write], Some(5)), held("l", "b", &[List], None)];
        let access = decide(&prefix("a/x"), &[Read, Write].into(), &grants).unwrap();
        assert_eq!((access.grants.len(), access.until), (2, Some(UnixMillis(5))));
        let refusal = decide(&prefix("a/x"), &[Read, List].into(), &grants).unwrap_err();
        assert_eq!(refusal.to_string(), "prefix \"a/x/\": the grants hold read, write, and list is missing");
        let own = decide(&prefix(""), &[Read, Write, List, Delete].into(), &[Entitlement::ownership()]).unwrap();
        assert_eq!((own.grants.len(), own.until), (0, None));
    }

    #[test]
    fn a_wider_prefix_than_the_grant_is_refused_with_the_narrower_one() {
        let refusal = decide(&prefix(""), &[Read].into(), &[held("r", "a", &[Read], None)]).unwrap_err();
        assert!(refusal.to_string().contains("grants on \"a/\": ask for one of these"), "{refusal}");
        assert!(matches!(
            decide(&prefix("ab"), &[Read].into(), &[held("r", "a", &[Read], None)]),
            Err(ObjectRefusal::NoGrant { .. })
        ));
    }

    #[test]
    fn nobody_gets_admin_or_nothing_even_as_owner() {
        let own = [Entitlement::ownership()];
        assert_eq!(decide(&prefix(""), &[Admin, Read].into(), &own), Err(ObjectRefusal::Admin));
        assert_eq!(decide(&prefix(""), &Actions::new(), &own), Err(ObjectRefusal::NothingAsked));
    }
}
