//! The probe: what the cluster is, what can be done on it now, how it is and how full it is.

use stowage_provider_sdk::prelude::{
    Capability, ComponentHealth, Counter, ErrorKind, Finding, Health, HealthState, ProbeMode, ProbeReport, Result,
    Value, error, host,
};

use crate::api::Filesystem;
use crate::classify::{DATA_SERVICES_REMEDY, S3_REMEDY};
use crate::config::Isolation;
use crate::filesystems::MAX_FILESYSTEMS;
use crate::limits::ROUNDING;
use crate::namespaces::bound;
use crate::rest::Rest;
use crate::survey::{Shared, Survey};
use crate::{Weka, preflight, quotas};

/// Background tasks that a cluster runs at once.
pub(crate) const MAX_TASKS: u64 = 32;
/// Organizations that a cluster holds.
const MAX_ORGANIZATIONS: u64 = 256;
/// Local users that a cluster holds.
const MAX_USERS: u64 = 1152;

impl Health for Weka {
    fn probe(mode: ProbeMode) -> Result<ProbeReport> {
        read_only(&mode)?;
        let rest = Rest::connect()?;
        let survey = Survey::take(&rest)?;
        Ok(ProbeReport {
            native_version: survey.cluster.release.clone(),
            instance_id: survey.cluster.guid.clone(),
            capabilities: capabilities(&rest, &survey),
            health: health(&survey),
            counters: counters(&rest, &survey),
            extensions: vec![("cluster.name".to_owned(), survey.cluster.name.clone())],
        })
    }

    fn preflight(mode: ProbeMode) -> Result<Vec<Finding>> {
        read_only(&mode)?;
        let rest = Rest::connect()?;
        let survey = Survey::take(&rest)?;
        Ok(preflight::findings(&rest, &survey))
    }
}

fn read_only(mode: &ProbeMode) -> Result<()> {
    match mode {
        ProbeMode::ReadOnly => Ok(()),
        _ => Err(error::unsupported("probes that change the cluster")),
    }
}

fn capabilities(rest: &Rest, survey: &Survey) -> Vec<Capability> {
    let directory = rest.config.isolation == Isolation::Directory;
    let authenticated = rest.config.isolation == Isolation::Filesystem && rest.config.filesystem_auth_required;
    let why = |capability: Capability, reason: &str| Capability {
        extensions: vec![("reason".to_owned(), reason.to_owned())],
        ..capability
    };
    let flag = |on: bool, id: &str| if on { Capability::supported(id) } else { Capability::unsupported(id) };
    let whole = "it acts on a whole filesystem, which namespaces share";
    let later = "this version of the adapter does not offer it";
    vec![
        namespaces(rest, survey),
        s3(survey),
        flag(true, "quota.hard")
            .with("quota.rounding-bytes", Value::Number(ROUNDING))
            .with("quota.latency", Value::Text("immediate".to_owned())),
        flag(directory, "quota.soft"),
        why(Capability::unsupported("quota.inodes"), "quotas count bytes"),
        data_services(survey),
        Capability::supported("usage"),
        isolation(directory, authenticated),
        encryption(rest, survey),
        Capability::supported("mounts.node").with("client.kind", Value::Text("wekafs".to_owned())),
        Capability::supported("mounts.csi"),
        Capability::supported("mounts.multi-writer"),
        why(Capability::unsupported("mounts.detach"), "the cluster can only remove a client with all its mounts"),
        why(Capability::unsupported("mounts.server-read-only"), if directory { whole } else { later }),
        fences(directory, survey),
        why(Capability::unsupported("snapshots"), if directory { whole } else { later }),
        why(Capability::unsupported("tenants"), later),
        why(Capability::unsupported("access"), later),
        why(Capability::unsupported("audit"), later),
    ]
}

fn namespaces(rest: &Rest, survey: &Survey) -> Capability {
    let id = "namespaces.posix";
    let capability = match (rest.config.isolation, &survey.shared) {
        (Isolation::Organization, _) => return Capability::unsupported(id),
        (_, None) => Capability::supported(id),
        (_, Some(Shared { filesystem: None, .. })) => Capability::unavailable(
            id,
            "FILESYSTEM_MISSING",
            "make the filesystem that the configuration names, or name another",
        ),
        (_, Some(Shared { root_inode: Some(Err(cause)), .. })) => Capability::unavailable(
            id,
            "RESOLVE_PATH_UNAVAILABLE",
            &format!("paths cannot be resolved ({}): release 4.3 is needed, and 4.4.7 for the role CSI", cause.message),
        ),
        (_, Some(Shared { filesystem: Some(found), .. })) if found.status != "READY" => Capability::unavailable(
            id,
            "FILESYSTEM_NOT_READY",
            &format!("filesystem {} is {}", found.name, found.status),
        ),
        (_, Some(_)) => Capability::supported(id),
    };
    let isolation = if survey.shared.is_some() { "directory" } else { "filesystem" };
    capability.with("isolation", Value::Text(isolation.to_owned())).evidence(format_args!(
        "release {}, {} filesystems listed",
        survey.cluster.release,
        listed(survey)
    ))
}

