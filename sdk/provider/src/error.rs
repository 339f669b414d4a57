//! Builders of the contract's errors: each names the kind, and the text says what happened and what to do.
//!
//! The host decides by the kind alone whether to repeat, to look first, or to give up; so the kind must be right even when
//! the text is vague. Above all: an answer that may or may not have been applied is [`ambiguous`], never a failure.

use std::fmt::Display;

use crate::contract::types::StateError;
pub use crate::contract::types::{Error, ErrorKind, FieldFault, LimitHit, NotReady};

impl Error {
    /// An error of any kind.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Display) -> Self {
        Self { kind, message: message.to_string(), native_code: None, extensions: Vec::new() }
    }

    /// Adds the backend's own code, such as `EEXIST` or `fs_in_use`.
    #[must_use]
    pub fn with_native_code(mut self, code: impl Display) -> Self {
        self.native_code = Some(code.to_string());
        self
    }

    /// Adds a registered key.
    #[must_use]
    pub fn with_extension(mut self, key: &str, value: impl Display) -> Self {
        self.extensions.push((key.to_owned(), value.to_string()));
        self
    }
}

/// The object is not there.
#[must_use]
pub fn not_found(what: impl Display) -> Error {
    Error::new(ErrorKind::NotFound, format_args!("{what} is not there"))
}

/// One with that name is there already, and bears no mark to tell whose it is.
#[must_use]
pub fn already_exists(what: impl Display) -> Error {
    Error::new(ErrorKind::AlreadyExists, format_args!("{what} is there already"))
}

/// It is there and bears another owner's mark.
#[must_use]
pub fn foreign_owner(what: impl Display, owner: impl Display) -> Error {
    Error::new(ErrorKind::ForeignOwner(owner.to_string()), format_args!("{what} bears the mark of another owner"))
}

/// One field of the request is wrong.
#[must_use]
pub fn invalid(field: &str, problem: impl Display) -> Error {
    invalid_fields(vec![FieldFault { field: field.to_owned(), problem: problem.to_string() }])
}

/// Several fields of the request are wrong.
#[must_use]
pub fn invalid_fields(faults: Vec<FieldFault>) -> Error {
    let text = faults.iter().map(|f| format!("{}: {}", f.field, f.problem)).collect::<Vec<_>>().join("; ");
    Error::new(ErrorKind::Invalid(faults), text)
}

/// Larger than the backend takes: the counter, what was asked for and what there may be.
#[must_use]
pub fn too_large(counter: &str, used: u64, limit: u64) -> Error {
    let hit = LimitHit { counter: counter.to_owned(), used, limit };
    Error::new(ErrorKind::TooLarge(hit), format_args!("{counter} would be {used}, and may be {limit}"))
}

/// The namespace's or tenant's quota is used up.
#[must_use]
pub fn quota_exceeded(message: impl Display) -> Error {
    Error::new(ErrorKind::QuotaExceeded, message)
}

/// The backend is full: the counter, what is used and what there is.
#[must_use]
pub fn capacity_exhausted(counter: &str, used: u64, limit: u64) -> Error {
    let hit = LimitHit { counter: counter.to_owned(), used, limit };
    Error::new(ErrorKind::CapacityExhausted(hit), format_args!("{counter} is exhausted: {used} of {limit} are taken"))
}

/// The adapter's identity may not do this.
#[must_use]
pub fn permission_denied(message: impl Display) -> Error {
    Error::new(ErrorKind::PermissionDenied, message)
}

/// The session ended and could not be renewed.
#[must_use]
pub fn auth_expired(message: impl Display) -> Error {
    Error::new(ErrorKind::AuthExpired, message)
}

/// The identity is locked out for so many seconds.
#[must_use]
pub fn locked_out(seconds: u32) -> Error {
    Error::new(ErrorKind::LockedOut(seconds), format_args!("the backend has locked the identity out for {seconds} s"))
}

/// The backend is not set up for this: the capability, a stable reason such as `S3_NOT_ENABLED`, and what the operator
/// must do.
#[must_use]
pub fn not_ready(capability: &str, reason: &str, remedy: impl Display) -> Error {
    let remedy = remedy.to_string();
    let message = format!("{capability} is not ready ({reason}): {remedy}");
    let kind = NotReady { capability: capability.to_owned(), reason: reason.to_owned(), remedy };
    Error::new(ErrorKind::NotReady(kind), message)
}

/// The adapter or backend cannot do this; `function` is `interface.function` or the name of a capability.
#[must_use]
pub fn unsupported(function: &str) -> Error {
    Error::new(ErrorKind::Unsupported(function.to_owned()), format_args!("{function} is not supported"))
}

/// Something still uses the object.
#[must_use]
pub fn in_use(what: impl Display, by: impl Display) -> Error {
    Error::new(ErrorKind::InUse(by.to_string()), format_args!("{what} is still used by {by}"))
}

/// Lost a race: the host repeats.
#[must_use]
pub fn conflict_retry(message: impl Display) -> Error {
    Error::new(ErrorKind::ConflictRetry, message)
}

/// Too many requests; the host waits so many milliseconds if given.
#[must_use]
pub fn throttled(after_ms: Option<u32>) -> Error {
    Error::new(ErrorKind::Throttled(after_ms), "the backend takes no more requests now")
}

/// No connection: nothing was applied.
#[must_use]
pub fn unreachable(message: impl Display) -> Error {
    Error::new(ErrorKind::Unreachable, message)
}

/// It may or may not have been applied: the host looks before it acts again.
#[must_use]
pub fn ambiguous(message: impl Display) -> Error {
    Error::new(ErrorKind::Ambiguous, message)
}

/// A defect of the adapter or the backend.
#[must_use]
pub fn internal(message: impl Display) -> Error {
    Error::new(ErrorKind::Internal, message)
}

/// A kind that the contract has no case for; `word` is stable.
#[must_use]
pub fn other(word: &str, message: impl Display) -> Error {
    Error::new(ErrorKind::Other(word.to_owned()), message)
}

impl From<StateError> for Error {
    /// What it means for the call that the host's own state refused: a lost compare-and-set is repeated, a full space or a
    /// missing pool waits for the operator.
    fn from(cause: StateError) -> Self {
        match cause {
            StateError::Conflict => conflict_retry("another call changed the same state first"),
            StateError::Full(hit) => capacity_exhausted(&format!("state.{}", hit.counter), hit.used, hit.limit),
            StateError::NoPool(pool) => {
                not_ready("allocate", "NO_POOL", format_args!("name the pool {pool:?} in the provider's `pools`"))
            }
            StateError::Unavailable(text) => unreachable(format_args!("the host's state store failed: {text}")),
            StateError::Other(word) => other(&word, "the host's state refused"),
        }
    }
}
