//! A tenant in an organization of its own: made with a password that the host makes, opened by that alone, from the first
//! directory that a node makes to the mount of a workload.
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
fn a_tenant_lives_in_its_own_organization_and_every_mount_there_has_its_token() {
    let mut region = Region::start("live-4.4.22");
    region.add_weka();
    let config = r#"{"isolation":"organization","mount":{"client":"stateless","backends":["10.0.0.10"]},"poll":{"filesystem_ms":50}}"#;
    for line in [
        &format!(
            "provider add weka-org --plugin weka --config '{config}' --endpoint control={} --plain-http \
             --secret admin=providers/weka/admin --label vendor=weka-org",
            region.weka
        ) as &str,
        "class create own --protocol posix --select vendor=weka-org",
        "project create acme/big --uid 2003 --gid 2003 --quota 10GiB",
    ] {
        region.operator.run(line).success();
    }
    region.add_node("node-a");
    region.operator.run("ns create acme/big/one --class own --quota 1GiB").success();
    region.operator.run("ns create acme/big/two --class own --quota 1GiB").success();

    let state = region.emulator("GET", "/admin/state", &Value::Null);
    let organizations = state["organizations"].as_array().unwrap();
    assert_eq!(organizations.len(), 2, "one organization serves both namespaces: {state}");
    let organization = organizations[1].as_str().unwrap();
    assert!(organization.starts_with("sw-acme-"), "{organization}");

    region.operator.run("workload register acme/big/job").success();
    region.operator.run("mount plan acme/big/job --id m --namespace acme/big/one --node node-a --mode rw").success();
    let plan = region.operator.json("mount get acme/big/job/m");
    let path = region.path(plan["mountPaths"][0].as_str().unwrap());
    std::fs::write(path.join("shared/x"), b"x").unwrap();

    // The nodes' own work and the workload's mount alike speak as the tenant's administrator.
    let mounts = region.emulator("GET", "/admin/mounts", &Value::Null);
    let of_tenant: Vec<_> =
        mounts.as_array().unwrap().iter().filter(|m| m["filesystem"].as_str().unwrap().starts_with("sw-")).collect();
    assert!(of_tenant.len() >= 2, "{mounts}");
    for mount in of_tenant {
        let user = mount["user"].as_str().unwrap_or_default();
        assert!(user.starts_with("swt-") && user.ends_with(&format!("@{organization}")), "{mount}");
    }

    region.operator.run("workload release acme/big/job").success();
    let kept = region.directory().join("nodes/node-a/state/secrets");
    let left = std::fs::read_dir(&kept).map(|entries| entries.count()).unwrap_or_default();
    assert_eq!(left, 0, "the node keeps a token");
    region.operator.run("ns delete acme/big/one --purge").success();
    region.operator.run("ns delete acme/big/two --purge").success();
}
