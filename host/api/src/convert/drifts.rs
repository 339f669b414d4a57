//! Drifts and what a scan found.

use stowage_control::{DriftFilter, DriftScan};
use stowage_domain::{Drift, DriftKind, DriftSeverity};
use stowage_proto::v1;

use super::{time, unknown_value};
use crate::refusal::Refusal;

/// One difference.
pub(crate) fn to(drift: &Drift) -> v1::Drift {
    let severity = match drift.severity {
        DriftSeverity::Info => v1::DriftSeverity::Info,
        DriftSeverity::Warning => v1::DriftSeverity::Warning,
        DriftSeverity::Critical => v1::DriftSeverity::Critical,
    };
    let state = if drift.open() { v1::DriftState::Open } else { v1::DriftState::Resolved };
    v1::Drift {
        name: drift.name.to_string(),
        kind: drift.kind.word().to_owned(),
        resource: drift.resource.clone(),
        severity: severity.into(),
        evidence: drift.evidence.clone(),
        first_seen_time: Some(time::to(drift.first_seen)),
        last_seen_time: Some(time::to(drift.last_seen)),
        action: v1::DriftAction::Unspecified.into(),
        state: state.into(),
        resolve_time: drift.resolved_at.map(time::to),
        subject: drift.subject.clone(),
    }
}

/// Which drifts are asked for.
pub(crate) fn filter_from(kind: &str, state: i32) -> Result<DriftFilter, Refusal> {
    let resolved = match v1::DriftState::try_from(state) {
        Ok(v1::DriftState::Unspecified | v1::DriftState::Open) => false,
        Ok(v1::DriftState::Resolved) => true,
        Err(_) => return Err(unknown_value("state", state)),
    };
    let kind = match kind {
        "" => None,
        word => Some(DriftKind::of(word).ok_or_else(|| {
            let known: Vec<&str> = DriftKind::ALL.iter().map(|kind| kind.word()).collect();
            Refusal::field("kind", format!("{word:?} is none of {}", known.join(", ")))
        })?),
    };
    Ok(DriftFilter { resolved, kind })
}

/// What a look has found.
pub(crate) fn scan_to(scan: &DriftScan) -> v1::ScanDriftsResponse {
    let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    v1::ScanDriftsResponse {
        start_time: Some(time::to(scan.began)),
        end_time: Some(time::to(scan.ended)),
        incomplete_reason: scan.broken_off.clone(),
        listed_count: count(scan.listed),
        namespace_count: count(scan.namespaces),
        mount_count: count(scan.mounts),
        kind_counts: scan.found.iter().map(|(kind, number)| (kind.word().to_owned(), count(*number))).collect(),
        new_count: count(scan.new),
        resolved_count: count(scan.resolved),
        page_count: count(scan.pages),
        look_count: count(scan.looks),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_kind_is_answered_with_those_that_there_are() {
        assert_eq!(filter_from("", 0).unwrap(), DriftFilter::default());
        let wanted = DriftFilter { resolved: true, kind: Some(DriftKind::QuotaDiffers) };
        assert_eq!(filter_from("quota-differs", v1::DriftState::Resolved.into()).unwrap(), wanted);
        let status = tonic::Status::from(filter_from("quota", 0).unwrap_err());
        assert!(status.message().contains("quota-differs"), "{status}");
        assert!(filter_from("", 9).is_err());
    }
}
