//! The other state engine keeps what the first keeps: a killed host goes on where it was.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use serde_json::Value;
use stowage_e2e::{Region, wait};

fn region() -> Region {
    let region = Region::start_with("live-4.4.22", |config| {
        assert!(config.contains("engine = \"sled\""), "{config}");
        config.replace("engine = \"sled\"", "engine = \"redb\"")
    });
    region.add_weka();
    region
}

#[test]
fn a_host_on_redb_that_is_killed_while_it_waits_for_a_node_goes_on() {
    let mut region = region();
    region.add_node("node-a");
    region.kill_node("node-a");
    let operation = region.operator.json("ns create acme/vision/waiting --class scratch --quota 1MiB --no-wait");
    let operation = operation["name"].as_str().unwrap().to_owned();
    wait::until("it waits for the node", || {
        let seen = region.operator.json(&format!("op get {operation}"));
        (seen["metadata"]["state"] == "OPERATION_STATE_WAITING_NODE").then_some(())
    });
    region.kill_host();
    region.restart_host();
    region.restart_node("node-a");
    region.operator.run(&format!("op wait {operation} --timeout 90s")).success();
    assert_eq!(region.operator.json("ns get acme/vision/waiting")["state"], "NAMESPACE_STATE_READY");
    assert_eq!(region.emulator("GET", "/admin/state", &Value::Null)["quotas"], 1);
    region.operator.run("ns delete acme/vision/waiting --purge").success();
    assert_eq!(region.emulator("GET", "/admin/state", &Value::Null)["quotas"], 0);
}

#[test]
fn everything_that_a_host_on_redb_has_answered_is_there_after_a_kill() {
    let mut region = region();
    let lines = ["provider list", "class list", "tenant list", "project list acme"];
    let before = lines.map(|line| names(&region.operator.json(line)));
    assert!(before.iter().all(|names| names.len() == 1), "{before:?}");
    region.kill_host();
    region.restart_host();
    assert_eq!(lines.map(|line| names(&region.operator.json(line))), before);
}

fn names(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}
