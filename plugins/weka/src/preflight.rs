//! Preflight: one row for each check, with what was asked, what was seen, what follows and what to do. Reads only.

use stowage_provider_sdk::prelude::{Error, ErrorKind, Finding, FindingLevel};

use crate::api::{Filesystem, S3Cluster};
use crate::classify::{DATA_SERVICES_REMEDY, S3_REMEDY};
use crate::config::{ClientForm, Config, FenceUse, Isolation, RESERVED_FILESYSTEMS};
use crate::counters::MAX_TASKS;
use crate::fences::MAX_POLICIES;
use crate::filesystems::MAX_FILESYSTEMS;
use crate::rest::Rest;
use crate::survey::{self, Shared, Survey};

/// Roles that may do all that the adapter does.
const FULL_ROLES: [&str; 3] = ["ClusterAdmin", "OrgAdmin", "TenantAdmin"];
/// User and group of anonymous S3 access that own nothing.
const NOBODY: u64 = 65_534;
/// What the S3 service is to be bound to.
const S3_DATA: &str = "s3-data";
const S3_CONFIG: &str = "s3-config";

/// The report.
pub(crate) fn findings(rest: &Rest, survey: &Survey) -> Vec<Finding> {
    let mut rows =
        vec![server(rest), release(survey), session(survey), identity(&rest.config, survey), cluster(survey)];
    rows.push(capacity(survey));
    rows.extend(filesystems(&rest.config, survey));
    rows.push(filesystem_count(survey));
    rows.push(binding(rest, survey));
    rows.extend(survey.shared.as_ref().map(resolving));
    rows.extend(survey.shared.as_ref().map(|shared| home(&rest.config, shared)));
    rows.push(data_services(survey));
    rows.push(tasks(survey));
    rows.push(mounting(&rest.config));
    rows.push(isolation(&rest.config));
    if rest.config.isolation == Isolation::Organization {
        rows.push(organizations(&rest.config, survey));
    }
    if rest.config.mount.fence == FenceUse::Clients {
        rows.push(fences(survey));
    }
    rows.push(s3_service(survey));
    rows.push(s3_binding(survey));
    rows.extend(survey::s3_reads(rest).into_iter().map(|(check, path, answer)| s3_read(check, path, answer)));
    rows.push(s3_audit(survey));
    rows
}

fn row(check: &str, level: FindingLevel, asked: &str, seen: String, follows: &str) -> Finding {
    Finding { check: check.to_owned(), level, asked: asked.to_owned(), seen, follows: follows.to_owned(), remedy: None }
}

trait WithRemedy {
    fn remedy(self, text: &str) -> Self;
}

impl WithRemedy for Finding {
    fn remedy(mut self, text: &str) -> Self {
        self.remedy = Some(text.to_owned());
        self
    }
}

/// The row of a read that failed.
fn unread(check: &str, asked: &str, cause: &Error, follows: &str) -> Finding {
    let code = cause.native_code.as_deref().unwrap_or("no code");
    row(check, FindingLevel::Warn, asked, format!("{code}: {}", cause.message), follows)
}

fn server(rest: &Rest) -> Finding {
    match survey::answers(rest) {
        Ok(()) => {
            row("server", FindingLevel::Pass, "GET /healthcheck", "ok".to_owned(), "the management server answers")
        }
        Err(cause) => {
            unread("server", "GET /healthcheck", &cause, "the server answers logins but not its health check")
        }
    }
}

fn release(survey: &Survey) -> Finding {
    let release = &survey.cluster.release;
    let version = survey.cluster.version();
    let seen = format!("REST v2, API version {}.{}, release {release}", version.0, version.1);
    if (4, 2) <= version && version.0 <= 5 {
        row("release", FindingLevel::Pass, "GET /cluster", seen, "this adapter knows 4.2 to 5.x")
    } else {
        row(
            "release",
            FindingLevel::Warn,
            "GET /cluster",
            seen,
            "this adapter knows 4.2 to 5.x, and may misread others",
        )
        .remedy("use a cluster of a known release, or a newer adapter")
    }
}