fn s3(survey: &Survey) -> Capability {
    let id = "namespaces.s3";
    let seen = match &survey.s3 {
        Ok(s3) => format!("GET s3: active {}, {} hosts", s3.active, s3.hosts()),
        Err(cause) => format!("GET s3: {}", cause.message),
    };
    let capability = if survey.s3_serves() {
        Capability {
            extensions: vec![("reason".to_owned(), "this version of the adapter does not offer it".to_owned())],
            ..Capability::unsupported(id)
        }
    } else {
        Capability::unavailable(id, "S3_NOT_ENABLED", S3_REMEDY)
    };
    capability.evidence(seen)
}

fn data_services(survey: &Survey) -> Capability {
    let id = "quota.non-empty";
    match survey.data_services() {
        Some(true) => Capability::supported(id).evidence("a process with the role DATASERV runs"),
        Some(false) => Capability::unavailable(id, "DATA_SERVICES_NOT_RUNNING", DATA_SERVICES_REMEDY)
            .evidence("no process has the role DATASERV"),
        None => Capability::unknown(id),
    }
}

fn isolation(directory: bool, authenticated: bool) -> Capability {
    let id = "isolation.server-enforced";
    if authenticated {
        return Capability::supported(id).with("enforced-by", Value::Text("mount token".to_owned()));
    }
    let reason = if directory {
        "a node that mounts the shared filesystem can reach every namespace in it"
    } else {
        "filesystems are made without required authentication"
    };
    Capability {
        extensions: vec![("reason".to_owned(), reason.to_owned())],
        ..Capability::unsupported(id).with(id, Value::Flag(false))
    }
}

fn encryption(rest: &Rest, survey: &Survey) -> Capability {
    let id = "encryption.at-rest";
    match survey.shared.as_ref().and_then(|shared| shared.filesystem.as_ref()) {
        Some(found) if found.is_encrypted => {
            Capability::supported(id).evidence(format_args!("{} is encrypted", found.name))
        }
        Some(found) => Capability::unsupported(id).evidence(format_args!("{} is not encrypted", found.name)),
        None if rest.config.isolation == Isolation::Filesystem => Capability::unsupported(id),
        None => Capability::unknown(id),
    }
}

/// Server-side client fences: the cluster may have them, but each is for a whole filesystem.
fn fences(directory: bool, survey: &Survey) -> Capability {
    let seen = match &survey.fences {
        Ok(()) => "the cluster has security policies".to_owned(),
        Err(cause) => cause.message.clone(),
    };
    let reason = if directory {
        "a fence is for a whole filesystem, which namespaces share"
    } else {
        "this version of the adapter does not offer it"
    };
    Capability {
        extensions: vec![("reason".to_owned(), reason.to_owned())],
        ..Capability::unsupported("mounts.fence").evidence(seen)
    }
}

fn health(survey: &Survey) -> Vec<ComponentHealth> {
    let cluster = &survey.cluster;
    let state = match (cluster.status.as_str(), cluster.io_status.as_str()) {
        (_, "STOPPED" | "STOPPING") => HealthState::Down(format!("io {}", cluster.io_status)),
        ("OK", "STARTED") => HealthState::Ok,
        (status, io) => HealthState::Degraded(format!("status {status}, io {io}")),
    };
    let mut components = vec![component("cluster", state)];
    if let Some(shared) = &survey.shared {
        let state = match &shared.filesystem {
            Some(found) if found.status == "READY" => HealthState::Ok,
            Some(found) => HealthState::Degraded(format!("filesystem {} is {}", found.name, found.status)),
            None => HealthState::Down("the filesystem is not listed".to_owned()),
        };
        components.push(component("filesystem", state));
    }
    // S3 that is not set up is a capability that is missing, not something broken.
    let s3 = match &survey.s3 {
        Ok(_) if survey.s3_serves() => HealthState::Ok,
        Ok(_) => HealthState::Other("not-enabled".to_owned()),
        Err(cause) if matches!(cause.kind, ErrorKind::Unsupported(_)) => HealthState::Other("absent".to_owned()),
        Err(cause) => HealthState::Degraded(cause.message.clone()),
    };
    components.push(component("s3", s3));
    components
}

fn component(name: &str, state: HealthState) -> ComponentHealth {
    ComponentHealth { component: name.to_owned(), state }
}

fn counters(rest: &Rest, survey: &Survey) -> Vec<Counter> {
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
    if survey.filesystems.is_ok() {
        counters.push(counter("filesystems", listed(survey), Some(MAX_FILESYSTEMS), "filesystems"));
    }
    if let Some(running) = survey.running_tasks() {
        counters.push(counter("tasks", running, Some(MAX_TASKS), "tasks"));
    }
    if let Ok(count) = survey.organizations {
        counters.push(counter("organizations", count, Some(MAX_ORGANIZATIONS), "organizations"));
    }
    if let Ok(count) = survey.users {
        counters.push(counter("users", count, Some(MAX_USERS), "users"));
    }
    if let Ok(clients) = &survey.clients {
        counters.push(counter("clients", clients.len() as u64, None, "clients"));
    }
    counters
}

fn listed(survey: &Survey) -> u64 {
    survey.filesystems.as_ref().map_or(0, |all: &Vec<Filesystem>| all.len() as u64)
}
