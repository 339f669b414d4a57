//! Nodes in trouble: a mount that hangs, and a node that is not heard of.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use serde_json::Value;
use stowage_e2e::{Region, wait};

/// A region with a namespace on WEKA and one on the fake, one node, and a workload.
fn region() -> Region {
    let mut region = Region::start_with("live-4.4.22", |config| format!("{config}\n[nodes]\nreport_every_s = 1\n"));
    region.add_weka();
    for line in [
        "provider add fake --plugin fake --config '{\"root\":\"fake\",\"capacity_bytes\":1073741824}' --label vendor=fake",
        "class create cheap --protocol posix --select vendor=fake",
    ] {
        region.operator.run(line).success();
    }
    region.add_node("node-a");
    for line in [
        "ns create acme/vision/parallel --class scratch --quota 1MiB",
        "ns create acme/vision/local --class cheap --quota 1MiB",
        "workload register acme/vision/job",
    ] {
        region.operator.run(line).success();
    }
    region
}

/// Makes the mount helper wait for a word through the pipe that is answered.
fn hang_mounts(region: &Region) -> std::path::PathBuf {
    let pipe = region.directory().join("go-on");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let (helper, real) = (region.path("/usr/sbin/mount.wekafs"), region.path("/usr/sbin/really.wekafs"));
    std::fs::rename(&helper, &real).unwrap();
    let script = format!("#!/bin/sh\nread word < {}\nexec /usr/sbin/really.wekafs \"$@\"\n", pipe.display());
    std::fs::write(&helper, script).unwrap();
    std::fs::set_permissions(&helper, std::fs::Permissions::from_mode(0o755)).unwrap();
    pipe
}

#[test]
fn a_mount_that_hangs_delays_no_other_work_of_its_node() {
    let region = region();
    let pipe = hang_mounts(&region);
    let plan = |id: &str, namespace: &str| {
        format!("mount plan acme/vision/job --id {id} --namespace acme/vision/{namespace} --node node-a --mode rw")
    };
    let hanging = region.operator.json(&format!("{} --no-wait", plan("slow", "parallel")));
    let hanging = hanging["name"].as_str().unwrap().to_owned();
    wait::until("the mount has begun", || {
        let log = std::fs::read_to_string(region.directory().join("nodes/node-a/state/mounts.json")).ok()?;
        log.contains("/slow").then_some(())
    });

    region.operator.run(&plan("quick", "local")).success();
    region.operator.run("mount release acme/vision/job/quick").success();
    assert_ne!(region.operator.json(&format!("op get {hanging}"))["done"], true, "the mount did not hang");
    assert_eq!(region.operator.json("node get node-a")["state"], "NODE_STATE_ONLINE");

    std::fs::write(&pipe, "go\n").unwrap();
    region.operator.run(&format!("op wait {hanging}")).success();
    assert_eq!(region.operator.json("mount get acme/vision/job/slow")["state"], "MOUNT_STATE_MOUNTED");
}

#[test]
fn plans_of_a_silent_node_are_listed_with_the_node_s_name() {
    let mut region = region();
    region.operator.run("mount plan acme/vision/job --id m --namespace acme/vision/local --node node-a").success();
    let list = |region: &Region| {
        let listed = region.operator.run("mount list acme/vision/job -o json");
        let plans: Value = serde_json::from_str(&listed.out).unwrap();
        (plans[0]["state"].as_str().unwrap().to_owned(), listed.err)
    };
    assert_eq!(list(&region), ("MOUNT_STATE_MOUNTED".to_owned(), String::new()));
    region.kill_node("node-a");
    let said = wait::until("the node is silent", || {
        let (state, said) = list(&region);
        (state == "MOUNT_STATE_STALE").then_some(said)
    });
    assert!(said.contains("nodes/node-a is not heard of"), "{said}");
    region.restart_node("node-a");
    wait::until("the node is heard of again", || (list(&region).0 == "MOUNT_STATE_MOUNTED").then_some(()));
}