fn session(survey: &Survey) -> Finding {
    let asked = "GET /security/defaultTokensExpiry";
    match &survey.sessions {
        Ok(life) => {
            let (login, refresh) = (life.access_token_expiry, life.refresh_token_expiry);
            let seen = format!("login lifetime {login} s with a refresh token, which lives {refresh} s");
            row("session", FindingLevel::Pass, asked, seen, "the host renews the session by itself")
        }
        Err(cause) => unread("session", asked, cause, "the host takes lifetimes from each login"),
    }
}

fn identity(config: &Config, survey: &Survey) -> Finding {
    let asked = "GET /users/whoami";
    let who = match &survey.identity {
        Ok(who) => who,
        Err(cause) => return unread("identity", asked, cause, "what the adapter may do is not known"),
    };
    let seen = format!("{} is {} in {}", who.username, who.role, who.org_name);
    if who.org_name != config.organization {
        return row(
            "identity",
            FindingLevel::Fail,
            asked,
            seen,
            "the login is in another organization than configured",
        )
        .remedy("give the provider an account of the configured organization");
    }
    if config.isolation == Isolation::Organization {
        return if who.role == "ClusterAdmin" {
            row("identity", FindingLevel::Pass, asked, seen, "it may make organizations for tenants")
        } else {
            row("identity", FindingLevel::Fail, asked, seen, "it may not make organizations for tenants")
                .remedy("give the provider an account with the role ClusterAdmin in Root")
        };
    }
    if FULL_ROLES.contains(&who.role.as_str()) {
        row("identity", FindingLevel::Pass, asked, seen, "it may manage filesystems, quotas and mount tokens")
    } else if who.role == "CSI" && config.isolation == Isolation::Directory {
        row("identity", FindingLevel::Note, asked, seen, "it may manage quotas; paths can be resolved from 4.4.7 on")
    } else {
        row("identity", FindingLevel::Fail, asked, seen, "it may not manage what the adapter needs")
            .remedy("give the provider an account with the role ClusterAdmin or OrgAdmin")
    }
}

fn cluster(survey: &Survey) -> Finding {
    let cluster = &survey.cluster;
    let seen = format!(
        "{}, status {}, io {}, link {}",
        cluster.name, cluster.status, cluster.io_status, cluster.net.link_layer
    );
    if cluster.status == "OK" && cluster.io_status == "STARTED" {
        row("cluster", FindingLevel::Pass, "GET /cluster", seen, "the cluster is healthy and serves io")
    } else {
        row("cluster", FindingLevel::Warn, "GET /cluster", seen, "writers may be slow or refused")
            .remedy("see the cluster's alerts before it is given new namespaces")
    }
}

fn capacity(survey: &Survey) -> Finding {
    let capacity = &survey.cluster.capacity;
    let seen = format!("{} of {} bytes are not in any filesystem", capacity.unprovisioned_bytes, capacity.total_bytes);
    let follows = "only these can become new filesystems or make others larger";
    row("capacity", FindingLevel::Note, "GET /cluster", seen, follows)
}

fn filesystems(config: &Config, survey: &Survey) -> Vec<Finding> {
    let asked = "GET /fileSystems";
    let listed = match &survey.filesystems {
        Ok(listed) => listed,
        Err(cause) => return vec![unread("filesystems", asked, cause, "no namespace can be made")],
    };
    listed.iter().map(|filesystem| filesystem_row(config, asked, filesystem)).collect()
}

fn filesystem_row(config: &Config, asked: &str, filesystem: &Filesystem) -> Finding {
    let on = |flag: bool| if flag { "on" } else { "off" };
    let seen = format!(
        "{}, {}, auth_required {}, audit {}, {} of {} bytes used",
        filesystem.status,
        if filesystem.is_encrypted { "encrypted" } else { "not encrypted" },
        filesystem.auth_required,
        filesystem.audit.map_or("not told", on),
        filesystem.used_total,
        filesystem.total_budget,
    );
    let check = format!("filesystem.{}", filesystem.name);
    let reserved = RESERVED_FILESYSTEMS.contains(&filesystem.name.as_str());
    let bound = config.filesystem.as_deref() == Some(filesystem.name.as_str());
    let follows = match (reserved, bound) {
        (true, _) => "it belongs to others and is never touched",
        (_, true) => "namespaces are made in it",
        _ => "it is not used by this provider",
    };
    let level = if filesystem.status == "READY" { FindingLevel::Pass } else { FindingLevel::Warn };
    row(&check, level, asked, seen, follows)
}

