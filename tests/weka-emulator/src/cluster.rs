//! The cluster itself: its state, capacity, machines and licence. There is no capacity route: capacity is in here.

use serde_json::json;

use crate::call::Call;
use crate::clock::rfc3339;
use crate::containers::Backend;
use crate::envelope::{Answer, Refusal, data, nothing};
use crate::state::State;
use crate::{alerts, licence};

/// `GET /cluster`
pub(crate) fn get(state: &mut State, _call: &Call) -> Answer {
    let machines = &state.machines;
    let count = machines.backends.len();
    let active = machines.backends.iter().filter(|backend| Backend::is_active(backend)).count();
    let alerts = alerts::active(state).len();
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
        "drives": { "active": active, "total": count },
        "io_nodes": { "active": active, "total": count },
        "nodes": { "blacklisted": 0, "total": count.saturating_mul(2) },
        "hosts": {
            "total_count": count.saturating_add(clients),
            "active_count": active.saturating_add(clients),
            "backends": { "active": active, "total": count },
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
        "buckets_info": {
            "averageFillLevelPPM": 0,
            "averageFillLevelPPMMinSinceLastEvent": 0,
            "shrunkAtGeneration": "ConfigGeneration<INVALID>",
            "placementAllocationThresholdPPM": 450_000,
            "maxPrefetchRPCs": 256,
            "thinProvisionState": { "usableWritable": 0, "totalSSDBudgets": 0, "shrinkageFactor": { "val": 4096 } },
        },
        "rebuild": {
            "requiredFDsForRebuild": 4, "unavailablePercent": 0, "enoughActiveFDs": active >= 5,
            "totalCopiesMiB": 0, "unavailableMiB": 0, "progressPercent": 0, "stripeDisks": 7,
            "numActiveFDs": active, "totalCopiesDoneMiB": 0,
            "protectionState": [{ "percent": 100, "numFailures": 0, "MiB": total >> 20 }],
        },
        "hanging_ios": {
            "alerts_threshold_secs": 900,
            "event_driver_frontend_threshold_secs": 1800,
            "event_nfs_frontend_threshold_secs": 1800,
            "event_backend_threshold_secs": 1800,
            "last_emitted_driver_frontend_event": "",
            "last_emitted_driver_frontend_no_longer_detected_event": "",
            "last_emitted_nfs_frontend_event": "",
            "last_emitted_nfs_frontend_no_longer_detected_event": "",
            "last_emitted_backend_event": "",
            "last_emitted_backend_no_longer_detected_event": "",
        },
        "capacity": {
            "total_bytes": total,
            "hot_spare_bytes": total / 6,
            "unprovisioned_bytes": state.unprovisioned(),
        },
        "licensing": licence::row(state),
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
        "overlay": { "branching_factor": 40, "clients_branching_factor": 100, "client_nodes_at_risk": 0,
            "client_nodes_not_supported": 0, "client_nodes_safety_histogram": [0, 0, 10, 1],
            "backend_nodes_safety_histogram": [0, 0, 10, 1] },
        "grim_reaper": { "enabled": true, "is_cluster_fully_connected": true, "node_with_least_links": "" },
        "block_upgrade_task": { "type": "INVALID", "progress": 0, "taskId": "BlockTaskId<0>", "state": "IDLE" },
        "scrubber_bytes_per_sec": 134_217_728,
        "active_alerts_count": alerts,
        "short_drive_grace_on_failure_secs": 10,
        "long_drive_grace_on_failure_secs": 360,
        "start_io_starting_drives_grace_secs": 60,
        "start_io_starting_io_nodes_grace_secs": 30,
    });
    if let Some(row) = row.as_object_mut() {
        row.extend(state.cluster_settings.clone());
        row.extend(state.cluster_overrides.clone());
    }
    data(row)
}

/// `POST /cluster`: this one is formed already
pub(crate) fn create(state: &mut State, _call: &Call) -> Answer {
    Err(Refusal::message(state.switches.duplicate_status, "The cluster already exists"))
}

/// `PUT /cluster`
pub(crate) fn update(state: &mut State, call: &Call) -> Answer {
    let numbers = [
        ("data_drives", "stripe_data_drives"),
        ("parity_drives", "stripe_protection_drives"),
        ("scrubber_bytes_per_sec", "scrubber_bytes_per_sec"),
        ("hotspare_failure_domains", "hot_spare"),
    ];
    let mut changes = Vec::new();
    for (field, shown) in numbers {
        changes.extend(call.number(field)?.map(|number| (shown.to_owned(), json!(number))));
    }
    state.cluster_settings.extend(changes);
    if let Some(name) = call.text("cluster_name") {
        state.machines.cluster_name = name;
    }
    nothing()
}

/// `GET /cluster/capacity_reduction`: nothing is reduced here
pub(crate) fn capacity_reduction(_state: &mut State, _call: &Call) -> Answer {
    data(json!({ "data_reduction_saved_bytes": 0, "data_reduction_ratio": 1.0 }))
}

/// `GET /dataService/features`
pub(crate) fn data_service_features(state: &mut State, _call: &Call) -> Answer {
    let enabled = state.switches.data_services;
    data(json!([{ "name": "quota", "enabled": enabled, "description": "Distributed Quota" }]))
}
