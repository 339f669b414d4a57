//! Processes of the containers, which older releases call nodes.
//!
//! A Data Services container can be told only by the role of its process: its container looks like any backend.

use serde_json::{Value, json};

use crate::call::Call;
use crate::clock::rfc3339;
use crate::containers::Backend;
use crate::envelope::{Answer, Refusal, data};
use crate::state::State;
use crate::uid::Uid;

/// One process of a backend.
struct Process<'a> {
    backend: &'a Backend,
    slot: u64,
    uid: Uid,
    roles: &'a [&'a str],
}

impl Process<'_> {
    fn node(&self) -> u64 {
        self.backend.host.saturating_mul(20).saturating_add(self.slot)
    }

    fn row(&self, state: &State) -> Value {
        let Self { backend, slot, uid, roles } = self;
        let link = json!({ "missing": 0, "synced": 13, "required": 13 });
        let idle = json!({ "missing": 0, "synced": 0, "required": 0 });
        let dpdk = *slot == 1;
        json!({
            "id": format!("NodeId<{}>", self.node()),
            "uid": uid,
            "container_id": format!("HostId<{}>", backend.host),
            "container_name": "default",
            "hostname": backend.hostname(),
            "mode": "backend",
            "roles": roles,
            "status": backend.status(),
            "ips": [backend.address()],
            "mgmt_ips": [backend.address()],
            "mgmt_port": 14000,
            "sw_version": state.release.to_string(),
            "slot": slot,
            "network_mode": if dpdk { "DPDK" } else { "UDP" },
            "is_blacklisted": false,
            "is_dpdk": dpdk,
            "is_ucx": false,
            "memory": 1_476_395_008,
            "leadership_role": if backend.host == 0 { "leader" } else { "member" },
            "last_fencing_reason": "INVALID",
            "last_fencing_time": "",
            "last_join_reject_reason": "NONE",
            "lowest_node_path_issue": "NodeId<INVALID>",
            "cpu_id": slot,
            "cpu_core_id": slot,
            "cpu_numa_node": 0,
            "cpu_socket_id": 0,
            "cpu_is_dedicated": dpdk,
            "cpu_model": "",
            "dpdk_ip": if dpdk { backend.address() } else { "" },
            "dpdk_port_info": [],
            "dpdk_socket_info": [],
            "gds_mode": "",
            "rdma_mode": "",
            "ucx_mode": "",
            "trace_history_in_seconds": 0,
            "up_since": rfc3339(state.machines.started),
            "missing_links": {
                "missing": 0,
                "self_report": { "up": link, "joining": idle, "syncing": idle, "total": 13 },
                "others_report": {
                    "syncing_reporters": [], "up_reporters": [], "joining_reporters": [], "reporters": [],
                    "joining_missing": 0, "up_missing": 0, "syncing_missing": 0, "missing": 0,
                },
            },
        })
    }
}

impl State {
    fn processes(&self) -> Vec<Process<'_>> {
        let mut all = Vec::new();
        for backend in &self.machines.backends {
            all.push(Process { backend, slot: 0, uid: backend.management, roles: &["MANAGEMENT"] });
            all.push(Process { backend, slot: 1, uid: backend.io, roles: &["DRIVES", "COMPUTE", "FRONTEND"] });
        }
        if let (true, Some(backend)) = (self.switches.data_services, self.machines.backends.first()) {
            all.push(Process { backend, slot: 2, uid: backend.uid, roles: &["DATASERV"] });
        }
        all
    }
}

/// `GET /processes`, with `filter_type`
pub(crate) fn list(state: &mut State, call: &Call) -> Answer {
    let filter = call.query.get("filter_type").map_or("All", String::as_str);
    let listed = |name: &str, wanted: &str| {
        call.query.get(name).is_some_and(|list| list.split(',').any(|item| item.trim() == wanted))
    };
    let shown = |process: &&Process<'_>| match filter {
        "Clients" => false,
        "Leader" => process.backend.host == 0,
        "ByContainerOrProcess" => {
            let by_container = listed("container_ids", &process.backend.host.to_string());
            by_container || listed("process_ids", &process.node().to_string())
        }
        "Roles" => process.roles.iter().any(|role| listed("roles", role)),
        _ => true,
    };
    data(state.processes().iter().filter(shown).map(|process| process.row(state)).collect())
}

/// `GET /processes/{uid}`
pub(crate) fn get(state: &mut State, call: &Call) -> Answer {
    let uid = call.uid("uid")?;
    let all = state.processes();
    let found = all.iter().find(|process| process.uid == uid).ok_or_else(|| Refusal::no_uid(&uid.to_string()))?;
    data(found.row(state))
}
