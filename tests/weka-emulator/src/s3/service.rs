//! The S3 service of the cluster: its filesystems, its containers, its settings.
//!
//! Observed on the real cluster without S3 containers: `GET /s3` answers, everything that runs in a container answers
//! `NoValidProtocolContainerToRunIn`. The documented description shows the answers of these four routes as errors; that
//! is a slip of it.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::call::Call;
use crate::containers::Backend;
use crate::envelope::{Answer, Refusal, data, nothing};
use crate::organizations::ROOT;
use crate::s3::S3;
use crate::s3::gate::{need_container, need_root, not_configured, ready};
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

/// `GET /s3`
pub(crate) fn get(state: &mut State, call: &Call) -> Answer {
    need_root(call)?;
    let hosts: Vec<String> = state.s3.running().iter().map(|(host, _)| format!("HostId<{host}>")).collect();
    let service = state.s3.service.clone().unwrap_or_default();
    let mut row = json!({
        "active": !hosts.is_empty(),
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

/// The containers of this uid list, if each could run the protocol.
fn members_in(containers: &[(u64, Uid)], uids: &[String]) -> Result<Vec<Uid>, Refusal> {
    let capable = |text: &String| {
        let uid = Uid::parse(text).filter(|uid| containers.iter().any(|(_, known)| known == uid));
        uid.ok_or_else(|| Refusal::message(400, &format!("error: Unrecognized host ID {text}")))
    };
    uids.iter().map(capable).collect()
}

fn host_of(s3: &S3, uid: Uid) -> String {
    let found = s3.containers.iter().find(|(_, known)| *known == uid);
    found.map_or_else(|| uid.to_string(), |(host, _)| format!("HostId<{host}>"))
}

/// The containers that a body names; `all_hosts`, or none, is all.
fn named_members(state: &State, call: &Call) -> Result<Option<Vec<Uid>>, Refusal> {
    if call.flag("all_hosts") == Some(true) {
        return Ok(None);
    }
    call.texts("host_uids")?.map(|uids| members_in(&state.s3.containers, &uids)).transpose()
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
        members: named_members(state, call)?,
    });
    get(state, call)
}

/// `PUT /s3`
pub(crate) fn update(state: &mut State, call: &Call) -> Answer {
    ready(state, call)?;
    let Some(current) = state.s3.service.clone() else { return Err(not_configured()) };
    let members = if call.has("host_uids") { named_members(state, call)? } else { current.members.clone() };
    state.s3.service = Some(Service {
        port: port_in(call, current.port)?,
        anonymous_uid: call.number("anonymous_posix_uid")?.unwrap_or(current.anonymous_uid),
        anonymous_gid: call.number("anonymous_posix_gid")?.unwrap_or(current.anonymous_gid),
        domain: domain_in(call, &current.domain)?,
        mount_options: call.text("mount_options").unwrap_or_else(|| current.mount_options.clone()),
        members,
        ..current
    });
    get(state, call)
}

/// `DELETE /s3`: service, buckets, lifecycle rules, policies and S3 users go; directories and their data stay
pub(crate) fn delete(state: &mut State, call: &Call) -> Answer {
    ready(state, call)?;
    let users: Vec<Uid> = state.users.iter().filter(|user| user.role == Role::S3).map(|user| user.uid).collect();
    users.into_iter().for_each(|uid| state.tokens.revoke_user(uid));
    state.users.retain(|user| user.role != Role::S3);
    state.s3 = S3 { containers: state.s3.containers.clone(), ..S3::default() };
    nothing()
}

/// `GET /s3/containersAreReady`
pub(crate) fn containers_ready(state: &mut State, call: &Call) -> Answer {
    need_root(call)?;
    need_container(state)?;
    let ready = state.s3.service.is_some();
    let members = if ready { state.s3.running() } else { state.s3.containers.clone() };
    data(members.iter().map(|(_, uid)| (uid.to_string(), json!(ready))).collect())
}

/// The uids in body or query; the older route has an older name for them.
fn container_uids(call: &Call) -> Result<Vec<String>, Refusal> {
    let name = if call.path.ends_with("/hosts") { "host_uids" } else { "container_uids" };
    if let Some(uids) = call.texts(name)? {
        return Ok(uids);
    }
    let uids = call.query.get(name).ok_or_else(|| Refusal::missing(&[name]))?;
    Ok(uids.split(',').map(|uid| uid.trim().to_owned()).collect())
}

/// `POST /s3/containers`, `POST /s3/hosts`: any backend may join, as long as there is a container for the protocol
pub(crate) fn add_containers(state: &mut State, call: &Call) -> Answer {
    need_root(call)?;
    let asked = container_uids(call)?;
    if state.s3.containers.is_empty() {
        need_container(state)?;
    }
    let joins = |backend: &&Backend| asked.iter().any(|uid| Uid::parse(uid) == Some(backend.uid));
    let mut containers = state.s3.containers.clone();
    containers.extend(state.machines.backends.iter().filter(joins).map(|backend| (backend.host, backend.uid)));
    containers.sort_unstable();
    containers.dedup();
    let uids = members_in(&containers, &asked)?;
    let running = state.s3.running();
    if let Some(uid) = uids.iter().find(|uid| running.iter().any(|(_, known)| known == *uid)) {
        let host = host_of(&state.s3, *uid);
        let message = "Trying to set an invalid S3 configuration: Specified host";
        return Err(Refusal::message(400, &format!("{message} {host} is already part of the S3 cluster")));
    }
    let Some(service) = &mut state.s3.service else { return Err(not_configured()) };
    let mut members: Vec<Uid> = running.iter().map(|(_, uid)| *uid).collect();
    members.extend(uids);
    service.members = Some(members);
    state.s3.containers = containers;
    nothing()
}

/// `DELETE /s3/containers?container_uids=`, `DELETE /s3/hosts?host_uids=`
pub(crate) fn remove_containers(state: &mut State, call: &Call) -> Answer {
    ready(state, call)?;
    let uids = members_in(&state.s3.containers, &container_uids(call)?)?;
    let mut members: Vec<Uid> = state.s3.running().iter().map(|(_, uid)| *uid).collect();
    if let Some(uid) = uids.iter().find(|uid| !members.contains(uid)) {
        let host = host_of(&state.s3, *uid);
        return Err(Refusal::message(400, &format!("Specified host {host} is not part of the S3 cluster")));
    }
    members.retain(|uid| !uids.contains(uid));
    if let Some(service) = &mut state.s3.service {
        service.members = Some(members);
    }
    nothing()
}
