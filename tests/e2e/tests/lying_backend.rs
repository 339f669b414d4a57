//! A backend that is down, slow, lying or full: each gives a typed error or a resumed operation, and never an orphan.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use serde_json::{Value, json};
use stowage_e2e::{Region, wait};

const QUOTA: &str = "/fileSystems/*/quota/*";

/// What goes wrong once, on the way of a create; each is survived without help.
const PASSING: &[(&str, &str, &str)] = &[
    ("reset_before", "PUT", QUOTA),
    ("reset_after", "PUT", QUOTA),
    ("truncated", "PUT", QUOTA),
    ("junk", "PUT", QUOTA),
    ("empty_body", "PUT", QUOTA),
    ("unavailable", "PUT", QUOTA),
    ("too_many_requests", "PUT", QUOTA),
    ("too_many_tasks", "PUT", QUOTA),
    ("unauthorized", "PUT", QUOTA),
    ("quota_other_inode", "PUT", QUOTA),
    ("reset_before", "GET", "/fileSystems/*/resolvePath"),
    ("junk", "GET", "/fileSystems/*/resolvePath"),
    ("unavailable", "GET", "/fileSystems"),
];

fn region() -> Region {
    let mut region = Region::start("live-4.4.22");
    region.add_weka();
    region.add_node("node-a");
    region
}

fn strike(region: &Region, rule: &Value) {
    region.emulator("DELETE", "/admin/faults", &Value::Null);
    region.emulator("POST", "/admin/faults", rule);
}

fn quotas(region: &Region) -> u64 {
    region.emulator("GET", "/admin/state", &Value::Null)["quotas"].as_u64().unwrap()
}

#[test]
fn what_fails_once_on_the_way_is_survived_and_leaves_one_object() {
    let region = region();
    for (index, (fault, method, path)) in PASSING.iter().enumerate() {
        let name = format!("acme/vision/n{index}");
        strike(&region, &json!({ "fault": fault, "method": method, "path": path, "count": 1 }));
        let made = region.operator.run(&format!("ns create {name} --class scratch --quota 1MiB --timeout 60s"));
        assert!(made.ok, "{fault} on {method} {path}: {}\n{}", made.err, region.host_log());
        assert_eq!(quotas(&region), 1, "{fault} on {method} {path} left more or less than one object");
        let deleted = region.operator.run(&format!("ns delete {name} --purge --timeout 60s"));
        assert!(deleted.ok, "after {fault}: {}", deleted.err);
        assert_eq!(quotas(&region), 0, "{fault} on {method} {path} left an orphan");
    }
}

#[test]
fn a_backend_that_is_down_is_waited_for_and_its_create_goes_on() {
    let region = region();
    region.emulator("PUT", "/admin/outage", &json!({ "outage": "refuse" }));
    let operation = region.operator.json("ns create acme/vision/patient --class scratch --quota 1MiB --no-wait");
    let name = operation["name"].as_str().unwrap();
    let retrying = wait::until("the operation retries", || {
        let seen = region.operator.json(&format!("op get {name}"));
        (seen["metadata"]["state"] == "OPERATION_STATE_RETRYING").then_some(seen)
    });
    let error = retrying["metadata"]["lastError"]["message"].as_str().unwrap();
    assert!(!error.is_empty(), "the error is told");
    region.emulator("PUT", "/admin/outage", &json!({ "outage": "none" }));
    region.operator.run(&format!("op wait {name} --timeout 90s")).success();
    assert_eq!(region.operator.json("ns get acme/vision/patient")["state"], "NAMESPACE_STATE_READY");
}

#[test]
fn a_locked_out_adapter_says_so_and_does_not_knock_on() {
    let region = region();
    strike(&region, &json!({ "fault": "locked_out", "method": "POST", "path": "/login" }));
    // The session that the host holds must be gone, and not be refreshed, or it would not log in at all.
    let refresh = json!({ "fault": "unauthorized", "method": "POST", "path": "/login/refresh" });
    region.emulator("POST", "/admin/faults", &refresh);
    region.emulator("POST", "/admin/clock", &json!({ "advance_ms": 400_000_000_u64 }));
    let refused = region.operator.run("provider probe weka").failure();
    assert!(refused.contains("locked the identity out"), "{refused}");
    region.emulator("DELETE", "/admin/requests", &Value::Null);
    let again = region.operator.run("provider probe weka").failure();
    assert!(again.contains("locked the identity out"), "{again}");
    let seen = region.emulator("GET", "/admin/requests", &Value::Null);
    let logins = seen.as_array().unwrap().iter().filter(|r| r["path"].as_str().unwrap().ends_with("/login")).count();
    assert_eq!(logins, 0, "the host knocked on a locked door: {seen}");
}
