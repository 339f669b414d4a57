//! What was changed at the cluster behind the host's back is told, and the report that an operator files.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::net::TcpListener;

use serde_json::{Value, json};
use stowage_e2e::{Region, http, region::ADMIN, wait};

const FILESYSTEM: &str = "gpuaas-kind-fs";

/// The cluster's own API, as another administrator uses it.
struct Cluster<'a> {
    region: &'a Region,
    token: String,
    filesystem: String,
}

impl<'a> Cluster<'a> {
    fn login(region: &'a Region) -> Self {
        let mut cluster = Self { region, token: String::new(), filesystem: String::new() };
        let answer = cluster.call("POST", "/login", &json!({ "username": ADMIN.0, "password": ADMIN.1 }));
        cluster.token = answer["access_token"].as_str().unwrap().to_owned();
        let all = cluster.call("GET", "/fileSystems", &Value::Null);
        let found = all.as_array().unwrap().iter().find(|one| one["name"] == FILESYSTEM).unwrap();
        cluster.filesystem = found["uid"].as_str().unwrap().to_owned();
        cluster
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let url = format!("{}/api/v2{path}", self.region.weka);
        let token = if self.token.is_empty() { Value::Null } else { json!(self.token) };
        http::call(&json!({ "method": method, "url": url, "body": body, "bearer": token }))["data"].clone()
    }

    /// The quota of a namespace's directory.
    fn quota(&self, physical_id: &str) -> Value {
        let all = self.call("GET", &format!("/fileSystems/{}/quota", self.filesystem), &Value::Null);
        let ends = |quota: &&Value| {
            quota["path"].as_str().is_some_and(|path| path.trim_end_matches('/').ends_with(physical_id))
        };
        all.as_array().unwrap().iter().find(ends).unwrap_or_else(|| panic!("no quota of {physical_id}: {all}")).clone()
    }

    fn set_quota(&self, inode: &Value, path: &str, owner: &Value, bytes: u64) {
        let inode = inode.as_u64().map_or_else(|| inode.as_str().unwrap().to_owned(), |inode| inode.to_string());
        let body = json!({
            "path": path, "hard_limit_bytes": bytes, "soft_limit_bytes": 0, "grace_seconds": 0, "owner": owner
        });
        self.call("PUT", &format!("/fileSystems/{}/quota/{inode}", self.filesystem), &body);
    }
}

fn kinds(drifts: &Value) -> Vec<String> {
    let of = |drift: &Value| drift["kind"].as_str().unwrap().to_owned();
    drifts.as_array().unwrap().iter().filter(|drift| drift["severity"] != "DRIFT_SEVERITY_INFO").map(of).collect()
}

fn drifts(region: &Region) -> Value {
    region.operator.json("drift list weka")
}

#[test]
fn what_was_changed_removed_or_added_at_the_cluster_is_listed_shown_and_resolved() {
    let mut region = Region::start_with("live-4.4.22", |config| {
        format!("{config}\n[nodes]\nreport_every_s = 1\n[drift]\nscan_every_s = 3600\n")
    });
    region.add_weka();
    region.add_node("node-a");
    let mut physical = Vec::new();
    for name in ["changed", "removed", "mounted"] {
        region.operator.run(&format!("ns create acme/vision/{name} --class scratch --quota 1MiB")).success();
        let made = region.operator.json(&format!("ns get acme/vision/{name}"));
        physical.push(made["physicalId"].as_str().unwrap().to_owned());
    }
    region.operator.run("workload register acme/vision/job").success();
    let plan = "mount plan acme/vision/job --id m --namespace acme/vision/mounted --node node-a --mode rw";
    region.operator.run(plan).success();
    let before = region.operator.json("drift scan weka");
    assert_eq!((kinds(&drifts(&region)), &before["listedCount"]), (vec![], &json!("3")), "{before}");

    {
        let cluster = Cluster::login(&region);
        let quota = cluster.quota(&physical[0]);
        cluster.set_quota(&quota["inode_id"], quota["path"].as_str().unwrap(), &quota["owner"], 4 << 20);
        let made =
            region.emulator("POST", "/admin/dirs", &json!({ "filesystem": FILESYSTEM, "path": "/stowage/foreign" }));
        cluster.set_quota(&made["inode"], "/stowage/foreign", &json!(""), 1 << 20);
    }
    region.emulator(
        "DELETE",
        &format!("/admin/dirs?filesystem={FILESYSTEM}&path=/stowage/{}", physical[1]),
        &Value::Null,
    );
    region.kill_node("node-a");
    wait::until("the node is silent", || {
        (region.operator.json("mount get acme/vision/job/m")["state"] == "MOUNT_STATE_STALE").then_some(())
    });
    let state = |region: &Region| {
        let seen = region.emulator("GET", "/admin/state", &Value::Null);
        (seen["quotas"].clone(), seen["directories"].clone())
    };
    let held = state(&region);
    let scanned = region.operator.json("drift scan weka");
    assert_eq!(scanned["incompleteReason"], Value::Null, "{scanned}");
    let found = drifts(&region);
    assert_eq!(kinds(&found), ["mount-stale", "namespace-missing", "quota-differs"], "{found}");
    let of = |kind: &str| found.as_array().unwrap().iter().find(|drift| drift["kind"] == kind).unwrap().clone();
    assert_eq!(of("namespace-missing")["resource"], "tenants/acme/projects/vision/namespaces/removed");
    assert_eq!(of("namespace-missing")["severity"], "DRIFT_SEVERITY_CRITICAL");
    assert_eq!(of("quota-differs")["resource"], "tenants/acme/projects/vision/namespaces/changed");
    let unknown = of("namespace-unknown");
    assert_eq!((&unknown["severity"], &unknown["resource"]), (&json!("DRIFT_SEVERITY_INFO"), &Value::Null));
    assert!(unknown["subject"].as_str().unwrap().ends_with("/stowage/foreign"), "{unknown}");
    let name = of("quota-differs")["name"].as_str().unwrap().to_owned();
    let shown = region.operator.run(&format!("drift show {name}")).success();
    assert!(shown.contains("1 MiB") && shown.contains("4 MiB") && shown.contains("OPEN"), "{shown}");
    let one = region.operator.json("drift list weka --kind quota-differs");
    assert_eq!(kinds(&one), ["quota-differs"]);
    let wrong = region.operator.run("drift list weka --kind quota").failure();
    assert!(wrong.contains("quota-differs"), "{wrong}");
    assert_eq!(state(&region), held, "a scan changes nothing at the cluster");

    region.restart_node("node-a");
    wait::until("the node is heard of", || {
        (region.operator.json("mount get acme/vision/job/m")["state"] == "MOUNT_STATE_MOUNTED").then_some(())
    });
    region.operator.run("ns set-quota acme/vision/changed --quota 4MiB").success();
    region.operator.run("drift scan weka").success();
    assert_eq!(kinds(&drifts(&region)), ["namespace-missing"]);
    assert_eq!(kinds(&region.operator.json("drift list weka --resolved")), ["mount-stale", "quota-differs"]);
}

