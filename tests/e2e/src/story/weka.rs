//! The story on WEKA, in the state that was observed on a real cluster.

use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;

use serde_json::Value;

use super::Teller;
use crate::Region;

const PROJECT: &str = "acme/vision";
const NAMESPACE: &str = "acme/vision/train";
const MIB: usize = 1 << 20;

/// What the preflight report must show of the observed cluster.
const FINDINGS: &[&str] =
    &["4.4.22", "wekacb2", "ClusterAdmin", "300", "NoValidProtocolContainerToRunIn", "S3RoleOnlyOperation"];

pub(super) fn tell(region: &mut Region, teller: &mut Teller) {
    let weka = region.weka.clone();
    teller.step("An operator binds the WEKA adapter, a sandboxed WebAssembly component, to a cluster");
    teller.show(&region.operator, "plugin list").success();
    let s3 = region.weka_s3.clone();
    let config = format!(
        r#"{{"isolation":"directory","filesystem":"gpuaas-kind-fs","mount":{{"client":"stateless","backends":["10.0.0.10"]}},"s3":{{"endpoint":"{s3}"}}}}"#
    );
    teller
        .show(
            &region.operator,
            &format!(
                "provider add weka --plugin weka --config '{config}' --endpoint control={weka} --endpoint s3={s3} \
                 --plain-http --secret admin=providers/weka/admin --region eu-1 --label vendor=weka"
            ),
        )
        .success();

    teller.step("Preflight says what the cluster is and what it lacks, read-only and redacted");
    let report = teller.show(&region.operator, "provider preflight weka").success();
    for finding in FINDINGS {
        assert!(report.contains(finding), "the report does not show {finding:?}");
    }

    teller.step("A storage class, a tenant with a project and its POSIX identity, and two nodes");
    teller
        .show(&region.operator, "class create scratch --protocol posix --select vendor=weka --multi-writer")
        .success();
    teller.show(&region.operator, "tenant create acme").success();
    teller
        .show(&region.operator, &format!("project create {PROJECT} --uid 2001 --gid 2001 --mode 0770 --quota 64MiB"))
        .success();
    region.add_node("node-a");
    region.add_node("node-b");
    teller.show(&region.operator, "node list").success();

    teller.step("A platform service makes a namespace; a node makes the directory, since the cluster's API cannot");
    teller.show(&region.operator, &format!("ns create {NAMESPACE} --class scratch --quota 16MiB")).success();
    let placed = teller.show(&region.operator, &format!("ns get {NAMESPACE}")).success();
    assert!(placed.contains("READY") && placed.contains("weka"), "the namespace is not ready on weka");

    teller.step("A workload gets a read-write mount on one node and a read-only mount on another");
    teller.show(&region.operator, "workload register acme/vision/job-1").success();
    for (id, node, mode) in [("rw", "node-a", "rw"), ("ro", "node-b", "ro")] {
        let line =
            format!("mount plan acme/vision/job-1 --id {id} --namespace {NAMESPACE} --node {node} --mode {mode}");
        let plan = teller.show(&region.operator, &line).success();
        assert!(plan.contains("MOUNTED"), "{node} has not mounted the plan");
    }
    let (rw, ro) = (mounted_at(region, "job-1/rw"), mounted_at(region, "job-1/ro"));
    teller.show(&region.operator, "mount get acme/vision/job-1/rw").success();

    teller.step("One node writes, the other reads it and is refused a write");
    std::fs::write(rw.join("checkpoints/step-1"), b"weights").expect("write on node-a");
    let read = std::fs::read(ro.join("checkpoints/step-1")).expect("read on node-b");
    assert_eq!(read, b"weights");
    let refused = std::fs::write(ro.join("checkpoints/step-2"), b"x").expect_err("node-b is read-only");
    assert_eq!(refused.kind(), ErrorKind::ReadOnlyFilesystem);
    teller.say(&format!("node-a wrote checkpoints/step-1, node-b read {} bytes of it", read.len()));
    teller.say(&format!("node-b writes checkpoints/step-2: {refused}"));

    teller.step("A plan beyond the grants is refused");
    teller.show(&region.operator, "project create acme/audio --uid 2002 --gid 2002 --quota 64MiB").success();
    teller.show(&region.operator, "workload register acme/audio/reader").success();
    teller
        .show(
            &region.operator,
            &format!(
                "grant create {NAMESPACE} --id readers --to project:acme/audio --prefix shared/ --action read,list"
            ),
        )
        .success();
    let plan = format!("mount plan acme/audio/reader --namespace {NAMESPACE} --node node-b --prefix shared/");
    let refused = teller.show(&region.operator, &format!("{plan} --id wide --mode rw")).failure();
    assert!(refused.contains("write"), "the refusal does not name what is missing");
    teller.show(&region.operator, &format!("{plan} --id narrow --mode ro")).success();

    teller.step("A writer is stopped by its quota, and the usage is seen");
    let stopped = fill(&rw.join("shared/big"), 32 * MIB);
    teller.say(&format!("writing 32 MiB into a quota of 16 MiB: {stopped}"));
    assert_eq!(stopped.raw_os_error(), Some(122), "EDQUOT");
    teller.show(&region.operator, &format!("ns usage {NAMESPACE}")).success();
    let usage = region.operator.json(&format!("ns usage {NAMESPACE}"));
    let used = number(&usage["usages"][0]["used"]);
    assert!(used > 14 * MIB as u64 && used <= 17 * MIB as u64, "usage {used} is not near the quota");
    std::fs::remove_file(rw.join("shared/big")).expect("remove");

    teller.step("A namespace over the project's quota is refused before anything happens");
    let refused = teller.show(&region.operator, "ns create acme/vision/huge --class scratch --quota 1GiB").failure();
    assert!(refused.to_lowercase().contains("quota"), "the refusal does not name the quota");

    teller.step("The host is killed in the middle of an operation and goes on after its restart");
    region.kill_node("node-a");
    region.kill_node("node-b");
    let operation = region.operator.json("ns create acme/vision/survivor --class scratch --quota 1MiB --no-wait");
    let operation = operation["name"].as_str().expect("operation").to_owned();
    teller.show(&region.operator, &format!("op get {operation}")).success();
    region.kill_host();
    teller.say("kill -9 of the host; then it is started again, and the nodes too");
    region.restart_host();
    region.restart_node("node-a");
    region.restart_node("node-b");
    teller.show(&region.operator, &format!("op wait {operation}")).success();
    let survivor = region.operator.json("ns get acme/vision/survivor");
    assert_eq!(survivor["state"], "NAMESPACE_STATE_READY");

    teller.step("The workload is released: unmounted on every node, with an end state for each plan");
    for workload in ["acme/vision/job-1", "acme/audio/reader"] {
        teller.show(&region.operator, &format!("workload release {workload}")).success();
    }
    assert!(!rw.exists() && !ro.exists(), "a mount is left");

    teller.step("The namespaces are deleted with their data, and nothing of them is left at the cluster");
    for namespace in [NAMESPACE, "acme/vision/survivor"] {
        teller.show(&region.operator, &format!("ns delete {namespace} --purge")).success();
    }
    let left = region.emulator("GET", "/admin/state", &Value::Null);
    assert_eq!(left["quotas"], 0, "a quota is left: {left}");
    teller.say(&format!("the cluster has {} quotas", left["quotas"]));
}

/// Where the plan's first mount is, as this process sees it.
pub(super) fn mounted_at(region: &Region, plan: &str) -> PathBuf {
    let plan = region.operator.json(&format!("mount get acme/vision/{plan}"));
    let path = plan["mountPaths"][0].as_str().unwrap_or_else(|| panic!("the plan has no path: {plan}"));
    region.path(path)
}

/// Writes until it is stopped, and answers by what.
fn fill(path: &std::path::Path, bytes: usize) -> std::io::Error {
    let chunk = vec![7_u8; MIB];
    let mut file = std::fs::File::create(path).expect("create");
    for _ in 0..bytes / MIB {
        if let Err(error) = file.write_all(&chunk).and_then(|()| file.sync_data()) {
            return error;
        }
    }
    panic!("{bytes} bytes were written and nothing stopped it");
}

/// A 64-bit number, which proto JSON writes as text.
fn number(value: &Value) -> u64 {
    value
        .as_str()
        .and_then(|text| text.parse().ok())
        .or_else(|| value.as_u64())
        .unwrap_or_else(|| panic!("no number: {value}"))
}
