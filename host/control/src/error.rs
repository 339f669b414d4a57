//! One error for all use cases: a status, a stable reason, and the details that the API hands on as they are.

use std::time::Duration;

use stowage_domain::{FieldError, Shortage};
use stowage_ports::{SecretError, provider::ErrorKind};
use stowage_store::{ConflictReason, Error as StoreError};

/// What kind of failure it is; the gRPC code of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// The request is wrong, whatever the state.
    InvalidArgument,
    /// It is not there, or the caller may not know that it is.
    NotFound,
    /// It is there already.
    AlreadyExists,
    /// The state does not allow it now.
    FailedPrecondition,
    /// A quota, capacity or queue is full.
    ResourceExhausted,
    /// The caller may not.
    PermissionDenied,
    /// Lost a race: read again and repeat.
    Aborted,
    /// A backend, node or store cannot be reached now: repeat later.
    Unavailable,
    /// It took too long.
    DeadlineExceeded,
    /// This host or provider cannot do it.
    Unimplemented,
    /// It was stopped on request.
    Cancelled,
    /// A defect.
    Internal,
}

/// A state that must change first.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PreconditionViolation {
    /// Stable kind, such as `MOUNTED`.
    pub kind: String,
    /// The resource.
    pub subject: String,
    /// What must change.
    pub description: String,
}

/// A limit that was hit.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct QuotaViolation {
    /// Whose limit, such as `tenants/acme/projects/vision`.
    pub subject: String,
    /// With its numbers.
    pub description: String,
}

/// A field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FieldViolation {
    /// Path of the field.
    pub field: String,
    /// The rule, and what would be right.
    pub description: String,
}

/// Everything that is told of a failure. Also kept with a failed operation.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Problem {
    /// Kind.
    pub status: Status,
    /// Stable upper-case reason.
    pub reason: String,
    /// For a person: what happened and what to do.
    pub message: String,
    /// More, by stable key.
    #[serde(default)]
    pub metadata: Vec<(String, String)>,
    /// Wrong fields.
    #[serde(default)]
    pub fields: Vec<FieldViolation>,
    /// Unmet preconditions.
    #[serde(default)]
    pub preconditions: Vec<PreconditionViolation>,
    /// Full quotas.
    #[serde(default)]
    pub quotas: Vec<QuotaViolation>,
    /// Repeat not before this.
    #[serde(default)]
    pub retry_after: Option<Duration>,
}

/// Why a use case failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.message)]
pub struct ControlError(pub Box<Problem>);

/// The result of a use case.
pub type Result<T> = std::result::Result<T, ControlError>;

impl ControlError {
    /// An error with a status, a stable reason and a message.
    #[must_use]
    pub fn new(status: Status, reason: &str, message: impl Into<String>) -> Self {
        Self(Box::new(Problem {
            status,
            reason: reason.to_owned(),
            message: message.into(),
            metadata: Vec::new(),
            fields: Vec::new(),
            preconditions: Vec::new(),
            quotas: Vec::new(),
            retry_after: None,
        }))
    }

    /// A wrong field.
    #[must_use]
    pub fn field(field: impl Into<String>, rule: impl Into<String>) -> Self {
        FieldError::new(field, rule).into()
    }

    /// Nothing has that name.
    #[must_use]
    pub fn not_found(name: impl std::fmt::Display) -> Self {
        let name = name.to_string();
        let error = Self::new(Status::NotFound, "NOT_FOUND", format!("{name} is not there"));
        match lists(&name) {
            Some(command) => error.with("remedy", format!("`stowage {command}` shows what is there")),
            None => error,
        }
    }

    /// Something has that name.
    #[must_use]
    pub fn exists(name: impl std::fmt::Display) -> Self {
        Self::new(Status::AlreadyExists, "ALREADY_EXISTS", format!("{name} exists already"))
    }

    /// A state that must change first.
    #[must_use]
    pub fn precondition(reason: &str, subject: impl std::fmt::Display, description: impl Into<String>) -> Self {
        let description = description.into();
        let mut error = Self::new(Status::FailedPrecondition, reason, format!("{subject}: {description}"));
        error.0.preconditions.push(PreconditionViolation {
            kind: reason.to_owned(),
            subject: subject.to_string(),
            description,
        });
        error
    }

    /// A full quota.
    #[must_use]
    pub fn quota(reason: &str, subject: impl std::fmt::Display, shortage: &Shortage) -> Self {
        let description = format!(
            "limit {} ({}), reserved {} ({}), asked {} ({})",
            shortage.limit.0, shortage.limit, shortage.reserved.0, shortage.reserved, shortage.asked.0, shortage.asked
        );
        let mut error = Self::new(Status::ResourceExhausted, reason, format!("{subject} is full: {description}"));
        error.0.quotas.push(QuotaViolation { subject: subject.to_string(), description });
        error
    }