fn filesystem_count(survey: &Survey) -> Finding {
    let count = survey.filesystems.as_ref().map_or(0, |listed| listed.len() as u64);
    let seen = format!("{count} of {MAX_FILESYSTEMS} filesystems");
    let follows = "a filesystem for each namespace ends at this limit; directories do not";
    row("filesystems", FindingLevel::Note, "GET /fileSystems", seen, follows)
}

fn binding(rest: &Rest, survey: &Survey) -> Finding {
    let config = &rest.config;
    match (config.isolation, &survey.shared) {
        (Isolation::Directory, Some(Shared { filesystem: Some(found), .. })) => {
            let seen = format!("{} is {}", found.name, found.status);
            if found.status == "READY" {
                row("binding", FindingLevel::Pass, "GET /fileSystems", seen, "namespaces can be made in it")
            } else {
                row("binding", FindingLevel::Fail, "GET /fileSystems", seen, "no namespace can be made")
                    .remedy("bring the filesystem to READY")
            }
        }
        (Isolation::Directory, _) => {
            let seen = format!("{} is not listed", config.filesystem.as_deref().unwrap_or_default());
            row("binding", FindingLevel::Fail, "GET /fileSystems", seen, "no namespace can be made")
                .remedy("make the filesystem, or name another in `filesystem`")
        }
        (Isolation::Filesystem | Isolation::Organization, _) => group(rest),
    }
}

fn group(rest: &Rest) -> Finding {
    let (asked, wanted) = ("GET /fileSystemGroups", &rest.config.filesystem_group);
    match survey::group_names(rest) {
        Ok(names) if names.contains(wanted) => {
            row("binding", FindingLevel::Pass, asked, format!("group {wanted} is there"), "filesystems are made in it")
        }
        Ok(names) => row(
            "binding",
            FindingLevel::Fail,
            asked,
            format!("groups {}", names.join(", ")),
            "no filesystem can be made",
        )
        .remedy("make the group, or name another in `filesystem_group`"),
        Err(cause) => unread("binding", asked, &cause, "whether filesystems can be made is not known"),
    }
}

fn resolving(shared: &Shared) -> Finding {
    let asked = "GET /fileSystems/{uid}/resolvePath";
    match &shared.root_inode {
        Some(Ok(Some(_))) => {
            row("paths", FindingLevel::Pass, asked, "the root resolves".to_owned(), "quotas can be put on directories")
        }
        Some(Err(cause)) => Finding {
            level: FindingLevel::Fail,
            ..unread("paths", asked, cause, "directories cannot be given quotas")
                .remedy("release 4.3 is needed, and 4.4.7 for the role CSI")
        },
        _ => row("paths", FindingLevel::Warn, asked, "no filesystem to ask".to_owned(), "not known yet"),
    }
}

fn home(config: &Config, shared: &Shared) -> Finding {
    let asked = "GET /fileSystems/{uid}/resolvePath";
    match &shared.home_inode {
        Some(Ok(Some(_))) => {
            let seen = format!("/{} is there", config.root);
            row("root-directory", FindingLevel::Pass, asked, seen, "namespaces are made beneath it")
        }
        _ => {
            let seen = format!("/{} is not there", config.root);
            row("root-directory", FindingLevel::Note, asked, seen, "a node makes it with the first namespace")
        }
    }
}

fn data_services(survey: &Survey) -> Finding {
    let asked = "GET /processes";
    match survey.data_services() {
        Some(true) => {
            let seen = "a process has the role DATASERV".to_owned();
            row("data-services", FindingLevel::Pass, asked, seen, "directories with content can be adopted")
        }
        Some(false) => {
            let follows = "quotas can be put on empty directories only: new namespaces work, adoption of data does not";
            row("data-services", FindingLevel::Note, asked, "no process has the role DATASERV".to_owned(), follows)
                .remedy(DATA_SERVICES_REMEDY)
        }
        None => row("data-services", FindingLevel::Warn, asked, "processes cannot be read".to_owned(), "not known"),
    }
}

