//! The host or an agent is killed in the middle of an operation: it goes on, and nothing is made twice or left behind.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use serde_json::Value;
use stowage_e2e::{Region, wait};

fn in_state(region: &Region, operation: &str, state: &str) {
    wait::until(&format!("{operation} is {state}"), || {
        let seen = region.operator.json(&format!("op get {operation}"));
        assert_ne!(seen["done"], true, "it ended before the crash: {seen}");
        (seen["metadata"]["state"] == state).then_some(())
    });
}

fn create(region: &Region, name: &str) -> String {
    let operation = region.operator.json(&format!("ns create {name} --class scratch --quota 1MiB --no-wait"));
    operation["name"].as_str().unwrap().to_owned()
}

fn finish(region: &Region, operation: &str, name: &str) {
    region.operator.run(&format!("op wait {operation} --timeout 90s")).success();
    assert_eq!(region.operator.json(&format!("ns get {name}"))["state"], "NAMESPACE_STATE_READY");
    let quotas = &region.emulator("GET", "/admin/state", &Value::Null)["quotas"];
    assert_eq!(quotas, 1, "the crash left more or less than one object");
    region.operator.run(&format!("ns delete {name} --purge")).success();
}

#[test]
fn a_host_that_is_killed_right_after_its_answer_has_lost_nothing() {
    let mut region = Region::start("live-4.4.22");
    region.add_weka();
    region.add_node("node-a");
    let operation = create(&region, "acme/vision/early");
    region.kill_host();
    region.restart_host();
    finish(&region, &operation, "acme/vision/early");
}

#[test]
fn a_host_that_is_killed_while_it_waits_for_a_node_goes_on() {
    let mut region = Region::start("live-4.4.22");
    region.add_weka();
    region.add_node("node-a");
    region.kill_node("node-a");
    let operation = create(&region, "acme/vision/waiting");
    in_state(&region, &operation, "OPERATION_STATE_WAITING_NODE");
    region.kill_host();
    region.restart_host();
    region.restart_node("node-a");
    finish(&region, &operation, "acme/vision/waiting");
}

#[test]
fn an_agent_that_is_killed_keeps_its_mounts_and_knows_them_after_its_restart() {
    let mut region = Region::start("live-4.4.22");
    region.add_weka();
    region.add_node("node-a");
    region.operator.run("ns create acme/vision/kept --class scratch --quota 1MiB").success();
    region.operator.run("workload register acme/vision/job").success();
    let line = "mount plan acme/vision/job --id m --namespace acme/vision/kept --node node-a --mode rw";
    region.operator.run(line).success();
    let plan = region.operator.json("mount get acme/vision/job/m");
    let path = region.path(plan["mountPaths"][0].as_str().unwrap());
    std::fs::write(path.join("shared/before"), b"x").unwrap();
    region.kill_node("node-a");
    std::fs::write(path.join("shared/during"), b"x").unwrap();
    region.restart_node("node-a");
    region.operator.run("workload release acme/vision/job").success();
    assert!(!path.exists(), "the restarted agent did not unmount what the killed one had mounted");
}
