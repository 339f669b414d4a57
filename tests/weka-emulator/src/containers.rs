//! Containers of the cluster: the backends, their processes' homes, and what an administrator does to them.
//!
//! A container that is deactivated is DOWN; one that runs S3 takes the protocol away with it, so a client meets
//! `NoValidProtocolContainerToRunIn`. `/hosts` is the older name of all of this.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::Call;
use crate::clock::{Millis, rfc3339};
use crate::envelope::{Answer, Refusal, data, nothing};
use crate::net_devices::Device;
use crate::state::State;
use crate::uid::Uid;

/// The cluster's identity and its backends.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Machines {
    pub(crate) cluster_name: String,
    pub(crate) guid: Uid,
    pub(crate) backends: Vec<Backend>,
    pub(crate) started: Millis,
}

/// One backend container with its two processes (management; drives, compute and frontend).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Backend {
    pub(crate) host: u64,
    pub(crate) uid: Uid,
    pub(crate) management: Uid,
    pub(crate) io: Uid,
    hostname: String,
    address: String,
    active: bool,
    failure_domain: String,
    failure_domain_type: String,
    cores: u64,
    frontend_cores: u64,
    drives_cores: u64,
    memory: u64,
    bandwidth: u64,
    dedicated: bool,
    auto_remove_secs: Option<u64>,
    added: Millis,
    changed: Millis,
    pub(crate) devices: Vec<Device>,
}

impl Backend {
    /// A backend that takes part.
    pub(crate) fn new(host: u64, now: Millis) -> Self {
        let address = format!("10.1.0.{}", host.saturating_add(10));
        Self {
            host,
            uid: Uid::fresh(),
            management: Uid::fresh(),
            io: Uid::fresh(),
            hostname: format!("weka-{host}"),
            active: true,
            failure_domain: format!("DOM-{host:03}"),
            failure_domain_type: "USER".to_owned(),
            cores: 1,
            frontend_cores: 0,
            drives_cores: 0,
            memory: 1_493_172_224,
            bandwidth: 6497,
            dedicated: false,
            auto_remove_secs: None,
            added: now,
            changed: now,
            devices: vec![Device::first(host, &address)],
            address,
        }
    }

    pub(crate) fn hostname(&self) -> &str {
        &self.hostname
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn is_active(&self) -> bool {
        self.active
    }

    pub(crate) fn status(&self) -> &'static str {
        if self.active { "UP" } else { "DOWN" }
    }

    fn row(&self, state: &State) -> Value {
        json!({
            "id": format!("HostId<{}>", self.host),
            "uid": self.uid,
            "container_name": "default",
            "mode": "backend",
            "state": if self.active { "ACTIVE" } else { "INACTIVE" },
            "status": self.status(),
            "hostname": self.hostname,
            "ips": [self.address],
            "container_ip": self.address,
            "mgmt_port": 14000,
            "sw_version": state.release.to_string(),
            "sw_release_string": state.release.to_string(),
            "server_identifier": self.uid,
            "cores": self.cores,
            "cores_ids": (1..=self.cores).collect::<Vec<_>>(),
            "frontend_dedicated_cores": self.frontend_cores,
            "drives_dedicated_cores": self.drives_cores,
            "memory": self.memory,
            "bandwidth": self.bandwidth,
            "io_processes": 1,
            "is_dedicated": self.dedicated,
            "failure_domain": self.failure_domain,
            "failure_domain_id": format!("FailureDomainId<{}>", self.host),
            "failure_domain_type": self.failure_domain_type,
            "member_of_leadership": self.active,
            "leadership_role": if self.host == 0 { "leader" } else { "member" },
            "added_time": rfc3339(self.added),
            "start_time": rfc3339(state.machines.started),
            "state_changed_time": rfc3339(self.changed),
            "last_failure": "",
            "last_failure_code": "",
            "last_failure_time": "",
            "requested_action": "NONE",
            "requested_action_failure": "",
            "requested_action_status": "",
            "requested_action_failure_time": "",
            "cloud": {},
            "aws": {},
            "os_info": { "kernel_name": "Linux", "platform": "x86_64", "os_name": "GNU/Linux" },
            "auto_remove_timeout": self.auto_remove_secs,
        })
    }
}

impl State {
    pub(crate) fn backend(&self, uid: &str) -> Result<&Backend, Refusal> {
        let found = self.machines.backends.iter().find(|backend| backend.uid.to_string() == uid);
        found.ok_or_else(|| Refusal::no_uid(uid))
    }

    pub(crate) fn backend_mut(&mut self, uid: &str) -> Result<&mut Backend, Refusal> {
        let found = self.machines.backends.iter_mut().find(|backend| backend.uid.to_string() == uid);
        found.ok_or_else(|| Refusal::no_uid(uid))
    }

