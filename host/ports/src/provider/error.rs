//! Errors of an adapter: the kind, the native code and the field, never an HTTP status.

use serde::{Deserialize, Serialize};

use super::Extensions;

/// A field of the request that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldFault {
    /// Path of the field.
    pub field: String,
    /// What is wrong and what would be right.
    pub problem: String,
}

/// A limit that was hit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitHit {
    /// The counter's name.
    pub counter: String,
    /// How much is used.
    pub used: u64,
    /// How much there may be.
    pub limit: u64,
}

/// Why a capability is not available now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotReady {
    /// The capability.
    pub capability: String,
    /// A stable reason such as `S3_NOT_ENABLED`.
    pub reason: String,
    /// What the operator must do.
    pub remedy: String,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorKind {
    /// The object is not there.
    NotFound,
    /// One with that name is there already.
    AlreadyExists,
    /// It is there and bears another owner's mark.
    ForeignOwner(String),
    /// The request is wrong.
    Invalid(Vec<FieldFault>),
    /// Larger than the backend takes.
    TooLarge(LimitHit),
    /// The namespace's or tenant's quota is used up.
    QuotaExceeded,
    /// The backend is full.
    CapacityExhausted(LimitHit),
    /// The adapter's identity may not do this.
    PermissionDenied,
    /// The session ended and could not be renewed.
    AuthExpired,
    /// The identity is locked out for so many seconds.
    LockedOut(u32),
    /// The backend is not set up for this.
    NotReady(NotReady),
    /// The adapter or backend cannot do this.
    Unsupported(String),
    /// Something still uses the object.
    InUse(String),
    /// Lost a race: repeat.
    ConflictRetry,
    /// Too many requests; wait so many milliseconds if given.
    Throttled(Option<u32>),
    /// No connection: nothing was applied.
    Unreachable,
    /// It may or may not have been applied: look before acting again.
    Ambiguous,
    /// A defect of the adapter or the backend.
    Internal,
    /// A kind that this host does not know.
    Other(String),
}

impl ErrorKind {
    /// Stable upper-case reason for API errors and metric labels.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "PROVIDER_NOT_FOUND",
            Self::AlreadyExists => "PROVIDER_ALREADY_EXISTS",
            Self::ForeignOwner(_) => "PROVIDER_FOREIGN_OWNER",
            Self::Invalid(_) => "PROVIDER_INVALID",
            Self::TooLarge(_) => "PROVIDER_TOO_LARGE",
            Self::QuotaExceeded => "PROVIDER_QUOTA_EXCEEDED",
            Self::CapacityExhausted(_) => "PROVIDER_CAPACITY_EXHAUSTED",
            Self::PermissionDenied => "PROVIDER_PERMISSION_DENIED",
            Self::AuthExpired => "PROVIDER_AUTH_EXPIRED",
            Self::LockedOut(_) => "PROVIDER_LOCKED_OUT",
            Self::NotReady(_) => "PROVIDER_NOT_READY",
            Self::Unsupported(_) => "PROVIDER_UNSUPPORTED",
            Self::InUse(_) => "PROVIDER_IN_USE",
            Self::ConflictRetry => "PROVIDER_CONFLICT",
            Self::Throttled(_) => "PROVIDER_THROTTLED",
            Self::Unreachable => "PROVIDER_UNREACHABLE",
            Self::Ambiguous => "PROVIDER_AMBIGUOUS",
            Self::Internal => "PROVIDER_INTERNAL",
            Self::Other(_) => "PROVIDER_OTHER",
        }
    }
}

/// An adapter's error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// The kind.
    pub kind: ErrorKind,
    /// For a person: what happened and what to do.
    pub message: String,
    /// The backend's own code.
    pub native_code: Option<String>,
    /// Registered keys.
    pub extensions: Extensions,
}
