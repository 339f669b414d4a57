//! Counters of every documented limit that the API tells the use of.
//!
//! It does not tell of service accounts (only their own S3 user may list them) and of live temporary credentials (nobody
//! may); the host counts those by what it has issued.

use stowage_provider_sdk::prelude::{Counter, host};

use crate::fences::MAX_POLICIES;
use crate::filesystems::MAX_FILESYSTEMS;
use crate::namespaces::bound;
use crate::quotas;
use crate::rest::Rest;
use crate::s3::{buckets, policies, users};
use crate::snapshots::{MAX_READ_ONLY, MAX_WRITABLE};
use crate::survey::Survey;

/// Background tasks that a cluster runs at once.
pub(crate) const MAX_TASKS: u64 = 32;
/// Local users that a cluster holds [WEKA user guide, users].
const MAX_USERS: u64 = 1152;

/// How full the cluster is, as far as its API tells.
pub(crate) fn of(rest: &Rest, survey: &Survey) -> Vec<Counter> {
    let now = host::now_ms();
    let counter = |name: &str, used: u64, limit: Option<u64>, unit: &str| Counter {
        name: name.to_owned(),
        used,
        limit,
        unit_name: unit.to_owned(),
        observed_at: now,
    };
    let total = survey.cluster.capacity.total_bytes;
    let provisioned = total.saturating_sub(survey.cluster.capacity.unprovisioned_bytes);
    let mut counters = vec![counter("cluster.provisioned-bytes", provisioned, Some(total), "bytes")];
    match survey.shared.as_ref().and_then(|shared| Some((shared.filesystem.as_ref()?, shared))) {
        Some((found, shared)) => {
            counters.push(counter("filesystem.used-bytes", found.used_total, Some(found.total_budget), "bytes"));
            // Where new namespaces go, capacity is what the quotas have not promised yet.
            let promised = match &shared.quotas {
                Some(Ok(listed)) => quotas::promised(listed, None),
                _ => found.used_total,
            };
            let percent = rest.config.overcommit_percent;
            let limit = (percent != 0).then(|| bound(found.total_budget, percent));
            counters.push(counter("capacity.bytes", promised.max(found.used_total), limit, "bytes"));
            if let Some(Ok(listed)) = &shared.quotas {
                counters.push(counter("quotas", listed.len() as u64, None, "quotas"));
            }
        }
        None => counters.push(counter("capacity.bytes", provisioned, Some(total), "bytes")),
    }
    if let Ok(listed) = &survey.filesystems {
        counters.push(counter("filesystems", listed.len() as u64, Some(MAX_FILESYSTEMS), "filesystems"));
    }
    if let Some(running) = survey.running_tasks() {
        counters.push(counter("tasks", running, Some(MAX_TASKS), "tasks"));
    }
    if let Ok(count) = survey.organizations {
        counters.push(counter("organizations", count, Some(rest.config.organization_limit), "organizations"));
    }
    if let Ok(users) = &survey.users {
        let of_s3 = users.iter().filter(|user| user.role == "S3").count() as u64;
        counters.push(counter("users", users.len() as u64, Some(MAX_USERS), "users"));
        counters.push(counter("s3.users", of_s3, Some(users::MAX_USERS), "users"));
    }
    if let Ok(count) = survey.fences {
        counters.push(counter("fences", count, Some(MAX_POLICIES), "policies"));
    }
    if let Some(Ok(listed)) = &survey.snapshots {
        let writable = listed.iter().filter(|snapshot| snapshot.is_writable).count() as u64;
        let live = survey.filesystems.as_ref().map_or(0, |all| all.len() as u64);
        let read_only = (listed.len() as u64).saturating_sub(writable);
        counters.push(counter("snapshots", read_only, Some(MAX_READ_ONLY), "snapshots"));
        // Live filesystems count as writable snapshots.
        counters.push(counter("snapshots.writable", writable.saturating_add(live), Some(MAX_WRITABLE), "snapshots"));
    }
    if let Some([buckets, policies]) = &survey.s3_counts {
        if let Ok(count) = buckets {
            counters.push(counter("s3.buckets", *count, Some(buckets::MAX_BUCKETS), "buckets"));
        }
        if let Ok(count) = policies {
            counters.push(counter("s3.policies", *count, Some(policies::MAX_POLICIES), "policies"));
        }
    }
    if let Ok(clients) = &survey.clients {
        counters.push(counter("clients", clients.len() as u64, None, "clients"));
    }
    counters
}
