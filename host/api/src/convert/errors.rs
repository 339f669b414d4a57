//! Failures of the use cases as refusals, and as what an operation keeps of them.

use stowage_control::{ControlError, Problem, Status as Kind};
use stowage_proto::RpcStatus;
use tonic::{Code, Status};

use crate::refusal::Refusal;

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        let mut refusal = Self::new(code(problem.status), problem.reason, problem.message);
        for (key, value) in problem.metadata {
            refusal = refusal.with(&key, value);
        }
        for fault in problem.fields {
            refusal = refusal.at_field(fault.field, fault.description);
        }
        for unmet in problem.preconditions {
            refusal = refusal.precondition(&unmet.kind, unmet.subject, unmet.description);
        }
        for full in problem.quotas {
            refusal = refusal.quota(full.subject, full.description);
        }
        match problem.retry_after {
            Some(delay) => refusal.retry_after(delay),
            None => refusal,
        }
    }
}

/// A failed use case as the answer of its call.
pub(crate) fn status(error: ControlError) -> Status {
    Refusal::from(*error.0).into()
}

/// A kept failure as it stands in an operation: the same details as in a failed call.
pub(crate) fn rpc_status(problem: Problem) -> RpcStatus {
    let (number, message) = (code(problem.status), problem.message.clone());
    let status: Status = Refusal::from(problem).into();
    let decoded = <RpcStatus as prost::Message>::decode(status.details());
    decoded.unwrap_or(RpcStatus { code: number.into(), message, details: Vec::new() })
}

const fn code(kind: Kind) -> Code {
    match kind {
        Kind::InvalidArgument => Code::InvalidArgument,
        Kind::NotFound => Code::NotFound,
        Kind::AlreadyExists => Code::AlreadyExists,
        Kind::FailedPrecondition => Code::FailedPrecondition,
        Kind::ResourceExhausted => Code::ResourceExhausted,
        Kind::PermissionDenied => Code::PermissionDenied,
        Kind::Aborted => Code::Aborted,
        Kind::Unavailable => Code::Unavailable,
        Kind::DeadlineExceeded => Code::DeadlineExceeded,
        Kind::Unimplemented => Code::Unimplemented,
        Kind::Cancelled => Code::Cancelled,
        Kind::Internal => Code::Internal,
    }
}

#[cfg(test)]
mod tests {
    use stowage_domain::{Bytes, Shortage};
    use tonic_types::{RpcStatusExt, StatusExt};

    use super::*;

    #[test]
    fn a_full_quota_reads_the_same_in_a_call_and_in_an_operation() {
        let shortage = Shortage { limit: Bytes(10), reserved: Bytes(8), asked: Bytes(4) };
        let error = ControlError::quota("PROJECT_QUOTA_EXCEEDED", "tenants/t/projects/p", &shortage);
        let kept = rpc_status((*error.0).clone());
        let called = status(error);
        assert_eq!(called.code(), Code::ResourceExhausted);
        assert_eq!(kept.code, i32::from(Code::ResourceExhausted));
        assert_eq!(called.get_details_error_info().unwrap().reason, "PROJECT_QUOTA_EXCEEDED");
        let told = |failure: Option<tonic_types::QuotaFailure>| failure.unwrap().violations[0].description.clone();
        assert_eq!(told(kept.get_details_quota_failure()), told(called.get_details_quota_failure()));
        assert!(told(kept.get_details_quota_failure()).contains("reserved 8"));
    }
}
