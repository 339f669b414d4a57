//! Measurements of a provider by use, and what becomes of them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::{
    io::Read as _,
    process::{Command, Stdio},
};

use serde_json::{Value, json};
use stowage_e2e::{Region, wait};

const RUN: &str = "provider validate weka --mutating --namespace acme/vision/trial --quota 4MiB";

fn outcomes<'a>(report: &'a Value, outcome: &str) -> Vec<&'a str> {
    let rows = report["rows"].as_array().unwrap().iter().filter(|row| row["outcome"] == outcome);
    rows.map(|row| row["check"].as_str().unwrap()).collect()
}

fn nothing_is_left(region: &Region) {
    assert_eq!(region.emulator("GET", "/admin/state", &Value::Null)["quotas"], 0);
    for (list, what) in
        [("ns list acme/vision", "namespace"), ("class list", "class"), ("project list acme", "project")]
    {
        let all = region.operator.json(list);
        let left = all.as_array().unwrap().iter().any(|one| one["name"].as_str().unwrap().contains("trial"));
        assert!(!left, "a {what} of the run is left: {all}");
    }
}

fn basis(region: &Region, id: &str) -> (Value, Value) {
    let all = region.operator.json("provider capabilities weka");
    let found = all.as_array().unwrap().iter().find(|one| one["id"] == id);
    found.map(|one| (one["basis"].clone(), one["evidence"].clone())).unwrap_or_default()
}

#[test]
fn files_mounts_quota_and_their_end_are_measured_and_become_evidence() {
    let mut region = Region::start("live-4.4.22");
    region.add_weka();
    region.add_node("node-a");
    region.add_node("node-b");
    let on_node = region.on_node();
    let line = format!("{RUN} --on-node '{on_node}' -o json");
    let ran = region.operator.run(&line);
    let report: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}{}", ran.out, ran.err));
    assert_eq!(outcomes(&report, "FAIL"), Vec::<&str>::new(), "{report:#}\n{}", region.host_log());
    assert!(ran.ok);
    let passed = outcomes(&report, "PASS");
    for check in [
        "namespace.create",
        "mount.read-write",
        "mount.multi-writer",
        "mount.read-only",
        "files.read-elsewhere",
        "files.multi-writer",
        "quota.change",
        "usage",
        "revoke.grant",
        "release.workload",
        "namespace.delete",
        "drift.in-use",
        "drift.after-cleanup",
        "evidence",
    ] {
        assert!(passed.contains(&check), "{check} did not pass: {report:#}");
    }
    let noted = outcomes(&report, "NOTE");
    assert!(noted.contains(&"files.read-only") && noted.contains(&"quota.enforced"), "{report:#}");
    assert_eq!(outcomes(&report, "SKIP"), ["objects"], "S3 is not set up on this cluster");
    nothing_is_left(&region);
    for id in ["namespaces.posix", "quota.hard", "usage", "mounts.node", "mounts.multi-writer"] {
        let (basis, evidence) = basis(&region, id);
        assert_eq!(basis, "CAPABILITY_BASIS_PROBED", "{id}");
        assert!(!evidence.as_str().unwrap().is_empty(), "{id}");
    }
    assert!(basis(&region, "quota.hard").1.as_str().unwrap().contains("bytes are written into a quota"));
    region.operator.run("provider probe weka").success();
    assert!(basis(&region, "quota.hard").1.as_str().unwrap().contains("bytes are written"), "a probe keeps it");
}

#[test]
fn nothing_is_done_without_consent_or_with_a_namespace_that_is_there() {
    let mut region = Region::start("live-4.4.22");
    region.add_weka();
    region.add_node("node-a");
    let refused = region.operator.run("provider validate weka --namespace acme/vision/trial").failure();
    assert!(refused.contains("--mutating"), "{refused}");
    region.operator.run("ns create acme/vision/trial --class scratch --quota 1MiB").success();
    let refused = region.operator.run(RUN).failure();
    assert!(refused.contains("is there"), "{refused}");
    assert_eq!(region.operator.json("ns get acme/vision/trial")["state"], "NAMESPACE_STATE_READY");
    assert_eq!(region.emulator("GET", "/admin/state", &Value::Null)["quotas"], 1);
}

