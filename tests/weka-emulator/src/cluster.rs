//! The cluster itself: its state, capacity, machines and licence. There is no capacity route: capacity is in here.

use crate::uid::Uid;
use serde_json::{Value, json};

use crate::call::Call;
use crate::clock::{Millis, rfc3339};
use crate::envelope::{Answer, data};
use crate::state::State;

/// Backend containers and what they are called.
#[derive(Clone, Debug, Default)]
pub(crate) struct Machines {
    pub(crate) cluster_name: String,
    pub(crate) guid: Uid,
    pub(crate) backends: Vec<Backend>,
    pub(crate) started: Millis,
}

/// One backend container with its two processes (management; drives, compute and frontend).
#[derive(Clone, Debug)]
pub(crate) struct Backend {
    pub(crate) host: u64,
    pub(crate) uid: Uid,
    pub(crate) management: Uid,
    pub(crate) io: Uid,
}

impl Backend {
    fn hostname(&self) -> String {
        format!("weka-{}", self.host)
    }

    fn address(&self) -> String {
        format!("10.1.0.{}", self.host.saturating_add(10))
    }
}

/// Decimal gigabytes, as licences count.
fn gigabytes(bytes: u64) -> u64 {
    bytes / 1_000_000_000
}

fn licensing(state: &State) -> Value {
    let usable = gigabytes(state.switches.cluster_total_bytes);
    let raw = usable.saturating_mul(2);
    let now = state.now();
    let day: Millis = 86_400_000;
    json!({
        "mode": "Classic",
        "license": "license_key",
        "error": "",
        "next_check": rfc3339(now.saturating_add(3_600_000)),
        "check_interval_secs": 3600,
        "usage": { "drive_capacity_gb": raw, "usable_capacity_gb": usable, "obs_capacity_gb": 0 },
        "limits": {
            "drive_capacity_gb": raw,
            "usable_capacity_gb": u64::MAX,
            "obs_capacity_gb": 1_000_000_000_000_000_u64,
            "valid_from": rfc3339(state.machines.started),
            "expires_at": rfc3339(state.machines.started.saturating_add(day.saturating_mul(365))),
        },
    })
}

/// `GET /cluster`
pub(crate) fn get(state: &mut State, _call: &Call) -> Answer {
    let machines = &state.machines;
    let count = machines.backends.len();
    let clients = state.mounts.count();
    let total = state.switches.cluster_total_bytes;
    let started = rfc3339(machines.started);
    let buckets = count.saturating_mul(15);
    let mut row = json!({
        "name": machines.cluster_name,
        "guid": machines.guid,
        "is_cluster": true,
        "release": state.release.to_string(),
        "release_hash": "d79aaa56d95d9beb02b15783dede1ec79d4c273b",
        "upgrade": "",
        "status": "OK",
        "io_status": "STARTED",
        "io_status_changed_time": started,
        "init_stage": "INITIALIZED",
        "init_stage_changed_time": started,
        "last_init_failure": "",
        "last_init_failure_code": "",
        "last_init_failure_time": "",
        "hot_spare": 1,
        "stripe_data_drives": 5,
        "stripe_protection_drives": 2,
        "failure_domains_enabled": true,
        "drives": { "active": count, "total": count },
        "io_nodes": { "active": count, "total": count },
        "nodes": { "blacklisted": 0, "total": count.saturating_mul(2) },
        "hosts": {
            "total_count": count.saturating_add(clients),
            "active_count": count.saturating_add(clients),
            "backends": { "active": count, "total": count },
            "clients": { "active": clients, "total": clients },
        },
        "buckets": {
            "active": buckets,
            "total": buckets,
            "global_flush_generation": 1,
            "global_flush_status": "NONE",
            "flush_finished": buckets,
            "shutdown_finished": buckets,
        },
        "capacity": {
            "total_bytes": total,
            "hot_spare_bytes": total / 6,
            "unprovisioned_bytes": state.unprovisioned(),
        },
        "licensing": licensing(state),
        "activity": {
            "num_ops": 0, "num_reads": 0, "num_writes": 0, "sum_bytes_read": 0, "sum_bytes_written": 0,
            "obs_upload_bytes_per_second": 0, "obs_download_bytes_per_second": 0,
        },
        "time": {
            "cluster_time": state.clock.rfc3339(),
            "allowed_clock_skew_secs": 60,
            "cluster_local_utc_offset_seconds": 0,
            "cluster_local_utc_offset": "+00:00",
        },
        "net": { "link_layer": "ETH" },
        "cloud": { "enabled": false, "healthy": false, "proxy": "" },
        "overlay": { "branching_factor": 40, "clients_branching_factor": 100, "client_nodes_at_risk": 0 },
        "grim_reaper": { "enabled": true, "is_cluster_fully_connected": true, "node_with_least_links": "" },
        "block_upgrade_task": { "type": "INVALID", "progress": 0, "taskId": "BlockTaskId<0>", "state": "IDLE" },
        "scrubber_bytes_per_sec": 134_217_728,
        "active_alerts_count": 0,
        "short_drive_grace_on_failure_secs": 10,
        "long_drive_grace_on_failure_secs": 360,
    });
    if let Some(row) = row.as_object_mut() {
        row.extend(state.cluster_overrides.clone());
    }
    data(row)
}