#[test]
fn drift_is_looked_for_without_being_asked() {
    let listen = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut region = Region::start_with("live-4.4.22", |config| {
        format!("{config}\n[drift]\nscan_every_s = 1\n[metrics]\nlisten = \"{listen}\"\n")
    });
    region.add_weka();
    region.add_node("node-a");
    region.operator.run("ns create acme/vision/x --class scratch --quota 1MiB").success();
    let made = region.operator.json("ns get acme/vision/x");
    let path = format!("/stowage/{}", made["physicalId"].as_str().unwrap());
    region.emulator("DELETE", &format!("/admin/dirs?filesystem={FILESYSTEM}&path={path}"), &Value::Null);
    wait::until("the schedule has found it", || (kinds(&drifts(&region)) == ["namespace-missing"]).then_some(()));
    let metrics = http::text(&json!({ "method": "GET", "url": format!("http://{listen}/metrics") }));
    let shown = |line: &&str| line.starts_with("stowage_drifts{") && line.contains("namespace-missing");
    let line = metrics.lines().find(shown).unwrap_or_else(|| panic!("no drift in\n{metrics}"));
    assert!(line.ends_with(" 1"), "{line}");
}

#[test]
fn object_access_that_stops_is_drift_and_that_is_believed_is_not() {
    let mut region = Region::start("s3-ready");
    region.add_weka();
    region.add_node("node-a");
    for line in [
        "provider probe weka",
        "class create lake --protocol posix --protocol s3 --select vendor=weka",
        "ns create acme/vision/both --class lake --quota 1MiB --protocol posix --protocol s3",
        "ns create acme/vision/objects --class lake --quota 1MiB --protocol s3",
        "ns create acme/vision/files --class lake --quota 1MiB --protocol posix",
        "drift scan weka",
    ] {
        region.operator.run(line).success();
    }
    assert_eq!(kinds(&drifts(&region)), Vec::<String>::new(), "{}", drifts(&region));
    region.emulator("PUT", "/admin/s3", &json!({ "containers": 0 }));
    region.operator.run("drift scan weka").success();
    let found = drifts(&region);
    let lost = found.as_array().unwrap().iter().find(|drift| drift["subject"] == "namespaces.s3").unwrap();
    assert_eq!(lost["kind"], "readiness-changed", "{found}");
    assert!(!kinds(&found).contains(&"namespace-missing".to_owned()), "{found}");
    region.emulator("PUT", "/admin/s3", &json!({ "containers": 1 }));
    region.operator.run("drift scan weka").success();
    assert_eq!(kinds(&drifts(&region)), Vec::<String>::new(), "{}", drifts(&region));
}

#[test]
fn the_preflight_report_can_be_filed_as_markdown_and_as_json() {
    let region = Region::start("live-4.4.22");
    region.add_weka();
    let text = region.operator.run("provider preflight weka -o md").success();
    for part in
        ["# Preflight of providers/weka", "- Plugin: plugins/weka 0.", "- Backend release: 4.4.22", "## What to do"]
    {
        assert!(text.contains(part), "no {part:?} in:\n{text}");
    }
    let report = region.operator.json("provider preflight weka");
    let rows = report["rows"].as_array().unwrap();
    let counted: u64 = report["counts"].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(counted, rows.len() as u64);
    assert!(text.matches("\n| ").count() > rows.len(), "a row and a head each:\n{text}");
    for secret in [ADMIN.1, &region.weka] {
        assert!(!text.contains(secret) && !report.to_string().contains(secret), "the report shows {secret}");
    }
}