#[test]
fn a_run_that_fails_midway_leaves_nothing_behind() {
    let mut region = Region::start("live-4.4.22");
    region.add_weka();
    region.add_node("node-a");
    // Changing a quota fails for good, after the namespace was made and mounted.
    let rule =
        json!({ "fault": "status", "status": 400, "method": "PUT", "path": "/fileSystems/*/quota/*", "skip": 1 });
    region.emulator("POST", "/admin/faults", &rule);
    let ran = region.operator.run(&format!("{RUN} --timeout 20s -o json"));
    assert!(!ran.ok);
    let report: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}{}", ran.out, ran.err));
    assert!(outcomes(&report, "FAIL").contains(&"quota.change"), "{report:#}");
    assert!(!outcomes(&report, "FAIL").contains(&"cleanup"), "{report:#}");
    region.emulator("DELETE", "/admin/faults", &Value::Null);
    nothing_is_left(&region);
}

#[test]
fn an_interrupted_run_leaves_nothing_behind() {
    // Without a node the namespace's directory is never made, so the run is caught in the middle of an operation.
    let region = Region::start("live-4.4.22");
    region.add_weka();
    let mut command = region.operator.command(&format!("{RUN} -o json"));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    wait::until("the namespace is being made", || region.operator.run("ns get acme/vision/trial").ok.then_some(()));
    let interrupted = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    let mut text = String::new();
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert!(!child.wait().unwrap().success());
    let report: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"));
    assert!(outcomes(&report, "SKIP").contains(&"interrupted"), "{report:#}");
    assert!(!outcomes(&report, "FAIL").contains(&"cleanup"), "{report:#}");
    nothing_is_left(&region);
}

/// Runs on a cluster with S3 that reads an open point in this way, and answers the report.
fn with_objects(switches: &Value) -> (Region, Value) {
    let mut region = Region::start("s3-ready");
    region.add_weka();
    region.add_node("node-a");
    region.emulator("PATCH", "/admin/switches", switches);
    let ran = region.operator.run(&format!("{RUN} -o json"));
    let report = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}{}", ran.out, ran.err));
    (region, report)
}

fn constraint(region: &Region, id: &str, key: &str) -> Value {
    let all = region.operator.json("provider capabilities weka");
    let found = all.as_array().unwrap().iter().find(|one| one["id"] == id).unwrap();
    found["constraints"][key].clone()
}

#[test]
fn credentials_are_measured_where_the_cluster_serves_objects() {
    let (region, report) = with_objects(&json!({ "service_account_linger_ms": 1500 }));
    assert_eq!(outcomes(&report, "FAIL"), Vec::<&str>::new(), "{report:#}\n{}", region.host_log());
    let passed = outcomes(&report, "PASS");
    for check in [
        "objects.bucket",
        "objects.issue-session",
        "objects.inside",
        "objects.outside",
        "objects.issue-account",
        "objects.account",
        "objects.account-stops",
    ] {
        assert!(passed.contains(&check), "{check} did not pass: {report:#}");
    }
    assert!(outcomes(&report, "NOTE").contains(&"objects.end-session"), "{report:#}");
    nothing_is_left(&region);
    for id in ["namespaces.s3", "credentials.session", "credentials.access-key"] {
        assert_eq!(basis(&region, id).0, "CAPABILITY_BASIS_PROBED", "{id}");
    }
    let latency = &constraint(&region, "credentials.access-key", "key.revoke-latency")["seconds"];
    assert!(latency.as_str().unwrap().parse::<u64>().unwrap() >= 1, "{latency}");
    assert_eq!(constraint(&region, "credentials.session", "policy.prefix-conditions")["flag"], true);
    // No single session can be ended here, so sessions are short unless somebody asks for more.
    assert_eq!(constraint(&region, "credentials.session", "session.default-ttl")["seconds"], "900");
}

#[test]
fn a_cluster_that_ignores_prefix_conditions_loses_the_ability_to_issue_credentials() {
    let (region, report) = with_objects(&json!({ "s3_conditions": "ignored" }));
    assert!(outcomes(&report, "FAIL").contains(&"objects.outside"), "{report:#}");
    nothing_is_left(&region);
    assert_eq!(basis(&region, "credentials.session").0, "CAPABILITY_BASIS_REFUTED");
}
