//! The checks, each with its rule.

mod identity;
mod mounts;
mod namespaces;
mod paging;
mod snapshots;
mod tenants;
mod unsupported;

use std::{future::Future, pin::Pin};

use crate::{Broken, Outcome, Subject};

/// What a check gives: `Ok(None)` passed, `Ok(Some(why))` not applicable.
type Checked = Result<Option<String>, Broken>;
/// A check, running.
type Running<'a> = Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;
/// A check.
pub type Check = for<'a> fn(&'a Subject<'a>) -> Running<'a>;

macro_rules! check {
    ($path:path) => {
        |subject| Box::pin(async move { outcome($path(subject).await) })
    };
}

/// Every check: its name, its rule, and itself.
pub const ALL: &[(&str, &str, Check)] = &[
    ("description", "it says what it is, and each id once", check!(identity::description)),
    ("probe", "a probe names the backend and its counters", check!(identity::probe)),
    ("unsupported", "an interface that is not exported answers unsupported", check!(unsupported::missing)),
    ("unknown-job", "a job that nobody knows is a typed error", check!(unsupported::unknown_job)),
    ("create-twice", "the same owner gets the same namespace", check!(namespaces::create_twice)),
    ("find", "a mark is found, and one that was never written is not", check!(namespaces::find)),
    ("foreign-owner", "a namespace of another owner is never taken", check!(namespaces::foreign_owner)),
    ("inspect", "what was made is ready, marked and limited", check!(namespaces::inspect)),
    ("set-limits", "limits can be raised, and never end below what was asked", check!(namespaces::set_limits)),
    ("usage", "usage has one entry for each reference, in their order", check!(namespaces::usage)),
    ("delete", "delete is done twice, and then nothing is left", check!(namespaces::delete)),
    ("unknown-reference", "a reference that nobody gave is a typed error", check!(namespaces::unknown)),
    ("pages", "pages hold everything once and end", check!(paging::namespaces)),
    ("plan", "a plan is made again and released twice", check!(mounts::plan)),
    ("snapshots", "snapshots are idempotent, listed and removed", check!(snapshots::life)),
    ("tenants", "a tenant is idempotent and is removed when empty", check!(tenants::life)),
];

fn outcome(checked: Checked) -> Outcome {
    match checked {
        Ok(None) => Outcome::Passed,
        Ok(Some(why)) => Outcome::NotApplicable(why),
        Err(Broken(why)) => Outcome::Failed(why),
    }
}

fn without(interface: &str) -> Checked {
    Ok(Some(format!("the adapter does not export `{interface}`")))
}

/// Fails with this text unless it holds.
fn holds(it: bool, otherwise: impl FnOnce() -> String) -> Result<(), Broken> {
    if it { Ok(()) } else { Err(Broken(otherwise())) }
}