    fn set_active(&mut self, uids: &[String], active: bool) -> Answer {
        for uid in uids {
            self.backend(uid)?;
        }
        if !active {
            self.check_enough_stay(uids)?;
        }
        let now = self.now();
        for uid in uids {
            let backend = self.backend_mut(uid)?;
            backend.changed = if backend.active == active { backend.changed } else { now };
            backend.active = active;
        }
        if !active {
            self.s3.containers.retain(|(_, uid)| !uids.contains(&uid.to_string()));
        }
        nothing()
    }

    /// A stripe of 5+2 needs seven failure domains to be written whole and five to be read.
    fn check_enough_stay(&self, leaving: &[String]) -> Result<(), Refusal> {
        let stays = |backend: &&Backend| backend.active && !leaving.contains(&backend.uid.to_string());
        if self.machines.backends.iter().filter(stays).count() >= 5 {
            return Ok(());
        }
        let message = "Deactivating these containers would leave fewer than a stripe needs";
        Err(Refusal::exception(400, &["NotEnoughContainersException"], message))
    }
}

/// The uids of a body, under the name of containers or of hosts.
fn uids_in(call: &Call) -> Result<Vec<String>, Refusal> {
    let name = if call.path.contains("/hosts") { "host_uids" } else { "container_uids" };
    call.require(&[name])?;
    Ok(call.texts(name)?.unwrap_or_default())
}

/// `GET /containers`, with `filter_type`
pub(crate) fn list(state: &mut State, call: &Call) -> Answer {
    let filter = call.query.get("filter_type").map_or("All", String::as_str);
    let ids: Option<Vec<&str>> = call.query.get("container_ids").map(|text| text.split(',').map(str::trim).collect());
    let shown = |backend: &&Backend| match filter {
        "Clients" => false,
        "Leader" => backend.host == 0,
        "ByContainer" => ids.as_ref().is_some_and(|ids| ids.contains(&backend.host.to_string().as_str())),
        _ => true,
    };
    data(state.machines.backends.iter().filter(shown).map(|backend| backend.row(state)).collect())
}

/// `GET /containers/{uid}`
pub(crate) fn get(state: &mut State, call: &Call) -> Answer {
    data(state.backend(call.place("uid"))?.row(state))
}

/// `POST /containers`: it joins, and waits for its activation
pub(crate) fn add(state: &mut State, call: &Call) -> Answer {
    let name = if call.path.contains("/hosts") { "hostname" } else { "container_name" };
    let hostname = call.required_text(name)?;
    if state.machines.backends.iter().any(|backend| backend.hostname == hostname) {
        return Err(Refusal::message(
            state.switches.duplicate_status,
            &format!("{hostname} is already in the cluster"),
        ));
    }
    let last = state.machines.backends.iter().map(|backend| backend.host).max().unwrap_or(0);
    let mut backend = Backend::new(last.saturating_add(1), call.now);
    backend.active = false;
    backend.hostname = hostname;
    backend.address = call.text("ip").unwrap_or(backend.address);
    let row = backend.row(state);
    state.machines.backends.push(backend);
    data(row)
}

/// `PUT /containers/{uid}`
pub(crate) fn update(state: &mut State, call: &Call) -> Answer {
    let cores = call.number("cores")?;
    let frontend = call.number("frontend_dedicated_cores")?;
    let drives = call.number("drives_dedicated_cores")?;
    let memory = call.number("memory")?;
    let bandwidth = call.number("bandwidth")?;
    let auto_remove = call.number("auto_remove_timeout")?;
    let backend = state.backend_mut(call.place("uid"))?;
    backend.failure_domain = call.text("failure_domain").unwrap_or_else(|| backend.failure_domain.clone());
    backend.failure_domain_type =
        call.text("failure_domain_type").unwrap_or_else(|| backend.failure_domain_type.clone());
    backend.cores = cores.unwrap_or(backend.cores).clamp(1, 64);
    backend.frontend_cores = frontend.unwrap_or(backend.frontend_cores);
    backend.drives_cores = drives.unwrap_or(backend.drives_cores);
    backend.memory = memory.unwrap_or(backend.memory);
    backend.bandwidth = bandwidth.unwrap_or(backend.bandwidth);
    backend.dedicated = call.flag("dedicated").unwrap_or(backend.dedicated);
    backend.auto_remove_secs = auto_remove.or(backend.auto_remove_secs);
    if let Some(first) = call.texts("management_ips")?.and_then(|ips| ips.into_iter().next()) {
        backend.address = first;
    }
    nothing()
}

