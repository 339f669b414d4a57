//! A refused call as `google.rpc.Status` with details.
//!
//! Every refusal has a stable reason in its ErrorInfo (domain `stowage`); the metadata key `remedy` holds the fix. The
//! message is for people and may change, the reason may not.

use std::{collections::HashMap, time::Duration};

use stowage_domain::FieldError;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

/// `ErrorInfo.domain` of every refusal.
pub(crate) const DOMAIN: &str = "stowage";

/// A refusal on its way to a [`Status`]; boxed, since most calls have none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal(Box<Parts>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Parts {
    code: Code,
    reason: String,
    message: String,
    metadata: HashMap<String, String>,
    fields: Vec<(String, String)>,
    preconditions: Vec<(String, String, String)>,
    quotas: Vec<(String, String)>,
    retry_after: Option<Duration>,
}

impl Refusal {
    pub(crate) fn new(code: Code, reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            code,
            reason: reason.into(),
            message: message.into(),
            metadata: HashMap::new(),
            fields: Vec::new(),
            preconditions: Vec::new(),
            quotas: Vec::new(),
            retry_after: None,
        }))
    }

    /// A field that breaks a rule.
    pub(crate) fn field(field: impl Into<String>, problem: impl Into<String>) -> Self {
        let (field, problem) = (field.into(), problem.into());
        let mut refusal = Self::new(Code::InvalidArgument, "INVALID_FIELD", format!("{field}: {problem}"));
        refusal.0.fields.push((field, problem));
        refusal
    }

    pub(crate) fn permission_denied(message: impl Into<String>) -> Self {
        Self::new(Code::PermissionDenied, "PERMISSION_DENIED", message)
    }

    pub(crate) fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.0.metadata.insert(key.to_owned(), value.into());
        self
    }

    pub(crate) fn remedy(self, remedy: impl Into<String>) -> Self {
        self.with("remedy", remedy)
    }

    pub(crate) fn at_field(mut self, field: impl Into<String>, problem: impl Into<String>) -> Self {
        self.0.fields.push((field.into(), problem.into()));
        self
    }

    pub(crate) fn precondition(mut self, kind: &str, subject: impl Into<String>, what: impl Into<String>) -> Self {
        self.0.preconditions.push((kind.to_owned(), subject.into(), what.into()));
        self
    }

    pub(crate) fn quota(mut self, subject: impl Into<String>, what: impl Into<String>) -> Self {
        self.0.quotas.push((subject.into(), what.into()));
        self
    }

    pub(crate) fn retry_after(mut self, delay: Duration) -> Self {
        self.0.retry_after = Some(delay);
        self
    }
}

impl From<FieldError> for Refusal {
    fn from(error: FieldError) -> Self {
        Self::field(error.field, error.rule)
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        let refusal = *refusal.0;
        let mut details = ErrorDetails::new();
        details.set_error_info(refusal.reason, DOMAIN, refusal.metadata);
        for (field, problem) in refusal.fields {
            details.add_bad_request_violation(field, problem);
        }
        for (kind, subject, what) in refusal.preconditions {
            details.add_precondition_failure_violation(kind, subject, what);
        }
        for (subject, what) in refusal.quotas {
            details.add_quota_failure_violation(subject, what);
        }
        if refusal.retry_after.is_some() {
            details.set_retry_info(refusal.retry_after);
        }
        Self::with_error_details(refusal.code, refusal.message, details)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_carries_every_detail() {
        let status: Status = Refusal::new(Code::ResourceExhausted, "PROJECT_QUOTA_EXCEEDED", "no room")
            .remedy("ask for less")
            .at_field("quota.hard_bytes", "over what is left")
            .precondition("STATE", "tenants/t", "is closed")
            .quota("tenants/t/projects/p", "used 1 of 1")
            .retry_after(Duration::from_secs(2))
            .into();
        let details = status.get_error_details();
        let info = details.error_info().unwrap();
        assert_eq!((info.reason.as_str(), info.domain.as_str()), ("PROJECT_QUOTA_EXCEEDED", "stowage"));
        assert_eq!(info.metadata["remedy"], "ask for less");
        assert_eq!(details.bad_request().unwrap().field_violations[0].field, "quota.hard_bytes");
        assert_eq!(details.precondition_failure().unwrap().violations[0].subject, "tenants/t");
        assert_eq!(details.quota_failure().unwrap().violations[0].description, "used 1 of 1");
        assert_eq!(details.retry_info().unwrap().retry_delay, Some(Duration::from_secs(2)));
    }
}
