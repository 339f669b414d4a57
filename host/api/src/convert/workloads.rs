//! Workloads.

use stowage_domain::{Workload, WorkloadState};
use stowage_proto::v1;

use super::{labels_to, time};

/// A workload of the contract.
pub(crate) fn to(workload: &Workload, etag: String) -> v1::Workload {
    let state = match workload.state {
        WorkloadState::Active => v1::WorkloadState::Active,
        WorkloadState::Releasing => v1::WorkloadState::Releasing,
        WorkloadState::Released => v1::WorkloadState::Released,
    };
    v1::Workload {
        name: workload.name.to_string(),
        uid: workload.uid.clone(),
        kind: workload.kind.clone(),
        principal: workload.principal.as_ref().map(stowage_domain::Principal::text).unwrap_or_default(),
        nodes: workload.nodes.iter().map(ToString::to_string).collect(),
        expire_time: workload.expires_at.map(time::to),
        labels: labels_to(&workload.labels),
        state: state.into(),
        create_time: Some(time::to(workload.created_at)),
        update_time: Some(time::to(workload.updated_at)),
        release_time: workload.released_at.map(time::to),
        etag,
    }
}