/// `DELETE /containers/{uid}`: only one that was deactivated
pub(crate) fn remove(state: &mut State, call: &Call) -> Answer {
    let backend = state.backend(call.place("uid"))?;
    if backend.active {
        return Err(Refusal::message(400, "The container is ACTIVE: deactivate it first"));
    }
    let uid = backend.uid;
    state.machines.backends.retain(|backend| backend.uid != uid);
    state.s3.containers.retain(|(_, container)| *container != uid);
    nothing()
}

/// `POST /containers/activate`
pub(crate) fn activate(state: &mut State, call: &Call) -> Answer {
    state.set_active(&uids_in(call)?, true)
}

/// `POST /containers/{uid}/activate`
pub(crate) fn activate_one(state: &mut State, call: &Call) -> Answer {
    state.set_active(&[call.place("uid").to_owned()], true)
}

/// `POST /containers/deactivate`
pub(crate) fn deactivate(state: &mut State, call: &Call) -> Answer {
    state.set_active(&uids_in(call)?, false)
}

/// `POST /containers/{uid}/deactivate`
pub(crate) fn deactivate_one(state: &mut State, call: &Call) -> Answer {
    state.set_active(&[call.place("uid").to_owned()], false)
}

/// `POST /containers/deactivation-check`: says whether it would be possible
pub(crate) fn check_deactivation(state: &mut State, call: &Call) -> Answer {
    let uids = uids_in(call)?;
    for uid in &uids {
        state.backend(uid)?;
    }
    state.check_enough_stay(&uids)?;
    nothing()
}

/// `POST /containers/apply`: changes take effect at once here, so there is nothing left to apply
pub(crate) fn apply(state: &mut State, call: &Call) -> Answer {
    for uid in uids_in(call)? {
        state.backend(&uid)?;
    }
    nothing()
}

/// `POST /containers/{uid}/apply`, `DELETE /containers/lastFailureReason/{uid}`: on a container that exists
pub(crate) fn acknowledge(state: &mut State, call: &Call) -> Answer {
    state.backend(call.place("uid"))?;
    nothing()
}

/// `POST /containers/manageProtoContainers`: restarts the containers of a protocol
pub(crate) fn manage_protocols(_state: &mut State, call: &Call) -> Answer {
    call.require(&["container_names", "container_operation"])?;
    if call.text("container_operation").as_deref() != Some("RESTART_CONTAINER") {
        return Err(Refusal::bad("container_operation", "is not RESTART_CONTAINER"));
    }
    nothing()
}

/// `GET /containers/{uid}/resources`
pub(crate) fn resources(state: &mut State, call: &Call) -> Answer {
    let backend = state.backend(call.place("uid"))?;
    let process = |role: &str, port: u64| {
        json!({
            "roles": [role], "core_id": u32::MAX, "http_port": port, "rpc_port": port.saturating_add(10),
            "dedicate_core": role != "MANAGEMENT", "dedicated_mode": "FULL",
        })
    };
    let others = state.machines.backends.iter();
    data(json!({
        "mode": "BACKEND",
        "memory": backend.memory,
        "format": 3,
        "bandwidth": backend.bandwidth,
        "drives": [],
        "failure_domain": backend.failure_domain,
        "hardware_watchdog": false,
        "wait_io_nodes_timeout": 300,
        "backend_endpoints": others.map(|one| json!({ "ip": one.address, "port": 14000 })).collect::<Vec<_>>(),
        "hostname": backend.hostname,
        "reserve_1g_hugepages": true,
        "net_devices": backend.devices.iter().map(Device::device).collect::<Vec<_>>(),
        "dedicate_memory": true,
        "ips": [backend.address],
        "ui_enabled": true,
        "join_secret": [],
        "nodes": { "0": process("MANAGEMENT", 14000), "1": process("FRONTEND", 14000) },
        "container_id": backend.host,
        "auto_remove_timeout": backend.auto_remove_secs.unwrap_or(0),
        "disable_numa_balancing": true,
        "mask_interrupts": true,
    }))
}

/// `POST /containers/infos`: what a machine that may join looks like; only NET and DISKS have a recorded form
pub(crate) fn infos(_state: &mut State, call: &Call) -> Answer {
    let addresses = call.texts("containers_ips")?.or(call.texts("hostnames_ips")?).unwrap_or_default();
    let kinds = call.texts("info_types")?.unwrap_or_default();
    let mut row = json!({ "resolvedIp": addresses.first().cloned().unwrap_or_default() });
    if let Some(row) = row.as_object_mut() {
        if kinds.iter().any(|kind| kind == "NET") {
            row.insert("net".to_owned(), json!({ "interfaces": [] }));
        }
        if kinds.iter().any(|kind| kind == "DISKS") {
            row.insert("disks".to_owned(), json!([]));
        }
    }
    data(row)
}
