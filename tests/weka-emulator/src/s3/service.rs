//! S3 management: readiness, the cluster's configuration and the audit webhook.
//!
//! Observed on the real cluster without S3 containers: `GET /s3` and `GET /s3/auditWebhook` answer; buckets, policies
//! and user policies answer `NoValidProtocolContainerToRunIn`; service accounts answer `S3RoleOnlyOperation` to the
//! cluster administrator, so the role is looked at before the container. Data behind a ready S3 (buckets, keys, STS) is
//! not emulated: lists are empty and changes answer 501.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::Call;
use crate::envelope::{Answer, Refusal, data, nothing};
use crate::organizations::ROOT;
use crate::s3::gate::{need_container, need_root, need_s3_role, ready};
use crate::s3::webhook::Webhook;
use crate::state::State;
use crate::uid::Uid;
use crate::users::Role;

/// The S3 service.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Service {
    pub(crate) filesystem: String,
    pub(crate) config_filesystem: String,
    pub(crate) port: u64,
    pub(crate) anonymous_uid: u64,
    pub(crate) anonymous_gid: u64,
    pub(crate) domain: String,
    pub(crate) mount_options: String,
    /// Containers that were named to run it; `None`: all that could.
    pub(crate) members: Option<Vec<Uid>>,
}

impl Default for Service {
    fn default() -> Self {
        Self {
            filesystem: "N/A".to_owned(),
            config_filesystem: "N/A".to_owned(),
            port: 9000,
            anonymous_uid: 65_534,
            anonymous_gid: 65_534,
            domain: String::new(),
            mount_options: "rw".to_owned(),
            members: None,
        }
    }
}

fn not_emulated(call: &Call) -> Refusal {
    let message = format!("{} {} is not emulated: only S3 readiness is", call.method, call.path);
    Refusal::message(501, &message)
}

/// `GET /s3`
pub(crate) fn get(state: &mut State, call: &Call) -> Answer {
    need_root(call)?;
    let active = state.s3.service.is_some() && !state.s3.containers.is_empty();
    let service = state.s3.service.clone().unwrap_or_default();
    let hosts: Vec<String> = if active {
        state.s3.containers.iter().map(|(host, _)| format!("HostId<{host}>")).collect()
    } else {
        Vec::new()
    };
    let mut row = json!({
        "active": active,
        "s3_hosts": if state.switches.s3_hosts_is_count { json!(hosts.len()) } else { json!(hosts) },
        "filesystem_name": service.filesystem,
        "config_fs_name": service.config_filesystem,
        "port": service.port.to_string(),
    });
    if let (Some(row), true) = (row.as_object_mut(), state.switches.s3_extra_fields) {
        row.insert("internal_port".to_owned(), json!("9001"));
        row.insert("tls_enabled".to_owned(), json!(true));
        row.insert("anonymous_posix_uid".to_owned(), json!(service.anonymous_uid));
        row.insert("anonymous_posix_gid".to_owned(), json!(service.anonymous_gid));
        row.insert("domain".to_owned(), json!(service.domain));
        row.insert("mount_options".to_owned(), json!(service.mount_options));
    }
    data(row)
}

fn domain_in(call: &Call, current: &str) -> Result<String, Refusal> {
    let domain = call.text("domain").unwrap_or_else(|| current.to_owned());
    if domain.len() > 1024 || domain.split(',').any(|name| name.len() > 64) {
        return Err(Refusal::bad("domain", "is longer than 64 characters each or 1024 in all"));
    }
    Ok(domain)
}

fn port_in(call: &Call, current: u64) -> Result<u64, Refusal> {
    match call.number("port")?.unwrap_or(current) {
        9001 => Err(Refusal::bad("port", "9001 is taken by the service itself")),
        port if u16::try_from(port).is_err() || port == 0 => Err(Refusal::bad("port", "is no TCP port")),
        port => Ok(port),
    }
}

/// `POST /s3`: without a protocol container it fails, as it did on the real cluster
pub(crate) fn create(state: &mut State, call: &Call) -> Answer {
    need_root(call)?;
    call.require(&["default_fs_name", "config_fs_name"])?;
    need_container(state)?;
    if state.s3.service.is_some() {
        return Err(Refusal::message(state.switches.duplicate_status, "S3 cluster already exists"));
    }
    let filesystem = call.required_text("default_fs_name")?;
    let config_filesystem = call.required_text("config_fs_name")?;
    for name in [&filesystem, &config_filesystem] {
        if !state.filesystems.iter().any(|known| known.org_id == ROOT && known.name == *name) {
            return Err(Refusal::message(400, &format!("Filesystem {name} does not exist")));
        }
    }
    let default = Service::default();
    state.s3.service = Some(Service {
        filesystem,
        config_filesystem,
        port: port_in(call, default.port)?,
        anonymous_uid: call.number("anonymous_posix_uid")?.unwrap_or(default.anonymous_uid),
        anonymous_gid: call.number("anonymous_posix_gid")?.unwrap_or(default.anonymous_gid),
        domain: domain_in(call, "")?,
        mount_options: call.text("mount_options").unwrap_or(default.mount_options),
        members: None,
    });
    get(state, call)
}

