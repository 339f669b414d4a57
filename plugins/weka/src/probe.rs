//! The probe: what the cluster is, what can be done on it now, how it is and how full it is.

use stowage_provider_sdk::prelude::{
    Capability, CapabilityState, ComponentHealth, ErrorKind, Finding, Health, HealthState, ProbeMode, ProbeReport,
    Result, Value, error,
};

use crate::api::Filesystem;
use crate::classify::DATA_SERVICES_REMEDY;
use crate::config::Isolation;
use crate::fences::MAX_ON_FILESYSTEM;
use crate::limits::ROUNDING;
use crate::rest::Rest;
use crate::survey::{Shared, Survey};
use crate::{Weka, counters, preflight, s3};

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
            counters: counters::of(&rest, &survey),
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
    let organization = rest.config.isolation == Isolation::Organization;
    let authenticated = organization || (!directory && rest.config.filesystem_auth_required);
    let why = |capability: Capability, reason: &str| Capability {
        extensions: vec![("reason".to_owned(), reason.to_owned())],
        ..capability
    };
    let flag = |on: bool, id: &str| if on { Capability::supported(id) } else { Capability::unsupported(id) };
    let whole = "it acts on a whole filesystem, which namespaces share";
    let posix = namespaces(rest, survey);
    // A bucket stands over a namespace's directory.
    let unless_bare = |capability: Capability| match (capability.id.as_str(), &capability.state, &posix.state) {
        ("namespaces.s3", CapabilityState::Supported, CapabilityState::Supported) => capability,
        ("namespaces.s3", CapabilityState::Supported, lack) => Capability { state: lack.clone(), ..capability },
        _ => capability,
    };
    let s3 = s3::capabilities::probed(rest, survey).into_iter().map(unless_bare).collect::<Vec<_>>();
    vec![
        posix,
        flag(true, "quota.hard")
            .with("quota.rounding-bytes", Value::Number(ROUNDING))
            .with("quota.latency", Value::Text("immediate".to_owned())),
        flag(directory, "quota.soft"),
        why(Capability::unsupported("quota.inodes"), "quotas count bytes"),
        data_services(survey),
        Capability::supported("usage"),
        isolation(directory, organization, authenticated),
        encryption(rest, survey),
        Capability::supported("mounts.node").with("client.kind", Value::Text("wekafs".to_owned())),
        Capability::supported("mounts.csi"),
        Capability::supported("mounts.multi-writer"),
        why(Capability::unsupported("mounts.detach"), "the cluster can only remove a client with all its mounts"),
        server_read_only(directory, survey),
        fences(directory, survey),
        if directory {
            why(Capability::unsupported("snapshots"), whole)
        } else {
            Capability::supported("snapshots").with("snapshots.restore", Value::Flag(true))
        },
        tenants(rest, survey),
    ]
    .into_iter()
    .chain(s3)
    .collect()
}

fn namespaces(rest: &Rest, survey: &Survey) -> Capability {
    let id = "namespaces.posix";
    let capability = match (rest.config.isolation, &survey.shared) {
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
    let isolation = match rest.config.isolation {
        Isolation::Directory => "directory",
        Isolation::Filesystem => "filesystem",
        Isolation::Organization => "organization",
    };
    capability.with("isolation", Value::Text(isolation.to_owned())).evidence(format_args!(
        "release {}, {} filesystems listed",
        survey.cluster.release,
        listed(survey)
    ))
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

fn isolation(directory: bool, organization: bool, authenticated: bool) -> Capability {
    let id = "isolation.server-enforced";
    if authenticated {
        let by = if organization { "organization" } else { "mount token" };
        return Capability::supported(id).with("enforced-by", Value::Text(by.to_owned()));
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
        None if rest.config.isolation != Isolation::Directory => Capability::unsupported(id),
        None => Capability::unknown(id),
    }
}

/// Server-side client fences, which came with 4.4; each is for a whole filesystem.
fn fences(directory: bool, survey: &Survey) -> Capability {
    let id = "mounts.fence";
    let capability = match &survey.fences {
        Ok(_) if directory => Capability {
            extensions: vec![(
                "reason".to_owned(),
                "a fence is for a whole filesystem, which namespaces share".to_owned(),
            )],
            ..Capability::unsupported(id)
        },
        Ok(_) => Capability::supported(id).with("fence.max-per-namespace", Value::Number(MAX_ON_FILESYSTEM)),
        Err(_) => Capability::unsupported(id),
    };
    capability.evidence(match &survey.fences {
        Ok(count) => format!("{count} security policies are listed"),
        Err(cause) => cause.message.clone(),
    })
}

/// What makes a read-only mount read-only at the server: a token from 5.1 on, a fence from 4.4 on.
fn server_read_only(directory: bool, survey: &Survey) -> Capability {
    let id = "mounts.server-read-only";
    let unsupported = |reason: &str| Capability {
        extensions: vec![("reason".to_owned(), reason.to_owned())],
        ..Capability::unsupported(id)
    };
    if directory {
        return unsupported("it acts on a whole filesystem, which namespaces share");
    }
    let by = match (survey.cluster.version() >= (5, 1), survey.fences.is_ok()) {
        (true, _) => "read-only mount token",
        (false, true) => "fence",
        (false, false) => return unsupported("this release has neither read-only mount tokens nor security policies"),
    };
    Capability::supported(id)
        .with("enforced-by", Value::Text(by.to_owned()))
        .evidence(format_args!("release {}", survey.cluster.release))
}

/// Tenants as organizations: only an account that may list organizations can make them.
fn tenants(rest: &Rest, survey: &Survey) -> Capability {
    let id = "tenants";
    if rest.config.isolation != Isolation::Organization {
        let reason = "isolation `organization` alone gives a tenant a place of its own".to_owned();
        return Capability { extensions: vec![("reason".to_owned(), reason)], ..Capability::unsupported(id) };
    }
    match &survey.organizations {
        Ok(count) => Capability::supported(id)
            .with("tenant.max", Value::Number(rest.config.organization_limit))
            .evidence(format_args!("{count} organizations are listed")),
        Err(cause) => Capability::unavailable(
            id,
            "ORGANIZATIONS_NOT_READABLE",
            &format!("give the provider an account with the role ClusterAdmin in Root ({})", cause.message),
        ),
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

fn listed(survey: &Survey) -> u64 {
    survey.filesystems.as_ref().map_or(0, |all: &Vec<Filesystem>| all.len() as u64)
}
