//! A failed call, in words that say what to do.
//!
//! The host's failures carry `google.rpc` details: a stable reason, the fields at fault, what is in the way, when to try
//! again, and under the metadata key `remedy` the fix. A program looks at [`Failure::reason`], a person reads the text.

use std::{collections::BTreeMap, fmt, time::Duration};

use stowage_proto::RpcStatus;
use tonic::{Code, Status, TimeoutExpired};
use tonic_types::{ErrorDetails, RpcStatusExt, StatusExt};

/// Key of `ErrorInfo.metadata` that holds the fix.
const REMEDY: &str = "remedy";

/// One field at fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldFault {
    /// Path of the field in the request, such as `namespace.quota.hard_bytes`.
    pub field: String,
    /// What is wrong with it.
    pub problem: String,
}

/// A failed call or operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The class of failure.
    pub code: Code,
    /// What happened, for people.
    pub message: String,
    /// Stable reason, such as `PROJECT_QUOTA_EXCEEDED`. Empty: the host gave none.
    pub reason: String,
    /// The numbers and names behind the reason.
    pub metadata: BTreeMap<String, String>,
    /// Fields at fault.
    pub fields: Vec<FieldFault>,
    /// What is in the way: unmet preconditions and exhausted quotas, as `subject: description`.
    pub obstacles: Vec<String>,
    /// When to try again. Absent: trying again doesn't help, or nobody knows.
    pub retry_after: Option<Duration>,
}

impl Failure {
    /// The fix, as the host gave it.
    #[must_use]
    pub fn remedy(&self) -> Option<&str> {
        self.metadata.get(REMEDY).map(String::as_str)
    }

    /// Whether the call may be tried again unchanged (with the same request id).
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.retry_after.is_some() || matches!(self.code, Code::Unavailable | Code::Aborted | Code::ResourceExhausted)
    }

    fn new(code: Code, message: &str, details: ErrorDetails) -> Self {
        let fields = details.bad_request().map(|bad| {
            bad.field_violations
                .iter()
                .map(|fault| FieldFault { field: fault.field.clone(), problem: fault.description.clone() })
                .collect()
        });
        let preconditions = details.precondition_failure().into_iter().flat_map(|failure| {
            failure.violations.iter().map(|violation| format!("{}: {}", violation.subject, violation.description))
        });
        let quotas = details.quota_failure().into_iter().flat_map(|failure| {
            failure.violations.iter().map(|violation| format!("{}: {}", violation.subject, violation.description))
        });
        let info = details.error_info();
        Self {
            code,
            message: message.to_owned(),
            reason: info.map(|info| info.reason.clone()).unwrap_or_default(),
            metadata: info.map(|info| info.metadata.clone().into_iter().collect()).unwrap_or_default(),
            fields: fields.unwrap_or_default(),
            obstacles: preconditions.chain(quotas).collect(),
            retry_after: details.retry_info().and_then(|retry| retry.retry_delay),
        }
    }

    /// What to do when the host gave no fix.
    fn general_advice(&self) -> Option<&'static str> {
        match self.code {
            Code::Unauthenticated => Some("pass a valid token (--token-file or STOWAGE_TOKEN_FILE)"),
            Code::PermissionDenied => Some("ask for the role that this call needs, or use a token of the right tenant"),
            Code::Unavailable if self.reason.is_empty() => Some("check that the host runs, then try again"),
            Code::DeadlineExceeded => Some("the change may have been made: look before trying again"),
            _ => None,
        }
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Self::new(code_of(&status), status.message(), status.get_error_details())
    }
}

/// The transport reports a deadline that passed, here or at the host, as `CANCELLED` with this message. Nobody cancelled.
fn code_of(status: &Status) -> Code {
    if status.code() == Code::Cancelled && status.message() == TimeoutExpired(()).to_string() {
        Code::DeadlineExceeded
    } else {
        status.code()
    }
}

impl From<&RpcStatus> for Failure {
    fn from(status: &RpcStatus) -> Self {
        Self::new(Code::from_i32(status.code), &status.message, status.get_error_details())
    }
}

impl std::error::Error for Failure {}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.message.is_empty() { self.code.description() } else { &self.message };
        f.write_str(what)?;
        if !self.reason.is_empty() {
            write!(f, " [{}]", self.reason)?;
        }
        for fault in &self.fields {
            write!(f, "\n  field {}: {}", fault.field, fault.problem)?;
        }
        for obstacle in &self.obstacles {
            write!(f, "\n  {obstacle}")?;
        }
        if let Some(remedy) = self.remedy().or_else(|| self.general_advice()) {
            write!(f, "\n  fix: {remedy}")?;
        }
        if let Some(delay) = self.retry_after {
            write!(f, "\n  try again in {:.1} s", delay.as_secs_f64())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;

    fn refused() -> Failure {
        let mut details = ErrorDetails::new();
        details
            .set_error_info(
                "PROJECT_QUOTA_EXCEEDED",
                "stowage",
                [(REMEDY.to_owned(), "ask for at most 10737418240 bytes".to_owned())],
            )
            .add_bad_request_violation("namespace.quota.hard_bytes", "2147483648 is over what is left")
            .add_quota_failure_violation("tenants/t/projects/p", "used 1, limit 2")
            .set_retry_info(Some(Duration::from_millis(1500)));
        Status::with_error_details(Code::ResourceExhausted, "the project has no room", details).into()
    }

    #[test]
    fn the_text_names_field_obstacle_fix_and_delay() {
        assert_eq!(
            refused().to_string(),
            "the project has no room [PROJECT_QUOTA_EXCEEDED]\n  \
             field namespace.quota.hard_bytes: 2147483648 is over what is left\n  \
             tenants/t/projects/p: used 1, limit 2\n  \
             fix: ask for at most 10737418240 bytes\n  \
             try again in 1.5 s"
        );
    }

    #[test]
    fn a_failure_inside_an_operation_reads_the_same() {
        let mut details = ErrorDetails::new();
        details.set_error_info("UNKNOWN_CLASS", "stowage", [("class".to_owned(), "gold".to_owned())]);
        let status = Status::with_error_details(Code::InvalidArgument, "no such class", details);
        let inside = RpcStatus::decode(status.details()).unwrap();
        let called = Failure::from(status);
        assert_eq!(Failure::from(&inside), called);
        assert_eq!((called.reason.as_str(), called.metadata["class"].as_str()), ("UNKNOWN_CLASS", "gold"));
    }

    #[test]
    fn a_deadline_that_passed_is_no_cancellation() {
        let failure = Failure::from(Status::cancelled("Timeout expired"));
        assert_eq!(failure.code, Code::DeadlineExceeded);
        assert!(failure.to_string().contains("may have been made"), "{failure}");
        assert_eq!(Failure::from(Status::cancelled("stopped on request")).code, Code::Cancelled);
    }

    #[test]
    fn a_bare_status_still_tells_what_to_do() {
        let text = Failure::from(Status::unauthenticated("no credential")).to_string();
        assert!(text.contains("fix: pass a valid token"), "{text}");
    }
}
