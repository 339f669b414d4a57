//! A grant shares a namespace as far as it reaches and as long as it stands, and no tenant reaches into another.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::process::Command;

use serde_json::Value;
use stowage_e2e::binaries::program;
use stowage_e2e::cli::Cli;
use stowage_e2e::{Region, wait};

const SHARED: &str = "acme/vision/train";

/// A region with `train` of `acme/vision`, the project `acme/audio` with the workload `reader`, and one node.
fn region() -> Region {
    let mut region = Region::start("live-4.4.22");
    region.add_fake();
    region.add_node("node-a");
    for line in [
        "project create acme/audio --uid 2002 --gid 2002 --quota 64MiB",
        "workload register acme/audio/reader",
        "ns create acme/vision/train --class cheap --quota 1MiB",
    ] {
        region.operator.run(line).success();
    }
    region
}

fn share(region: &Region, more: &str) {
    let line = format!("grant create {SHARED} --id readers --to project:acme/audio --action read,list {more}");
    region.operator.run(&line).success();
}

fn plan(prefix: &str, id: &str) -> String {
    format!("mount plan acme/audio/reader --id {id} --namespace {SHARED} --node node-a --prefix {prefix} --mode ro")
}

fn shared_names(region: &Region) -> Vec<Value> {
    let list = region.operator.json("ns list acme/audio --shared");
    list.as_array().unwrap().iter().map(|namespace| namespace["name"].clone()).collect()
}

#[test]
fn what_is_shared_is_listed_and_mounted_until_its_grant_is_taken_back() {
    let region = region();
    assert!(shared_names(&region).is_empty());
    share(&region, "--prefix shared/");
    assert_eq!(shared_names(&region), ["tenants/acme/projects/vision/namespaces/train"]);
    region.operator.run(&plan("shared/", "m")).success();
    let mounted = region.operator.json("mount get acme/audio/reader/m");
    let path = region.path(mounted["mountPaths"][0].as_str().unwrap());
    assert!(path.exists(), "{mounted}");

    region.operator.run(&format!("grant revoke {SHARED}/readers")).success();
    assert!(!path.exists(), "the mount outlived its grant");
    assert!(shared_names(&region).is_empty());
    assert_eq!(region.operator.json("mount get acme/audio/reader/m")["state"], "MOUNT_STATE_REVOKED");
    let refused = region.operator.run(&plan("shared/", "again")).failure();
    assert!(refused.contains("mount_plan.prefixes"), "{refused}");
}

#[test]
fn a_grant_reaches_no_other_prefix_and_no_longer_than_it_lasts() {
    let region = region();
    share(&region, "--prefix shared/ --expires-in 3s");
    for prefix in ["checkpoints/", "shared-not/", "''"] {
        let refused = region.operator.run(&plan(prefix, "wide")).failure();
        assert!(refused.contains("mount_plan.prefixes"), "{prefix}: {refused}");
    }
    wait::until("the grant has expired", || {
        let grant = region.operator.json(&format!("grant get {SHARED}/readers"));
        (grant["state"] == "GRANT_STATE_EXPIRED").then_some(())
    });
    assert!(shared_names(&region).is_empty());
    let refused = region.operator.run(&plan("shared/", "late")).failure();
    assert!(refused.contains("mount_plan.prefixes"), "{refused}");
}

#[test]
fn a_grant_across_tenants_is_refused_unless_both_allow_it() {
    let region = region();
    region.operator.run("tenant create rival").success();
    region.operator.run("project create rival/spy --uid 2003 --gid 2003").success();
    region.operator.run("workload register rival/spy/probe").success();
    for to in ["project:rival/spy", "workload:rival/spy/probe"] {
        let refused = region.operator.run(&format!("grant create {SHARED} --to {to} --action read,list")).failure();
        assert!(refused.contains("does not allow sharing across tenants"), "{to}: {refused}");
    }
    let grants = region.operator.json(&format!("grant list {SHARED}"));
    assert_eq!(grants.as_array().map(Vec::len), Some(0), "{grants}");
    let line = format!("mount plan rival/spy/probe --namespace {SHARED} --node node-a");
    let refused = region.operator.run(&line).failure();
    assert!(refused.contains("[MOUNT_NOT_GRANTED]"), "{refused}");
}

/// What an administrator of another tenant may not do.
const FOREIGN: &[&str] = &[
    "ns list acme/vision",
    "ns list acme/vision --shared",
    "ns get acme/vision/train",
    "ns usage acme/vision/train",
    "ns create acme/vision/mine --class cheap --quota 1MiB",
    "ns set-quota acme/vision/train --quota 2MiB",
    "ns update acme/vision/train --deletion-protection true",
    "ns delete acme/vision/train --purge",
    "grant list acme/vision/train",
    "grant create acme/vision/train --to project:rival/spy --action read",
    "workload register acme/vision/mine",
    "workload release acme/audio/reader",
    "mount plan acme/audio/reader --namespace acme/vision/train --node node-a",
    "mount plan rival/spy/probe --namespace acme/vision/train --node node-a",
    "project get acme/vision",
    "project create acme/mine --uid 2004 --gid 2004",
    "op list",
    "op list --parent tenants/acme",
    "tenant get acme",
    "tenant list",
    "tenant create third",
    "provider list",
    "node list",
    "ns adopt rival/spy/taken --provider fake --location x --quota 1MiB",
];

#[test]
fn a_token_of_one_tenant_touches_nothing_of_another() {
    let mut region = region();
    region.operator.run("tenant create rival").success();
    region.operator.run("project create rival/spy --uid 2003 --gid 2003 --quota 64MiB").success();
    let home = region.directory().join("host");
    let added = Command::new(program("stowage"))
        .args(["token", "add", "--subject", "rival-admin", "--role", "admin", "--tenant", "rival", "--file"])
        .arg(home.join("tokens.json"))
        .output()
        .unwrap();
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    let token = region.directory().join("rival.token");
    std::fs::write(&token, added.stdout).unwrap();
    region.kill_host();
    region.restart_host();
    let rival = Cli::new(&region.server, token);
    rival.run("workload register rival/spy/probe").success();
    assert_eq!(rival.json("project list rival").as_array().map(Vec::len), Some(1));

    let state = || {
        ["ns list acme/vision", "grant list acme/vision/train", "workload list acme/vision", "project list acme"]
            .map(|line| region.operator.json(line))
    };
    let before = state();
    for line in FOREIGN {
        let refused = rival.run(line).failure();
        let by_scope = ["[PERMISSION_DENIED]", "[OUT_OF_SCOPE]", "[MOUNT_NOT_GRANTED]"];
        assert!(
            by_scope.iter().any(|reason| refused.contains(reason)),
            "{line} was refused for another reason: {refused}"
        );
    }
    assert_eq!(state(), before, "a foreign caller changed something");
    assert_eq!(rival.json("op list --parent tenants/rival").as_array().map(Vec::len), Some(0));
}
