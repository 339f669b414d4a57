//! Usage of a namespace.

use stowage_control::UsageReport;
use stowage_domain::{NamespaceName, UnixMillis};
use stowage_ports::provider::{Basis, Dimension, LimitState, Usage};
use stowage_proto::v1;

use super::time;

/// The usage of the contract; what can't be expressed in it is left out.
pub(crate) fn to(name: &NamespaceName, report: &UsageReport) -> v1::NamespaceUsage {
    let oldest = report.usages.iter().map(|usage| usage.observed_at).min();
    v1::NamespaceUsage {
        name: format!("{name}/usage"),
        usages: report.usages.iter().filter_map(|usage| one(usage, report)).collect(),
        observe_time: oldest.map(|at| time::to(UnixMillis(at))),
    }
}

fn one(usage: &Usage, report: &UsageReport) -> Option<v1::Usage> {
    let limits = report.limits.as_ref();
    let (dimension, limit) = match &usage.dimension {
        Dimension::Bytes => (v1::Dimension::Bytes, limits.map(|limits| limits.hard_bytes.0)),
        Dimension::Inodes => (v1::Dimension::Inodes, limits.and_then(|limits| limits.hard_inodes)),
        Dimension::Objects => (v1::Dimension::Objects, None),
        Dimension::Buckets | Dimension::Other(_) => return None,
    };
    let basis = match &usage.basis {
        Basis::Logical => "logical",
        Basis::Physical => "physical",
        Basis::Effective => "effective",
        Basis::Unknown | Basis::Other(_) => "unknown",
    };
    let state = match &usage.state {
        LimitState::Ok => v1::LimitState::Ok,
        LimitState::Soft | LimitState::Grace(_) => v1::LimitState::Soft,
        LimitState::GraceExpired => v1::LimitState::GraceExpired,
        LimitState::Hard => v1::LimitState::Hard,
        LimitState::Unknown | LimitState::Other(_) => v1::LimitState::Unknown,
    };
    Some(v1::Usage {
        dimension: dimension.into(),
        used: usage.used,
        limit,
        uncertainty: usage.uncertainty,
        basis: basis.to_owned(),
        state: state.into(),
        observe_time: Some(time::to(UnixMillis(usage.observed_at))),
    })
}
