//! Errors of an adapter, and those of its own state.

use stowage_ports::GuestStateError;

use super::{Breach, FromGuest, Reader, port, wit};

impl FromGuest<wit::Error> for port::Error {
    fn from_guest(answer: wit::Error, reader: &Reader<'_>) -> Result<Self, Breach> {
        Ok(Self {
            kind: port::ErrorKind::from_guest(answer.kind, reader)?,
            message: reader.text(answer.message),
            native_code: reader.maybe(answer.native_code),
            extensions: reader.extensions(answer.extensions),
        })
    }
}

impl FromGuest<wit::ErrorKind> for port::ErrorKind {
    fn from_guest(answer: wit::ErrorKind, reader: &Reader<'_>) -> Result<Self, Breach> {
        use wit::ErrorKind as Wit;
        Ok(match answer {
            Wit::NotFound => Self::NotFound,
            Wit::AlreadyExists => Self::AlreadyExists,
            Wit::ForeignOwner(owner) => Self::ForeignOwner(reader.text(owner)),
            Wit::Invalid(faults) => Self::Invalid(Vec::from_guest(faults, reader)?),
            Wit::TooLarge(hit) => Self::TooLarge(port::LimitHit::from_guest(hit, reader)?),
            Wit::QuotaExceeded => Self::QuotaExceeded,
            Wit::CapacityExhausted(hit) => Self::CapacityExhausted(port::LimitHit::from_guest(hit, reader)?),
            Wit::PermissionDenied => Self::PermissionDenied,
            Wit::AuthExpired => Self::AuthExpired,
            Wit::LockedOut(seconds) => Self::LockedOut(seconds),
            Wit::NotReady(why) => Self::NotReady(port::NotReady::from_guest(why, reader)?),
            Wit::Unsupported(what) => Self::Unsupported(reader.text(what)),
            Wit::InUse(by) => Self::InUse(reader.text(by)),
            Wit::ConflictRetry => Self::ConflictRetry,
            Wit::Throttled(after) => Self::Throttled(after),
            Wit::Unreachable => Self::Unreachable,
            Wit::Ambiguous => Self::Ambiguous,
            Wit::Internal => Self::Internal,
            Wit::Other(text) => Self::Other(reader.text(text)),
        })
    }
}

impl FromGuest<wit::FieldFault> for port::FieldFault {
    fn from_guest(answer: wit::FieldFault, reader: &Reader<'_>) -> Result<Self, Breach> {
        Ok(Self { field: reader.text(answer.field), problem: reader.text(answer.problem) })
    }
}

impl FromGuest<wit::LimitHit> for port::LimitHit {
    fn from_guest(answer: wit::LimitHit, reader: &Reader<'_>) -> Result<Self, Breach> {
        Ok(Self { counter: reader.text(answer.counter), used: answer.used, limit: answer.limit })
    }
}

impl FromGuest<wit::NotReady> for port::NotReady {
    fn from_guest(answer: wit::NotReady, reader: &Reader<'_>) -> Result<Self, Breach> {
        Ok(Self {
            capability: reader.text(answer.capability),
            reason: reader.text(answer.reason),
            remedy: reader.text(answer.remedy),
        })
    }
}

/// What a guest learns when its own state refused.
pub(crate) fn state_error(error: GuestStateError) -> wit::StateError {
    match error {
        GuestStateError::Conflict(_) => wit::StateError::Conflict,
        GuestStateError::Full { what, limit } => {
            wit::StateError::Full(wit::LimitHit { counter: what.to_owned(), used: limit, limit })
        }
        GuestStateError::NoPool(pool) => wit::StateError::NoPool(pool),
        GuestStateError::Store(text) => wit::StateError::Unavailable(text),
    }
}
