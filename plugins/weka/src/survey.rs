//! One look at the cluster with safe exchanges only: what probe and preflight both reason about.
//!
//! A read that fails is kept with its error, because "cannot be read, and this is why" is a finding. Only when the cluster
//! itself cannot be read is there nothing to reason about.

use serde::de::DeserializeOwned;
use serde_json::Value;
use stowage_provider_sdk::prelude::{Exchange, Result, error};

use crate::api::{
    AuditWebhook, Cluster, Container, Filesystem, Process, Quota, S3Cluster, Snapshot, Task, TokensExpiry, User,
    Whoami, envelope,
};
use crate::config::Isolation;
use crate::exchanges::{
    CLUSTER, CONTAINERS, GROUPS, HEALTHCHECK, ORGANIZATIONS, PROCESSES, S3, S3_AUDIT_WEBHOOK, S3_BUCKETS, S3_POLICIES,
    S3_SERVICE_ACCOUNTS, S3_USER_POLICIES, SECURITY_POLICIES, TASKS, TOKENS_EXPIRY, USERS, WHOAMI,
};
use crate::rest::Rest;
use crate::{filesystems, quotas, snapshots};

/// What was seen.
pub(crate) struct Survey {
    pub(crate) cluster: Cluster,
    pub(crate) identity: Result<Whoami>,
    pub(crate) sessions: Result<TokensExpiry>,
    pub(crate) filesystems: Result<Vec<Filesystem>>,
    pub(crate) processes: Result<Vec<Process>>,
    pub(crate) tasks: Result<Vec<Task>>,
    pub(crate) clients: Result<Vec<Container>>,
    /// Client fences of the organization.
    pub(crate) fences: Result<u64>,
    pub(crate) organizations: Result<u64>,
    pub(crate) users: Result<Vec<User>>,
    /// Looked at only where namespaces have snapshots: a cluster may hold tens of thousands.
    pub(crate) snapshots: Option<Result<Vec<Snapshot>>>,
    /// Buckets and IAM policies, once S3 serves.
    pub(crate) s3_counts: Option<[Result<u64>; 2]>,
    pub(crate) s3: Result<S3Cluster>,
    pub(crate) s3_audit: Result<AuditWebhook>,
    /// The shared filesystem of isolation `directory`.
    pub(crate) shared: Option<Shared>,
}

/// The shared filesystem.
pub(crate) struct Shared {
    /// It, if it is listed.
    pub(crate) filesystem: Option<Filesystem>,
    /// Inode of its root: whether paths can be resolved.
    pub(crate) root_inode: Option<Result<Option<u64>>>,
    /// Inode of the directory that namespaces are made in.
    pub(crate) home_inode: Option<Result<Option<u64>>>,
    /// Its quotas.
    pub(crate) quotas: Option<Result<Vec<Quota>>>,
}

impl Survey {
    /// Looks.
    pub(crate) fn take(rest: &Rest) -> Result<Self> {
        let cluster = rest.one(&CLUSTER, rest.request(), "reading the cluster")?;
        let filesystems = filesystems::all(rest);
        let directory = rest.config.isolation == Isolation::Directory;
        let shared = directory.then(|| shared(rest, filesystems.as_ref().ok()));
        let s3: Result<S3Cluster> = rest.one(&S3, rest.request(), "reading the S3 service");
        let serves = s3.as_ref().is_ok_and(S3Cluster::serves);
        Ok(Self {
            cluster,
            identity: rest.one(&WHOAMI, rest.request(), "asking who the adapter is"),
            sessions: rest.one(&TOKENS_EXPIRY, rest.request(), "reading the life of logins"),
            filesystems,
            processes: list(rest, &PROCESSES, "listing processes"),
            tasks: list(rest, &TASKS, "listing tasks"),
            clients: rest.all(&CONTAINERS, &rest.request().query("filter_type", "Clients"), "listing clients"),
            fences: count(rest, &SECURITY_POLICIES, "listing security policies"),
            organizations: count(rest, &ORGANIZATIONS, "listing organizations"),
            users: list(rest, &USERS, "listing users"),
            snapshots: (!directory).then(|| snapshots::all(rest)),
            s3_counts: serves.then(|| [&S3_BUCKETS, &S3_POLICIES].map(|exchange| count_within(rest, exchange))),
            s3,
            s3_audit: rest.one(&S3_AUDIT_WEBHOOK, rest.request(), "reading the S3 audit webhook"),
            shared,
        })
    }