    /// Adds a fact by its stable key.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl std::fmt::Display) -> Self {
        self.0.metadata.push((key.to_owned(), value.to_string()));
        self
    }

    /// Repeat not before this.
    #[must_use]
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.0.retry_after = Some(after);
        self
    }

    /// The stable reason.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.0.reason
    }

    /// The status.
    #[must_use]
    pub const fn status(&self) -> Status {
        self.0.status
    }

    /// What went wrong at a provider.
    #[must_use]
    pub fn provider(provider: impl std::fmt::Display, error: &stowage_ports::provider::Error) -> Self {
        let status = match &error.kind {
            ErrorKind::Invalid(_) => Status::InvalidArgument,
            ErrorKind::NotFound => Status::NotFound,
            ErrorKind::AlreadyExists | ErrorKind::ForeignOwner(_) => Status::AlreadyExists,
            ErrorKind::TooLarge(_) | ErrorKind::QuotaExceeded | ErrorKind::CapacityExhausted(_) => {
                Status::ResourceExhausted
            }
            ErrorKind::PermissionDenied | ErrorKind::NotReady(_) | ErrorKind::InUse(_) => Status::FailedPrecondition,
            ErrorKind::Unsupported(_) => Status::Unimplemented,
            ErrorKind::ConflictRetry => Status::Aborted,
            ErrorKind::AuthExpired
            | ErrorKind::LockedOut(_)
            | ErrorKind::Throttled(_)
            | ErrorKind::Unreachable
            | ErrorKind::Ambiguous => Status::Unavailable,
            ErrorKind::Internal | ErrorKind::Other(_) => Status::Internal,
        };
        let mut out = Self::new(status, error.kind.reason(), format!("{provider}: {}", error.message))
            .with("provider", &provider);
        if let Some(code) = &error.native_code {
            out = out.with("native_code", code);
        }
        match &error.kind {
            ErrorKind::Invalid(faults) => out.0.fields.extend(
                faults.iter().map(|f| FieldViolation { field: f.field.clone(), description: f.problem.clone() }),
            ),
            ErrorKind::NotReady(not_ready) => out.0.preconditions.push(PreconditionViolation {
                kind: not_ready.reason.clone(),
                subject: not_ready.capability.clone(),
                description: not_ready.remedy.clone(),
            }),
            ErrorKind::TooLarge(hit) | ErrorKind::CapacityExhausted(hit) => out.0.quotas.push(QuotaViolation {
                subject: provider.to_string(),
                description: format!("{}: used {}, limit {}", hit.counter, hit.used, hit.limit),
            }),
            ErrorKind::LockedOut(seconds) => out.0.retry_after = Some(Duration::from_secs(u64::from(*seconds))),
            ErrorKind::Throttled(Some(wait)) => out.0.retry_after = Some(Duration::from_millis(u64::from(*wait))),
            _ => {}
        }
        out
    }
}

/// The command that lists what is beside a name.
fn lists(name: &str) -> Option<String> {
    let parts: Vec<&str> = name.split('/').collect();
    let (parents, own) = parts.split_at_checked(parts.len().checked_sub(2)?)?;
    let noun = match *own.first()? {
        "tenants" => "tenant",
        "projects" => "project",
        "namespaces" => "ns",
        "grants" => "grant",
        "workloads" => "workload",
        "mountPlans" => "mount",
        "providers" => "provider",
        "storageClasses" => "class",
        "nodes" => "node",
        "operations" => "op",
        _ => return None,
    };
    let parent: Vec<&str> = parents.iter().skip(1).step_by(2).copied().collect();
    Some(format!("{noun} list {}", parent.join("/")).trim_end().to_owned())
}

impl From<FieldError> for ControlError {
    fn from(error: FieldError) -> Self {
        let mut out = Self::new(Status::InvalidArgument, "INVALID_FIELD", error.to_string());
        out.0.fields.push(FieldViolation { field: error.field, description: error.rule });
        out
    }
}

impl From<StoreError> for ControlError {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Conflict { reason: ConflictReason::Exists, key, .. } => Self::exists(key),
            StoreError::Conflict { .. } => Self::new(Status::Aborted, "CONFLICT", error.to_string()),
            StoreError::Cursor => Self::field("page_token", error.to_string()),
            StoreError::Store(_) => Self::new(Status::Unavailable, "STORE_UNAVAILABLE", error.to_string()),
            StoreError::TooLarge(_)
            | StoreError::Newer { .. }
            | StoreError::Unreadable { .. }
            | StoreError::Unwritable { .. } => Self::new(Status::Internal, "STORE_BROKEN", error.to_string()),
        }
    }
}

impl From<SecretError> for ControlError {
    fn from(error: SecretError) -> Self {
        match &error {
            SecretError::BadName(_) => Self::field("secrets", error.to_string()),
            SecretError::Missing { .. } => Self::new(Status::FailedPrecondition, "SECRET_MISSING", error.to_string()),
            SecretError::ReadOnly(_) => Self::new(Status::FailedPrecondition, "SECRETS_READ_ONLY", error.to_string()),
            SecretError::Io(_) => Self::new(Status::Unavailable, "SECRETS_UNAVAILABLE", error.to_string()),
        }
    }
}
