//! What becomes of a failed call: one table by call and kind of error, and one of limits by kind of operation.
//!
//! An answer that may or may not have been applied is "unknown": the host looks by owner and replays. Nothing is ever
//! assumed to have failed because nothing was heard.

use std::time::Duration;

use rand::Rng;
use stowage_domain::Millis;
use stowage_ports::provider::{ErrorKind, Failure, Fault};

use super::OperationKind;

/// Which call failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum CallKind {
    /// Makes or adopts something.
    Make,
    /// Changes what is there.
    Change,
    /// Removes.
    Remove,
    /// Looks only.
    Look,
}

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// What was wanted is so already.
    Done,
    /// Nothing was applied: the same call again, not before this.
    Retry(Option<Millis>),
    /// It may have been applied: look by owner, then the same call again.
    Look,
    /// A defect: the same call again, but only a few times.
    RetryFew,
    /// It will not succeed.
    Fail,
}

impl Verdict {
    pub(crate) fn of(call: CallKind, failure: &Failure) -> Self {
        match (&failure.error.kind, call) {
            (ErrorKind::NotFound, CallKind::Remove) => Self::Done,
            // The object is there under our name; whether it is ours, `find` by owner tells.
            (ErrorKind::AlreadyExists, CallKind::Make) => Self::Look,
            (
                ErrorKind::NotFound
                | ErrorKind::AlreadyExists
                | ErrorKind::ForeignOwner(_)
                | ErrorKind::Invalid(_)
                | ErrorKind::TooLarge(_)
                | ErrorKind::QuotaExceeded
                | ErrorKind::Unsupported(_),
                _,
            ) => Self::Fail,
            // What must go away is tried until it goes: the operator can mend rights, set-up and users meanwhile.
            (
                ErrorKind::PermissionDenied
                | ErrorKind::NotReady(_)
                | ErrorKind::InUse(_)
                | ErrorKind::CapacityExhausted(_),
                CallKind::Remove,
            ) => Self::Retry(None),
            (ErrorKind::PermissionDenied | ErrorKind::NotReady(_) | ErrorKind::CapacityExhausted(_), _) => Self::Fail,
            (ErrorKind::InUse(_) | ErrorKind::AuthExpired | ErrorKind::ConflictRetry | ErrorKind::Unreachable, _) => {
                Self::Retry(None)
            }
            (ErrorKind::LockedOut(seconds), _) => Self::Retry(Some(Millis(u64::from(*seconds) * 1000))),
            (ErrorKind::Throttled(wait), _) => Self::Retry(wait.map(|wait| Millis(u64::from(wait)))),
            (ErrorKind::Ambiguous, _) => Self::Look,
            (ErrorKind::Internal | ErrorKind::Other(_), _) if failure.fault == Fault::Host => Self::Retry(None),
            (ErrorKind::Internal | ErrorKind::Other(_), CallKind::Remove) => Self::Retry(None),
            (ErrorKind::Internal | ErrorKind::Other(_), _) => Self::RetryFew,
        }
    }
}

/// Limits of one kind of operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Policy {
    /// A step is given up after so long.
    pub(crate) deadline: Duration,
    /// A step is given up after so many failed attempts.
    pub(crate) attempts: u32,
    /// How long a step waits for a node.
    pub(crate) node_patience: Duration,
}

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Policy {
    /// A defect is tried so often: a trap may come from a race, three in a row do not.
    pub(crate) const DEFECT_ATTEMPTS: u32 = 3;

    /// What is taken back is tried without end: giving up would leave an orphan.
    pub(crate) const UNDO: Self = Self { deadline: Duration::MAX, attempts: u32::MAX, node_patience: Duration::MAX };

    pub(crate) const fn of(kind: OperationKind) -> Self {
        match kind {
            OperationKind::CreateNamespace | OperationKind::AdoptNamespace => {
                Self { deadline: Duration::from_secs(15 * 60), attempts: 100, node_patience: DAY }
            }
            OperationKind::SetLimits | OperationKind::SetProtocols => {
                Self { deadline: Duration::from_secs(15 * 60), attempts: 100, node_patience: DAY }
            }
            OperationKind::DeleteNamespace => Self { deadline: DAY, attempts: u32::MAX, node_patience: DAY },
            OperationKind::CreateMount => {
                Self { deadline: Duration::from_secs(5 * 60), attempts: 50, node_patience: Duration::from_secs(5 * 60) }
            }
            OperationKind::ReleaseMount => Self { deadline: DAY, attempts: u32::MAX, node_patience: MINUTE },
            // Its caller waits for it; the next request begins anew.
            OperationKind::EnsureParent => {
                Self { deadline: Duration::from_secs(2 * 60), attempts: 30, node_patience: MINUTE }
            }
            OperationKind::RetireParent | OperationKind::RevokeCredential => {
                Self { deadline: DAY, attempts: u32::MAX, node_patience: DAY }
            }
            OperationKind::ReleaseWorkload | OperationKind::RevokeGrant => {
                Self { deadline: DAY, attempts: u32::MAX, node_patience: DAY }
            }
        }
    }
}

/// Shortest and longest pause between attempts.
const FIRST_PAUSE: u64 = 200;
const LONGEST_PAUSE: u64 = 60_000;

/// Twice as long after each attempt, with half of it left to chance, so that what failed together does not come back
/// together; never shorter than what the backend asked for.
pub(crate) fn pause(attempts: u32, asked: Option<Millis>) -> Millis {
    let full = FIRST_PAUSE.saturating_mul(1u64 << attempts.saturating_sub(1).min(16)).min(LONGEST_PAUSE);
    let half = full / 2;
    let pause = half + rand::rng().random_range(0..=half);
    Millis(pause.max(asked.map_or(0, |asked| asked.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_minute_and_heed_the_backend() {
        for attempts in 1..40 {
            let full = (200u64 << (attempts - 1).min(16)).min(60_000);
            for _ in 0..20 {
                let pause = pause(attempts, None).0;
                assert!((full / 2..=full).contains(&pause), "{attempts}: {pause}");
            }
        }
        assert_eq!(pause(1, Some(Millis(300_000))), Millis(300_000));
    }
}
