//! Namespaces with quota and placement.

use stowage_domain::{Bytes, DataPolicy, Decision, Limits, Namespace, NamespaceState, placement::Verdict};
use stowage_proto::v1;

use super::{labels_to, needed, protocols_to, time, unknown_value};
use crate::refusal::Refusal;

/// How much of a namespace a caller sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum View {
    /// Operators: all of it.
    Whole,
    /// Its owner and others with a grant: without its place at the provider.
    Own,
}

/// A namespace of the contract, without its placement.
pub(crate) fn to(namespace: &Namespace, etag: String, view: View) -> v1::Namespace {
    let location = namespace.native.as_ref().filter(|_| view == View::Whole).map(|native| native.location.clone());
    v1::Namespace {
        name: namespace.name.to_string(),
        uid: namespace.uid.clone(),
        storage_class: namespace.class.as_ref().map(ToString::to_string).unwrap_or_default(),
        provider: namespace.provider.to_string(),
        protocols: protocols_to(&namespace.protocols),
        quota: Some(quota_to(&namespace.limits)),
        effective_quota: namespace.effective_limits.as_ref().map(quota_to),
        prefixes: namespace.prefixes.iter().map(ToString::to_string).collect(),
        labels: labels_to(&namespace.labels),
        deletion_protection: namespace.deletion_protection,
        state: state_to(namespace.state).into(),
        state_reason: namespace.state_reason.clone(),
        next_retry_time: namespace.next_retry_at.map(time::to),
        operation: namespace.operation.as_ref().map(ToString::to_string).unwrap_or_default(),
        placement: None,
        physical_id: namespace.physical_id.clone(),
        location: location.unwrap_or_default(),
        create_time: Some(time::to(namespace.created_at)),
        update_time: Some(time::to(namespace.updated_at)),
        delete_time: namespace.deleted_at.map(time::to),
        etag,
        bucket: namespace.bucket().unwrap_or_default().to_owned(),
    }
}

const fn state_to(state: NamespaceState) -> v1::NamespaceState {
    match state {
        NamespaceState::Provisioning => v1::NamespaceState::Provisioning,
        NamespaceState::AwaitingNode => v1::NamespaceState::AwaitingNode,
        NamespaceState::Ready => v1::NamespaceState::Ready,
        NamespaceState::Updating => v1::NamespaceState::Updating,
        NamespaceState::Deleting => v1::NamespaceState::Deleting,
        NamespaceState::Deleted => v1::NamespaceState::Deleted,
        NamespaceState::Failed => v1::NamespaceState::Failed,
    }
}

fn quota_to(limits: &Limits) -> v1::Quota {
    v1::Quota {
        hard_bytes: limits.hard_bytes.0,
        soft_bytes: limits.soft_bytes.map(|bytes| bytes.0),
        soft_grace: limits.soft_grace.map(time::seconds_to),
        hard_inodes: limits.hard_inodes,
    }
}

/// The limits of a quota at `field`.
pub(crate) fn limits_from(field: &str, quota: Option<v1::Quota>) -> Result<Limits, Refusal> {
    let quota = quota.ok_or_else(|| needed(field))?;
    let grace = quota.soft_grace.map(|grace| time::seconds_from(&format!("{field}.soft_grace"), grace)).transpose()?;
    Ok(Limits {
        hard_bytes: Bytes(quota.hard_bytes),
        soft_bytes: quota.soft_bytes.map(Bytes),
        soft_grace: grace,
        hard_inodes: quota.hard_inodes,
    })
}

/// What becomes of the data.
pub(crate) fn data_policy_from(number: i32) -> Result<DataPolicy, Refusal> {
    match v1::DataPolicy::try_from(number) {
        Ok(v1::DataPolicy::Unspecified | v1::DataPolicy::Purge) => Ok(DataPolicy::Purge),
        Ok(v1::DataPolicy::Keep) => Ok(DataPolicy::Keep),
        Err(_) => Err(unknown_value("data_policy", number)),
    }
}

/// Why a namespace stands where it stands.
pub(crate) fn placement_to(decision: &Decision) -> v1::PlacementDecision {
    v1::PlacementDecision {
        provider: decision.chosen.as_ref().map(ToString::to_string).unwrap_or_default(),
        candidates: decision.verdicts.iter().map(candidate_to).collect(),
        decide_time: Some(time::to(decision.decided_at)),
    }
}

fn candidate_to(verdict: &Verdict) -> v1::PlacementCandidate {
    v1::PlacementCandidate {
        provider: verdict.provider.to_string(),
        eligible: verdict.eligible(),
        verdicts: verdict
            .filters
            .iter()
            .map(|filter| v1::FilterVerdict {
                filter: filter.filter.clone(),
                passed: filter.passed,
                detail: filter.detail.clone(),
            })
            .collect(),
        score: verdict.eligible().then(|| f64::from(verdict.total())),
        scores: verdict.scores.iter().map(|score| (score.weigher.clone(), f64::from(score.points))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use stowage_domain::Seconds;

    use super::*;

    #[test]
    fn a_quota_reads_back() {
        let limits = Limits {
            hard_bytes: Bytes(1 << 40),
            soft_bytes: Some(Bytes(1 << 39)),
            soft_grace: Some(Seconds(3600)),
            hard_inodes: Some(1000),
        };
        assert_eq!(limits_from("q", Some(quota_to(&limits))).unwrap(), limits);
        assert_eq!(limits_from("namespace.quota", None).unwrap_err(), needed("namespace.quota"));
    }

    #[test]
    fn a_delete_purges_unless_told_otherwise() {
        assert_eq!(data_policy_from(0).unwrap(), DataPolicy::Purge);
        assert_eq!(data_policy_from(1).unwrap(), DataPolicy::Keep);
        assert!(data_policy_from(7).is_err());
    }
}
