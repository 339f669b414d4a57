//! Outcomes on demand: every outcome and every error of the contract, by a text on the call or in the configuration.
//!
//! | text | what happens |
//! |---|---|
//! | `done` | the change is made, whatever the configuration says |
//! | `pending:N` | a job runs for N polls, then the repeated call makes the change |
//! | `pending:N:failed:KIND` | the job fails with that error |
//! | `pending:N:other:WORD` | the job's status is `other` |
//! | `needs-node` | a node must look first; the repeated call with its results makes the change |
//! | `partial:WHAT` | the change is made, and the first answer says that WHAT remains |
//! | `other:WORD` | an outcome that no host knows |
//! | `error:KIND[:DETAIL]` | that error and no change |
//! | `ambiguous-after-apply` | the change is made, and the first answer is `ambiguous` |
//! | `times:N:TEXT` | TEXT for the first N calls with the same owner, then the change is made |
//!
//! It stands on the call as the extension `fake.FUNCTION`, such as `fake.namespaces.create`; on a namespace as a label of
//! the same name, or in short for the functions of `namespaces`: `fake.create=pending:3`; or in the configuration's `faults`,
//! by `FUNCTION`. The first of these that is there counts.

use stowage_provider_sdk::prelude::*;

/// What is wanted of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Demand {
    /// Make the change.
    Done,
    /// A job of so many polls, and how it ends.
    Pending(u32, JobEnd),
    /// A node first.
    NeedsNode,
    /// Made, but the first answer is partial.
    Partial(String),
    /// An outcome that no host knows.
    Other(String),
    /// An error.
    Error(Box<Error>),
    /// Made, but the first answer is ambiguous.
    AmbiguousAfterApply,
    /// For the first so many calls.
    Times(u32, Box<Demand>),
}

/// How a job ends.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum JobEnd {
    /// It ends.
    Ended,
    /// It fails.
    Failed(Box<Error>),
    /// In a state that no host knows.
    Other(String),
}

/// Reads a demand.
pub fn parse(text: &str) -> Result<Demand> {
    let (word, rest) = text.split_once(':').unwrap_or((text, ""));
    match word {
        "done" => Ok(Demand::Done),
        "pending" => {
            let (polls, end) = rest.split_once(':').unwrap_or((rest, ""));
            let end = match end.split_once(':') {
                None if end.is_empty() => JobEnd::Ended,
                Some(("failed", kind)) => JobEnd::Failed(Box::new(named_error(kind)?)),
                Some(("other", word)) => JobEnd::Other(word.to_owned()),
                _ => return Err(refused(text)),
            };
            Ok(Demand::Pending(polls.parse().map_err(|_| refused(text))?, end))
        }
        "needs-node" => Ok(Demand::NeedsNode),
        "partial" => Ok(Demand::Partial(if rest.is_empty() { "the rest" } else { rest }.to_owned())),
        "other" => Ok(Demand::Other(if rest.is_empty() { "on-demand" } else { rest }.to_owned())),
        "error" => Ok(Demand::Error(Box::new(named_error(rest)?))),
        "ambiguous-after-apply" => Ok(Demand::AmbiguousAfterApply),
        "times" => {
            let (times, inner) = rest.split_once(':').ok_or_else(|| refused(text))?;
            Ok(Demand::Times(times.parse().map_err(|_| refused(text))?, Box::new(parse(inner)?)))
        }
        _ => Err(refused(text)),
    }
}

fn refused(text: &str) -> Error {
    error::invalid("fake", format_args!("{text:?} is not an outcome on demand; see the documentation of the fake"))
}

/// An error of the contract by the name of its kind, with a detail after a colon where the kind has one.
pub fn named_error(text: &str) -> Result<Error> {
    let (kind, detail) = text.split_once(':').unwrap_or((text, ""));
    let or = |default: &str| if detail.is_empty() { default.to_owned() } else { detail.to_owned() };
    let number = || detail.parse::<u32>().ok();
    let on_demand = match kind {
        "not-found" => error::not_found(or("the object")),
        "already-exists" => error::already_exists(or("the object")),
        "foreign-owner" => error::foreign_owner("the object", or("someone-else")),
        "invalid" => error::invalid(&or("spec"), "is refused on demand"),
        "too-large" => error::too_large(&or("bytes"), 2, 1),
        "quota-exceeded" => error::quota_exceeded("the quota is used up, on demand"),
        "capacity-exhausted" => error::capacity_exhausted(&or("capacity.bytes"), 1, 1),
        "permission-denied" => error::permission_denied("this identity may not, on demand"),
        "auth-expired" => error::auth_expired("the session ended, on demand"),
        "locked-out" => error::locked_out(number().unwrap_or(60)),
        "not-ready" => error::not_ready(&or("namespaces.s3"), "ON_DEMAND", "remove the demand"),
        "unsupported" => error::unsupported(&or("on-demand")),
        "in-use" => error::in_use("the object", or("someone")),
        "conflict-retry" => error::conflict_retry("lost a race, on demand"),
        "throttled" => error::throttled(number()),
        "unreachable" => error::unreachable("no connection, on demand"),
        "ambiguous" => error::ambiguous("no answer, on demand"),
        "internal" => error::internal("a defect, on demand"),
        "other" => error::other(&or("on-demand"), "an error that no host knows, on demand"),
        _ => return Err(refused(text)),
    };
    Ok(on_demand.with_native_code(format_args!("FAKE_{}", kind.to_uppercase().replace('-', "_"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_demand_that_is_not_one_is_refused_with_the_text() {
        for wrong in ["", "pending", "pending:x", "pending:1:melts", "error", "error:tired", "times:2", "times:x:done"]
        {
            let refused = parse(wrong).unwrap_err();
            assert!(matches!(refused.kind, error::ErrorKind::Invalid(_)), "{wrong}: {refused:?}");
        }
    }

    #[test]
    fn demands_nest() {
        let demand = parse("times:2:pending:3:failed:locked-out:9").unwrap();
        let Demand::Times(2, inner) = demand else { panic!("{demand:?}") };
        let Demand::Pending(3, JobEnd::Failed(failed)) = *inner else { panic!("{inner:?}") };
        assert_eq!(failed.kind, error::ErrorKind::LockedOut(9));
    }
}