fn tasks(survey: &Survey) -> Finding {
    let asked = "GET /tasks";
    match survey.running_tasks() {
        Some(running) if running * 4 >= MAX_TASKS * 3 => {
            let seen = format!("{running} of {MAX_TASKS} background tasks run");
            row("tasks", FindingLevel::Warn, asked, seen, "quotas on directories with content may be put off")
                .remedy("wait for the tasks to end")
        }
        Some(running) => {
            let seen = format!("{running} of {MAX_TASKS} background tasks run");
            row("tasks", FindingLevel::Pass, asked, seen, "there is room for quotas that need one")
        }
        None => row("tasks", FindingLevel::Warn, asked, "tasks cannot be read".to_owned(), "not known"),
    }
}

fn mounting(config: &Config) -> Finding {
    let mount = &config.mount;
    let seen = match mount.client {
        ClientForm::Stateful => "stateful client: nodes have joined the cluster".to_owned(),
        ClientForm::Stateless => format!("stateless client through {}", mount.backends.join(", ")),
    };
    let follows = if config.in_root() {
        "a node mounts without a token where the filesystem requires none"
    } else {
        "every mount carries a token"
    };
    row("mount", FindingLevel::Note, "the configuration", seen, follows)
}

fn isolation(config: &Config) -> Finding {
    let asked = "the configuration";
    match config.isolation {
        Isolation::Directory => row(
            "isolation",
            FindingLevel::Note,
            asked,
            "directory".to_owned(),
            "a node is trusted with the whole filesystem; read-only is kept by the client; no snapshots, fences or tokens per namespace",
        ),
        Isolation::Filesystem => row(
            "isolation",
            FindingLevel::Note,
            asked,
            "filesystem".to_owned(),
            "a mount token opens one namespace; a fence (4.4) or a read-only token (5.1) keeps read-only at the server",
        ),
        Isolation::Organization => row(
            "isolation",
            FindingLevel::Note,
            asked,
            "organization".to_owned(),
            "each tenant gets an organization, whose token opens its filesystems alone; S3 is not offered in it",
        ),
    }
}

fn fences(survey: &Survey) -> Finding {
    let (check, asked) = ("fences", "GET /security/policies");
    match &survey.fences {
        Ok(count) => {
            let seen = format!("{count} of {MAX_POLICIES} security policies");
            row(check, FindingLevel::Pass, asked, seen, "each plan for a node takes one, and a namespace 16 at most")
        }
        Err(cause) => Finding {
            level: FindingLevel::Fail,
            ..unread(check, asked, cause, "no plan can be made, because each is to have a fence")
                .remedy("release 4.4 is needed; otherwise set mount.fence to off")
        },
    }
}

fn organizations(config: &Config, survey: &Survey) -> Finding {
    let (check, asked) = ("organizations", "GET /organizations");
    let limit = config.organization_limit;
    match &survey.organizations {
        Ok(count) if count.saturating_mul(10) >= limit.saturating_mul(9) => {
            let seen = format!("{count} of {limit} organizations");
            row(check, FindingLevel::Warn, asked, seen, "tenants beyond the limit are refused")
                .remedy("remove organizations that nobody uses, or place new tenants on another cluster")
        }
        Ok(count) => {
            let seen = format!("{count} of {limit} organizations");
            row(check, FindingLevel::Pass, asked, seen, "each tenant takes one")
        }
        Err(cause) => unread(check, asked, cause, "no tenant can be given an organization"),
    }
}

fn s3_service(survey: &Survey) -> Finding {
    let asked = "GET /s3";
    let s3 = match &survey.s3 {
        Ok(s3) => s3,
        Err(cause) => return unread("s3", asked, cause, "whether S3 can be used is not known"),
    };
    let seen = format!(
        "active {}, {} hosts, filesystem {}, configuration filesystem {}, port {}, TLS {}",
        s3.active,
        s3.hosts(),
        s3.filesystem_name.as_deref().unwrap_or("not told"),
        s3.config_fs_name.as_deref().unwrap_or("not told"),
        s3.port.map_or_else(|| "not told".to_owned(), |port| port.to_string()),
        s3.tls_enabled.map_or("not told", |on| if on { "on" } else { "off" }),
    );
    if survey.s3_serves() {
        row("s3", FindingLevel::Pass, asked, seen, "the cluster serves S3")
    } else {
        row("s3", FindingLevel::Note, asked, seen, "S3 is readable and inactive: POSIX only").remedy(S3_REMEDY)
    }
}

