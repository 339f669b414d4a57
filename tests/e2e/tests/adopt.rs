//! What a cluster already has becomes a namespace with its data; looking first changes nothing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use serde_json::{Value, json};
use stowage_e2e::Region;

const FILESYSTEM: &str = "gpuaas-kind-fs";
const ADOPT: &str = "ns adopt acme/vision/old --provider weka --location gpuaas-kind-fs:/legacy/data --quota 4MiB";

/// A region with data of somebody else's making, at a cluster that can put quotas on it.
fn region() -> Region {
    let mut region = Region::start("live-4.4.22");
    region.add_weka();
    region.add_node("node-a");
    region.emulator("PATCH", "/admin/switches", &json!({ "data_services": true }));
    for path in ["/legacy", "/legacy/data"] {
        let dir = json!({ "filesystem": FILESYSTEM, "path": path, "uid": 3001, "gid": 3001, "perm": 0o750 });
        region.emulator("POST", "/admin/dirs", &dir);
    }
    let file = json!({ "filesystem": FILESYSTEM, "path": "/legacy/data/results", "text": "of years" });
    region.emulator("PUT", "/admin/files", &file);
    region
}

fn at_the_cluster(region: &Region) -> (Value, Value) {
    let tree = region.emulator("GET", &format!("/admin/tree?filesystem={FILESYSTEM}&path=/"), &Value::Null);
    (tree, region.emulator("GET", "/admin/state", &Value::Null)["quotas"].clone())
}

fn at_the_host(region: &Region) -> [Value; 3] {
    ["ns list acme/vision", "project get acme/vision", "op list"].map(|line| region.operator.json(line))
}

#[test]
fn a_dry_run_says_what_would_be_recorded_and_changes_nothing() {
    let region = region();
    let before = (at_the_cluster(&region), at_the_host(&region));
    region.emulator("DELETE", "/admin/requests", &Value::Null);
    let shown = region.operator.run(&format!("{ADOPT} --dry-run")).success();
    assert!(shown.contains("/legacy/data"), "{shown}");
    let requests = region.emulator("GET", "/admin/requests", &Value::Null);
    for request in requests.as_array().unwrap() {
        let login = request["path"].as_str().unwrap().contains("/login");
        assert!(request["method"] == "GET" || login, "a dry run changed the cluster: {request}");
    }
    assert_eq!((at_the_cluster(&region), at_the_host(&region)), before);
}

#[test]
fn an_adopted_directory_keeps_its_data_and_gets_its_quota() {
    let region = region();
    region.operator.run(ADOPT).success();
    let namespace = region.operator.json("ns get acme/vision/old");
    assert_eq!(namespace["state"], "NAMESPACE_STATE_READY");
    assert!(namespace["location"].as_str().unwrap().contains("/legacy/data"), "{namespace}");
    assert_eq!(namespace["effectiveQuota"]["hardBytes"], "4194304");

    region.operator.run("workload register acme/vision/job").success();
    let line = "mount plan acme/vision/job --id m --namespace acme/vision/old --node node-a";
    region.operator.run(line).success();
    let plan = region.operator.json("mount get acme/vision/job/m");
    let path = region.path(plan["mountPaths"][0].as_str().unwrap());
    assert_eq!(std::fs::read(path.join("results")).unwrap(), b"of years");
    region.operator.run("workload release acme/vision/job").success();

    let again = region.operator.run(&ADOPT.replace("vision/old", "vision/twice")).failure();
    assert!(again.contains("/legacy/data"), "{again}");
    region.operator.run("ns delete acme/vision/old").success();
    let (tree, quotas) = at_the_cluster(&region);
    assert!(tree.to_string().contains("results"), "a delete without purge removed data: {tree}");
    assert_eq!(quotas, 0, "its quota is left");
}

#[test]
fn what_is_not_there_or_not_a_place_of_its_own_is_refused() {
    let region = region();
    for (location, word) in [
        ("gpuaas-kind-fs:/legacy/absent", "absent"),
        ("default:/legacy/data", "location"),
        ("gpuaas-kind-fs:/legacy/../legacy/data", "location"),
        ("/", "location"),
    ] {
        let line = ADOPT.replace("gpuaas-kind-fs:/legacy/data", location);
        let refused = region.operator.run(&format!("{line} --dry-run")).failure();
        assert!(refused.contains(word), "{location}: {refused}");
    }
}