/// `GET /license`
pub(crate) fn license(state: &mut State, _call: &Call) -> Answer {
    data(licensing(state))
}

fn container_row(state: &State, backend: &Backend) -> Value {
    let started = rfc3339(state.machines.started);
    json!({
        "id": format!("HostId<{}>", backend.host),
        "uid": backend.uid,
        "container_name": "default",
        "mode": "backend",
        "state": "ACTIVE",
        "status": "UP",
        "hostname": backend.hostname(),
        "ips": [backend.address()],
        "container_ip": backend.address(),
        "mgmt_port": 14000,
        "sw_version": state.release.to_string(),
        "sw_release_string": state.release.to_string(),
        "server_identifier": backend.uid,
        "cores": 1,
        "cores_ids": [1],
        "frontend_dedicated_cores": 0,
        "drives_dedicated_cores": 0,
        "memory": 1_493_172_224_u64,
        "io_processes": 1,
        "failure_domain": format!("DOM-{:03}", backend.host),
        "failure_domain_id": format!("FailureDomainId<{}>", backend.host),
        "failure_domain_type": "USER",
        "member_of_leadership": true,
        "leadership_role": if backend.host == 0 { "leader" } else { "member" },
        "added_time": started,
        "start_time": started,
        "state_changed_time": started,
        "last_failure": "",
        "last_failure_code": "",
        "last_failure_time": "",
        "requested_action": "NONE",
        "requested_action_failure": "",
        "cloud": {},
        "aws": {},
        "os_info": {},
        "auto_remove_timeout": null,
    })
}

/// `GET /containers` (before 4.2 also `/hosts`), with `filter_type`
pub(crate) fn containers(state: &mut State, call: &Call) -> Answer {
    let filter = call.query.get("filter_type").map_or("All", String::as_str);
    let shown = |backend: &&Backend| match filter {
        "Clients" => false,
        "Leader" => backend.host == 0,
        _ => true,
    };
    data(state.machines.backends.iter().filter(shown).map(|backend| container_row(state, backend)).collect())
}

fn process_row(state: &State, backend: &Backend, slot: u64, uid: Uid, roles: &[&str]) -> Value {
    json!({
        "id": format!("NodeId<{}>", backend.host.saturating_mul(20).saturating_add(slot)),
        "uid": uid,
        "container_id": format!("HostId<{}>", backend.host),
        "container_name": "default",
        "hostname": backend.hostname(),
        "mode": "backend",
        "roles": roles,
        "status": "UP",
        "ips": [backend.address()],
        "mgmt_ips": [backend.address()],
        "mgmt_port": 14000,
        "sw_version": state.release.to_string(),
        "slot": slot,
        "network_mode": if slot == 0 { "UDP" } else { "DPDK" },
        "is_blacklisted": false,
        "up_since": rfc3339(state.machines.started),
    })
}

/// `GET /processes` (before 4.2 also `/nodes`). Data Services shows only as a role here.
pub(crate) fn processes(state: &mut State, _call: &Call) -> Answer {
    let mut rows = Vec::new();
    for backend in &state.machines.backends {
        rows.push(process_row(state, backend, 0, backend.management, &["MANAGEMENT"]));
        rows.push(process_row(state, backend, 1, backend.io, &["DRIVES", "COMPUTE", "FRONTEND"]));
    }
    if let (true, Some(first)) = (state.switches.data_services, state.machines.backends.first()) {
        rows.push(process_row(state, first, 2, first.uid, &["DATASERV"]));
    }
    data(Value::Array(rows))
}

/// `GET /dataService/features`
pub(crate) fn data_service_features(state: &mut State, _call: &Call) -> Answer {
    let enabled = state.switches.data_services;
    data(json!([{ "name": "quota", "enabled": enabled, "description": "Distributed Quota" }]))
}

/// `GET /alerts`, `GET /events`: none
pub(crate) fn none(_state: &mut State, _call: &Call) -> Answer {
    data(json!([]))
}
