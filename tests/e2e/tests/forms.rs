//! A mount plan in each form: for a node and nobody but it, for Kubernetes, and for a person with a shell.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::path::Path;

use serde_json::{Value, json};
use stowage_client::{Client, Failure, Target, proto as v1};
use stowage_e2e::{Region, wait};
use tokio::runtime::Runtime;
use tonic::Code;

/// A region whose mounts need a token, with a namespace and a workload.
fn region() -> Region {
    let mut region = Region::start("live-4.4.22");
    region.add_weka_with(&json!({ "client": "stateless", "backends": ["10.0.0.10"], "token": "always" }));
    region.add_node("node-a");
    region.operator.run("ns create acme/vision/train --class scratch --quota 1MiB").success();
    region.operator.run("workload register acme/vision/job").success();
    region
}

fn plan(region: &Region, form: &str) -> Value {
    let line = format!("mount plan acme/vision/job --id {form} --namespace acme/vision/train --form {form} --mode rw");
    region.operator.run(&line).success();
    region.operator.json(&format!("mount get acme/vision/job/{form}"))
}

#[test]
fn kubernetes_gets_a_volume_with_the_handle_that_the_vendor_publishes_and_its_claim() {
    let region = region();
    let plan = plan(&region, "kubernetes");
    let namespace = region.operator.json("ns get acme/vision/train");
    let physical = namespace["physicalId"].as_str().unwrap();
    let manifests = plan["kubernetesManifests"].as_str().unwrap_or_else(|| panic!("no manifests: {plan}"));
    for word in [
        "kind: PersistentVolume\n",
        "kind: PersistentVolumeClaim\n",
        "driver: \"csi.weka.io\"",
        &format!("volumeHandle: \"dir/v1/gpuaas-kind-fs/stowage/{physical}\""),
        "accessModes: [\"ReadWriteMany\"]",
        "persistentVolumeReclaimPolicy: Retain",
    ] {
        assert!(manifests.contains(word), "no {word:?} in\n{manifests}");
    }
    let shown = region.operator.run("mount get acme/vision/job/kubernetes").success();
    assert!(shown.contains(manifests), "the table form does not print the manifests:\n{shown}");
    region.operator.run("mount release acme/vision/job/kubernetes").success();
}

#[test]
fn a_person_gets_the_commands_to_type_and_no_secret() {
    let region = region();
    let plan = plan(&region, "human");
    let commands: Vec<_> = plan["commands"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    let mount = commands.iter().find(|line| line.starts_with("mount -t wekafs -o ")).expect("a mount command");
    assert!(mount.contains("nosuid") && mount.contains("nodev") && mount.contains("gpuaas-kind-fs"), "{mount}");
    assert!(mount.contains("token") && mount.contains('<'), "no place for the token: {mount}");
    let namespace = region.operator.json("ns get acme/vision/train");
    let physical = namespace["physicalId"].as_str().unwrap();
    let bind = commands.iter().find(|line| line.starts_with("mount --bind ")).expect("a bind of the directory alone");
    assert!(bind.contains(physical), "{bind}");
    let shown = region.operator.run("mount get acme/vision/job/human").success();
    for command in &commands {
        assert!(shown.contains(command), "the table form does not print {command:?}:\n{shown}");
    }
    region.operator.run("mount release acme/vision/job/human").success();
}

/// Calls as the agent of a node.
fn agent(region: &Region, node: &Path) -> Client {
    let token = std::fs::read_to_string(node.join("state/token")).unwrap();
    Client::connect_lazy(&Target::new(&region.server).with_token(token.trim().to_owned())).unwrap()
}

fn refused<T>(what: &str, answer: Result<T, tonic::Status>, code: Code) {
    let status = answer.err().unwrap_or_else(|| panic!("{what} was allowed"));
    let failure = Failure::from(status);
    assert_eq!(failure.code, code, "{what}: {failure}");
}

#[test]
fn a_node_gets_neither_the_work_nor_the_secrets_nor_the_word_of_another() {
    let mut region = region();
    region.add_node("node-b");
    region.kill_node("node-a");
    let line = "mount plan acme/vision/job --id m --namespace acme/vision/train --node node-a --mode rw --no-wait";
    region.operator.run(line).success();
    let handle = wait::until("the plan has its secret", || {
        let plan = region.operator.json("mount get acme/vision/job/m");
        plan["secrets"][0]["handle"].as_str().map(str::to_owned)
    });
    let other = region.nodes.iter().find(|node| node.name == "node-b").unwrap().directory.clone();
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let mut nodes = agent(&region, &other).nodes();
        let claim = v1::ClaimWorkRequest { parent: "nodes/node-a".to_owned(), ..Default::default() };
        refused("claiming", nodes.claim_work(claim).await, Code::PermissionDenied);
        let report = v1::ReportWorkRequest {
            name: "nodes/node-a/work/any".to_owned(),
            claim: "any".to_owned(),
            ..Default::default()
        };
        refused("reporting work", nodes.report_work(report).await, Code::PermissionDenied);
        let status = v1::ReportNodeStatusRequest { name: "nodes/node-a".to_owned(), ..Default::default() };
        refused("reporting a status", nodes.report_node_status(status).await, Code::PermissionDenied);
        let mount_plan = "tenants/acme/projects/vision/workloads/job/mountPlans/m".to_owned();
        let redeem = |name: &str| v1::RedeemMountSecretRequest {
            name: name.to_owned(),
            mount_plan: mount_plan.clone(),
            handle: handle.clone(),
            work: String::new(),
        };
        refused(
            "redeeming in another's name",
            nodes.redeem_mount_secret(redeem("nodes/node-a")).await,
            Code::PermissionDenied,
        );
        refused(
            "redeeming for another's plan",
            nodes.redeem_mount_secret(redeem("nodes/node-b")).await,
            Code::NotFound,
        );
    });
    region.restart_node("node-a");
    wait::until("node-a has mounted its plan", || {
        let plan = region.operator.json("mount get acme/vision/job/m");
        (plan["state"] == "MOUNT_STATE_MOUNTED").then_some(())
    });
    region.operator.run("workload release acme/vision/job").success();
}