/// `PUT /s3`
pub(crate) fn update(state: &mut State, call: &Call) -> Answer {
    need_root(call)?;
    need_container(state)?;
    let Some(current) = state.s3.service.clone() else {
        return Err(Refusal::message(400, "S3 cluster is not configured"));
    };
    state.s3.service = Some(Service {
        port: port_in(call, current.port)?,
        anonymous_uid: call.number("anonymous_posix_uid")?.unwrap_or(current.anonymous_uid),
        anonymous_gid: call.number("anonymous_posix_gid")?.unwrap_or(current.anonymous_gid),
        domain: domain_in(call, &current.domain)?,
        mount_options: call.text("mount_options").unwrap_or_else(|| current.mount_options.clone()),
        ..current
    });
    get(state, call)
}

/// `DELETE /s3`: the service and its users go, data stays
pub(crate) fn delete(state: &mut State, call: &Call) -> Answer {
    need_root(call)?;
    need_container(state)?;
    if state.s3.service.take().is_none() {
        return Err(Refusal::message(400, "S3 cluster is not configured"));
    }
    let users: Vec<Uid> = state.users.iter().filter(|user| user.role == Role::S3).map(|user| user.uid).collect();
    users.into_iter().for_each(|uid| state.tokens.revoke_user(uid));
    state.users.retain(|user| user.role != Role::S3);
    nothing()
}

/// `GET /s3/containersAreReady`
pub(crate) fn containers_ready(state: &mut State, call: &Call) -> Answer {
    need_root(call)?;
    need_container(state)?;
    let ready = state.s3.service.is_some();
    data(state.s3.containers.iter().map(|(_, uid)| (uid.to_string(), json!(ready))).collect())
}

/// `GET /s3/auditWebhook`: answers without any container
pub(crate) fn webhook(state: &mut State, call: &Call) -> Answer {
    need_root(call)?;
    let Webhook { endpoint, token, enabled } = &state.s3.webhook;
    data(json!({ "endpoint": endpoint, "authToken": token, "enabled": enabled }))
}

/// `POST /s3/auditWebhook/enable`
pub(crate) fn enable_webhook(state: &mut State, call: &Call) -> Answer {
    need_root(call)?;
    call.require(&["endpoint", "auth_token"])?;
    need_container(state)?;
    let endpoint = call.required_text("endpoint")?;
    state.s3.webhook = Webhook { endpoint, token: call.required_text("auth_token")?, enabled: true };
    nothing()
}

/// `POST /s3/auditWebhook/disable`
pub(crate) fn disable_webhook(state: &mut State, call: &Call) -> Answer {
    need_root(call)?;
    need_container(state)?;
    state.s3.webhook.enabled = false;
    nothing()
}

/// `GET /s3/buckets`
pub(crate) fn buckets(state: &mut State, call: &Call) -> Answer {
    ready(state, call)?;
    data(json!({ "session_id": Uid::fresh(), "buckets": [] }))
}

/// `GET /s3/policies`: the predefined ones
pub(crate) fn policies(state: &mut State, call: &Call) -> Answer {
    ready(state, call)?;
    data(json!({ "session_id": Uid::fresh(), "policies": ["readonly", "readwrite", "writeonly"] }))
}

/// `GET /s3/userPolicies`: every S3 user, none with a policy
pub(crate) fn user_policies(state: &mut State, call: &Call) -> Answer {
    ready(state, call)?;
    let users = state.users.iter().filter(|user| user.role == Role::S3);
    let users: Value = users.map(|user| (user.username.clone(), json!(""))).collect();
    data(json!({ "users": users }))
}

/// `GET /s3/serviceAccounts`: S3 users only, and that is checked first
pub(crate) fn service_accounts(state: &mut State, call: &Call) -> Answer {
    need_s3_role(state, call)?;
    ready(state, call)?;
    data(json!({ "service_accounts": [] }))
}

/// Any other route of service accounts
pub(crate) fn service_account_change(state: &mut State, call: &Call) -> Answer {
    need_s3_role(state, call)?;
    ready(state, call)?;
    Err(not_emulated(call))
}

/// Everything else under `/s3`
pub(crate) fn other(state: &mut State, call: &Call) -> Answer {
    ready(state, call)?;
    Err(not_emulated(call))
}