    /// Whether a data-services container runs; `None` when the processes cannot be read.
    pub(crate) fn data_services(&self) -> Option<bool> {
        let processes = self.processes.as_ref().ok()?;
        Some(processes.iter().any(|process| process.roles.iter().any(|role| role == "DATASERV")))
    }

    /// Background tasks that run.
    pub(crate) fn running_tasks(&self) -> Option<u64> {
        let tasks = self.tasks.as_ref().ok()?;
        Some(tasks.iter().filter(|task| task.state.is_empty() || task.state == "RUNNING").count() as u64)
    }

    /// Whether S3 serves: switched on, on at least one container.
    pub(crate) fn s3_serves(&self) -> bool {
        self.s3.as_ref().is_ok_and(S3Cluster::serves)
    }
}

/// Reads of the S3 side, for preflight: whether each answers.
pub(crate) fn s3_reads(rest: &Rest) -> Vec<(&'static str, &'static str, Result<()>)> {
    [
        ("s3.buckets", "/s3/buckets", &S3_BUCKETS),
        ("s3.policies", "/s3/policies", &S3_POLICIES),
        ("s3.user-policies", "/s3/userPolicies", &S3_USER_POLICIES),
        ("s3.service-accounts", "/s3/serviceAccounts", &S3_SERVICE_ACCOUNTS),
    ]
    .into_iter()
    .map(|(check, path, exchange)| (check, path, readable(rest, exchange, "reading the S3 side")))
    .collect()
}

/// Whether the management server answers without a login.
pub(crate) fn answers(rest: &Rest) -> Result<()> {
    rest.send(&HEALTHCHECK, stowage_provider_sdk::Request::new(), "asking whether the server answers").map(drop)
}

/// Whether the group of new filesystems is there.
pub(crate) fn group_names(rest: &Rest) -> Result<Vec<String>> {
    #[derive(serde::Deserialize)]
    struct Group {
        name: String,
    }
    let groups: Vec<Group> = rest.all(&GROUPS, &rest.request(), "listing filesystem groups")?;
    Ok(groups.into_iter().map(|group| group.name).collect())
}

fn shared(rest: &Rest, listed: Option<&Vec<Filesystem>>) -> Shared {
    let wanted = rest.config.filesystem.as_deref().unwrap_or_default();
    let filesystem = listed.and_then(|all| all.iter().find(|filesystem| filesystem.name == wanted)).cloned();
    let uid = filesystem.as_ref().map(|filesystem| filesystem.uid.as_str());
    let home = format!("/{}", rest.config.root);
    Shared {
        root_inode: uid.map(|uid| quotas::resolve(rest, uid, "/")),
        home_inode: uid.map(|uid| quotas::resolve(rest, uid, &home)),
        quotas: uid.map(|uid| quotas::all(rest, uid)),
        filesystem,
    }
}

fn list<T: DeserializeOwned>(rest: &Rest, exchange: &Exchange, doing: &str) -> Result<Vec<T>> {
    rest.all(exchange, &rest.request(), doing)
}

fn count(rest: &Rest, exchange: &Exchange, doing: &str) -> Result<u64> {
    list::<serde::de::IgnoredAny>(rest, exchange, doing).map(|rows| rows.len() as u64)
}

/// How many an S3 list holds. Its rows stand in the answer's `data`, or in the one list within it, as names or objects.
fn count_within(rest: &Rest, exchange: &Exchange) -> Result<u64> {
    let doing = "reading the S3 side";
    let body = rest.send(exchange, rest.request(), doing)?;
    let rows = match envelope::data(body.body()) {
        Ok(Value::Array(rows)) => Some(rows.len()),
        Ok(Value::Object(fields)) => fields.values().find_map(|field| match field {
            Value::Array(rows) => Some(rows.len()),
            Value::Object(rows) => Some(rows.len()),
            _ => None,
        }),
        _ => None,
    };
    let unreadable = || error::internal(format_args!("{doing}: no list")).with_native_code("UnreadableAnswer");
    rows.map(|rows| rows as u64).ok_or_else(unreadable)
}

fn readable(rest: &Rest, exchange: &Exchange, doing: &str) -> Result<()> {
    rest.send(exchange, rest.request(), doing).map(drop)
}