/// Whether S3 is bound as it should be, or whether it could be.
fn s3_binding(survey: &Survey) -> Finding {
    let check = "s3.configuration";
    let Ok(s3) = &survey.s3 else {
        return row(check, FindingLevel::Note, "GET /s3", "not readable".to_owned(), "not known");
    };
    if s3.hosts() == 0 {
        let seen = format!("no S3 protocol container; filesystem {}", s3.filesystem_name.as_deref().unwrap_or("N/A"));
        let follows = "saving S3 with s3-data and s3-config is refused for lack of a protocol container";
        return row(check, FindingLevel::Note, "GET /s3", seen, follows).remedy(S3_REMEDY);
    }
    let problems = s3_problems(s3);
    if problems.is_empty() {
        let seen = "bound to s3-data and s3-config, anonymous 65534, no virtual-host domains".to_owned();
        row(check, FindingLevel::Pass, "GET /s3", seen, "S3 is set up as planned")
    } else {
        row(check, FindingLevel::Warn, "GET /s3", problems.join("; "), "S3 is set up otherwise than planned")
            .remedy("bind S3 to s3-data and s3-config, anonymous uid and gid 65534, and no domains")
    }
}

fn s3_problems(s3: &S3Cluster) -> Vec<String> {
    let mut problems = Vec::new();
    for (seen, wanted) in [(&s3.filesystem_name, S3_DATA), (&s3.config_fs_name, S3_CONFIG)] {
        match seen.as_deref() {
            Some(name) if name == wanted => {}
            other => problems.push(format!("{} instead of {wanted}", other.unwrap_or("nothing"))),
        }
    }
    for (seen, who) in [(s3.anonymous_posix_uid, "uid"), (s3.anonymous_posix_gid, "gid")] {
        if let Some(id) = seen.filter(|id| *id != NOBODY) {
            problems.push(format!("anonymous {who} {id}"));
        }
    }
    if let Some(domain) = s3.domain.as_deref().filter(|domain| !domain.is_empty()) {
        problems.push(format!("virtual-host domains {domain}"));
    }
    problems
}

fn s3_read(check: &str, path: &str, answer: Result<(), Error>) -> Finding {
    let asked = format!("GET {path}");
    let cause = match answer {
        Ok(()) => return row(check, FindingLevel::Pass, &asked, "readable".to_owned(), "it answers"),
        Err(cause) => cause,
    };
    let seen = cause.native_code.clone().unwrap_or_else(|| cause.message.clone());
    match cause.kind {
        ErrorKind::NotReady(ready) => {
            row(check, FindingLevel::Note, &asked, seen, "it needs an S3 protocol container").remedy(&ready.remedy)
        }
        ErrorKind::Unsupported(_) => {
            row(check, FindingLevel::Note, &asked, seen, "only an S3 user of its own may ask this")
        }
        _ => row(check, FindingLevel::Warn, &asked, seen, "it cannot be read"),
    }
}

fn s3_audit(survey: &Survey) -> Finding {
    let (check, asked) = ("s3.audit-webhook", "GET /s3/auditWebhook");
    match &survey.s3_audit {
        Ok(webhook) => {
            let place = if webhook.endpoint.is_empty() { "no endpoint" } else { "an endpoint" };
            let seen = format!("readable, {}, {place}", if webhook.enabled { "enabled" } else { "disabled" });
            row(
                check,
                FindingLevel::Note,
                asked,
                seen,
                "S3 audit is evidence only: events are lost when nobody takes them",
            )
        }
        Err(cause) => unread(check, asked, cause, "S3 audit is not known"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s3_is_compared_with_the_plan() {
        let read = |text: &str| serde_json::from_str::<S3Cluster>(text).unwrap();
        let good = r#"{"active":true,"s3_hosts":["HostId<1>"],"filesystem_name":"s3-data","config_fs_name":"s3-config","anonymous_posix_uid":65534,"anonymous_posix_gid":65534,"domain":""}"#;
        assert!(s3_problems(&read(good)).is_empty());
        for (from, to) in
            [("\"s3-data\"", "\"default\""), ("_uid\":65534", "_uid\":0"), ("\"domain\":\"\"", "\"domain\":\"a.b\"")]
        {
            assert_eq!(s3_problems(&read(&good.replace(from, to))).len(), 1, "{to}");
        }
    }
}
