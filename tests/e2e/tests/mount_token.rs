//! A namespace that is a filesystem of its own is kept by its mount token, which only the plan's node can redeem.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use serde_json::Value;
use stowage_e2e::Region;

#[test]
fn a_token_reaches_its_node_once_and_is_nowhere_else() {
    let mut region = Region::start("live-4.4.22");
    region.add_weka();
    let config = r#"{"isolation":"filesystem","mount":{"client":"stateless","backends":["10.0.0.10"]},"poll":{"filesystem_ms":50}}"#;
    for line in [
        &format!(
            "provider add weka-fs --plugin weka --config '{config}' --endpoint control={} --plain-http \
             --secret admin=providers/weka/admin --label vendor=weka-fs",
            region.weka
        ) as &str,
        "class create own --protocol posix --select vendor=weka-fs",
        "project create acme/big --uid 2003 --gid 2003 --quota 10GiB",
    ] {
        region.operator.run(line).success();
    }
    region.add_node("node-a");
    region.operator.run("ns create acme/big/own --class own --quota 1GiB").success();
    region.operator.run("workload register acme/big/job").success();
    region.operator.run("mount plan acme/big/job --id m --namespace acme/big/own --node node-a --mode rw").success();

    let plan = region.operator.json("mount get acme/big/job/m");
    let handle = plan["secrets"][0]["handle"].as_str().unwrap_or_else(|| panic!("the plan has no secret: {plan}"));
    let path = region.path(plan["mountPaths"][0].as_str().unwrap());
    std::fs::write(path.join("shared/x"), b"x").unwrap();

    let mounts = region.emulator("GET", "/admin/mounts", &Value::Null);
    let own =
        mounts.as_array().unwrap().iter().find(|mount| mount["target"].as_str().unwrap().contains("/state/plans/"));
    let own = own.unwrap_or_else(|| panic!("the cluster does not see the mount: {mounts}"));
    assert_eq!(own["user"], "admin@Root", "the mount was made without its token: {own}");
    assert!(!handle.is_empty(), "the plan shows more than a handle: {plan}");

    region.operator.run("workload release acme/big/job").success();
    let kept = region.directory().join("nodes/node-a/state/secrets");
    let left = std::fs::read_dir(&kept).map(|entries| entries.count()).unwrap_or_default();
    assert_eq!(left, 0, "the node keeps a token of a released plan");
    region.operator.run("ns delete acme/big/own --purge").success();
    let left = region.emulator("GET", "/admin/state", &Value::Null);
    assert_eq!(left["filesystems"].as_array().unwrap().len(), 5, "a filesystem is left: {left}");
}
